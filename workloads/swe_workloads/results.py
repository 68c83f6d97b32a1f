"""The results of a run: uploaded, listed with their digests, and sealed by result/manifest.json."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.engine_files import EngineReport
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import manifest_of, read_manifest
from swe_workloads.numbered import numbered
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
    model_revision: str | None
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

    Raises Failure(ENGINE_FAILED) when something that is no manifest lies in the manifest's place.
    """
    summary = report.folder / "summary.json"
    summary.write_text(json.dumps(_summary(verdict, provenance), indent=1) + "\n")
    made = sorted(path for path in report.result.rglob("*") if path.is_file())
    paths = {str(path.relative_to(report.result)): path for path in made}
    paths |= {"metrics.jsonl": report.metrics, "summary.json": summary}
    names = sorted(paths, key=lambda name: (FIRST_FILES.index(name) if name in FIRST_FILES else len(FIRST_FILES), name))
    folder, digests = _upload_beside_others(store, f"result/a{verdict.attempt}", paths)
    sealed = verdict.model_copy(update={"artifacts": [_artifact(name, folder, digests) for name in names]})
    try:
        store.write(MANIFEST_KEY, manifest_of(digests, sealed.to_document()).to_json())
    except Occupied as key:
        standing = adopt_result(store)
        if standing is None:
            message = f"{key} is in the store but is no manifest; remove it, then the next attempt seals the result."
            raise Failure(ExitCode.ENGINE_FAILED, message) from key
        return standing
    return sealed


def _upload_beside_others(store: ArtifactStore, base: str, paths: dict[str, Path]) -> tuple[str, dict[str, Digest]]:
    """An earlier pod of the same attempt may have left a part of its own, with other bytes."""
    for folder in numbered(base):
        try:
            return folder, store.upload_all({f"{folder}/{name}": path for name, path in paths.items()})
        except Occupied as key:
            say(f"{key} was left by an earlier pod of this attempt.")
    raise Failure(ExitCode.ENGINE_FAILED, f"Too many pods have left results below {base}.")


def _artifact(name: str, folder: str, digests: dict[str, Digest]) -> Artifact:
    key = f"{folder}/{name}"
    return Artifact(name=name, key=key, sha256=digests[key].sha256, size_bytes=digests[key].size_bytes)


def _summary(verdict: TrainVerdict, provenance: Provenance) -> dict[str, Any]:
    return {
        "verdict": verdict.to_document(),
        "model": {
            "uri": provenance.model_uri,
            "revision": provenance.model_revision,
            "files": _listed(provenance.model_files),
        },
        "data": _listed(provenance.data_files),
        "run": provenance.settings,
    }


def _listed(files: dict[str, Digest]) -> list[dict[str, object]]:
    return [{"name": name, "sha256": digest.sha256, "sizeBytes": digest.size_bytes} for name, digest in files.items()]
