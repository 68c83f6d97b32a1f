"""What became of predictions and baselines: the preparation's catalog, the operator's rows, grade's verdicts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import ValidationError

from swe_workloads.artifacts import SIGNED_AT_ONCE, ArtifactStore
from swe_workloads.evaluation.catalog import Catalog, CatalogBaseline, CatalogPrediction
from swe_workloads.evaluation.grade_verdict import GradeVerdict, Integrity
from swe_workloads.evaluation.no_op import NO_OP_MODEL
from swe_workloads.evaluation.predictions import GOLD_MODEL
from swe_workloads.evaluation.results_file import Infrastructure, Results, Row
from swe_workloads.evaluation.second_looks import Beside, Look, Votes, audited, votes_of
from swe_workloads.evaluation.taken_over import Taken
from swe_workloads.evaluation.validity import EXCLUDED, IN_WORDS, Reason

State = Literal["Resolved", "Unresolved", "Error", "Incomplete", "EmptyPatch", "Checked"]


@dataclass(frozen=True, slots=True)
class Judged:
    """`seconds` are those of the sandbox pod. `digest` is the verdict's, as it lies in the store.

    `integrity` is that of the verdict, and of the looks at it. With `taken` the verdict is an earlier one's.
    """

    instance: str
    repository: str
    sample: int
    model: str
    state: State
    reason: str
    message: str = ""
    ordinal: int | None = None
    attempt: int | None = None
    seconds: float | None = None
    verdict: GradeVerdict | None = None
    digest: str | None = None
    integrity: Integrity | None = None
    votes: Votes | None = None
    looks: tuple[Look, ...] = ()
    taken: Taken | None = None

    @property
    def excluded(self) -> bool:
        """Not run, because its instance is not proven to be valid."""
        return self.reason in EXCLUDED

    @property
    def keys(self) -> dict[str, str]:
        """What is in the store of this prediction, by the names of the official log folder.

        Of a verdict that was taken over these are whole URIs: its files lie with the evaluation that ran it.
        """
        if self.verdict is None:
            return {}
        prefix, ordinal, attempt = "", self.ordinal, self.attempt
        if self.taken is not None:
            prefix, ordinal, attempt = self.taken.prefix, self.taken.origin.ordinal, self.taken.origin.attempt
        folder = f"{prefix}outputs/{ordinal}/{attempt}"
        files = {one.name: f"{folder}/{one.stored_as or one.name}" for one in self.verdict.outputs or []}
        return {"verdict.json": f"{prefix}{verdict_key(ordinal, attempt)}", **files}


@dataclass(frozen=True)
class Judgements:
    """Predictions in the order of the catalog, baselines by ordinal, and why instances are not valid, by name."""

    predictions: list[Judged]
    baselines: list[Judged]
    unproven: dict[str, Reason]


# Ordinal and attempt.
Try = tuple[int, int | None]


@dataclass(frozen=True)
class _Known:
    """By ordinal what the operator and grade said of it; by instance why it is not valid, and its gold's verdict."""

    rows: Mapping[int, Row]
    lost: Mapping[int, Infrastructure]
    verdicts: Mapping[Try, tuple[GradeVerdict, str]]
    unproven: dict[str, Reason]
    taken: Mapping[int, Taken]
    gold: Mapping[str, GradeVerdict]


def judged(catalog: Catalog, results: Results, store: ArtifactStore, taken: Mapping[int, Taken]) -> Judgements:
    """The operator's state counts; the verdict says the rest, whether it is of this evaluation or was taken over."""
    names = [catalog.instances[one.instance].id for one in catalog.baselines]
    gold_at = [at for at, one in enumerate(catalog.baselines) if one.kind == "Gold"]
    verdicts, rows = dict(_verdicts(results.rows, store)), {row.ordinal: row for row in results.rows}
    verdicts |= {(ordinal, None): (one.verdict, one.sha256) for ordinal, one in taken.items()}
    known = _Known(
        rows=rows,
        lost={one.ordinal: one for one in results.infrastructure},
        verdicts=verdicts,
        unproven={names[one.ordinal]: one.reason for one in results.unproven},
        taken=taken,
        gold={names[at]: found[0] for at in gold_at if at in rows and (found := verdicts.get((at, rows[at].attempt)))},
    )
    return Judgements(
        [_judged(_who(catalog, one), one.ordinal, known) for one in catalog.predictions],
        [_judged(_what(catalog, one), at, known) for at, one in enumerate(catalog.baselines)],
        known.unproven,
    )


