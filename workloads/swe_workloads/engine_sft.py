"""Supervised fine-tuning of a LoRA adapter with unmodified TRL, in a process of its own.

Ends with 0 when all steps are done and the adapter is written, 75 when it was asked to stop and wrote a
checkpoint, else with the code of the failure that failure.json explains.
"""

import json
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset, disable_progress_bars, load_dataset
from peft import LoraConfig, TaskType
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerState
from trl import SFTConfig, SFTTrainer

from swe_workloads.engine_callbacks import EndWhenDiverged, Report, StopOnSignal
from swe_workloads.engine_failures import explain, memory_that_ran_out
from swe_workloads.engine_files import EngineOrder, write_atomically
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import RunFile, read_run_file

SCHEDULERS = {"Linear": "linear", "Cosine": "cosine", "Constant": "constant_with_warmup"}
# The trainer takes a number below 1 as a share of all steps, and 1 as one step.
ALL_STEPS = 1 - 1e-9
COLUMNS = ("messages", "prompt", "completion")
# What a checkpoint holds to go on training, and a card that names local paths.
NOT_PART_OF_THE_ADAPTER = ("*.pt", "*.pth", "*.bin", "trainer_state.json", "inputs.json", "README.md")


def main() -> None:
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    stop = StopOnSignal()
    quieten()
    try:
        last_checkpoint = finished_checkpoint(order) or train(order, stop)
        export_adapter(last_checkpoint, order)
    except Exception as error:
        traceback.print_exc()
        failure = explain(error)
        write_atomically(order.report.failure, failure)
        sys.exit(failure.code)


def finished_checkpoint(order: EngineOrder) -> Path | None:
    """The checkpoint to resume from if it is of the last step: the trainer would make one step more from there."""
    if order.resume_from is None:
        return None
    state = TrainerState.load_from_json(str(order.resume_from / "trainer_state.json"))
    if state.global_step < state.max_steps:
        return None
    Report(order.report).begin_with(state)
    return order.resume_from


def train(order: EngineOrder, stop: StopOnSignal) -> Path:
    """The checkpoint of the last step. Leaves the process with 75 when asked to stop."""
    trainer = build_trainer(order, stop)
    if stop.requested:
        sys.exit(ExitCode.PREEMPTED)
    trainer.train(resume_from_checkpoint=str(order.resume_from) if order.resume_from else None)
    return order.output_dir / f"checkpoint-{trainer.state.global_step}"


def build_trainer(order: EngineOrder, stop: StopOnSignal) -> SFTTrainer:
    """Raises Failure naming whose fault it is: the settings', the data's or the model's."""
    run = read_run_file(order.run_file)
    # One thread count for all attempts: sums in another order are other sums.
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    # Before anything random is made. The trainer seeds itself too, but only after LoRA has been initialised.
    transformers.set_seed(run.seed)
    with blaming(ExitCode.INVALID_CONFIGURATION, "The settings are refused"):
        arguments = sft_config(run, order.output_dir, evaluate=order.test_file is not None)
        lora = lora_config(run)
    with blaming(ExitCode.MODEL_UNUSABLE, f"The model {run.model.uri} cannot be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(order.model_dir, local_files_only=True)
        model = load_model(order.model_dir)
    with blaming(ExitCode.INVALID_DATA, "The prepared data cannot be read"):
        train = load_rows(order.train_file)
        test = load_rows(order.test_file) if order.test_file is not None else None
    transformers.set_seed(run.seed)
    with blaming(ExitCode.INVALID_CONFIGURATION, "The settings do not fit the model", (ValueError,)):
        trainer = SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=train,
            eval_dataset=test,
            processing_class=tokenizer,
            peft_config=lora,
            callbacks=[Report(order.report), EndWhenDiverged(), stop],
        )
    trainer.remove_callback(PrinterCallback)
    return trainer


