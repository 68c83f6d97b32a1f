"""What a model is asked, as it was asked or would be, and the gold answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.evaluation.eval_file import Format
from swe_workloads.examples import plain, read_example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.formats import CONVERT
from swe_workloads.instances import as_chat
from swe_workloads.rows import BadRow, read_rows


@dataclass(frozen=True)
class Question:
    """Of an instance; `gold` is the answer of its gold patch."""

    instance: str
    repository: str
    prompt: str
    gold: str


def read_questions(path: Path, row_format: Format, prompts: Mapping[str, str] | None) -> dict[str, Question]:
    """By instance. Without prompts they are in style Pro. Raises Failure(INVALID_DATA) for a row without one."""
    questions: dict[str, Question] = {}
    for row in read_rows(path, path.name):
        example = row if isinstance(row, BadRow) else read_example(row, CONVERT[row_format])
        if isinstance(example, BadRow):
            raise Failure(ExitCode.INVALID_DATA, f"Row {example.number} of {path.name}: {example.reason}")
        name, record = str(example.instance), plain(example.record)
        prompt = str(record["prompt"]) if prompts is None else prompts[name]
        questions[name] = Question(name, str(example.repository), prompt, str(record["completion"]))
    return questions


def answer_of(patch: str) -> str:
    """A patch as the text of an answer."""
    return str(plain(as_chat("", patch))["completion"])
