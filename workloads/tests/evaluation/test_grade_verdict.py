import json
from pathlib import Path

import pytest

from swe_workloads.evaluation.grade_verdict import (
    GradeVerdict,
    Output,
    Passed,
    exit_code_of,
    sentence,
    write_termination_message,
)


def verdict(**changes: object) -> GradeVerdict:
    fields = {
        "ordinal": 1,
        "attempt": 1,
        "instance": "a__b-1",
        "exit_code": 0,
        "outcome": "Resolved",
        "reason": "Completed",
        "message": "said",
        "pass_to_pass": Passed(passed=1, total=2),
    }
    return GradeVerdict.model_validate(fields | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": 'ü"\n' * 3000},
        {"message": "x" * 9000, "outputs": [Output(name="n" * 300, sha256="0" * 64, size_bytes=1)] * 20},
        {"instance": "i" * 5000},
        {"message": "\ud800"},
        {"integrity": {"verdict": "Suspicious", "reasons": ["SupportFiles: " + "conftest.py, " * 900]}},
        {"test_files": {"watched": 9, "changed": 8, "examples": ["d/" * 500] * 8}},
    ],
)
def test_a_termination_message_fits_and_says_what_happened(tmp_path: Path, changes: dict[str, object]) -> None:
    write_termination_message(verdict(**changes), tmp_path / "message")
    content = (tmp_path / "message").read_bytes()
    document = json.loads(content)
    assert len(content) <= 4096
    assert (document["outcome"], document["reason"], document["passToPass"]) == (
        "Resolved",
        "Completed",
        {"passed": 1, "total": 2},
    )


def test_what_is_not_known_is_left_out() -> None:
    assert verdict().to_document() == {
        "kind": "Grade",
        "version": 1,
        "ordinal": 1,
        "attempt": 1,
        "purpose": "Grade",
        "instance": "a__b-1",
        "exitCode": 0,
        "outcome": "Resolved",
        "reason": "Completed",
        "message": "said",
        "passToPass": {"passed": 1, "total": 2},
    }
    assert GradeVerdict.model_validate_json(verdict().to_json()) == verdict()


def test_a_message_is_one_line_of_a_bounded_length() -> None:
    assert sentence("a\n  b\x00\tc" + "d" * 5000)[:8] == "a b\x00 cdd"
    assert len(sentence("d" * 5000)) == 1000


def test_only_what_blames_nobody_ends_with_a_code() -> None:
    assert exit_code_of("Error", "TimedOut") == exit_code_of("Unresolved", "Completed") == 0
    assert exit_code_of("NotGraded", "InvalidInput") == 64
    assert exit_code_of("NotGraded", "SandboxSilent") == 75
