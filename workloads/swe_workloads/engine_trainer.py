"""What every trainer is made of: the settings as TRL reads them, the model, the rows, and the callbacks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset, load_dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import get_peft_config, get_quantization_config

from swe_workloads.decisions import tolerated_rise
from swe_workloads.engine_callbacks import EndWhenDiverged, Report, SaveTheLast, StopEarly
from swe_workloads.engine_failures import memory_that_ran_out
from swe_workloads.engine_files import EngineOrder, number_of_ranks, own_rank
from swe_workloads.engine_pulse import Pulse
from swe_workloads.engine_ranks import Ranks, WholeCheckpoint
from swe_workloads.engine_stop import StopOnRequest
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import RunFile, read_run_file
from swe_workloads.trl_config import Parsed, Paths, parse, render, write


@dataclass(frozen=True)
class Parts:
    """Loaded, and nothing of it trained yet. `test` is None where no rows are held out.

    `new_adapter` is what PEFT is to make; None where the whole model is trained, or one with an adapter already.
    """

    run: RunFile
    parsed: Parsed
    tokenizer: Any
    model: Any
    new_adapter: Any
    train: Dataset
    test: Dataset | None


def load_parts(order: EngineOrder, columns: Sequence[str]) -> Parts:
    """`columns` are those that the method learns from. Raises Failure naming whose fault it is.

    Leaves the random numbers as the seed has them, for what the trainer makes: adapters before all.
    """
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
        if order.adapter_dir is not None:
            model = continue_adapter(model, order.adapter_dir, run)
    with blaming(ExitCode.INVALID_DATA, "The prepared data cannot be read"):
        train = load_rows(order.train_file, columns)
        test = load_rows(order.test_file, columns) if order.test_file is not None else None
    transformers.set_seed(run.seed)
    new_adapter = get_peft_config(parsed.model) if order.adapter_dir is None else None
    return Parts(run, parsed, tokenizer, model, new_adapter, train, test)


def callbacks(run: RunFile, order: EngineOrder, ranks: Ranks, stop: StopOnRequest) -> list[TrainerCallback]:
    """In their order: who looks at a checkpoint comes after it is whole, who ends the process comes last."""
    rule = run.evaluation.early_stop
    return [
        WholeCheckpoint(ranks),
        *([Report(order.report)] if own_rank() == 0 else []),
        Pulse(order.report),
        EndWhenDiverged(tolerated_rise(run)),
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
    return parse(rendered, run.method)


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


def continue_adapter(model: Any, folder: Path, run: RunFile) -> PeftModel:
    """The adapter is as it was left, but for the dropout, which is a matter of the training."""
    assert run.lora is not None  # the run file's own check
    config = LoraConfig.from_pretrained(str(folder))
    config.lora_dropout = run.lora.dropout
    # By way of the host: PEFT by itself would load it to the first GPU, whichever rank this is.
    return PeftModel.from_pretrained(model, str(folder), is_trainable=True, config=config, torch_device="cpu")


def load_rows(path: Path, columns: Sequence[str]) -> Dataset:
    rows = load_dataset("json", data_files=str(path), split="train")
    return rows.select_columns([name for name in columns if name in rows.column_names])


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
