"""What the report leaves in the cache: each verdict that came from running, and that another run would come to."""

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.judged import Judged, Judgements
from swe_workloads.evaluation.results_file import Row
from swe_workloads.evaluation.verdict_cache import KEPT, CacheBook, Entry, Origin, cached_as
from swe_workloads.evaluation.verdict_keys import environment_of
from swe_workloads.exit_codes import Failure
from swe_workloads.pod import say


def keep_verdicts(
    judgements: Judgements, rows: Sequence[Row], spec: EvalFile, book: CacheBook, store: ArtifactStore
) -> None:
    """No report is lost for it. Verdicts of a harness that changed since the preparation would get a wrong name."""
    if spec.cache is None or not book.places:
        return
    if book.environment != environment_of(spec):
        say("The harness has changed since the preparation: no verdict is kept for later evaluations.")
        return
    reasons = {row.ordinal: row.reason for row in rows}
    alike: dict[str, list[Judged]] = defaultdict(list)
    for one in [*judgements.predictions, *judgements.baselines]:
        if one.ordinal is not None and one.ordinal in book.places:
            alike[f"{spec.cache.uri}{book.places[one.ordinal]}"].append(one)
    found = {uri: _agreed(same, reasons, spec) for uri, same in alike.items()}
    kept = {uri: entry for uri, entry in found.items() if entry is not None}
    with tempfile.TemporaryDirectory() as scratch:
        files = {uri: Path(scratch) / str(number) for number, uri in enumerate(kept)}
        for uri, entry in kept.items():
            files[uri].write_bytes(entry.model_dump_json(by_alias=True).encode())
        try:
            say(f"Verdicts kept for later evaluations: {store.offer_all(files)} of {len(kept)}.")
        except Failure as failure:
            say(f"Verdicts are not kept for later evaluations: {failure.message}")


def _agreed(same: Sequence[Judged], reasons: Mapping[int, str | None], spec: EvalFile) -> Entry | None:
    """Samples and baselines with one patch are one name: it is kept only where all of them came to the same."""
    entries = [_entry(one, reasons, spec) for one in same]
    is_agreed = None not in entries and len({one.state for one in same}) == 1
    return entries[0] if is_agreed else None


def _entry(one: Judged, reasons: Mapping[int, str | None], spec: EvalFile) -> Entry | None:
    """None where another run may end otherwise. The operator's reasons tell of memory, which no verdict knows of."""
    verdict = one.verdict
    if verdict is None or one.digest is None or one.ordinal is None or one.attempt is None:
        return None
    if verdict.outcome != one.state or cached_as(verdict) is None or reasons.get(one.ordinal) not in (None, *KEPT):
        return None
    if one.integrity is not None and one.integrity.verdict != "Clean":
        return None
    if any(look.verdict is None or look.verdict.outcome != verdict.outcome for look in one.looks):
        return None
    origin = Origin(name=spec.eval.name, uid=spec.eval.uid, ordinal=one.ordinal, attempt=one.attempt)
    return Entry(instance=one.instance, sha256=one.digest, origin=origin)
