"""What the outcomes of an evaluation come to."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from swe_workloads.evaluation.catalog import Catalog
from swe_workloads.evaluation.estimates import Outcomes, decimal, ks_of, pass_at, pass_hat, resolve_rate
from swe_workloads.evaluation.judged import Judged, Judgements
from swe_workloads.evaluation.verdicts import (
    AtK,
    FlakeCounts,
    IntegrityCounts,
    LeakCounts,
    ReportEvalSummary,
    RepositoryRate,
)


def summarise(catalog: Catalog, judgements: Judgements, seed: int) -> ReportEvalSummary:
    judged = judgements.predictions
    outcomes = list(outcomes_of(catalog, judged).values())
    rate = resolve_rate(outcomes, seed)
    audited = list(outcomes_of(catalog, judged, is_earned).values())
    ks = ks_of(outcomes)
    return ReportEvalSummary(
        resolved_rate=decimal(rate.value),
        low=decimal(rate.low),
        high=decimal(rate.high),
        method=rate.method,
        resolved=sum(one.state == "Resolved" for one in judged),
        submitted=len(judged),
        total=len(catalog.instances),
        incomplete=sum(one.state == "Incomplete" for one in judged),
        audited_rate=decimal(resolve_rate(audited, seed).value),
        integrity=_integrity(judged),
        flakes=_flakes(judged),
        leaks=_leaks(judgements.baselines),
        excluded=sum(one.excluded for one in judged),
        cached=sum(one.taken is not None for one in judged),
        valid_only=_valid_only(judgements),
        invalid=sum(reason != "Unknown" for reason in judgements.unproven.values()),
        pass_at_k=[AtK(k=k, value=decimal(pass_at(outcomes, k))) for k in ks],
        pass_hat_k=[AtK(k=k, value=decimal(pass_hat(outcomes, k))) for k in ks],
        repositories=_repositories(catalog, judged),
    )


def is_resolved(one: Judged) -> bool:
    return one.state == "Resolved"


def is_earned(one: Judged) -> bool:
    """Resolved, and nothing in its log speaks against that."""
    return is_resolved(one) and integrity_word(one) == "Clean"


def integrity_word(one: Judged) -> str:
    return one.integrity.verdict if one.integrity else "Unknown"


def outcomes_of(
    catalog: Catalog, judged: Sequence[Judged], counts: Callable[[Judged], bool] = is_resolved
) -> dict[str, Outcomes]:
    """Of every selected instance, in the order of the catalog. What could not be graded counts as not resolved."""
    found: dict[str, list[bool]] = {instance.id: [] for instance in catalog.instances}
    for one in judged:
        found[one.instance].append(counts(one))
    return dict(found)


def in_words(summary: ReportEvalSummary) -> str:
    interval = f"{summary.resolved_rate}, 95 % interval {summary.low} to {summary.high}"
    if summary.submitted <= summary.total and len(summary.pass_at_k) <= 1:
        told = [f"{summary.resolved} of {summary.total} instances are resolved ({interval})."]
    else:
        told = [
            f"{summary.resolved} of {summary.submitted} predictions for {summary.total} instances are resolved "
            f"(rate over instances {interval})."
        ]
    if summary.invalid:
        told.append(
            f"Instances whose baselines show that they cannot be graded here: {summary.invalid}; the share of resolved "
            f"ones among the predictions graded for valid instances is {summary.valid_only or 'unknown'}."
        )
    if summary.cached:
        told.append(f"Verdicts of earlier evaluations, which ran the same: {summary.cached}.")
    if summary.excluded:
        told.append(f"Predictions that were not run, because their instance is not proven: {summary.excluded}.")
    if lost := summary.incomplete - summary.excluded:
        told.append(f"Predictions that could not be graded and count as not resolved: {lost}.")
    if summary.leaks.leaking:
        told.append(f"Instances whose images hold commits beyond their own: {summary.leaks.leaking}.")
    if summary.flakes.disagreeing:
        told.append(f"Predictions whose gradings do not all end the same way: {summary.flakes.disagreeing}.")
    if summary.audited_rate != summary.resolved_rate:
        told.append(f"Of these, only those whose logs bear it out: {summary.audited_rate}.")
    return " ".join(told)


def _integrity(judged: Sequence[Judged]) -> IntegrityCounts:
    words = Counter(integrity_word(one) for one in judged if is_resolved(one))
    return IntegrityCounts(
        clean=words["Clean"], suspicious=words["Suspicious"], tampered=words["Tampered"], unknown=words["Unknown"]
    )


def _flakes(judged: Sequence[Judged]) -> FlakeCounts:
    voted = [(one.votes, is_resolved(one)) for one in judged if one.votes is not None]
    return FlakeCounts(
        rerun=len(voted),
        disagreeing=sum(votes.disagree for votes, _ in voted),
        resolved_by_vote=sum(votes.is_resolved and not resolved for votes, resolved in voted),
    )


def _leaks(baselines: Sequence[Judged]) -> LeakCounts:
    scans = [one.verdict.leaks for one in baselines if one.verdict is not None and one.verdict.leaks is not None]
    return LeakCounts(scanned=len(scans), leaking=sum(scan.commits > 0 for scan in scans))


def _valid_only(judgements: Judgements) -> str | None:
    """What could not be graded is nobody's fault, and what no patch can resolve here is none of the patch."""
    valid = [one.state for one in judgements.predictions if one.instance not in judgements.unproven]
    graded = [state for state in valid if state in ("Resolved", "Unresolved", "Error")]
    return decimal(graded.count("Resolved") / len(graded)) if graded else None


def _repositories(catalog: Catalog, judged: Sequence[Judged]) -> list[RepositoryRate]:
    """The largest first."""
    resolved = Counter(one.repository for one in judged if one.state == "Resolved")
    samples = Counter(one.instance for one in judged)
    totals: dict[str, int] = defaultdict(int)
    for instance in catalog.instances:
        totals[instance.repository] += max(1, samples[instance.id])
    by_size = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [RepositoryRate(name=name, total=total, resolved=resolved[name]) for name, total in by_size]
