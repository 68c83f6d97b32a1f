"""Rows of preferences: a prompt, an answer that is chosen and one that is rejected, as text or as chat messages."""

from collections.abc import Sequence

from swe_workloads.examples import Example, Unusable, chat_turns, optional_text_of, text_of
from swe_workloads.leaks import TELLING_CHARACTERS
from swe_workloads.rows import BadRow, Row
from swe_workloads.split import digest

PROMPT, CHOSEN, REJECTED = "prompt", "chosen", "rejected"
FORMS = {True: "chat messages", False: "text"}


def preferences(row: Row) -> Example:
    """Pairs of one prompt belong together in a split: the rejected answer of one tells what the other is about."""
    record = _as_chat(row) if isinstance(row.fields.get(PROMPT), list) else _as_text(row)
    asked = digest(str(record[PROMPT]))
    return Example(row, record, optional_text_of(row, "instance_id"), optional_text_of(row, "repo"), group=asked)


def of_one_form(examples: Sequence[Example]) -> tuple[list[Example], list[BadRow]]:
    """The rows that are written as most are, and the others: TRL reads all of them as it reads the first."""
    chats = sum(is_chat(example) for example in examples)
    wanted = 2 * chats > len(examples)
    reason = f"it is {FORMS[not wanted]}, and most rows are {FORMS[wanted]}: write all rows alike"
    others = [example.row for example in examples if is_chat(example) != wanted]
    kept = [example for example in examples if is_chat(example) == wanted]
    return kept, [BadRow(row.file, row.number, reason) for row in others]


def is_chat(example: Example) -> bool:
    return isinstance(example.record[PROMPT], list)


def is_one_question(example: Example) -> bool:
    """Of a chat: whether it is what could be said as text too."""
    prompt = example.record[PROMPT]
    return isinstance(prompt, list) and len(prompt) == 1


def _as_text(row: Row) -> dict[str, object]:
    prompt = _asked(row)
    answers = {name: _text_answer(row, name, prompt) for name in (CHOSEN, REJECTED)}
    _refuse_equal(answers[CHOSEN], answers[REJECTED])
    return {PROMPT: prompt, **answers}


def _asked(row: Row) -> str:
    if row.fields.get(PROMPT) is None and any(isinstance(row.fields.get(name), list) for name in (CHOSEN, REJECTED)):
        raise Unusable("prompt is missing: write there, and only there, the messages that both answers begin with")
    return text_of(row, PROMPT)


def _text_answer(row: Row, name: str, prompt: str) -> str:
    if isinstance(row.fields.get(name), list):
        raise Unusable(f"prompt is text and {name} is a list of messages: write both alike")
    answer = text_of(row, name)
    if answer.startswith(prompt) and len(prompt) >= TELLING_CHARACTERS:
        raise Unusable(f"{name} repeats the prompt: write only what follows it")
    return answer


def _as_chat(row: Row) -> dict[str, object]:
    prompt = chat_turns(row.fields[PROMPT], PROMPT)
    if prompt[-1]["role"] == "assistant":
        raise Unusable("prompt ends with a message of the assistant: it must end with what the assistant answers")
    answers = {name: [_chat_answer(row, name)] for name in (CHOSEN, REJECTED)}
    _refuse_equal(answers[CHOSEN][0]["content"], answers[REJECTED][0]["content"])
    return {PROMPT: prompt, **answers}


def _chat_answer(row: Row, name: str) -> dict[str, str]:
    """One message: of several, what users and tools say would be compared like what the model says."""
    if row.fields.get(name) is None:
        raise Unusable(f"{name} is missing")
    if isinstance(row.fields[name], str):
        raise Unusable(f"prompt is a list of messages and {name} is text: write both alike")
    turns = chat_turns(row.fields[name], name)
    if len(turns) != 1 or turns[0]["role"] != "assistant":
        roles = ", ".join(turn["role"] for turn in turns)
        what = f"{name} must be one message of the assistant, not {roles}"
        raise Unusable(f"{what}: what comes before it belongs into prompt")
    if not turns[0]["content"].strip():
        raise Unusable(f"{name} is empty")
    return turns[0]


def _refuse_equal(chosen: str, rejected: str) -> None:
    if chosen.strip() == rejected.strip():
        raise Unusable("chosen and rejected are the same")
