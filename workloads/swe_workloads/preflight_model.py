"""The settings and the model as TRL, PEFT and transformers see them, on a machine without GPU and without weights."""

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, get_scheduler
from transformers.pytorch_utils import Conv1D
from trl import get_peft_config
from trl.chat_template_utils import get_training_chat_template, has_generation_markers

from swe_workloads.adapter_files import ADAPTER_FOLDER, disagreements, read_settings
from swe_workloads.engine_options import read_options
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.memory_estimate import ModelShape
from swe_workloads.preflight_look import Seen
from swe_workloads.run_file import RunFile
from swe_workloads.trl_config import Parsed, Paths, parse_anywhere, render

# The kinds of modules that PEFT can adapt.
ADAPTABLE = (torch.nn.Linear, torch.nn.Embedding, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d, Conv1D)


def look(run: RunFile, model_dir: Path) -> Seen:
    """Raises Failure(INVALID_CONFIGURATION) for what TRL refuses, Failure(MODEL_UNUSABLE) for what is no model."""
    paths = Paths(model=model_dir, data=model_dir, output=model_dir)
    told = render(run, on_gpu=run.compute.gpus > 0, micro_batch=run.batch.per_device, paths=paths)
    parsed = parse_anywhere(told, run.method)
    config = read_config(model_dir, run.model.uri)
    model = without_weights(config, run.model.uri)
    missing = [*target_problems(run, model), *adapter_problems(run, model_dir)]
    base = base_shape(model, config)
    adapted, refused = (None, []) if missing else with_adapter(model, base, parsed, lora_of(run, parsed, model_dir))
    return Seen(
        problems=[
            *optimizer_problems(parsed),
            *length_problems(run, config),
            *template_problems(run, model_dir),
            *token_problems(parsed, model_dir),
            *divergence_problems(run, parsed),
            *missing,
            *refused,
        ],
        shape=adapted,
        float32_weights=parsed.model.dtype == "float32",
        plain_loss=run.method == "DPO" or parsed.training.loss_type in ("nll", "dft"),
    )


def read_config(model_dir: Path, uri: str) -> Any:
    try:
        config = AutoConfig.from_pretrained(model_dir, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # every kind of model fails in its own way
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The config.json of {uri} cannot be used: {error}") from error
    method = (getattr(config, "quantization_config", None) or {}).get("quant_method")
    if method is not None:
        what = f"{uri} is quantized already ({method}), and such weights cannot be trained"
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{what}: take the original; lora.quantization NF4 quantizes it.")
    return config


def without_weights(config: Any, uri: str) -> Any:
    """The whole model in structure, taking no memory."""
    try:
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{uri} is no causal language model: {error}") from error


def target_problems(run: RunFile, model: Any) -> list[str]:
    """Names of modules that the model does not have. PEFT is content if one of several fits, or none is needed."""
    wanted = {"lora.targetModules": run.lora.target_modules if run.lora is not None else []}
    text = run.engine_options.get("lora_modules_to_save")
    if text is not None:
        read = read_options({"lora_modules_to_save": text}, run.method)
        wanted["engineOptions.lora_modules_to_save"] = read["lora_modules_to_save"]
    known = [name for name, module in model.named_modules() if isinstance(module, ADAPTABLE)]
    return [
        _unknown(field, name, sorted({path.rsplit(".", 1)[-1] for path in known}))
        for field, names in wanted.items()
        for name in names
        if name != "all-linear" and not any(path == name or path.endswith(f".{name}") for path in known)
    ]


def _unknown(field: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.rsplit(".", 1)[-1], known, n=1, cutoff=0.4)
    nearest = f"the nearest is {near[0]}; " if near else ""
    return f"{field}: the model has no module {name} to adapt; {nearest}it has {', '.join(known)}"


def adapter_problems(run: RunFile, model_dir: Path) -> list[str]:
    """Where the settings are not those of the adapter that is continued."""
    if run.adapter is None:
        return []
    found = read_settings(model_dir / ADAPTER_FOLDER, run.adapter)
    skeleton = without_weights(read_config(model_dir, run.model.uri), run.model.uri)
    # PEFT alone knows which modules that means.
    adapted = get_peft_model(skeleton, LoraConfig(target_modules="all-linear"), low_cpu_mem_usage=True)
    return disagreements(run, found, adapted.peft_config["default"].target_modules)


def base_shape(model: Any, config: Any) -> ModelShape:
    """Without an adapter, so everything is trained."""
    text = config.get_text_config()
    head = model.get_output_embeddings()
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear) and module is not head]
    parameters = sum(weight.numel() for weight in model.parameters())
    return ModelShape(
        parameters=parameters,
        linear_parameters=sum(module.weight.numel() for module in linear),
        trainable=parameters,
        widths=sum(module.in_features + module.out_features for module in linear),
        adapted_inputs=0,
        hidden=text.hidden_size,
        layers=text.num_hidden_layers,
        vocabulary=text.vocab_size,
    )


