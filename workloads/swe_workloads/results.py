"""The results of a run: uploaded, listed with their digests, and sealed by result/manifest.json."""

import json
from dataclasses import dataclass
from typing import Any

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.engine_files import EngineReport
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import manifest_of, read_manifest
from swe_workloads.pod import say
from swe_workloads.transfer import Digest
from swe_workloads.verdict import Artifact, TrainVerdict

MANIFEST_KEY = "result/manifest.json"
# What a reader wants first; the termination message keeps the beginning of the list.
FIRST_FILES = ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "metrics.jsonl", "summary.json")


@dataclass(frozen=True)
class Provenance:
    """What the result was made of."""

    model_uri: str
    model_files: dict[str, Digest]
    data_files: dict[str, Digest]
    settings: dict[str, Any]


def adopt_result(store: ArtifactStore) -> TrainVerdict | None:
    """The verdict of the attempt that finished this run."""
    manifest = read_manifest(store, MANIFEST_KEY)
    if manifest is None or manifest.verdict is None:
        return None
    verdict = TrainVerdict.model_validate(manifest.verdict)
    say(f"Attempt {verdict.attempt} has completed this run; its result stands.")
    return verdict


def publish_result(
    store: ArtifactStore, report: EngineReport, verdict: TrainVerdict, provenance: Provenance
) -> TrainVerdict:
    """Files, then the manifest that holds the verdict. Returns the verdict that stands: the first to be sealed.

    Raises Failure(ENGINE_FAILED) when other bytes are in the way; the next attempt has a folder of its own.
    """
    folder = f"result/a{verdict.attempt}"
    summary = report.folder / "summary.json"
    summary.write_text(json.dumps(_summary(verdict, provenance), indent=1) + "\n")
    paths = {f"adapter/{path.name}": path for path in sorted(report.adapter.iterdir())}
    paths |= {"metrics.jsonl": report.metrics, "summary.json": summary}
    names = sorted(paths, key=lambda name: (FIRST_FILES.index(name) if name in FIRST_FILES else len(FIRST_FILES), name))
    try:
        digests = store.upload_all({f"{folder}/{name}": path for name, path in paths.items()})
        sealed = verdict.model_copy(update={"artifacts": [_artifact(name, folder, digests) for name in names]})
        store.write(MANIFEST_KEY, manifest_of(digests, sealed.to_document()).to_json())
    except Occupied as key:
        standing = adopt_result(store)
        if standing is None:
            raise Failure(ExitCode.ENGINE_FAILED, _in_the_way(str(key), verdict.attempt)) from key
        return standing
    return sealed


def _in_the_way(key: str, attempt: int) -> str:
    if key == MANIFEST_KEY:
        return f"{key} is in the store but is no manifest; remove it, then the next attempt seals the result."
    return f"{key} was left by an earlier pod of attempt {attempt}; the next attempt uploads from the last checkpoint."


def _artifact(name: str, folder: str, digests: dict[str, Digest]) -> Artifact:
    key = f"{folder}/{name}"
    return Artifact(name=name, key=key, sha256=digests[key].sha256, size_bytes=digests[key].size_bytes)


def _summary(verdict: TrainVerdict, provenance: Provenance) -> dict[str, Any]:
    return {
        "verdict": verdict.to_document(),
        "model": {"uri": provenance.model_uri, "files": _listed(provenance.model_files)},
        "data": _listed(provenance.data_files),
        "run": provenance.settings,
    }


def _listed(files: dict[str, Digest]) -> list[dict[str, object]]:
    return [{"name": name, "sha256": digest.sha256, "sizeBytes": digest.size_bytes} for name, digest in files.items()]
