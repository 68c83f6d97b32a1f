"""spec.engineOptions: what a run may tell TRL beyond the typed fields, read by TRL's own parser.

Every field of TRL's dataclasses is in exactly one of three places: a typed field of the run sets it (OWNED), it
would break what a run promises (REFUSED), or it is open. A test holds the tables equal to the dataclasses.
"""

import dataclasses
import difflib
import re
from argparse import Action, ArgumentError
from collections.abc import Mapping
from typing import Any

import trl
import yaml
from trl import ModelConfig, ScriptArguments, SFTConfig, TrlParser

from swe_workloads.exit_codes import ExitCode, Failure

# Which typed field says it.
OWNED = {
    "model_name_or_path": "model",
    "model_revision": "model.hub.revision",
    "use_peft": "lora",
    "lora_r": "lora.rank",
    "lora_alpha": "lora.alpha",
    "lora_dropout": "lora.dropout",
    "lora_target_modules": "lora.targetModules",
    "load_in_4bit": "lora.quantization",
    "load_in_8bit": "lora.quantization",
    "bnb_4bit_quant_type": "lora.quantization",
    "bnb_4bit_quant_storage": "lora.quantization",
    "use_bnb_nested_quant": "lora.quantization",
    "learning_rate": "optimizer.learningRate",
    "lr_scheduler_type": "optimizer.scheduler",
    "warmup_steps": "optimizer.warmupRatio",
    "weight_decay": "optimizer.weightDecay",
    "optim": "optimizer.algorithm",
    "max_grad_norm": "optimizer.maxGradNorm",
    "per_device_train_batch_size": "batch.perDevice",
    "per_device_eval_batch_size": "batch.perDevice",
    "gradient_accumulation_steps": "batch.gradientAccumulation",
    "gradient_checkpointing": "batch.gradientCheckpointing",
    "activation_checkpointing": "batch.gradientCheckpointing",
    "max_steps": "duration.maxSteps",
    "num_train_epochs": "duration.epochs",
    "max_length": "sequence.maxLength",
    "completion_only_loss": "sequence.lossOn",
    "assistant_only_loss": "sequence.lossOn",
    "eval_strategy": "evaluation.strategy",
    "do_eval": "evaluation.strategy",
    "eval_steps": "evaluation.everySteps",
    "save_strategy": "checkpoint.strategy",
    "save_steps": "checkpoint.everySteps",
    "save_total_limit": "checkpoint.keep",
    "load_best_model_at_end": "checkpoint.result",
    "metric_for_best_model": "checkpoint.result",
    "greater_is_better": "checkpoint.result",
    "logging_strategy": "logging.everySteps",
    "logging_steps": "logging.everySteps",
    "seed": "seed",
    "data_seed": "seed",
    "use_cpu": "compute.pool",
    "dataset_name": "data",
    "dataset_config": "data",
    "dataset_train_split": "split",
    "dataset_test_split": "split",
    "dataset_streaming": "data",
    "dataset_text_field": "data",
}

_STORE = "the operator keeps checkpoints and results in its store"
_RESUME = "an interrupted run would not continue as it was"
_REPORTS = "progress and metrics go to the operator"
_RANKS = "each GPU has one process with the whole model (compute.gpusPerNode)"
_PRECISION = "it follows from compute.pool: bfloat16 on GPUs, float32 on CPUs"
_NO_FLASH = "it needs FlashAttention, which the trainer image does not have; without it packed rows see each other"
_FILES = "the model is used as its files are"
_NO_EFFECT = "it has no effect on such a training"
_NO_COMPILER = "the trainer image has no C compiler"

REFUSED = {
    **dict.fromkeys(("output_dir", "save_on_each_node", "enable_jit_checkpoint", "push_to_hub"), _STORE),
    **dict.fromkeys(("hub_token", "hub_private_repo", "hub_model_id", "hub_strategy"), _STORE),
    **dict.fromkeys(("hub_always_push", "hub_revision"), _STORE),
    **dict.fromkeys(("resume_from_checkpoint", "save_only_model", "ignore_data_skip"), _RESUME),
    **dict.fromkeys(("restore_callback_states_from_checkpoint", "accelerator_config", "eval_on_start"), _RESUME),
    **dict.fromkeys(("report_to", "run_name", "project", "trackio_space_id", "trackio_bucket_id"), _REPORTS),
    **dict.fromkeys(("trackio_static_space_id", "disable_tqdm", "logging_first_step"), _REPORTS),
    **dict.fromkeys(("logging_nan_inf_filter", "log_on_each_node", "log_level", "log_level_replica"), _REPORTS),
    **dict.fromkeys(("deepspeed", "fsdp", "fsdp_config", "parallelism_config", "local_rank", "ddp_backend"), _RANKS),
    **dict.fromkeys(("bf16", "fp16", "fp16_full_eval", "bf16_full_eval", "tf32"), _PRECISION),
    **dict.fromkeys(("packing", "packing_strategy", "padding_free", "eval_packing"), _NO_FLASH),
    **dict.fromkeys(("trust_remote_code", "model_init_kwargs", "chat_template_path", "lora_task_type"), _FILES),
    **dict.fromkeys(("do_train", "do_predict", "ignore_bias_buffers", "eval_use_gather_object"), _NO_EFFECT),
    **dict.fromkeys(("include_for_metrics", "batch_eval_metrics", "eval_do_concat_batches"), _NO_EFFECT),
    **dict.fromkeys(("label_names", "use_cache", "optim_args", "optim_target_modules"), _NO_EFFECT),
    **dict.fromkeys(("torch_compile", "torch_compile_backend", "torch_compile_mode"), _NO_COMPILER),
    "auto_find_batch_size": "after CUDA out of memory the next attempt takes a smaller micro-batch by itself",
    "label_smoothing_factor": "TRL's loss, which works on chunks of the output layer, cannot smooth labels",
    "use_liger_kernel": "liger-kernel is not in the trainer image",
    "liger_kernel_config": "liger-kernel is not in the trainer image",
    "skip_memory_metrics": "it would put figures of the machine into the history of the run",
    "dataset_kwargs": "the rows were prepared and counted before the training",
    "truncation_mode": "rows are cut at the end, and counted so",
    "remove_unused_columns": "rows hold only the columns that are learned",
}

