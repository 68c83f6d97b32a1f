"""What grade says of one prediction: whole in the store, shortened in the pod's termination message."""

import json
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

# Not those of swe_workloads.verdict: loading the models of a training takes longer than all of grade's start.
TERMINATION_MESSAGE_BYTES = 4096
MESSAGE_CHARACTERS = 1000
# All of them are in the store. Without them a message is a few hundred bytes.
GIVES_WAY = ("outputs", "integrity", "testFiles", "dryRun", "instance", "leaks", "image")

# Checked is what a dry run comes to: it says nothing of tests, which were not run.
Outcome = Literal["Resolved", "Unresolved", "Error", "NotGraded", "Checked"]
Reason = Literal[
    "Completed", "PatchApplyFailed", "TimedOut", "LogTooLarge", "NoTestOutput",
    "SandboxSilent", "InputUnavailable", "StoreUnavailable", "InvalidInput",
    "Ok", "DoesNotParse", "DoesNotApply", "DoesNotCompile",
]  # fmt: skip


# What a try is for: the verdict, a second look at one that stands, or no test at all.
Purpose = Literal["Grade", "Rerun", "WithoutSupport", "SupportAlone", "DryRun"]


class GradeExit(IntEnum):
    """A verdict that stands is a success, whatever it says of the patch; the others are for another pod to try."""

    JUDGED = 0
    INVALID_INPUT = 64
    TRY_AGAIN = 75


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Passed(_Part):
    passed: int
    total: int


class InfraFailure(_Part):
    """The official harness's advice from words in the logs; it changes no outcome."""

    reason: str
    tier: Literal["environment", "ambiguous"]


class Integrity(_Part):
    """Evidence in the log that the verdict is not the tests' own: Tampered with a proof, Suspicious with reasons."""

    verdict: Literal["Clean", "Suspicious", "Tampered"]
    reasons: list[str]


class TestCounts(_Part):
    """Tests by what the official parser reads of them; `seen` are all that have a status."""

    seen: int
    skipped: int
    expected_failures: int


class TestFiles(_Part):
    """Files that the tests consist of: how many were watched, how many were not as they should be, and some of these.

    From the sandbox's own word, so it can speak against a verdict and never for one.
    """

    watched: int
    changed: int
    examples: list[str]


class LeakScan(_Part):
    """Commits in the image's repository that its own commit does not come from: where a fix may be found."""

    commits: int
    examples: list[str]


class Output(_Part):
    """A file in the store. `stored_as` where an earlier pod of this attempt had left one of that name."""

    name: str
    stored_as: str | None = None
    sha256: str
    size_bytes: int


class DryRun(_Part):
    """What is known of a patch without a test of it. Commands may apply what is malformed as a diff.

    `compiles` is None where it leaves no Python file behind, where the image has no Python, and where it does not
    apply. `other_files` are those that nobody looked at.
    """

    parses: bool
    parse_problem: str | None = None
    applies: bool
    compiles: bool | None = None
    python_files: int
    other_files: int
    errors: list[str]


class GradeVerdict(_Part):
    """Resolved and Unresolved come with a report.json, Error is the official one without; NotGraded blames nobody.

    `log_bytes` and `log_sha256` are of what eval.sh wrote, as it came. `test_seconds` is by grade's own clock.
    `image` is what the tests ran in, with its digest if it came from a registry.
    `support` says of a patch that resolves that it changes files which tests are configured by, and whether others too.
    """

    kind: Literal["Grade"] = "Grade"
    version: Literal[1] = 1
    ordinal: int
    attempt: int
    purpose: Purpose = "Grade"
    instance: str | None = None
    exit_code: int
    outcome: Outcome
    reason: Reason
    message: str
    harness: str | None = None
    image: str | None = None
    applied_with: str | None = None
    fail_to_pass: Passed | None = None
    pass_to_pass: Passed | None = None
    infra_failure: InfraFailure | None = None
    integrity: Integrity | None = None
    support: Literal["Part", "All"] | None = None
    tests: TestCounts | None = None
    test_files: TestFiles | None = None
    leaks: LeakScan | None = None
    dry_run: DryRun | None = None
    test_seconds: float | None = None
    log_bytes: int | None = None
    log_sha256: str | None = None
    outputs: list[Output] | None = None

    def to_document(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude_none=True)

    def to_json(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def exit_code_of(outcome: Outcome, reason: Reason) -> GradeExit:
    if outcome != "NotGraded":
        return GradeExit.JUDGED
    return GradeExit.INVALID_INPUT if reason == "InvalidInput" else GradeExit.TRY_AGAIN


class NotGraded(Exception):
    """Why there is no verdict on the patch: nothing that it could have done, as far as grade can tell."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def sentence(text: str) -> str:
    """A message of a bounded length in one line, whatever bytes its parts came from."""
    return " ".join(text.encode(errors="replace").decode().split())[:MESSAGE_CHARACTERS]


def write_termination_message(verdict: GradeVerdict, path: Path) -> None:
    """The message gives way first, then what a patch can make long: what happened is said to the last.

    A kubelet cuts what is longer, and nobody can read the rest: the cluster would be blamed for a patch of many names.
    """
    document = verdict.to_document()
    gives_way = iter(GIVES_WAY)
    while len(_encode(document)) > TERMINATION_MESSAGE_BYTES:
        if message := str(document["message"]):
            document["message"] = message[: len(message) // 2]
        else:
            document.pop(next(gives_way), None)
    path.write_bytes(_encode(document))


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
