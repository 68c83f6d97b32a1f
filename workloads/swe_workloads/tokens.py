"""How long the examples are for this model: counted as the engine will count them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from jinja2 import TemplateError

from swe_workloads.examples import Example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.rows import BadRow


class Tokenizer(Protocol):
    """What is used of a transformers tokenizer."""

    chat_template: Any
    eos_token: str | None

    def encode(self, text: str) -> list[int]: ...

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any: ...


@dataclass(frozen=True)
class Measured:
    example: Example
    tokens: int


def load_tokenizer(directory: Path, uri: str) -> Tokenizer:
    """Raises Failure(MODEL_UNUSABLE)."""
    from transformers import AutoTokenizer

    try:
        tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(directory, local_files_only=True))
    except Exception as error:  # every tokenizer class fails in its own way
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The tokenizer of {uri} cannot be loaded: {error}") from error
    if tokenizer.eos_token is None:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The tokenizer of {uri} has no end-of-sequence token.")
    return tokenizer


def measure(example: Example, tokenizer: Tokenizer, max_length: int) -> Measured | BadRow:
    """Counts one example; bad when truncation would leave nothing to learn or the chat template refuses it."""
    try:
        prompt, whole = _count(example.record, tokenizer)
    except (TemplateError, ValueError, TypeError) as error:
        return BadRow(example.row.file, example.row.number, f"the model's chat template refuses it: {error}")
    if prompt >= max_length:
        reason = f"its prompt alone is {prompt} tokens: sequence.maxLength {max_length} leaves nothing to learn from"
        return BadRow(example.row.file, example.row.number, reason)
    return Measured(example, whole)


def percentile(counts: Sequence[int], share: float) -> int:
    """Nearest rank: a count that really occurs. Zero for no counts."""
    ordered = sorted(counts)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def _count(record: dict[str, Any], tokenizer: Tokenizer) -> tuple[int, int]:
    if "messages" in record:
        return 0, _chat_length(tokenizer, record["messages"], ask=False)
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, list):
        return _chat_length(tokenizer, prompt, ask=True), _chat_length(tokenizer, prompt + completion, ask=False)
    # TRL ends a plain completion with the end-of-sequence token.
    ending = "" if completion.endswith(tokenizer.eos_token) else tokenizer.eos_token
    return len(tokenizer.encode(prompt)), len(tokenizer.encode(prompt + completion + (ending or "")))


def _chat_length(tokenizer: Tokenizer, turns: list[dict[str, str]], *, ask: bool) -> int:
    ids = tokenizer.apply_chat_template(turns, tokenize=True, add_generation_prompt=ask, return_dict=False)
    return len(ids)
