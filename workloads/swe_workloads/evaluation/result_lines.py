"""results.jsonl, and baselines.jsonl: each with its outcome and the place of its files, one JSON object a line."""

from collections.abc import Iterable, Iterator

from swe_workloads.evaluation.estimates import decimal
from swe_workloads.evaluation.judged import Judged, Judgements
from swe_workloads.evaluation.second_looks import Look, Votes


def result_lines(judged: Iterable[Judged]) -> Iterator[dict[str, object]]:
    """What is not known of a prediction is absent. `seconds` are those of its tests, `podSeconds` of its sandbox.

    `cached` names the try of an earlier evaluation that came to the verdict; then `keys` are URIs.
    """
    for one in judged:
        verdict = one.verdict.to_document() if one.verdict is not None else {}
        line: dict[str, object | None] = {
            "instance": one.instance,
            "sample": one.sample,
            "model": one.model,
            "repository": one.repository,
            "state": one.state,
            "reason": one.reason,
            "message": one.message or None,
            "failToPass": verdict.get("failToPass"),
            "passToPass": verdict.get("passToPass"),
            "integrity": None if one.integrity is None else one.integrity.model_dump(),
            "votes": votes_line(one.votes),
            "looks": [look_line(look) for look in one.looks] or None,
            "tests": verdict.get("tests"),
            "dryRun": verdict.get("dryRun"),
            "testFiles": verdict.get("testFiles"),
            "leaks": verdict.get("leaks"),
            "infraFailure": verdict.get("infraFailure"),
            "appliedWith": verdict.get("appliedWith"),
            "cached": None if one.taken is None else one.taken.origin.model_dump(),
            "harness": verdict.get("harness"),
            "image": verdict.get("image"),
            "seconds": verdict.get("testSeconds"),
            "podSeconds": one.seconds,
            "ordinal": one.ordinal,
            "attempt": one.attempt,
            "digest": one.digest,
            "keys": one.keys,
        }
        yield {name: value for name, value in line.items() if value is not None}


def votes_line(votes: Votes | None) -> dict[str, object] | None:
    """`flaky` is the estimated probability that two gradings of the same patch differ."""
    if votes is None:
        return None
    return {"gradings": votes.gradings, "resolved": votes.resolved, "flaky": decimal(votes.flaky)}


def look_line(look: Look) -> dict[str, object]:
    verdict = {} if look.verdict is None else look.verdict.to_document()
    told = {"purpose": look.purpose, "attempt": look.attempt}
    return told | {name: verdict[name] for name in ("outcome", "reason", "failToPass", "passToPass") if name in verdict}


def baseline_lines(judgements: Judgements) -> Iterator[dict[str, object]]:
    """As those of predictions, the model being gold or no-op, with what both baselines say of their instance."""
    for one, line in zip(judgements.baselines, result_lines(judgements.baselines), strict=True):
        yield {**line, "validity": judgements.unproven.get(one.instance, "Valid")}
