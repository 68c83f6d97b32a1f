"""resolved.jsonl: predictions that a model may learn from, with what was asked; one JSON object a line."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_lines
from swe_workloads.evaluation.judged import Judged, Judgements
from swe_workloads.evaluation.lessons import conversation_name
from swe_workloads.evaluation.lines_by_instance import LinesByInstance, lines_by_instance
from swe_workloads.evaluation.parts import in_parts
from swe_workloads.evaluation.prepared_files import DATA_MANIFEST, DIGESTS_FILE
from swe_workloads.evaluation.validity import DISPROVEN
from swe_workloads.manifest import read_manifest
from swe_workloads.pod import say
from swe_workloads.prompting.prompts import PROMPTS_FILE
from swe_workloads.transfer import Digest, Missing

RESOLVED_FILE = "resolved.jsonl"
READ_AT_ONCE = 50  # inputs have lists of tests and scripts beside the patch; conversations are of any size


@dataclass(frozen=True)
class _Prepared:
    """`prompts` are lines of prompts.jsonl; `digests` by the name of what the preparation wrote of each prediction."""

    folder: str
    store: ArtifactStore
    prompts: LinesByInstance
    digests: Mapping[str, str]


def write_resolved(judgements: Judgements, data: str, store: ArtifactStore, folder: Path) -> list[Path]:
    """No file where there is nothing to learn, or where an earlier version prepared the evaluation."""
    disproven = {name for name, reason in judgements.unproven.items() if reason in DISPROVEN}
    sure = [one for one in judgements.predictions if is_sure(one) and one.instance not in disproven]
    prepared = _prepared(data, store, folder) if sure else None
    if prepared is None:
        return []
    told = [one for one in sure if one.instance in prepared.prompts]
    return [write_lines(folder / RESOLVED_FILE, _lines(told, prepared))] if told else []


def is_sure(one: Judged) -> bool:
    """Resolved by every grading, and nothing speaks against it."""
    if one.state != "Resolved" or one.integrity is None or one.integrity.verdict != "Clean":
        return False
    return one.votes is None or one.votes.resolved == one.votes.gradings


def _prepared(data: str, store: ArtifactStore, folder: Path) -> _Prepared | None:
    """None without what was sealed: the results stand without an extra file."""
    manifest = read_manifest(store, DATA_MANIFEST)
    keys = {f"{data}{name}": folder / f"sealed-{name}" for name in (PROMPTS_FILE, DIGESTS_FILE)}
    sealed = {} if manifest is None else manifest.by_key()
    if not keys.keys() <= sealed.keys():
        return None
    for key, path in keys.items():
        if not _is_whole(key, path, sealed[key], store):
            say(f"There is no {RESOLVED_FILE}: {key} is gone, or is another file than the preparation sealed.")
            return None
    asked, listed = keys.values()
    digests = (line.split("  ", 1) for line in listed.read_text().splitlines())
    return _Prepared(data, store, lines_by_instance(asked), {name: digest for digest, name in digests})


def _is_whole(key: str, target: Path, sealed: Digest, store: ArtifactStore) -> bool:
    try:
        return store.download(key, target) == sealed
    except Missing:
        return False


def _lines(predictions: Iterable[Judged], prepared: _Prepared) -> Iterator[Mapping[str, object]]:
    sizes = {one.name: one.size_bytes for one in prepared.store.list_keys(f"{prepared.folder}conversations/")}
    for some in in_parts(predictions, lambda one: sizes.get(f"{prepared.folder}{_names_of(one)[1]}", 0), READ_AT_ONCE):
        yield from _lines_of(some, prepared)


def _lines_of(some: Sequence[Judged], prepared: _Prepared) -> Iterator[Mapping[str, object]]:
    """Without those whose files changed. Nothing of them is held any more when the last line is out."""
    names = [name for one in some for name in _names_of(one) if name in prepared.digests]
    found = prepared.store.read_all([f"{prepared.folder}{name}" for name in names])
    for one in some:
        told = {name: found.pop(f"{prepared.folder}{name}", None) for name in _names_of(one)}
        changed = [name for name, content in told.items() if not _is_sealed(content, prepared.digests.get(name))]
        if changed:
            key = f"{prepared.folder}{changed[0]}"
            say(f"A line less in {RESOLVED_FILE}: {key} is gone, or is another file than the preparation left.")
        else:
            yield _line(one, prepared.prompts.line(one.instance), *told.values())


def _names_of(one: Judged) -> tuple[str, str]:
    """Of grade's input and of the conversation, which only those have that came as trajectories."""
    return f"inputs/{one.ordinal}.json", conversation_name(one.ordinal or 0)


def _is_sealed(content: bytes | None, digest: str | None) -> bool:
    return digest == (None if content is None else hashlib.sha256(content).hexdigest())


def _line(one: Judged, asked: Mapping[str, object], told: bytes | None, said: bytes | None) -> Mapping[str, object]:
    """`conversation` is there where the prediction came as a trajectory, as its agent wrote it."""
    line = {
        "instance_id": one.instance,
        "repo": asked["repo"],
        "model_name_or_path": one.model,
        "sample": one.sample,
        "prompt": asked["prompt"],
        "completion": json.loads(told or b"")["prediction"]["model_patch"],
    }
    return line if said is None else {**line, "conversation": json.loads(said)}
