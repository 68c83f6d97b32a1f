"""What a model is asked about, in which words it was asked or would be, and the gold answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.bad_rows import write_lines
from swe_workloads.evaluation.eval_file import Format
from swe_workloads.examples import Example, plain, read_example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.formats import CONVERT
from swe_workloads.instances import as_chat
from swe_workloads.rows import BadRow, read_rows


@dataclass(frozen=True)
class Question:
    """About an instance; `gold` is the answer of its gold patch. The words are on the disk: material.py."""

    instance: str
    repository: str
    gold: str


def read_questions(path: Path, row_format: Format) -> dict[str, Question]:
    """By instance. Raises Failure(INVALID_DATA) for a row that is none."""
    questions: dict[str, Question] = {}
    for example in _examples(path, row_format):
        name, completion = str(example.instance), plain(example.record)["completion"]
        questions[name] = Question(name, str(example.repository), str(completion))
    return questions


def write_pro_prompts(path: Path, row_format: Format, target: Path) -> Path:
    """As prompts.jsonl has them, in style Pro. Raises Failure(INVALID_DATA) for a row that is none."""
    asked = ((example, plain(example.record)["prompt"]) for example in _examples(path, row_format))
    return write_lines(target, ({"instance_id": example.instance, "prompt": prompt} for example, prompt in asked))


def _examples(path: Path, row_format: Format) -> Iterator[Example]:
    for row in read_rows(path, path.name):
        example = row if isinstance(row, BadRow) else read_example(row, CONVERT[row_format])
        if isinstance(example, BadRow):
            raise Failure(ExitCode.INVALID_DATA, f"Row {example.number} of {path.name}: {example.reason}")
        yield example


def answer_of(patch: str) -> str:
    """A patch as the text of an answer."""
    return str(plain(as_chat("", patch))["completion"])
