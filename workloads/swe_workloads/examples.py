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
    """

    row: Row
    record: dict[str, object]
    instance: str | None
    repository: str | None


class Unusable(Exception):
    """Why this row cannot be used; read by the person who wrote it."""


def read_example(row: Row, convert: "Convert") -> Example | BadRow:
    try:
        return convert(row)
    except Unusable as error:
        return BadRow(row.file, row.number, str(error))


Convert = Callable[[Row], Example]


def swe_bench(row: Row) -> Example:
    """An instance becomes a question for a patch; the gold patch is the answer.

    The prompt is of style Pro: one paragraph that names the repository, gives the problem statement and
    asks for a unified diff. It is a chat turn, so that the model sees in training what it will see when a
    chat API asks it the same; a tokenizer without a chat template gets the plain text.
    """
    repository = _text(row, "repo")
    statement = _text(row, "problem_statement")
    patch = _text(row, "patch")
    record: dict[str, object] = {
        "prompt": [{"role": "user", "content": pro_prompt(repository, statement)}],
        "completion": [{"role": "assistant", "content": patch}],
    }
    return Example(row, record, _text(row, "instance_id"), repository)


def pro_prompt(repository: str, statement: str) -> str:
    return (
        f"The repository {repository} has the following problem: {statement.strip()} "
        "Write a patch that solves it. Answer with a unified diff against the repository's root and nothing else."
    )


def plain(record: dict[str, object]) -> dict[str, object]:
    """The same prompt and completion without chat turns."""
    return {name: _only_content(value) for name, value in record.items()}


def prompt_completion(row: Row) -> Example:
    record: dict[str, object] = {"prompt": _text(row, "prompt"), "completion": _text(row, "completion")}
    return Example(row, record, _optional_text(row, "instance_id"), _optional_text(row, "repo"))


def messages(row: Row) -> Example:
    turns = row.fields.get("messages")
    if not isinstance(turns, list) or not turns:
        raise Unusable("messages must be a list with at least one message")
    read = [_message(turn, number) for number, turn in enumerate(turns, start=1)]
    if read[-1]["role"] != "assistant":
        raise Unusable("the last message must be the assistant's: it is what is learnt")
    return Example(row, {"messages": read}, _optional_text(row, "instance_id"), _optional_text(row, "repo"))


CONVERT: dict[str, Convert] = {
    "SWEBench": swe_bench,
    "PromptCompletion": prompt_completion,
    "Messages": messages,
}


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


def _text(row: Row, name: str) -> str:
    value = row.fields.get(name)
    if value is None:
        raise Unusable(f"{name} is missing")
    if not isinstance(value, str):
        raise Unusable(f"{name} must be a string, not {type(value).__name__}")
    if not value.strip():
        raise Unusable(f"{name} is empty")
    return value


def _optional_text(row: Row, name: str) -> str | None:
    value = row.fields.get(name)
    return value if isinstance(value, str) and value else None


def _only_content(turns: object) -> object:
    return turns[0]["content"] if isinstance(turns, list) else turns
