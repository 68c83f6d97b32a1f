"""What an eval script does to files before its tests begin: the patches it applies, and the files it puts back."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from swe_workloads.evaluation import official

_APPLY = re.compile(r"git apply .*<<\s*(['\"]?)(\w+)\1\s*")
_ENVIRONMENT = re.compile(r"(?:source|\.) /\S+|conda activate \S+|export PATH=.+")
_CHECKOUT = re.compile(r"git checkout \S+ (?:-- )?(.+)")


@dataclass(frozen=True)
class EvalCommands:
    """`are_last` says that the tests begin right after the patches: nothing else can have changed what these write."""

    patches: tuple[str, ...]
    checked_out: tuple[str, ...]
    are_last: bool


def eval_commands(script: str) -> EvalCommands:
    lines = iter(script.split("\n"))
    patches: list[str] = []
    checked_out: list[str] = []
    are_last = False
    for line in lines:
        if official.marker("START_TEST_OUTPUT") in line:
            break
        if applied := _APPLY.fullmatch(line):
            patches.append(_here_document(lines, applied[2]))
            are_last = True
            continue
        are_last = are_last and not line.strip()
        if checkout := _CHECKOUT.fullmatch(line):
            checked_out += _words(checkout[1])
    return EvalCommands(tuple(patches), tuple(checked_out), are_last)


def environment_of_tests(script: str) -> str:
    """The lines that choose an interpreter for the tests."""
    before = script.partition(official.marker("START_TEST_OUTPUT"))[0]
    return "".join(f"{line}\n" for line in before.split("\n") if _ENVIRONMENT.fullmatch(line))


def checked_out_by(line: str) -> list[str]:
    """The files that a line of bash puts back, if that is what it does."""
    found = _CHECKOUT.fullmatch(line.strip())
    return _words(found[1]) if found else []


def _here_document(lines: Iterator[str], delimiter: str) -> str:
    """Takes the lines up to the delimiter."""
    taken: list[str] = []
    for line in lines:
        if line == delimiter:
            break
        taken.append(line)
    return "".join(f"{line}\n" for line in taken)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
