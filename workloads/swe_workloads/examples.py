"""A row becomes a training example, or a reason why it cannot."""

from collections.abc import Callable
from dataclasses import dataclass

from swe_workloads.rows import BadRow, Row

Message = dict[str, str]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Example:
    """What the engine trains on, and what selection and split go by.

    `record` is a line of train.jsonl in a form TRL knows: prompt and completion, or messages.
    `base` names the state of the code that the problem is about; rows with the same one know of each other.
    """

    row: Row
    record: dict[str, object]
    instance: str | None
    repository: str | None
    base: str | None = None
    fail_to_pass: int | None = None


class Unusable(Exception):
    """Why this row cannot be used; read by the person who wrote it."""


def read_example(row: Row, convert: "Convert") -> Example | BadRow:
    try:
        return convert(row)
    except Unusable as error:
        return BadRow(row.file, row.number, str(error))


Convert = Callable[[Row], Example]


def plain(record: dict[str, object]) -> dict[str, object]:
    """The same prompt and completion without chat turns."""
    return {name: _only_content(value) for name, value in record.items()}


def prompt_completion(row: Row) -> Example:
    record: dict[str, object] = {"prompt": text_of(row, "prompt"), "completion": text_of(row, "completion")}
    return Example(row, record, optional_text_of(row, "instance_id"), optional_text_of(row, "repo"))


def messages(row: Row) -> Example:
    turns = row.fields.get("messages")
    if not isinstance(turns, list) or not turns:
        raise Unusable("messages must be a list with at least one message")
    read = [_message(turn, number) for number, turn in enumerate(turns, start=1)]
    if read[-1]["role"] != "assistant":
        raise Unusable("the last message must be the assistant's: it is what is learnt")
    return Example(row, {"messages": read}, optional_text_of(row, "instance_id"), optional_text_of(row, "repo"))


def _message(turn: object, number: int) -> Message:
    if not isinstance(turn, dict):
        raise Unusable(f"message {number} must be an object with role and content")
    role, content = turn.get("role"), turn.get("content")
    if role not in ROLES:
        raise Unusable(f"message {number}: role must be one of {', '.join(ROLES)}, not {role!r}")
    if not isinstance(content, str):
        raise Unusable(f"message {number}: content must be a string")
    if turn.get("tool_calls"):
        raise Unusable(f"message {number}: tool_calls are not supported; write the call into content")
    return {"role": str(role), "content": content}


def text_of(row: Row, name: str) -> str:
    value = row.fields.get(name)
    if value is None:
        raise Unusable(f"{name} is missing")
    if not isinstance(value, str):
        raise Unusable(f"{name} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise Unusable(f"{name} is empty")
    return value


def optional_text_of(row: Row, name: str) -> str | None:
    value = row.fields.get(name)
    return value if isinstance(value, str) and value else None


def question_and_answer(record: dict[str, object]) -> tuple[str, str]:
    """What is asked and what is to be learnt, as text: of a conversation the last answer and all before it."""
    turns = record.get("messages")
    if isinstance(turns, list):
        return "\n".join(turn["content"] for turn in turns[:-1]), str(turns[-1]["content"])
    return str(_only_content(record["prompt"])), str(_only_content(record["completion"]))


def _only_content(turns: object) -> object:
    return turns[0]["content"] if isinstance(turns, list) else turns
