"""Verdicts that the preparation found in the cache, as the report reads them: a copy lies with its own documents."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.eval_file import Cache
from swe_workloads.evaluation.grade_verdict import GradeVerdict
from swe_workloads.evaluation.prepared_files import CACHE_FILE, taken_name
from swe_workloads.evaluation.results_file import Row
from swe_workloads.evaluation.verdict_cache import CacheBook, Hit, Origin
from swe_workloads.exit_codes import ExitCode, Failure


@dataclass(frozen=True)
class Taken:
    """`prefix` is the URI below which the evaluation that ran it has its files."""

    origin: Origin
    prefix: str
    verdict: GradeVerdict
    sha256: str


def read_book(data: str, store: ArtifactStore) -> CacheBook:
    """An empty one of a preparation that knew of no cache."""
    content = store.read(f"{data}{CACHE_FILE}")
    try:
        return CacheBook(environment="") if content is None else CacheBook.model_validate_json(content)
    except ValidationError as error:
        raise Failure(ExitCode.INVALID_DATA, f"{data}{CACHE_FILE} is not what the preparation writes.") from error


def taken_over(
    rows: Sequence[Row], cache: Cache | None, book: CacheBook, data: str, store: ArtifactStore
) -> dict[int, Taken]:
    """By ordinal, of the rows that say so: the operator may have run some all the same."""
    if cache is None:
        return {}
    hits = {hit.ordinal: hit for hit in book.hits}
    names = {row.ordinal: f"{data}{taken_name(row.ordinal)}" for row in rows if row.cached}
    contents = store.read_all(list(names.values()))
    return {ordinal: _taken(ordinal, hits, contents[name], cache) for ordinal, name in names.items()}


def _taken(ordinal: int, hits: Mapping[int, Hit], content: bytes | None, cache: Cache) -> Taken:
    hit = hits.get(ordinal)
    if hit is None or content is None or hashlib.sha256(content).hexdigest() != hit.sha256:
        message = f"The verdict that the preparation took over for prediction {ordinal} is gone, or is another one."
        raise Failure(ExitCode.INVALID_DATA, message)
    return Taken(hit.origin, hit.origin.prefix(cache.uri), GradeVerdict.model_validate_json(content), hit.sha256)
