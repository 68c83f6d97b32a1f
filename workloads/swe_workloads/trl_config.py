"""A run in TRL's words: the flat file that `trl <method> --config` takes, and what TRL's own parser makes of it.

The engine builds its trainer from the parsed file and from nothing else, so what the preparation has checked and
what the report shows is what trains.
"""

import tempfile
from argparse import ArgumentError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from swe_workloads.engine_options import read_options, trl_parser
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Dpo, Method, RunFile

SCHEDULERS = {"Linear": "linear", "Cosine": "cosine", "Constant": "constant_with_warmup"}
ALGORITHMS = {"AdamW": "adamw_torch", "PagedAdamW8Bit": "paged_adamw_8bit"}
LOSSES = {
    "Sigmoid": "sigmoid",
    "SigmoidNorm": "sigmoid_norm",
    "Hinge": "hinge",
    "IPO": "ipo",
    "Robust": "robust",
    "APOZero": "apo_zero",
    "APODown": "apo_down",
}
STRATEGIES = {"No": "no", "Steps": "steps", "Epoch": "epoch"}
# transformers reads warmup_steps below 1 as a share of all steps, and 1 as one step; warmup_ratio is gone.
ALL_STEPS = 1 - 1e-9


@dataclass(frozen=True)
class Paths:
    """Where the engine finds the model and the rows (train.jsonl, test.jsonl), and writes checkpoints."""

    model: Path
    data: Path
    output: Path


@dataclass(frozen=True)
class Parsed:
    """TRL's SFTConfig or DPOConfig, and its ModelConfig."""

    training: Any
    model: Any


def render(run: RunFile, *, on_gpu: bool, micro_batch: int, paths: Paths) -> dict[str, Any]:
    """The run as TRL's file has it. `micro_batch`: rows of one pass on one device; it divides batch.perDevice.

    Raises Failure(INVALID_CONFIGURATION) that names every engine option that cannot be used.
    """
    options = read_options(run.engine_options, run.method)
    four_bit = run.lora is not None and run.lora.quantization == "NF4"
    if four_bit and options.get("dtype", "bfloat16") != "bfloat16":
        what = "engineOptions.dtype: 4-bit weights are computed in it, so with lora.quantization NF4 it is bfloat16"
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"{what}: leave it out.")
    accumulation = run.batch.per_device * run.batch.gradient_accumulation // micro_batch
    return {
        "model_name_or_path": str(paths.model),
        "dataset_name": str(paths.data),
        "output_dir": str(paths.output),
        **_precision(run, on_gpu=on_gpu),
        **_adapter(run),
        "max_length": run.sequence.max_length,
        **(_loss(run) if run.dpo is None else _comparison(run.dpo)),
        "optim": ALGORITHMS[run.optimizer.algorithm],
        "learning_rate": run.optimizer.learning_rate,
        "lr_scheduler_type": SCHEDULERS[run.optimizer.scheduler],
        "warmup_steps": min(run.optimizer.warmup_ratio, ALL_STEPS),
        "weight_decay": run.optimizer.weight_decay,
        "max_grad_norm": run.optimizer.max_grad_norm,
        "per_device_train_batch_size": micro_batch,
        "per_device_eval_batch_size": micro_batch,
        "gradient_accumulation_steps": accumulation,
        "gradient_checkpointing": run.batch.gradient_checkpointing,
        **_schedule(run),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # it would hide the very thing EndWhenDiverged looks for
        "disable_tqdm": True,
        "report_to": "none",
        "seed": run.seed,
        "data_seed": run.seed,
        **options,
    }


def _precision(run: RunFile, *, on_gpu: bool) -> dict[str, Any]:
    """The dtype that 4-bit weights are computed in is the model's own, so with them it is always bfloat16.

    A full fine-tuning keeps float32 weights below bfloat16 arithmetic: bfloat16 loses updates smaller than 1/256
    of a weight. An adapter is float32 whatever its base is.
    """
    if not on_gpu:
        return {"use_cpu": True, "bf16": False, "dtype": "float32"}
    return {"bf16": True, "tf32": True, "dtype": "float32" if run.lora is None else "bfloat16"}


def _adapter(run: RunFile) -> dict[str, Any]:
    if run.lora is None:
        return {"use_peft": False}
    modules = list(run.lora.target_modules)
    # TRL takes a list of one for a pattern of the whole path, which a module's own name never matches.
    single = len(modules) == 1 and modules != ["all-linear"]
    four_bit = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "use_bnb_nested_quant": True}
    return {
        "use_peft": True,
        "lora_r": run.lora.rank,
        "lora_alpha": run.lora.alpha,
        "lora_dropout": run.lora.dropout,
        "lora_target_modules": modules * 2 if single else modules,
        **(four_bit if run.lora.quantization == "NF4" else {}),
    }


def _loss(run: RunFile) -> dict[str, Any]:
    # TRL's default loss works on chunks of the output layer and refuses one that carries LoRA.
    on_head = run.lora is not None and any("lm_head" in name for name in run.lora.target_modules)
    return {
        "completion_only_loss": run.sequence.loss_on == "Completion",
        "assistant_only_loss": run.sequence.loss_on == "AssistantMessages",
        **({"loss_type": "nll"} if on_head else {}),
    }


def _comparison(dpo: Dpo) -> dict[str, Any]:
    return {
        "beta": dpo.beta,
        "loss_type": [LOSSES[dpo.loss_type]],
        "label_smoothing": dpo.label_smoothing,
        "precompute_ref_log_probs": dpo.reference_log_probs == "Precomputed",
    }


def _schedule(run: RunFile) -> dict[str, Any]:
    steps, epochs = run.duration.max_steps, run.duration.epochs
    evaluation, checkpoint = run.evaluation, run.checkpoint
    return {
        **({"max_steps": steps} if steps is not None else {"num_train_epochs": epochs}),
        "eval_strategy": STRATEGIES[evaluation.strategy],
        **({"eval_steps": evaluation.every_steps} if evaluation.strategy == "Steps" else {}),
        "save_strategy": STRATEGIES[checkpoint.strategy],
        **({"save_steps": checkpoint.every_steps} if checkpoint.strategy == "Steps" else {}),
        "save_total_limit": max(2, checkpoint.keep),  # never without one while another is being written
        "logging_steps": run.logging.every_steps,
    }


def write(rendered: dict[str, Any], path: Path) -> None:
    """As YAML, in the order of the rendering."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(rendered, sort_keys=False, default_flow_style=None, width=120))


def parse(rendered: dict[str, Any], method: Method) -> Parsed:
    """What TRL makes of the file. Raises Failure(INVALID_CONFIGURATION) with TRL's own words."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trl.yaml"
            write(rendered, path)
            _, training, model = trl_parser(method).parse_args_and_config(["--config", str(path)])
    except (ArgumentError, ValueError, TypeError) as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"TRL refuses the settings: {error}.") from error
    return Parsed(training, model)


def parse_anywhere(rendered: dict[str, Any], method: Method) -> Parsed:
    """The same where there is no GPU: TRL looks for one as soon as bf16 or tf32 is asked for.

    Only these switches are turned to the CPU's; the file, the parser and all other checks are the real ones.
    """
    return parse({name: value for name, value in rendered.items() if name != "tf32"} | {"use_cpu": True}, method)
