"""What a dry run comes to: counts of predictions, and no rate."""

from collections import Counter
from collections.abc import Sequence

from swe_workloads.evaluation.judged import Judged
from swe_workloads.evaluation.verdicts import DryRunSummary


def summarise_dry_run(judged: Sequence[Judged]) -> DryRunSummary:
    states = Counter(one.state for one in judged)
    reasons = Counter(one.reason for one in judged if one.state == "Checked")
    return DryRunSummary(
        submitted=len(judged),
        checked=states["Checked"],
        ok=reasons["Ok"],
        does_not_parse=reasons["DoesNotParse"],
        does_not_apply=reasons["DoesNotApply"],
        does_not_compile=reasons["DoesNotCompile"],
        over_limits=states["Error"],
        unchecked=states["Incomplete"],
        empty_patches=states["EmptyPatch"],
    )


def dry_run_in_words(summary: DryRunSummary) -> str:
    told = [
        f"Dry run: {summary.ok} of {summary.submitted} predictions apply, and the Python that they change compiles. "
        "No test was run."
    ]
    for what, number in (
        ("No diff that could be applied", summary.does_not_parse),
        ("Does not apply", summary.does_not_apply),
        ("Does not compile", summary.does_not_compile),
        ("Took more time, memory or disk than it may", summary.over_limits),
        ("Empty", summary.empty_patches),
        ("Lost to the cluster, and not checked", summary.unchecked),
    ):
        if number:
            told.append(f"{what}: {number}.")
    return " ".join(told)
