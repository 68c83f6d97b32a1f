"""The part of a patch that a try is about: all of it, or for a second look what is left of it."""

from swe_workloads.evaluation.grade_input import GradeInput
from swe_workloads.evaluation.grade_verdict import NotGraded, Purpose
from swe_workloads.evaluation.support_files import take_apart


def for_purpose(given: GradeInput, purpose: Purpose) -> GradeInput:
    """With the part of the patch that is to be looked at. Raises NotGraded where there is none."""
    if purpose in ("Grade", "Rerun", "DryRun"):
        return given
    parts = take_apart(given.prediction.model_patch, given.instance.repo)
    patch = parts.others if purpose == "WithoutSupport" else parts.support
    if not patch:
        raise NotGraded("InvalidInput", f"Nothing of the patch is left for {purpose}")
    return given.model_copy(update={"prediction": given.prediction.model_copy(update={"model_patch": patch})})
