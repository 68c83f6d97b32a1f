"""What looks at a verdict add to it."""

from typing import Any

import pytest

from swe_workloads.evaluation.grade_verdict import GradeVerdict, Integrity, Passed
from swe_workloads.evaluation.second_looks import Beside, Look, Votes, audited, votes_of

DOUBT = "SupportFiles: the patch changes conftest.py"


def verdict(outcome: str, mended: int = 0, **more: Any) -> GradeVerdict:
    known = {"ordinal": 3, "attempt": 1, "exit_code": 0, "reason": "Completed", "message": ""}
    tests = Passed(passed=mended, total=2)
    return GradeVerdict.model_validate({**known, "outcome": outcome, "fail_to_pass": tests, **more})


def of_patch(support: str | None, word: str = "Suspicious", *reasons: str) -> GradeVerdict:
    integrity = Integrity.model_validate({"verdict": word, "reasons": list(reasons) or [DOUBT]})
    return verdict("Resolved", 2, support=support, integrity=integrity)


def looks(without: GradeVerdict | None, alone: GradeVerdict | None) -> list[Look]:
    return [Look("WithoutSupport", 2, without), Look("SupportAlone", 3, alone)]


def words(found: Integrity | None) -> tuple[str, list[str]]:
    assert found is not None
    return found.verdict, [reason.split(":")[0] for reason in found.reasons]


RESOLVED, FAILED, MENDS = verdict("Resolved", 2), verdict("Unresolved"), verdict("Unresolved", 2)


@pytest.mark.parametrize(
    ("without", "alone", "expected"),
    [
        (RESOLVED, FAILED, ("Clean", [])),
        (FAILED, MENDS, ("Tampered", ["SupportAlone", "SupportFiles", "SupportNeeded"])),
        (FAILED, FAILED, ("Suspicious", ["SupportFiles", "SupportNeeded"])),
        (RESOLVED, MENDS, ("Suspicious", ["SupportFiles"])),
        (None, MENDS, ("Suspicious", ["SupportFiles"])),
        (FAILED, None, ("Suspicious", ["SupportFiles"])),
    ],
    ids=["not-needed", "enough-alone", "both-needed", "either-is-enough", "first-look-lost", "second-look-lost"],
)
def test_a_patch_with_support_files_is_what_its_parts_are(
    without: GradeVerdict | None, alone: GradeVerdict | None, expected: tuple[str, list[str]]
) -> None:
    assert words(audited(of_patch("Part"), Beside(looks(without, alone)))) == expected


def test_a_patch_of_nothing_else_needs_no_look() -> None:
    assert words(audited(of_patch("All"), Beside([]))) == ("Tampered", ["SupportAlone", "SupportFiles"])


def test_nothing_is_a_proof_where_a_no_op_resolves_as_well() -> None:
    found = audited(of_patch("Part"), Beside(looks(FAILED, MENDS), resolves_anyway=True))
    assert words(found) == ("Suspicious", ["SupportFiles"])


def test_other_doubts_stay_when_the_support_files_are_cleared() -> None:
    given = of_patch("Part", "Suspicious", DOUBT, "NoSummary: x")
    found = audited(given, Beside(looks(RESOLVED, FAILED)))
    assert words(found) == ("Suspicious", ["NoSummary"])


def test_what_is_proven_stays_proven() -> None:
    given = of_patch("Part", "Tampered", "ForgedMarker: x", DOUBT)
    assert audited(given, Beside(looks(RESOLVED, FAILED))) == given.integrity


def test_gradings_vote_and_those_that_were_lost_have_no_vote() -> None:
    again = [Look("Rerun", 2, RESOLVED), Look("Rerun", 3, None), Look("Rerun", 4, RESOLVED)]
    votes = votes_of(verdict("Unresolved"), again)
    assert votes == Votes(gradings=3, resolved=2)
    assert (votes.is_resolved, votes.disagree, round(votes.flaky, 4)) == (True, True, 0.6667)


def test_two_gradings_that_agree_are_not_flaky() -> None:
    votes = votes_of(verdict("Unresolved"), [Look("Rerun", 2, FAILED)])
    assert votes is not None
    assert (votes.is_resolved, votes.disagree, votes.flaky) == (False, False, 0.0)


def test_one_grading_has_no_vote() -> None:
    assert votes_of(verdict("Unresolved"), []) is None
    assert votes_of(verdict("Resolved", 2), looks(RESOLVED, FAILED)) is None


def ran(seen: int, skipped: int, seconds: float, outcome: str = "Resolved", **more: Any) -> GradeVerdict:
    tests = {"seen": seen, "skipped": skipped, "expectedFailures": 0}
    integrity = Integrity(verdict="Clean", reasons=[])
    return verdict(outcome, 2, integrity=integrity, tests=tests, test_seconds=seconds, **more)


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (ran(40, 2, 19.0), []),
        (ran(41, 1, 30.0), []),
        (ran(39, 2, 19.0), ["FewerTests"]),
        (ran(40, 3, 19.0), ["NewSkips"]),
        (ran(40, 2, 4.9), ["TooFast"]),
    ],
    ids=["as-gold", "more-and-slower", "a-test-is-missing", "a-test-is-skipped", "hardly-any-time"],
)
def test_what_resolves_is_held_against_the_run_of_the_gold_patch(given: GradeVerdict, reasons: list[str]) -> None:
    found = audited(given, Beside([], gold=ran(40, 2, 20.0)))
    assert words(found) == ("Suspicious" if reasons else "Clean", reasons)


def test_a_gold_patch_that_fails_here_is_no_measure() -> None:
    given = ran(39, 9, 1.0)
    assert audited(given, Beside([], gold=ran(40, 2, 20.0, "Unresolved"))) == given.integrity


def test_what_does_not_resolve_has_nothing_to_prove() -> None:
    given = ran(3, 9, 1.0, "Unresolved")
    assert audited(given, Beside([], gold=ran(40, 2, 20.0))) == given.integrity


def test_short_tests_may_be_four_times_as_fast() -> None:
    assert words(audited(ran(40, 2, 1.0), Beside([], gold=ran(40, 2, 9.9)))) == ("Clean", [])


FILES = "TestFilesChanged: data.json changed while the tests ran"


def with_files(*changed: str, **more: Any) -> GradeVerdict:
    integrity = Integrity(verdict="Suspicious", reasons=[FILES, "NoSummary: x"])
    return verdict(
        "Resolved", 2, integrity=integrity, test_files={"watched": 9, "changed": len(changed), "examples": changed}
    )


@pytest.mark.parametrize(
    ("golden", "left"),
    [
        (with_files("data.json"), ["NoSummary"]),
        (with_files("data.json", "more.json"), ["NoSummary"]),
        (with_files("more.json"), ["TestFilesChanged", "NoSummary"]),
        (with_files(), ["TestFilesChanged", "NoSummary"]),
        (verdict("Resolved", 2), ["TestFilesChanged", "NoSummary"]),
        (None, ["TestFilesChanged", "NoSummary"]),
    ],
    ids=["the-same", "more", "others", "none", "not-looked-at", "no-baseline"],
)
def test_files_that_the_tests_change_with_the_gold_patch_too_accuse_nobody(
    golden: GradeVerdict | None, left: list[str]
) -> None:
    assert words(audited(with_files("data.json"), Beside([], gold=golden))) == ("Suspicious", left)
