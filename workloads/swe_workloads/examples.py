"""A row becomes a training example, or a reason why it cannot."""

from collections.abc import Callable
from dataclasses import dataclass

from swe_workloads.rows import BadRow, Row

Message = dict[str, str]
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Example:
    """What the engine trains on, and what selection and split go by.

    `record` is a line of train.jsonl in a form TRL knows: prompt and completion, messages, or a pair of answers.
    `base` names the state of the code that the problem is about; rows with the same one know of each other.
    `group` is what rows without an instance have in common that must not be divided.
    """

    row: Row
    record: dict[str, object]
    instance: str | None
    repository: str | None
    base: str | None = None
    fail_to_pass: int | None = None
    group: str | None = None


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
    read = chat_turns(row.fields.get("messages"), "messages")
    if read[-1]["role"] != "assistant":
        raise Unusable("the last message must be the assistant's: it is what is learnt")
    return Example(row, {"messages": read}, optional_text_of(row, "instance_id"), optional_text_of(row, "repo"))


def chat_turns(value: object, column: str) -> list[Message]:
    """The messages of a column."""
    if not isinstance(value, list) or not value:
        raise Unusable(f"{column} must be a list with at least one message")
    where = "" if column == "messages" else f" of {column}"
    return [_message(turn, f"message {number}{where}") for number, turn in enumerate(value, start=1)]


def _message(turn: object, name: str) -> Message:
    if not isinstance(turn, dict):
        raise Unusable(f"{name} must be an object with role and content")
    role, content = turn.get("role"), turn.get("content")
    if role not in ROLES:
        raise Unusable(f"{name}: role must be one of {', '.join(ROLES)}, not {role!r}")
    if not isinstance(content, str):
        raise Unusable(f"{name}: content must be a string")
    if turn.get("tool_calls"):
        raise Unusable(f"{name}: tool_calls are not supported; write the call into content")
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


def question_and_answers(record: dict[str, object]) -> tuple[str, list[str]]:
    """What is asked, and as text what is learnt of: the completion, the last answer of a conversation, or both sides.

    The first answer is the one to be learnt.
    """
    turns = record.get("messages")
    if isinstance(turns, list):
        return _spoken(turns[:-1]), [_spoken(turns[-1:])]
    sides = ("chosen", "rejected") if "chosen" in record else ("completion",)
    return _spoken(record["prompt"]), [_spoken(record[side]) for side in sides]


def _spoken(turns: object) -> str:
    return "\n".join(turn["content"] for turn in turns) if isinstance(turns, list) else str(turns)


def _only_content(turns: object) -> object:
    return turns[0]["content"] if isinstance(turns, list) else turns