# Values that the parser takes and that cannot work in the trainer image.
POSSIBLE = {
    "dtype": ("bfloat16", "float32"),
    "attn_implementation": ("eager", "sdpa"),
    "loss_type": ("chunked_nll", "nll", "dft"),
}


class Refused(Exception):
    """Why one option cannot be used."""


def trl_parser() -> Any:
    """The parser of `trl sft`; raises instead of ending the process."""
    return TrlParser((ScriptArguments, SFTConfig, ModelConfig), exit_on_error=False)


def known_options() -> frozenset[str]:
    types = (ScriptArguments, SFTConfig, ModelConfig)
    return frozenset(field.name for kind in types for field in dataclasses.fields(kind) if field.init)


def read_options(options: Mapping[str, str]) -> dict[str, Any]:
    """Their values as TRL understands them. Raises Failure(INVALID_CONFIGURATION) that names every wrong one."""
    read: dict[str, Any] = {}
    problems = []
    for name, text in sorted(options.items()):
        try:
            read[name] = _read(name, text)
        except Refused as why:
            problems.append(f"engineOptions.{name}: {why}")
    if problems:
        raise Failure(ExitCode.INVALID_CONFIGURATION, "; ".join(problems) + ".")
    return read


def _read(name: str, text: str) -> Any:
    _refuse_name(name)
    parser = trl_parser()
    action = next(action for action in parser._actions if action.dest == name)
    try:
        # As on the command line, one option at a time: it knows types and choices, and says which one is wrong.
        value = getattr(parser.parse_known_args(_words(action, text))[0], name)
    except ArgumentError as error:
        raise Refused(f"must be {_expected(action)}, not {text!r}") from error
    possible = POSSIBLE.get(name)
    if possible is not None and value not in possible:
        raise Refused(f"must be {_any_of(possible)} in this trainer image, not {text!r}")
    if name in SFTConfig._VALID_DICT_FIELDS:
        return _mapping(text)
    return [getattr(item, "value", item) for item in value] if isinstance(value, list) else value


def _mapping(text: str) -> dict[str, Any]:
    read = _yaml(text)
    if not isinstance(read, dict):
        raise Refused(f'must be a mapping such as {{"name": 1}}, not {text!r}')
    return read


def _refuse_name(name: str) -> None:
    if name in OWNED:
        raise Refused(f"set {OWNED[name]}")
    if name in REFUSED:
        raise Refused(f"cannot be used: {REFUSED[name]}")
    known = known_options()
    if name in known:
        return
    usable = sorted(known - REFUSED.keys())
    near = difflib.get_close_matches(_as_python(name), usable, n=1, cutoff=0.5)
    remedy = (
        f"; the nearest is {near[0]}" + (f", which is {OWNED[near[0]]}" if near[0] in OWNED else "") if near else ""
    )
    raise Refused(f"TRL {trl.__version__} has no such option{remedy}")


def _as_python(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def _words(action: Action, text: str) -> list[str]:
    flag = f"--{action.dest}"
    if action.nargs != "+":
        return [f"{flag}={text}"]
    items = _yaml(text)
    # A list as the documentation writes it, or words as the command line takes them.
    return [flag, *(map(str, items) if isinstance(items, list) else text.split())]


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _expected(action: Action) -> str:
    if action.choices:
        return _any_of([str(choice) for choice in action.choices])
    names = {"int": "a whole number", "float": "a number", "string_to_bool": "true or false"}
    kind = names.get(getattr(action.type, "__name__", ""), "text")
    return f"a list such as [a, b], each {kind}" if action.nargs == "+" else kind


def _any_of(words: Any) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else str(last)
