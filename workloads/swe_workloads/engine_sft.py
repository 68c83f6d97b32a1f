"""Supervised fine-tuning, of an adapter or the whole model, with unmodified TRL, in a process of its own.

Ends with 0 when the training is over and finished.json says how, 75 when it was asked to stop and wrote a
checkpoint, else with the code of the failure that failure-<rank>.json explains.
"""

import faulthandler
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset, disable_progress_bars, load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PrinterCallback, TrainerCallback, TrainerState
from trl import SFTTrainer, get_peft_config, get_quantization_config

from swe_workloads.decisions import out_of_patience
from swe_workloads.engine_callbacks import EndWhenDiverged, Report, SaveTheLast, StopEarly
from swe_workloads.engine_failures import explain, memory_that_ran_out
from swe_workloads.engine_files import EngineOrder, Finished, number_of_ranks, own_rank, write_atomically
from swe_workloads.engine_pulse import Pulse, touch
from swe_workloads.engine_ranks import Ranks, WholeCheckpoint
from swe_workloads.engine_stop import StopOnRequest
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.history import lowest, series
from swe_workloads.run_file import RunFile, read_run_file
from swe_workloads.trl_config import Parsed, Paths, parse, render, write

COLUMNS = ("messages", "prompt", "completion")


def main() -> None:
    faulthandler.enable()  # the wrapper ends an engine that hangs with SIGABRT: then every thread says where it is
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    quieten()
    try:
        state = finished_state(order) or train(order)
        if own_rank() == 0:
            write_atomically(order.report.finished, finished(state))
    except Exception as error:
        traceback.print_exc()
        failure = explain(error)
        write_atomically(order.report.failure(own_rank()), failure)
        sys.exit(failure.code)


def finished(state: TrainerState) -> Finished:
    best = lowest(series(state.log_history, "eval_loss"))
    return Finished(
        step=state.global_step,
        total_steps=state.max_steps,
        stopped_early=state.global_step < state.max_steps,
        best_step=int(best.step) if best is not None else None,
        best_eval_loss=best.value if best is not None else None,
    )


def finished_state(order: EngineOrder) -> TrainerState | None:
    """The state to resume from if the training ended with it: the trainer would make one step more from there."""
    if order.resume_from is None:
        return None
    state = TrainerState.load_from_json(str(order.resume_from / "trainer_state.json"))
    rule = read_run_file(order.run_file).evaluation.early_stop
    stopped_early = rule is not None and out_of_patience(state.log_history, rule)
    if state.global_step < state.max_steps and not stopped_early:
        return None
    if own_rank() == 0:
        Report(order.report).begin_with(state)
    return state


def train(order: EngineOrder) -> TrainerState:
    """Leaves the process with 75 when asked to stop."""
    ranks = Ranks()
    stop = StopOnRequest(order.report.stop, ranks)
    trainer = build_trainer(order, ranks, stop)
    touch(order.report)
    if stop.requested:
        sys.exit(ExitCode.PREEMPTED)
    trainer.train(resume_from_checkpoint=str(order.resume_from) if order.resume_from else None)
    return trainer.state


def build_trainer(order: EngineOrder, ranks: Ranks, stop: StopOnRequest) -> SFTTrainer:
    """Raises Failure naming whose fault it is: the settings', the data's or the model's."""
    run = read_run_file(order.run_file)
    # One thread count for all attempts: sums in another order are other sums.
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    # Before anything random is made. The trainer seeds itself too, but only after LoRA has been initialised.
    transformers.set_seed(run.seed)
    with blaming(ExitCode.INVALID_CONFIGURATION, "The settings are refused"):
        parsed = settings(run, order)
    with blaming(ExitCode.MODEL_UNUSABLE, f"The model {run.model.uri} cannot be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(order.model_dir, local_files_only=True)
        model = load_model(order.model_dir, parsed)
    with blaming(ExitCode.INVALID_DATA, "The prepared data cannot be read"):
        train = load_rows(order.train_file)
        test = load_rows(order.test_file) if order.test_file is not None else None
    transformers.set_seed(run.seed)
    with blaming(ExitCode.INVALID_CONFIGURATION, "The settings do not fit the model", (ValueError,)):
        trainer = SFTTrainer(
            model=model,
            args=parsed.training,
            train_dataset=train,
            eval_dataset=test,
            processing_class=tokenizer,
            peft_config=get_peft_config(parsed.model),
            callbacks=callbacks(run, order, ranks, stop),
        )
    trainer.remove_callback(PrinterCallback)
    return trainer


def callbacks(run: RunFile, order: EngineOrder, ranks: Ranks, stop: StopOnRequest) -> list[TrainerCallback]:
    """In their order: who looks at a checkpoint comes after it is whole, who ends the process comes last."""
    rule = run.evaluation.early_stop
    return [
        WholeCheckpoint(ranks),
        *([Report(order.report)] if own_rank() == 0 else []),
        Pulse(order.report),
        EndWhenDiverged(),
        *([StopEarly(rule)] if rule is not None else []),
        *([SaveTheLast()] if run.checkpoint.strategy == "No" else []),
        stop,
    ]


def settings(run: RunFile, order: EngineOrder) -> Parsed:
    """What TRL is told; the file is kept for the report."""
    paths = Paths(model=order.model_dir, data=order.train_file.parent, output=order.output_dir)
    on_gpu = has_gpus(run)
    rendered = render(run, on_gpu=on_gpu, micro_batch=order.micro_batch, paths=paths)
    if number_of_ranks() > 1 and not on_gpu:
        # Debian's torch would take MPI between ranks without GPUs, which cannot gather what TRL asks for.
        rendered["ddp_backend"] = "gloo"
    if own_rank() == 0:
        write(rendered, order.report.engine_config)
    return parse(rendered)


def has_gpus(run: RunFile) -> bool:
    """Raises Failure(ENGINE_FAILED) rather than train for days on the CPU of a node with broken GPUs."""
    if torch.version.cuda is None:  # the CPU image, which stands in on pools that only pretend
        return False
    seen = torch.cuda.device_count()
    if seen < run.compute.gpus:
        what = f"{seen} of the {run.compute.gpus} GPUs of this pod can be used; check the driver of the node"
        raise Failure(ExitCode.ENGINE_FAILED, f"Only {what}.")
    return run.compute.gpus > 0


def load_model(folder: Path, parsed: Parsed) -> Any:
    """Raises Failure(MODEL_UNUSABLE) when the files lack weights, which would otherwise be made up at random."""
    device = parsed.training.device
    model, loaded = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=getattr(torch, parsed.model.dtype),
        attn_implementation=parsed.model.attn_implementation,
        quantization_config=get_quantization_config(parsed.model),
        # Straight to the GPU of this rank: the host need not hold the model too.
        device_map={"": device} if device.type == "cuda" else None,
        local_files_only=True,
        output_loading_info=True,
    )
    if loaded["missing_keys"]:
        some = ", ".join(sorted(loaded["missing_keys"])[:3])
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The model's files have no weights for {some}.")
    return model


def load_rows(path: Path) -> Dataset:
    rows = load_dataset("json", data_files=str(path), split="train")
    return rows.select_columns([name for name in COLUMNS if name in rows.column_names])


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
