"""How long pairs of preferences are for this model: counted as the trainer will read them."""

from typing import Any

from jinja2 import TemplateError

from swe_workloads.examples import Example
from swe_workloads.rows import BadRow
from swe_workloads.run_file import Sequence
from swe_workloads.tokens import Measured, Tokenizer, chat_ids


def measure_pair(example: Example, tokenizer: Tokenizer, sequence: Sequence) -> Measured | BadRow:
    """Counts both sides; bad when they are the same up to the cut, or the chat template refuses one."""
    try:
        prompt, chosen, rejected = _ids(example.record, tokenizer)
    except (TemplateError, ValueError, TypeError) as error:
        return _bad(example, f"the model's chat template refuses it: {error}")
    cut = sequence.max_length
    if len(prompt) >= cut:
        reason = f"its prompt alone is {len(prompt)} tokens: sequence.maxLength {cut} leaves nothing to learn from"
        return _bad(example, reason)
    if chosen[:cut] == rejected[:cut]:
        return _bad(example, f"chosen and rejected are the same up to sequence.maxLength {cut}, where they are cut")
    continued = all(side[: len(prompt)] == prompt for side in (chosen, rejected))
    lengths = (len(chosen), len(rejected))
    return Measured(example, max(lengths), pair=lengths, continued=continued)


def _ids(record: dict[str, Any], tokenizer: Tokenizer) -> tuple[list[int], list[int], list[int]]:
    """Of the prompt, and of the prompt with each answer."""
    prompt, answers = record["prompt"], (record["chosen"], record["rejected"])
    if isinstance(prompt, list):
        chosen, rejected = (chat_ids(tokenizer, prompt + answer, ask=False) for answer in answers)
        return chat_ids(tokenizer, prompt, ask=True), chosen, rejected
    # TRL ends a plain answer with the end-of-sequence token.
    ending = tokenizer.eos_token or ""
    ended = [answer if answer.endswith(ending) else answer + ending for answer in answers]
    chosen, rejected = (tokenizer.encode(prompt + answer) for answer in ended)
    return tokenizer.encode(prompt), chosen, rejected


def _bad(example: Example, reason: str) -> BadRow:
    return BadRow(example.row.file, example.row.number, reason)
