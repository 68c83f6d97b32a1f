"""The results of a run: uploaded, listed with their digests, and sealed by result/manifest.json."""

from pathlib import Path

from swe_workloads.accounts import ACCOUNTS, ENGINE_CONFIG, HELD_OUT, METRICS, REPORT, SUMMARY
from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.checkpoints import stored_folder
from swe_workloads.engine_files import EngineReport
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import manifest_of
from swe_workloads.numbered import numbered
from swe_workloads.pod import say
from swe_workloads.seal import sealed_verdict
from swe_workloads.transfer import Digest
from swe_workloads.verdict import Artifact, BestCheckpoint, TrainVerdict

MANIFEST_KEY = "result/manifest.json"
# What a reader wants first: the controllers show 64, the termination message as many as fit into it.
FIRST_FILES = (
    *("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "model/model.safetensors"),
    *("model/config.json", REPORT, SUMMARY, METRICS, HELD_OUT, ENGINE_CONFIG),
)


def adopt_result(store: ArtifactStore) -> TrainVerdict | None:
    """The verdict of the attempt that finished this run."""
    verdict = sealed_verdict(store, MANIFEST_KEY, TrainVerdict)
    if verdict is not None:
        say(f"Attempt {verdict.attempt} has completed this run; its result stands.")
    return verdict


def publish_result(store: ArtifactStore, report: EngineReport, verdict: TrainVerdict, step: int) -> TrainVerdict:
    """Files, then the manifest that holds the verdict. Returns the verdict that stands: the first to be sealed.

    `step` is the one whose checkpoint the result is. Raises Failure(ENGINE_FAILED) when something that is no
    manifest lies in the manifest's place.
    """
    paths = files_of(report)
    folder, digests = _upload_beside_others(store, f"result/a{verdict.attempt}", paths)
    artifacts = [_artifact(name, folder, digests) for name in sorted(paths, key=_rank)]
    best = _with_key(store, verdict.best, step, folder)
    sealed = verdict.model_copy(update={"artifacts": artifacts, "best": best})
    try:
        store.write(MANIFEST_KEY, manifest_of(digests, sealed.to_document()).to_json())
    except Occupied as key:
        standing = adopt_result(store)
        if standing is None:
            message = f"{key} is in the store but is no manifest; remove it, then the next attempt seals the result."
            raise Failure(ExitCode.ENGINE_FAILED, message) from key
        return standing
    return sealed


def files_of(report: EngineReport) -> dict[str, Path]:
    """The result and what is told about it, by their names in the store."""
    made = {str(path.relative_to(report.result)): path for path in report.result.rglob("*") if path.is_file()}
    told = {name: report.folder / name for name in ACCOUNTS if (report.folder / name).exists()}
    return {**made, **told}


def _rank(name: str) -> tuple[int, str]:
    return (FIRST_FILES.index(name) if name in FIRST_FILES else len(FIRST_FILES)), name


def _with_key(store: ArtifactStore, best: BestCheckpoint | None, step: int, result: str) -> BestCheckpoint | None:
    """The result itself where it is the best; else the checkpoint, if that reached the store."""
    if best is None:
        return None
    return best.model_copy(update={"key": result if best.step == step else stored_folder(store, best.step)})


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
