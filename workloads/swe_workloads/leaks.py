"""What a model could know without having learnt it: test rows seen in training, and questions that hold the answer."""

import re
from collections.abc import Iterable, Sequence

from swe_workloads.examples import Example, question_and_answers
from swe_workloads.split import digest

# Rows share shorter texts without having been copied: "yes", a label, a greeting.
TELLING_CHARACTERS = 40
# Shorter lines of code, such as "return None" or "else:", occur in a question by chance.
GOLD_LINE_CHARACTERS = 20
# Reproducing a problem takes imports, and the patch may add the same one without being told.
_BY_CHANCE = re.compile(r"^(from\s+\S+\s+import\b|import\s|#include\b|using\s|package\s)")
_CHANGED = re.compile(r"^[-+](?!--|\+\+)")
_IS_DIFF = re.compile(r"^(diff --git |--- )", re.MULTILINE)


def leaked_across(train: Sequence[Example], test: Sequence[Example]) -> int:
    """Test rows whose question, answer or state of the code is also a train row's.

    Case and spacing do not count, and of a patch neither where its hunks stand nor what is around them.
    """
    known = {mark for example in train for mark in _marks(example)}
    return sum(any(mark in known for mark in _marks(example)) for example in test)


def gold_in_prompt(examples: Iterable[Example]) -> list[Example]:
    """The rows whose question holds, word for word, a line of code that the answer's patch adds."""
    return [example for example in examples if _tells(example)]


def _marks(example: Example) -> Iterable[str]:
    question, answers = question_and_answers(example.record)
    if example.base is not None:
        yield f"base {example.base}"
    for kind, compared in [("question", _normal(question)), *(("answer", _normal_answer(one)) for one in answers)]:
        if len(compared) >= TELLING_CHARACTERS:
            yield f"{kind} {digest(compared)}"


def _tells(example: Example) -> bool:
    question, (answer, *_) = question_and_answers(example.record)
    if not _IS_DIFF.search(answer):
        return False
    lines = answer.split("\n")
    added = {line[1:].strip() for line in lines if line.startswith("+") and _CHANGED.match(line)}
    # What was there before is the code that the question is about: quoting it tells nothing.
    before = {line[1:].strip() for line in lines if not line.startswith("+")}
    telling = {line for line in added - before if len(line) >= GOLD_LINE_CHARACTERS and not _BY_CHANCE.match(line)}
    return any(line in question for line in telling)


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _normal_answer(text: str) -> str:
    return _normal(_only_changes(text) if _IS_DIFF.search(text) else text)


def _only_changes(diff: str) -> str:
    return "\n".join(line for line in diff.split("\n") if line.startswith("+++ ") or _CHANGED.match(line))