def lora_of(run: RunFile, parsed: Parsed, model_dir: Path) -> Any:
    """As PEFT has it: of the adapter that is continued, else what the settings ask for. None without an adapter."""
    if run.adapter is None:
        return get_peft_config(parsed.model)
    return LoraConfig.from_pretrained(str(model_dir / ADAPTER_FOLDER))


def with_adapter(model: Any, base: ModelShape, parsed: Parsed, lora: Any) -> tuple[ModelShape | None, list[str]]:
    """The shape with this adapter, or why PEFT refuses it."""
    if lora is None:
        return base, []
    try:
        adapted = get_peft_model(model, lora, low_cpu_mem_usage=True)
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        return None, [f"lora does not fit the model: {' '.join(str(error).split())}"]
    if isinstance(adapted.get_output_embeddings(), BaseTunerLayer) and parsed.training.loss_type == "chunked_nll":
        return None, ["engineOptions.loss_type chunked_nll cannot train an adapter on the output layer: set nll"]
    layers = [module.get_base_layer() for module in adapted.modules() if isinstance(module, BaseTunerLayer)]
    trainable = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    inputs = sum(getattr(layer, "in_features", 0) for layer in layers)
    return replace(base, trainable=trainable, adapted_inputs=inputs), []


def optimizer_problems(parsed: Parsed) -> list[str]:
    """Optimizer and scheduler are built late, in the training itself: so they are built once here."""
    told = parsed.training
    try:
        weight = torch.nn.Parameter(torch.zeros(1))
        betas = (told.adam_beta1, told.adam_beta2)
        optimizer = torch.optim.AdamW([weight], lr=told.learning_rate, betas=betas, eps=told.adam_epsilon)
        get_scheduler(told.lr_scheduler_type, optimizer, 1, 10, scheduler_specific_kwargs=told.lr_scheduler_kwargs)
    except (ValueError, TypeError) as error:
        return [f"engineOptions: the optimizer or its scheduler refuses them: {error}"]
    return []


def length_problems(run: RunFile, config: Any) -> list[str]:
    longest = longest_sequence(config.get_text_config())
    if longest is None or run.sequence.max_length <= longest:
        return []
    asked = run.sequence.max_length
    return [f"sequence.maxLength {asked} is more than the model has positions: lower it to at most {longest}"]


def longest_sequence(config: Any) -> int | None:
    """The positions of the model, and where config.json says how they are stretched, as many more."""
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int):
        return None
    rope = getattr(config, "rope_parameters", None) or {}
    original, factor = rope.get("original_max_position_embeddings"), rope.get("factor")
    return max(positions, int(original * factor)) if original and factor else positions


def template_problems(run: RunFile, model_dir: Path) -> list[str]:
    """Marks in the chat template say which tokens are the assistant's; TRL has marked ones for some models."""
    if run.sequence.loss_on != "AssistantMessages":
        return []
    tokenizer = AutoTokenizer.from_pretrained(model_dir, local_files_only=True)
    try:
        if not has_generation_markers(tokenizer.chat_template):
            get_training_chat_template(tokenizer)
    except (ValueError, TypeError):
        what = "sequence.lossOn AssistantMessages: the chat template does not mark what the assistant says"
        return [f"{what}, and TRL knows no marked one for it: set All"]
    return []


def token_problems(parsed: Parsed, model_dir: Path) -> list[str]:
    asked = {name: getattr(parsed.training, name, None) for name in ("eos_token", "pad_token")}
    if not any(asked.values()):
        return []
    words = AutoTokenizer.from_pretrained(model_dir, local_files_only=True).get_vocab()
    return [
        f"engineOptions.{name}: the tokenizer has no token {token}"
        for name, token in asked.items()
        if token is not None and token not in words
    ]


def divergence_problems(run: RunFile, parsed: Parsed) -> list[str]:
    """The other divergences are defined for losses of the difference between chosen and rejected alone."""
    if run.dpo is None or run.dpo.loss_type not in ("APOZero", "APODown"):
        return []
    asked = parsed.training.f_divergence_type
    if asked == "reverse_kl":
        return []
    what = f"engineOptions.f_divergence_type {asked} does not go with dpo.lossType {run.dpo.loss_type}"
    return [f"{what}: leave it out, or set Sigmoid, SigmoidNorm, Hinge, IPO or Robust"]
