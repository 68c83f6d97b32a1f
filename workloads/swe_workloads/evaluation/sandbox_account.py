"""What the sandbox says it did, from the marks in its log.

Up to the beginning of the tests nobody but sandbox.sh writes to the log, so that part can be believed; from then on
it is the word of the tested code.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Literal

from swe_workloads.evaluation.sandbox_log import TESTS_BEGIN, TESTS_END, Mark, SandboxLog

ALREADY_APPLIED = "already applied"

Patch = Literal["NotTried", "Applied", "Refused"]


@dataclass(frozen=True)
class Try:
    """One command of the apply chain, what it printed, and when it ended."""

    command: str
    output: str
    applied: bool
    at: float


@dataclass(frozen=True)
class EvalRun:
    """`starts` and `ends` are the place of eval.sh's output in the log; `exit_code` is a hint, None without an end."""

    starts: int
    ends: int
    began_at: float
    ended_at: float
    exit_code: int | None

    @property
    def seconds(self) -> float:
        return self.ended_at - self.began_at


@dataclass(frozen=True)
class SandboxAccount:
    """`broken` says what kept the sandbox from trying the patch at all.

    `leaks` are commits that the instance's own does not come from; None where nobody looked. So are the files of the
    tests before and after these, as lines of sha256sum. Of a dry run, `compiled` is what compile_files.py said, None
    without an interpreter, and `is_checked` that it came to its end.
    """

    broken: str | None
    patch: Patch
    tries: tuple[Try, ...]
    applied_with: str | None
    diff_before: str
    tests: EvalRun | None
    diff_after: str
    leaks: tuple[str, ...] | None = None
    files_before: str | None = None
    files_after: str | None = None
    compiled: str | None = None
    is_checked: bool = False


def account_of(log: SandboxLog) -> SandboxAccount:
    sections = _sections(log)
    words = [mark.words for mark, _ in sections]
    tries = tuple(_tries(sections))
    applied = next((tried.command for tried in tries if tried.applied), None)
    if "already-applied" in words:
        applied = ALREADY_APPLIED
    return SandboxAccount(
        broken=_broken(sections),
        patch="Applied" if applied else "Refused" if "refused" in words else "NotTried",
        tries=tries,
        applied_with=applied,
        diff_before=_said(sections, "diff-before"),
        tests=_test_run(log),
        diff_after=_said(sections, "diff-after"),
        leaks=tuple(_said(sections, "leaks").split()) if "leaks" in words else None,
        files_before=_said(sections, "files-before") if "files-before" in words else None,
        files_after=_said(sections, "files-after") if "files-after" in words else None,
        compiled=_said(sections, "compile") if "compile" in words else None,
        is_checked="checked" in words,
    )


def _sections(log: SandboxLog) -> list[tuple[Mark, str]]:
    """Each mark with what was printed between it and the next, except what eval.sh printed."""
    ends = [*(mark.starts for mark in log.marks), log.size_bytes]
    return [
        (mark, "" if mark.words == TESTS_BEGIN else _text(log.read(mark.ends, end)))
        for mark, end in zip(log.marks, ends[1:], strict=True)
    ]


def _tries(sections: list[tuple[Mark, str]]) -> list[Try]:
    """A try is followed by the mark that says how it ended, unless the sandbox ended first."""
    return [
        Try(mark.words.removeprefix("try "), output, after.words == "applied", after.at)
        for (mark, output), (after, _) in itertools.pairwise(sections)
        if mark.words.startswith("try ")
    ]


def _broken(sections: list[tuple[Mark, str]]) -> str | None:
    words = [mark.words for mark, _ in sections]
    if "workdir-missing" in words:
        return "the image has no such folder"
    if "setup-refused" in words:
        return f"the instance's setup patch does not apply: {_said(sections, 'setup').strip()}"
    if "assets-refused" in words:
        return f"the instance's image_assets cannot be staged: {_said(sections, 'assets').strip()}"
    if "base-missing" in words:
        return f"the image's repository does not get to the base commit: {_said(sections, 'checkout').strip()}"
    return None


def _said(sections: list[tuple[Mark, str]], words: str) -> str:
    return next((output for mark, output in sections if mark.words == words), "")


def _test_run(log: SandboxLog) -> EvalRun | None:
    begun = next((mark for mark in log.marks if mark.words == TESTS_BEGIN), None)
    if begun is None:
        return None
    end = next((mark for mark in log.marks if mark.words.startswith(TESTS_END)), None)
    if end is None:
        return EvalRun(begun.ends, log.size_bytes, begun.at, log.ended_at, None)
    code = re.fullmatch(TESTS_END + r"(\d{1,3})", end.words)
    return EvalRun(begun.ends, end.starts, begun.at, end.at, int(code[1]) if code else None)


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