def sft_config(run: RunFile, output_dir: Path, *, evaluate: bool) -> SFTConfig:
    """The run file in the engine's words."""
    on_gpu = torch.cuda.is_available()
    evaluation: dict[str, Any] = {"eval_strategy": "no"}
    if evaluate and run.evaluation is not None:
        evaluation = {"eval_strategy": "steps", "eval_steps": run.evaluation.every_steps}
    length = {"max_steps": run.duration.max_steps} if run.duration.max_steps else {}
    epochs = {"num_train_epochs": run.duration.epochs} if run.duration.epochs else {}
    # The default loss works on chunks of the output layer and refuses one that carries LoRA.
    plain_loss = {"loss_type": "nll"} if any("lm_head" in name for name in run.lora.target_modules) else {}
    return SFTConfig(
        output_dir=str(output_dir),
        seed=run.seed,
        data_seed=run.seed,
        max_length=run.sequence.max_length,
        per_device_train_batch_size=run.batch.per_device,
        per_device_eval_batch_size=run.batch.per_device,
        gradient_accumulation_steps=run.batch.gradient_accumulation,
        learning_rate=run.optimizer.learning_rate,
        lr_scheduler_type=SCHEDULERS[run.optimizer.scheduler],
        warmup_steps=min(run.optimizer.warmup_ratio, ALL_STEPS),
        weight_decay=run.optimizer.weight_decay,
        save_strategy="steps",
        save_steps=run.checkpoint.every_steps,
        save_total_limit=max(2, run.checkpoint.keep),  # never without one while another is being written
        logging_steps=run.logging.every_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # it would hide the very thing EndWhenDiverged looks for
        disable_tqdm=True,
        report_to="none",
        use_cpu=not on_gpu,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        gradient_checkpointing=on_gpu,
        dataloader_pin_memory=on_gpu,
        **length,
        **epochs,
        **evaluation,
        **plain_loss,
    )


def lora_config(run: RunFile) -> LoraConfig:
    every = run.lora.target_modules == ["all-linear"]
    return LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=run.lora.rank,
        lora_alpha=run.lora.alpha,
        lora_dropout=run.lora.dropout,
        target_modules="all-linear" if every else run.lora.target_modules,
    )


def load_model(folder: Path) -> Any:
    """Raises Failure(MODEL_UNUSABLE) when the files lack weights, which would otherwise be made up at random."""
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    model, loaded = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, output_loading_info=True
    )
    if loaded["missing_keys"]:
        some = ", ".join(sorted(loaded["missing_keys"])[:3])
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The model's files have no weights for {some}.")
    return model


def load_rows(path: Path) -> Dataset:
    rows = load_dataset("json", data_files=str(path), split="train")
    return rows.select_columns([name for name in COLUMNS if name in rows.column_names])


def export_adapter(checkpoint: Path, order: EngineOrder) -> None:
    """The adapter as PEFT reads it, naming the run's model instead of a path inside this pod."""
    folder = order.report.adapter
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns(*NOT_PART_OF_THE_ADAPTER))
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = read_run_file(order.run_file).model.uri
    # PEFT keeps the modules in a set; in a fixed order equal runs have equal files.
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def quieten() -> None:
    """No progress bars, and TRL's warning about single rows once instead of once a row."""
    transformers.utils.logging.disable_progress_bar()
    disable_progress_bars()
    seen: set[str] = set()

    def first_time(record: logging.LogRecord) -> bool:
        known = record.getMessage() in seen
        seen.add(record.getMessage())
        return not known

    logging.getLogger("trl.trainer.sft_trainer").addFilter(first_time)


@contextmanager
def blaming(code: ExitCode, what: str, kinds: tuple[type[Exception], ...] = (Exception,)) -> Iterator[None]:
    try:
        yield
    except Failure:
        raise
    except kinds as error:
        if memory_that_ran_out(error) is not None:
            raise
        raise Failure(code, f"{what}: {error}") from error


if __name__ == "__main__":
    main()
