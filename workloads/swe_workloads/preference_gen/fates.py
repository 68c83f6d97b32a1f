"""What the grading of a patch makes of it: a side of pairs, or why it is on neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from swe_workloads.evaluation.validity import DISPROVEN
from swe_workloads.preference_gen.graded_lines import GradedLine, Key
from swe_workloads.preference_gen.material import Material

# Kinds of failing patches are called as spec.pairs.rejected calls them.
Kind = Literal["Passing", "Failing", "PatchDoesNotApply"]
# A rejected answer teaches the more the closer it comes.
NEAR_MISS, FAR_MISS, NO_PATCH = 0, 1, 2


@dataclass(frozen=True)
class Fate:
    """`kind` of what can be in a pair, None of what cannot, for this reason. `hardness` orders rejected answers."""

    kind: Kind | None
    reason: str
    hardness: int = NO_PATCH


def fates_of(material: Material) -> Mapping[Key, Fate]:
    """Of every patch that was to be graded."""
    return {key: _fate(key, material.lines.get(key), material) for key in material.patches}


def gold_is_proven(instance: str, material: Material) -> bool:
    """Whether the gold patch resolved its instance here, and nothing speaks against that."""
    line = material.gold.get(instance)
    return line is not None and line.state == "Resolved" and line.validity == "Valid" and _doubt(line) is None


def _fate(key: Key, line: GradedLine | None, material: Material) -> Fate:
    if line is None:
        return Fate(None, "NotGraded")
    gold = material.gold.get(key[0])
    if gold is not None and gold.validity in DISPROVEN:
        return Fate(None, "InstanceNotValid")
    if line.reason == "PatchApplyFailed" and line.state in ("Error", "Unresolved"):
        return Fate("PatchDoesNotApply", "PatchDoesNotApply")
    if line.state == "Resolved":
        reason = _doubt(line) or ("NotConfirmed" if not _is_confirmed(line) else None)
        return Fate(None, reason) if reason else Fate("Passing", "Passing")
    if line.state != "Unresolved" or line.reason != "Completed":
        return Fate(None, line.state if line.reason == "Completed" else line.reason)
    reason = _doubt(line) or _flake(line)
    hardness = NEAR_MISS if line.fail_to_pass is not None and line.fail_to_pass.passed > 0 else FAR_MISS
    return Fate(None, reason) if reason else Fate("Failing", "Failing", hardness)


def _doubt(line: GradedLine) -> str | None:
    """Suspicious, Tampered or Unknown."""
    word = "Unknown" if line.integrity is None else line.integrity.verdict
    return None if word == "Clean" else f"Integrity{word}"


def _flake(line: GradedLine) -> str | None:
    """Why the same patch may pass another time, or may even have passed this time."""
    if line.tests is not None and line.tests.seen == 0:
        return "NoTestResults"  # killed before its end, or spoilt by what it printed
    if line.votes is not None and line.votes.resolved > 0:
        return "Flaky"
    return "InfrastructureSigns" if line.infra_failure is not None else None


def _is_confirmed(line: GradedLine) -> bool:
    """By a second grading that came to the same: what passes by chance would teach the opposite."""
    return line.votes is not None and line.votes.resolved == line.votes.gradings
