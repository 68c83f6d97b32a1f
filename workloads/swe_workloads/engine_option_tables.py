"""What becomes of every field of TRL's dataclasses: a typed field of the run sets it, it is refused, or it is open.

A test holds these tables equal to the dataclasses of each method.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from swe_workloads.run_file import Method

Words = Mapping[str, str]


@dataclass(frozen=True)
class OptionTable:
    """`owned` says which typed field it is, `refused` why it cannot be used, `possible` the values that can work."""

    owned: Words
    refused: Words
    possible: Mapping[str, tuple[str, ...]]


_OWNED = {
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

_REFUSED = {
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
    **dict.fromkeys(("padding_free",), _NO_FLASH),
    **dict.fromkeys(("trust_remote_code", "model_init_kwargs", "lora_task_type"), _FILES),
    **dict.fromkeys(("do_train", "do_predict", "ignore_bias_buffers", "eval_use_gather_object"), _NO_EFFECT),
    **dict.fromkeys(("include_for_metrics", "batch_eval_metrics", "eval_do_concat_batches"), _NO_EFFECT),
    **dict.fromkeys(("label_names", "use_cache", "optim_args", "optim_target_modules"), _NO_EFFECT),
    **dict.fromkeys(("torch_compile", "torch_compile_backend", "torch_compile_mode"), _NO_COMPILER),
    "auto_find_batch_size": "after CUDA out of memory the next attempt takes a smaller micro-batch by itself",
    "use_liger_kernel": "liger-kernel is not in the trainer image",
    "liger_kernel_config": "liger-kernel is not in the trainer image",
    "skip_memory_metrics": "it would put figures of the machine into the history of the run",
    "truncation_mode": "rows are cut at the end, and counted so",
    "remove_unused_columns": "rows hold only the columns that are learned",
}

_POSSIBLE = {
    "dtype": ("bfloat16", "float32"),
    "attn_implementation": ("eager", "sdpa"),
}

_SFT = OptionTable(
    owned={
        **_OWNED,
        "completion_only_loss": "sequence.lossOn",
        "assistant_only_loss": "sequence.lossOn",
        "dataset_text_field": "data",
    },
    refused={
        **_REFUSED,
        **dict.fromkeys(("packing", "packing_strategy", "eval_packing"), _NO_FLASH),
        "chat_template_path": _FILES,
        "label_smoothing_factor": "TRL's loss, which works on chunks of the output layer, cannot smooth labels",
        "dataset_kwargs": "the rows were prepared and counted before the training",
    },
    possible={**_POSSIBLE, "loss_type": ("chunked_nll", "nll", "dft")},
)

_BY_CHANCE = "model and reference would differ by chance, and not by what was learned"
_FIXED_REFERENCE = "the reference is the model that the run began with"

_DPO = OptionTable(
    owned={
        **_OWNED,
        "beta": "dpo.beta",
        "loss_type": "dpo.lossType",
        "label_smoothing": "dpo.labelSmoothing",
        "precompute_ref_log_probs": "dpo.referenceLogProbs",
        "precompute_ref_batch_size": "batch.perDevice",
    },
    refused={
        **_REFUSED,
        **dict.fromkeys(("disable_dropout", "neftune_noise_alpha"), _BY_CHANCE),
        **dict.fromkeys(("sync_ref_model", "ref_model_mixup_alpha", "ref_model_sync_steps"), _FIXED_REFERENCE),
        **dict.fromkeys(("label_smoothing_factor", "discopop_tau", "average_tokens_across_devices"), _NO_EFFECT),
        "loss_weights": "one loss is trained, that of dpo.lossType",
    },
    possible={
        **_POSSIBLE,
        "f_divergence_type": ("reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"),
        "train_sampling_strategy": ("random", "sequential"),  # the others want the length of a row, and a pair has two
    },
)

TABLES: Mapping[Method, OptionTable] = {"SFT": _SFT, "DPO": _DPO}
