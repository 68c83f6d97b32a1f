"""What the preparation of an evaluation came to, in figures and in words."""

from dataclasses import dataclass, field
from itertools import islice

from swe_workloads.bad_rows import EXAMPLES, REASON_CHARACTERS, examples_of, first_of
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.image_digests import FIELD, ImagePins
from swe_workloads.evaluation.index import Plan, ids_of
from swe_workloads.evaluation.lessons import Lessons
from swe_workloads.evaluation.predictions import Predictions
from swe_workloads.evaluation.roster import Roster
from swe_workloads.evaluation.verdict_reuse import Reuse
from swe_workloads.evaluation.verdicts import EvalSources, PrepareEvalSummary, UnpinnedImage
from swe_workloads.report_text import counted
from swe_workloads.rows import BadRow
from swe_workloads.some import some

# Of the termination message, which has many other things to say.
MALFORMED_SHOWN = 20


@dataclass(frozen=True)
class PreparedEval:
    roster: Roster
    predictions: Predictions
    plan: Plan
    sources: EvalSources
    lessons: Lessons
    pins: ImagePins = field(default_factory=ImagePins)
    reuse: Reuse = field(default_factory=Reuse)

    @property
    def bad_predictions(self) -> list[BadRow]:
        """Those that say nothing usable, and those about instances that cannot be used."""
        return [*self.predictions.bad, *self.plan.refused]


def problem_with(prepared: PreparedEval, spec: EvalFile) -> str | None:
    """Why there is nothing to evaluate, with what to do about it."""
    roster, predictions, plan = prepared.roster, prepared.predictions, prepared.plan
    if roster.read == 0:
        return "spec.instances: the source has no rows. Check what it points to."
    if not roster.known:
        return (
            f"spec.instances: none of the {roster.read} rows can be graded. {first_of(roster.bad)} "
            f"Correct the rows, or spec.instances.format if they are not {spec.instances.format}."
        )
    if predictions.read == 0:
        return "spec.predictions: the source has no rows. Check what it points to."
    if spec.images.pin_digests == "Required" and prepared.pins.by_name:
        return f"{FIELD} is Required. {_unpinned(prepared)} Correct that, or set BestEffort to run them by name."
    if plan.submitted:
        return None
    if not plan.unknown and not plan.not_selected:
        bad = prepared.bad_predictions
        return f"spec.predictions: none of the {predictions.read} rows can be used. {first_of(bad)} Correct the rows."
    return (
        f"spec.predictions: none of the {predictions.read} rows is about a selected instance. The rows are about "
        f"{some(ids_of([*plan.unknown, *plan.not_selected]))}; selected are "
        f"{some([known.id for known in plan.selected])}. Correct the ids, or widen spec.instances.select."
    )


def summarise(prepared: PreparedEval) -> PrepareEvalSummary:
    plan = prepared.plan
    malformed = [run.instance.id for run in plan.runs if run.prediction.problem is not None]
    return PrepareEvalSummary(
        instances=len(plan.selected),
        predictions=prepared.predictions.read,
        to_run=len(plan.runs),
        baselines=len(plan.baselines),
        cached=sum(ordinal >= len(plan.baselines) for ordinal in prepared.reuse.found),
        cached_baselines=sum(ordinal < len(plan.baselines) for ordinal in prepared.reuse.found),
        empty_patches=len(plan.empty),
        without_prediction=len(plan.without_prediction),
        unknown_ids=len(ids_of(plan.unknown)),
        not_selected=len(plan.not_selected),
        duplicates=len(prepared.predictions.duplicates),
        bad_predictions=len(prepared.bad_predictions),
        bad_rows=len(prepared.roster.bad),
        bad_row_examples=examples_of(prepared.roster.bad),
        malformed=list(dict.fromkeys(malformed))[:MALFORMED_SHOWN],
        images=len({known.image for known in plan.instances}),
        pinned_images=len(prepared.pins.pinned),
        unpinned_image_examples=[
            UnpinnedImage(name=name, reason=reason[:REASON_CHARACTERS])
            for name, reason in islice(prepared.pins.by_name.items(), EXAMPLES)
        ],
    )


def in_words(prepared: PreparedEval, summary: PrepareEvalSummary) -> str:
    plan = prepared.plan
    told = [
        f"{counted(summary.to_run, 'prediction')} to run, for {len(plan.instances)} of {summary.instances} instances."
    ]
    if summary.baselines:
        told.append(f"Baselines, gold and no-op of each of these instances: {summary.baselines}.")
    told += _reused(prepared, summary)
    if summary.empty_patches:
        told.append(f"Empty patches, which count as not resolved: {summary.empty_patches}.")
    if summary.without_prediction:
        told.append(f"Instances without a prediction: {some(plan.without_prediction)}.")
    if plan.unknown:
        told.append(f"No instance is called {some(ids_of(plan.unknown))}.")
    if summary.duplicates:
        told.append(
            f"Rows left out because they repeat another: {summary.duplicates}; equal samples need a column that "
            "tells them apart, such as sample."
        )
    if prepared.pins.by_name:
        told.append(_unpinned(prepared))
    if prepared.bad_predictions:
        told.append(f"Unusable predictions: {summary.bad_predictions}. {first_of(prepared.bad_predictions)}")
    if summary.bad_rows:
        told.append(f"Unusable instances: {summary.bad_rows}. {first_of(prepared.roster.bad)}")
    if summary.malformed:
        told.append(f"Diffs that git may refuse: {some(summary.malformed)}.")
    return " ".join(told)


def _reused(prepared: PreparedEval, summary: PrepareEvalSummary) -> list[str]:
    told = []
    if prepared.reuse.found:
        told.append(
            "Not run again, because an earlier evaluation ran the same: "
            f"{counted(summary.cached, 'prediction')}, {counted(summary.cached_baselines, 'baseline')}."
        )
    if prepared.reuse.remarks:
        told.append(
            f"Entries of the cache that lead to no verdict: {len(prepared.reuse.remarks)}, such as "
            f"{prepared.reuse.remarks[0]}; what they are about is run."
        )
    return told


def _unpinned(prepared: PreparedEval) -> str:
    by_name = prepared.pins.by_name
    name, reason = next(iter(by_name.items()))
    return f"Images that have no digest to run by: {len(by_name)}. The first, {name}: {reason}."
