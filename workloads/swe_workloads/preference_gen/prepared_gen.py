"""What the preparation of a PreferenceGen came to, in figures and in words."""

from collections import Counter
from dataclasses import dataclass

from swe_workloads.bad_rows import examples_of, first_of
from swe_workloads.evaluation.index import Plan, ids_of
from swe_workloads.evaluation.predictions import Predictions
from swe_workloads.evaluation.roster import Roster
from swe_workloads.evaluation.verdicts import EvalSources
from swe_workloads.evaluation_sets import RULES
from swe_workloads.preference_gen.evaluation_rows import FIELD, EvaluationRows
from swe_workloads.preference_gen.removal import Removal
from swe_workloads.preference_gen.removal_words import left_out, nothing_left
from swe_workloads.preference_gen.samples import Sample, Unique
from swe_workloads.preference_gen.verdicts import Compared, PrepareGenSummary, RemovedCount
from swe_workloads.prompting.prompts import Prompts
from swe_workloads.report_text import counted
from swe_workloads.rows import BadRow
from swe_workloads.some import some


@dataclass(frozen=True)
class PreparedGen:
    """`plan` is about the instances that are left; `samples` are all usable rows, `unique` what is graded of them.

    `prompts` are those of all instances with a sample.
    """

    roster: Roster
    predictions: Predictions
    plan: Plan
    removal: Removal
    evaluations: EvaluationRows
    samples: list[Sample]
    unique: list[Unique]
    prompts: Prompts
    sources: EvalSources

    @property
    def bad_predictions(self) -> list[BadRow]:
        """Those that say nothing usable, and those about instances that cannot be used."""
        return [*self.predictions.bad, *self.plan.refused]

    @property
    def unexportable(self) -> list[BadRow]:
        """Trajectories of samples that are graded, but cannot be learnt from, with the reason."""
        graded = [(one.row, one.trajectory) for one in self.samples if one.merged_into is not None]
        return [BadRow(row.file, row.row, kept.problem) for row, kept in graded if kept and kept.problem is not None]

    @property
    def sampled(self) -> list[str]:
        """The instances that a sample is about, by name."""
        return sorted({one.instance for one in self.plan.submitted})

    @property
    def removed_counts(self) -> list[RemovedCount]:
        """Instances, and samples of instances that are left or not, by rule."""
        rules = {one.instance.id: one.member.rule for one in [*self.removal.sets, *self.removal.instances]}
        alone = {one.sample: one.member.rule for one in self.removal.samples}
        dropped = [one.row for one in self.samples if one.dropped in ("EvaluationSet", "Contaminated")]
        samples = Counter(alone.get(row) or rules[row.instance] for row in dropped)
        instances = Counter(rules.values())
        return [
            RemovedCount(rule=rule, instances=instances[rule], samples=samples[rule])
            for rule in RULES
            if rule in instances or rule in samples
        ]


def problem_with(prepared: PreparedGen) -> str | None:
    """Why there is nothing to grade, with what to do about it."""
    roster, predictions, plan = prepared.roster, prepared.predictions, prepared.plan
    if roster.read == 0:
        return "spec.instances: the source has no rows. Check what it points to."
    if not roster.known:
        return f"spec.instances: none of the {roster.read} rows can be used. {first_of(roster.bad)} Correct the rows."
    if not plan.selected and not prepared.removal.all:
        return f"spec.instances: none of the selected rows can be used. {first_of(roster.bad)} Correct the rows."
    if not plan.selected:
        return nothing_left(prepared.removal)
    if predictions.read == 0:
        return "spec.predictions: the source has no rows. Check what it points to."
    if prepared.unique:
        return None
    return _no_patch(prepared)


def _no_patch(prepared: PreparedGen) -> str:
    predictions, plan = prepared.predictions, prepared.plan
    if plan.empty:
        return f"spec.predictions: all {counted(len(plan.empty), 'sample')} of the instances are empty patches."
    others = ids_of([*plan.unknown, *plan.not_selected])
    if not plan.submitted and prepared.removal.samples:
        return f"{FIELD}: all samples of the instances are like its rows. {' '.join(left_out(prepared.removal))}"
    if not others and prepared.bad_predictions:
        return (
            f"spec.predictions: none of the {predictions.read} rows can be used. {first_of(prepared.bad_predictions)} "
            "Correct the rows."
        )
    asked = f"The rows are about {some(others)}; selected are {some([known.id for known in plan.selected])}."
    less = "".join(f" {sentence}" for sentence in left_out(prepared.removal))
    return (
        f"spec.predictions: none of the {predictions.read} rows is about an instance that is left. {asked}{less} "
        "Correct the ids, or widen spec.instances.select."
    )


def summarise(prepared: PreparedGen) -> PrepareGenSummary:
    plan = prepared.plan
    return PrepareGenSummary(
        instances=len(prepared.sampled),
        samples=prepared.predictions.read,
        unique_patches=len(prepared.unique),
        empty_patches=len(plan.empty),
        without_sample=len(plan.without_prediction),
        unknown_ids=len(ids_of(plan.unknown)),
        duplicates=len(prepared.predictions.duplicates),
        bad_rows=len(prepared.roster.bad),
        bad_predictions=len(prepared.bad_predictions),
        not_selected=len(plan.not_selected),
        evaluation_sets=len(prepared.removal.sets),
        removed=prepared.removed_counts,
        decontamination=_compared(prepared.evaluations),
        bad_row_examples=examples_of(prepared.roster.bad),
    )


def _compared(evaluations: EvaluationRows) -> Compared | None:
    if not evaluations.sources:
        return None
    return Compared(rows=len(evaluations.rows), bad_rows=len(evaluations.bad), sources=evaluations.sources)


def in_words(prepared: PreparedGen, summary: PrepareGenSummary) -> str:
    plan = prepared.plan
    told = [
        f"Different patches to grade: {summary.unique_patches}, of {counted(len(plan.submitted), 'sample')} for "
        f"{summary.instances} of {counted(len(plan.selected), 'instance')}."
    ]
    told += left_out(prepared.removal)
    if summary.empty_patches:
        told.append(f"Empty patches, which are not graded: {summary.empty_patches}.")
    if summary.without_sample:
        told.append(f"Instances without a sample: {some(plan.without_prediction)}.")
    if plan.unknown:
        told.append(f"No instance is called {some(ids_of(plan.unknown))}.")
    if summary.duplicates:
        told.append(f"Rows left out because they repeat a sample: {summary.duplicates}.")
    if prepared.bad_predictions:
        told.append(f"Unusable predictions: {summary.bad_predictions}. {first_of(prepared.bad_predictions)}")
    if prepared.unexportable:
        lost = prepared.unexportable
        told.append(f"Trajectories that cannot be exported: {len(lost)}. {first_of(lost)}")
    if summary.bad_rows:
        told.append(f"Unusable instances: {summary.bad_rows}. {first_of(prepared.roster.bad)}")
    return " ".join(told)
