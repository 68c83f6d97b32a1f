"""How long the examples are for this model: counted as the engine will count them."""

import math
from collections import abc
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol, cast

from jinja2 import TemplateError

from swe_workloads.examples import Example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.loading import uncollected
from swe_workloads.rows import BadRow
from swe_workloads.run_file import Sequence


class Tokenizer(Protocol):
    """What is used of a transformers tokenizer."""

    chat_template: Any
    eos_token: str | None

    def encode(self, text: str) -> list[int]: ...

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any: ...


@dataclass(frozen=True)
class Measured:
    """`tokens` is the length of the row, of a pair that of the longer side; `pair` has both, chosen first.

    `continued` is False where the tokens of a pair do not begin with those of its prompt.
    """

    example: Example
    tokens: int
    pair: tuple[int, int] | None = None
    continued: bool = True


def load_tokenizer(directory: Path, uri: str) -> Tokenizer:
    """Raises Failure(MODEL_UNUSABLE)."""
    with uncollected():
        from transformers import AutoTokenizer

    try:
        tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(directory, local_files_only=True))
    except Exception as error:  # every tokenizer class fails in its own way
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The tokenizer of {uri} cannot be loaded: {error}") from error
    if tokenizer.eos_token is None:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The tokenizer of {uri} has no end-of-sequence token.")
    return tokenizer


def measure(example: Example, tokenizer: Tokenizer, sequence: Sequence) -> Measured | BadRow:
    """Counts one example; bad when truncation would leave nothing to learn or the chat template refuses it."""
    max_length = sequence.max_length
    try:
        prompt, whole = _count(example.record, tokenizer, sequence.loss_on)
    except (TemplateError, ValueError, TypeError) as error:
        return BadRow(example.row.file, example.row.number, f"the model's chat template refuses it: {error}")
    if prompt >= max_length:
        reason = f"its prompt alone is {prompt} tokens: sequence.maxLength {max_length} leaves nothing to learn from"
        return BadRow(example.row.file, example.row.number, reason)
    return Measured(example, whole)


def of_side(pairs: abc.Sequence[Measured], side: int) -> list[Measured]:
    """The pairs as long as their chosen (0) or rejected (1) answer makes them."""
    return [replace(item, tokens=item.pair[side]) for item in pairs if item.pair is not None]


def percentile(counts: abc.Sequence[int], share: float) -> int:
    """Nearest rank: a count that really occurs. Zero for no counts."""
    ordered = sorted(counts)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def _count(record: dict[str, Any], tokenizer: Tokenizer, loss_on: str | None) -> tuple[int, int]:
    """Tokens before the first that is learnt, and all of them."""
    if "messages" in record:
        turns = record["messages"]
        before = list(takewhile(lambda turn: turn["role"] != "assistant", turns))
        asked = _chat_length(tokenizer, before, ask=True) if before and loss_on == "AssistantMessages" else 0
        return asked, _chat_length(tokenizer, turns, ask=False)
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, list):
        asked = _chat_length(tokenizer, prompt, ask=True)
        whole = _chat_length(tokenizer, prompt + completion, ask=False)
    else:
        # TRL ends a plain completion with the end-of-sequence token.
        ending = "" if completion.endswith(tokenizer.eos_token) else tokenizer.eos_token
        asked, whole = len(tokenizer.encode(prompt)), len(tokenizer.encode(prompt + completion + (ending or "")))
    return asked if loss_on == "Completion" else 0, whole


def chat_ids(tokenizer: Tokenizer, turns: list[dict[str, str]], *, ask: bool) -> list[int]:
    """The tokens of a conversation; `ask` opens the assistant's next turn."""
    return list(tokenizer.apply_chat_template(turns, tokenize=True, add_generation_prompt=ask, return_dict=False))


def _chat_length(tokenizer: Tokenizer, turns: list[dict[str, str]], *, ask: bool) -> int:
    return len(chat_ids(tokenizer, turns, ask=ask))
