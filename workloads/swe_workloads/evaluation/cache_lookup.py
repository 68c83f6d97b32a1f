"""What the preparation takes out of the cache: verdicts that stand where their entries say, byte for byte."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.eval_file import Cache
from swe_workloads.evaluation.grade_verdict import GradeVerdict
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.evaluation.verdict_cache import PLACES, Cached, Entry, Origin, cached_as, place_of


@dataclass(frozen=True)
class Found:
    """A verdict of an earlier evaluation; `document` is where it lies on the shelf."""

    origin: Origin
    sha256: str
    cached: Cached
    document: Place


@dataclass(frozen=True)
class CacheLookup:
    """By key: what was found, and where a verdict may be kept. `remarks` name entries that lead nowhere."""

    found: dict[str, Found] = field(default_factory=dict)
    free: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def look_up(keys: Mapping[str, str], cache: Cache, store: ArtifactStore, shelf: Shelf) -> CacheLookup:
    """Of keys and the instances they are about. Where an entry leads nowhere, the next of its places counts."""
    lookup = CacheLookup()
    left = dict(keys)
    for number in range(1, PLACES + 1):
        places = {key: place_of(key, number) for key in left}
        entries = _entries(places, cache, store)
        lookup.free.update({key: places[key] for key, content in entries.items() if content is None})
        lookup.found.update(_found(entries, left, cache, store, shelf))
        left = {key: left[key] for key in left if key not in lookup.free and key not in lookup.found}
        lookup.remarks.extend(f"{places[key]} of instance {instance}" for key, instance in left.items())
        if not left:
            break
    return lookup


def _entries(places: Mapping[str, str], cache: Cache, store: ArtifactStore) -> dict[str, bytes | None]:
    contents = store.read_all([f"{cache.uri}{name}" for name in places.values()])
    return {key: contents[f"{cache.uri}{name}"] for key, name in places.items()}


def _found(
    entries: Mapping[str, bytes | None], instances: Mapping[str, str], cache: Cache, store: ArtifactStore, shelf: Shelf
) -> dict[str, Found]:
    """Of entries that can be read, the verdicts that lie where they lead to."""
    known = {key: entry for key, content in entries.items() if (entry := _entry(content, instances[key]))}
    verdicts = store.read_all([_verdict_of(entry, cache) for entry in known.values()])
    checked = {key: _checked(entry, verdicts[_verdict_of(entry, cache)], shelf) for key, entry in known.items()}
    return {key: one for key, one in checked.items() if one is not None}


def _entry(content: bytes | None, instance: str) -> Entry | None:
    try:
        entry = None if content is None else Entry.model_validate_json(content)
    except ValidationError:
        return None
    return entry if entry is not None and entry.instance == instance else None


def _verdict_of(entry: Entry, cache: Cache) -> str:
    origin = entry.origin
    return f"{origin.prefix(cache.uri)}verdicts/{origin.ordinal}/{origin.attempt}.json"


def _checked(entry: Entry, content: bytes | None, shelf: Shelf) -> Found | None:
    """None where the verdict is gone, or is not the one that was kept."""
    if content is None or hashlib.sha256(content).hexdigest() != entry.sha256:
        return None
    try:
        verdict = GradeVerdict.model_validate_json(content)
    except ValidationError:
        return None
    cached = cached_as(verdict)
    if cached is None or verdict.instance != entry.instance:
        return None
    return Found(entry.origin, entry.sha256, cached, shelf.put(content))
