"""What the pairs come to, in figures and in words."""

import math
from collections import defaultdict
from collections.abc import Sequence

from swe_workloads.evaluation.estimates import decimal, ks_of, mean, pass_at
from swe_workloads.evaluation.verdicts import AtK
from swe_workloads.preference_gen.becoming import dropped_counts
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.material import Material, SampleLine
from swe_workloads.preference_gen.pairs import Pair
from swe_workloads.preference_gen.verdicts import ReportGenSummary
from swe_workloads.report_text import counted

REASONS_TOLD = 4


def summarise(made: Made) -> ReportGenSummary:
    material = made.material
    samples = material.about
    outcomes = list(outcomes_of(material).values())
    return ReportGenSummary(
        instances=len(material.questions),
        samples=len(samples),
        unique_patches=len(material.patches),
        resolved=sum(map(sum, outcomes)),
        all_pass=len(made.all_pass),
        all_fail=len(made.all_fail),
        with_pairs=len({pair.question.instance for pair in made.pairs}),
        pairs=len(made.pairs),
        pair_yield=decimal(len(made.pairs) / len(samples)),
        length_ratio=length_ratio(made.pairs),
        pass_at_k=[AtK(k=k, value=decimal(pass_at(outcomes, k))) for k in ks_of(outcomes)],
        train_pairs=None if made.sides is None else len(made.sides.train),
        test_pairs=None if made.sides is None else len(made.sides.test),
        sft_rows=len(made.sft),
        trajectory_rows=None if material.spec.export.trajectories is None else len(made.trajectories.exported),
        dropped=dropped_counts(made),
    )


def outcomes_of(material: Material) -> dict[str, list[bool]]:
    """By instance, whether each of its samples was resolved: what could not be graded was not, as in an evaluation."""
    found: dict[str, list[bool]] = defaultdict(list)
    for sample in material.about:
        found[sample.instance_id].append(_is_resolved(sample, material))
    return dict(sorted(found.items()))


def length_ratio(pairs: Sequence[Pair]) -> str | None:
    """How many times as long as the rejected answers the chosen ones are: the geometric mean over pairs."""
    return decimal(math.exp(mean([pair.lean for pair in pairs]) / 1e6)) if pairs else None


def in_words(made: Made, summary: ReportGenSummary) -> str:
    of = f"{counted(summary.samples, 'sample')} of {counted(summary.instances, 'instance')}"
    different = f"{summary.unique_patches} different patches"
    if not made.pairs:
        return f"No pair can be made of {of} ({different}): {_why_none(made, summary)}{_trajectories(summary)}"
    told = [
        f"{counted(summary.pairs, 'pair')} from {counted(summary.with_pairs, 'instance')}, of {of} ({different}); "
        f"{counted(summary.resolved, 'sample')} resolved."
    ]
    if summary.all_pass or summary.all_fail:
        told.append(f"Instances of which all usable patches pass: {summary.all_pass}, fail: {summary.all_fail}.")
    if made.sides is not None:
        told.append(f"{len(made.sides.train)} to train, {len(made.sides.test)} to test.")
        if not made.sides.test:
            told.append("All pairs are of one group, so that spec.split leaves none to test.")
    return " ".join(told) + _trajectories(summary)


def _trajectories(summary: ReportGenSummary) -> str:
    return "" if summary.trajectory_rows is None else f" Trajectories to learn from: {summary.trajectory_rows}."


def _is_resolved(sample: SampleLine, material: Material) -> bool:
    line = material.lines.get(sample.key) if sample.key is not None else None
    return line is not None and line.state == "Resolved"


def _why_none(made: Made, summary: ReportGenSummary) -> str:
    told = []
    if summary.all_pass:
        told.append(f"of {counted(summary.all_pass, 'instance')} all usable patches pass")
    if summary.all_fail:
        told.append(f"of {counted(summary.all_fail, 'instance')} all fail")
    nothing = summary.instances - len(set(made.passing) | set(made.failing))
    if nothing:
        told.append(f"{counted(nothing, 'instance')} have none that can be used")
    reasons = ", ".join(f"{one.reason} {one.count}" for one in summary.dropped[:REASONS_TOLD])
    return f"{'; '.join(told)}. Samples by the reason: {reasons}."
