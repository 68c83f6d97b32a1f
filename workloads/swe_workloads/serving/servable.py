"""What a folder with a model needs beside the model, so that a server samples from it as it was trained."""

import json
from pathlib import Path
from typing import Any

from swe_workloads.adapter_files import CONFIG as ADAPTER_CONFIG
from swe_workloads.exit_codes import ExitCode, Failure

MODEL_CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
CHAT_TEMPLATE = "chat_template.jinja"
# Where else a tokenizer may have one.
CHAT_TEMPLATES = (CHAT_TEMPLATE, "chat_template.json", "additional_chat_templates")
# A model without turns is trained on prompts as they are.
WITHOUT_TURNS = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
# What ends an answer: a server that reads generation_config.json looks for it nowhere else.
TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id")


def make_servable(folder: Path, has_adapter: bool) -> None:
    """Raises Failure(MODEL_UNUSABLE) where one of the model's own files is no JSON."""
    if not has_adapter:
        # A server would look for the weights of an adapter that belongs to somebody else's use of this model.
        (folder / ADAPTER_CONFIG).unlink(missing_ok=True)
    _write_generation_config(folder)
    if not _has_chat_template(folder):
        (folder / CHAT_TEMPLATE).write_text(WITHOUT_TURNS)


def _write_generation_config(folder: Path) -> None:
    """Without do_sample the server ignores temperature and seed; without top_k it draws from 50 tokens alone."""
    config = _read(folder / MODEL_CONFIG)
    told = _read(folder / GENERATION_CONFIG) if (folder / GENERATION_CONFIG).exists() else {}
    # Marks such as _from_model_config say where the file came from, which is no longer true.
    said = {name: value for name, value in told.items() if not name.startswith("_") and value is not None}
    merged = {"top_k": 0, **_tokens(config), **said, "do_sample": True}
    (folder / GENERATION_CONFIG).write_text(json.dumps(merged, indent=2) + "\n")


def _tokens(config: dict[str, Any]) -> dict[str, Any]:
    """Models that see more than text have them one level deeper."""
    text = config.get("text_config")
    sections = [text if isinstance(text, dict) else {}, config]
    return {name: section[name] for section in sections for name in TOKENS if section.get(name) is not None}


def _has_chat_template(folder: Path) -> bool:
    if any((folder / name).exists() for name in CHAT_TEMPLATES):
        return True
    tokenizer = folder / TOKENIZER_CONFIG
    return tokenizer.exists() and bool(_read(tokenizer).get("chat_template"))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{path.name} of the model is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{path.name} of the model is no JSON object.")
    return content
