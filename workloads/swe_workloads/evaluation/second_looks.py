"""What second looks at a verdict mean: whether it needed changed support files, and whether its tests flake.

A verdict stays as it is; what is found here is told beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from swe_workloads.evaluation.grade_verdict import GradeVerdict, Integrity, Purpose
from swe_workloads.evaluation.integrity import SUPPORT, TEST_FILES, beside_gold, changes_as_with_gold, judged_by

GRADED = ("Resolved", "Unresolved", "Error")


@dataclass(frozen=True)
class Look:
    """`verdict` is None where the sandbox left none."""

    purpose: Purpose
    attempt: int
    verdict: GradeVerdict | None


@dataclass(frozen=True)
class Votes:
    """Of `gradings` of the same patch, the verdict's among them, `resolved` resolve it."""

    gradings: int
    resolved: int

    @property
    def is_resolved(self) -> bool:
        return 2 * self.resolved > self.gradings

    @property
    def disagree(self) -> bool:
        return 0 < self.resolved < self.gradings

    @property
    def flaky(self) -> float:
        """Unbiased estimate of the probability that two gradings of the patch differ."""
        pairs = self.gradings * (self.gradings - 1)
        return 2 * self.resolved * (self.gradings - self.resolved) / pairs


def votes_of(verdict: GradeVerdict, looks: Iterable[Look]) -> Votes | None:
    """None without a grading beside the first."""
    again = [look.verdict for look in looks if look.purpose == "Rerun" and look.verdict is not None]
    outcomes = [one.outcome for one in [verdict, *again] if one.outcome in GRADED]
    return Votes(len(outcomes), outcomes.count("Resolved")) if len(outcomes) > 1 else None


@dataclass(frozen=True)
class Beside:
    """What there is beside a verdict. `gold` is that of the instance's gold patch, None without baselines.

    `resolves_anyway`: a patch that does nothing resolves the instance too, so nothing that resolves it is a proof.
    """

    looks: Sequence[Look]
    gold: GradeVerdict | None = None
    resolves_anyway: bool = False


def audited(verdict: GradeVerdict, beside: Beside) -> Integrity | None:
    """What speaks against a verdict, with what was found beside it."""
    integrity = verdict.integrity
    if integrity is None or integrity.verdict == "Tampered" or verdict.outcome != "Resolved":
        return integrity
    gold = beside.gold
    otherwise = beside_gold(verdict, gold) if gold is not None and gold.outcome == "Resolved" else []
    reasons = integrity.reasons
    if gold is not None and changes_as_with_gold(verdict, gold):
        reasons = [reason for reason in reasons if not reason.startswith(TEST_FILES)]
    proofs, doubts = _of_parts(verdict, reasons, beside)
    return judged_by(proofs, [*doubts, *otherwise])


def _of_parts(verdict: GradeVerdict, doubts: list[str], beside: Beside) -> tuple[list[str], list[str]]:
    """Proofs and doubts, as the looks at the parts of the patch leave them."""
    if verdict.support is None or beside.resolves_anyway:
        return [], doubts
    if verdict.support == "All":
        return [ALONE], doubts
    without, alone = (_verdict_for(beside.looks, purpose) for purpose in ("WithoutSupport", "SupportAlone"))
    if without is None or alone is None:
        return [], doubts
    if without.outcome != "Resolved":
        return [ALONE] if _mends(alone) else [], [*doubts, NEEDED]
    return [], doubts if _mends(alone) else [doubt for doubt in doubts if not doubt.startswith(SUPPORT)]


ALONE = "SupportAlone: the files that tests are configured by are enough for every FAIL_TO_PASS test to pass"
NEEDED = "SupportNeeded: without its changes to these files the patch does not resolve"


def _verdict_for(looks: Sequence[Look], purpose: str) -> GradeVerdict | None:
    return next((look.verdict for look in looks if look.purpose == purpose), None)


def _mends(verdict: GradeVerdict) -> bool:
    tests = verdict.fail_to_pass
    return tests is not None and 0 < tests.total == tests.passed