def verdict_key(ordinal: int | None, attempt: int | None) -> str:
    return f"verdicts/{ordinal}/{attempt}.json"


# Instance, repository, sample and model.
Identity = tuple[str, str, int, str]


def _who(catalog: Catalog, prediction: CatalogPrediction) -> Identity:
    instance = catalog.instances[prediction.instance]
    return instance.id, instance.repository, prediction.sample, catalog.models[prediction.model]


def _what(catalog: Catalog, baseline: CatalogBaseline) -> Identity:
    instance = catalog.instances[baseline.instance]
    return instance.id, instance.repository, 1, GOLD_MODEL if baseline.kind == "Gold" else NO_OP_MODEL


def _judged(who: Identity, ordinal: int | None, known: _Known) -> Judged:
    if ordinal is None:
        return Judged(*who, "EmptyPatch", "EmptyPatch", "The patch is empty.")
    row = known.rows.get(ordinal)
    if row is None:
        return Judged(*who, "Incomplete", "NoResult", "The operator has no result of it.", ordinal)
    if row.reason in EXCLUDED:
        why = known.unproven.get(who[0])
        message = "It was not run." if why is None else f"It was not run. Of its instance: {IN_WORDS[why]}"
        return Judged(*who, row.state, row.reason, message, ordinal)
    verdict, digest = known.verdicts.get((ordinal, row.attempt), (None, None))
    reason, message = _why(row, known.lost.get(ordinal), verdict)
    one = Judged(*who, row.state, reason, message, row.ordinal, row.attempt, row.seconds, verdict, digest)
    if verdict is None:
        return one
    return replace(_looked_at(one, verdict, row, known), taken=known.taken.get(ordinal) if row.cached else None)


def _looked_at(one: Judged, verdict: GradeVerdict, row: Row, known: _Known) -> Judged:
    verdicts = {look.attempt: known.verdicts.get((row.ordinal, look.attempt)) for look in row.looks}
    looks = tuple(Look(told.purpose, told.attempt, _first(verdicts[told.attempt])) for told in row.looks)
    beside = Beside(looks, known.gold.get(one.instance), known.unproven.get(one.instance) == "NoOpResolves")
    integrity = audited(verdict, beside)
    return replace(one, integrity=integrity, votes=votes_of(verdict, looks), looks=looks)


def _first(found: tuple[GradeVerdict, str] | None) -> GradeVerdict | None:
    return None if found is None else found[0]


def _why(row: Row, lost: Infrastructure | None, verdict: GradeVerdict | None) -> tuple[str, str]:
    """grade's own words where it came to the same state, else the operator's, who saw more."""
    if lost is not None:
        return lost.reason, lost.message
    if verdict is not None and verdict.outcome == row.state:
        return verdict.reason, verdict.message
    if row.reason is not None:
        return row.reason, ""
    return ("PodEnded", "The sandbox ended before a verdict.") if verdict is None else (row.state, "")


def _verdicts(rows: Sequence[Row], store: ArtifactStore) -> Iterator[tuple[Try, tuple[GradeVerdict, str]]]:
    """Those that are there: a pod that was killed has left none. Some at a time, for each is a few kilobytes."""
    ran = [row for row in rows if row.attempt is not None and row.reason not in EXCLUDED]
    tries = [(row.ordinal, attempt) for row in ran for attempt in (row.attempt, *(look.attempt for look in row.looks))]
    tried = {verdict_key(*one): one for one in tries}
    keys = list(tried)
    for begin in range(0, len(keys), SIGNED_AT_ONCE):
        for key, content in store.read_all(keys[begin : begin + SIGNED_AT_ONCE]).items():
            verdict = _parsed(content)
            if content is not None and verdict is not None:
                yield tried[key], (verdict, hashlib.sha256(content).hexdigest())


def _parsed(content: bytes | None) -> GradeVerdict | None:
    try:
        return None if content is None else GradeVerdict.model_validate_json(content)
    except ValidationError:
        return None
