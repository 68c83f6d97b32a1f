"""The files of a preparation, one JSON object a line."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_lines
from swe_workloads.manifest import read_manifest
from swe_workloads.prepared import Prepared
from swe_workloads.split import duplicates_within
from swe_workloads.tokens import Measured
from swe_workloads.verdict import FrozenSource, PrepareSummary, PrepareVerdict

DATA_MANIFEST = "data/manifest.json"
TRAIN_FILE = "train.jsonl"
TEST_FILE = "test.jsonl"
SUMMARY_FILE = "summary.json"
TABLE_FILE = "summary.md"


def prepared_verdict(store: ArtifactStore) -> PrepareVerdict | None:
    """What the preparation found. None where an earlier version prepared the data, which said less."""
    manifest = read_manifest(store, DATA_MANIFEST)
    if manifest is None or manifest.verdict is None:
        return None
    try:
        return PrepareVerdict.model_validate(manifest.verdict)
    except ValidationError:
        return None


def prepared_model(store: ArtifactStore) -> FrozenSource | None:
    """The model that the data was prepared with. None where an earlier version prepared it, which did not say."""
    verdict = prepared_verdict(store)
    return verdict.sources.model if verdict is not None and verdict.sources is not None else None


def write_data_files(prepared: Prepared, summary: PrepareSummary, folder: Path) -> list[Path]:
    """train.jsonl, test.jsonl and summary.json, which says more than the verdict has room for."""
    train = write_lines(folder / TRAIN_FILE, map(_line, prepared.train))
    test = write_lines(folder / TEST_FILE, map(_line, prepared.test))
    more = {
        "readRows": prepared.read,
        "duplicateRows": duplicates_within([item.example for item in prepared.used()]),
        "sources": prepared.sources.model_dump(by_alias=True),
    }
    document = {**summary.model_dump(by_alias=True), **more}
    (folder / SUMMARY_FILE).write_text(json.dumps(document, indent=1) + "\n")
    return [train, test, folder / SUMMARY_FILE]


def write_table(table: str, folder: Path) -> Path:
    (folder / TABLE_FILE).write_text(table, encoding="utf-8")
    return folder / TABLE_FILE


def _line(item: Measured) -> Mapping[str, object]:
    example = item.example
    known = {"instance_id": example.instance, "repo": example.repository}
    return {**{name: value for name, value in known.items() if value is not None}, **example.record}
