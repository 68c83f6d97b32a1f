"""What is left out because a model is judged by it, in sentences."""

from collections.abc import Sequence

from swe_workloads.preference_gen.evaluation_rows import FIELD
from swe_workloads.preference_gen.removal import Removal, Removed
from swe_workloads.report_text import counted
from swe_workloads.some import some

ALLOW = "spec.allowEvaluationSets"


def nothing_left(removal: Removal) -> str:
    """Where all that was selected is left out, with what to do about it."""
    if removal.instances:
        others = f", and {len(removal.sets)} are of evaluation sets ({ALLOW} is false)" if removal.sets else ""
        told = f"{len(removal.instances)} are like its rows, such as {_likenesses(removal.instances)}{others}"
        return f"{FIELD}: no selected instance is left: {told}. Take other instances."
    return (
        f"{ALLOW} is false, and all {counted(len(removal.sets), 'selected instance')} are of evaluation sets: "
        f"{_members(removal.sets)}. Take instances of other repositories, or set it to true if no model that learns "
        "from this is ever judged by those sets."
    )


def left_out(removal: Removal) -> list[str]:
    """A sentence for each kind."""
    told = []
    if removal.sets:
        names = _members(removal.sets)
        told.append(f"Left out as of evaluation sets, since {ALLOW} is false: {len(removal.sets)}, such as {names}.")
    if removal.instances:
        names = _likenesses(removal.instances)
        told.append(f"Instances like rows of {FIELD}: {len(removal.instances)}, such as {names}.")
    if removal.samples:
        told.append(f"Samples like these: {len(removal.samples)}, such as {_likenesses(removal.samples)}.")
    return told


def _members(removed: Sequence[Removed]) -> str:
    return some([f"{one.instance.id} ({one.member.name})" for one in removed])


def _likenesses(removed: Sequence[Removed]) -> str:
    return some([f"{one.instance.id} ({one.member.rule} of {one.member.like})" for one in removed])
