"""Files of a report: in the store below the pod that wrote them, listed in the verdict as artifacts, and sealed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.pod import Pod
from swe_workloads.seal import seal
from swe_workloads.transfer import Digest
from swe_workloads.verdict import Artifact, Verdict

REPORT_MANIFEST = "report/manifest.json"

Reported = TypeVar("Reported", bound=Verdict)


def publish_report(verdict: Reported, files: Sequence[Path], pod: Pod, store: ArtifactStore) -> Reported | None:
    """Files, then the manifest. The verdict with its artifacts; None where another pod was first, whose stands."""
    keys = {path.name: f"report/{pod.pod_uid}/{path.name}" for path in files}
    digests = store.upload_all({keys[path.name]: path for path in files})
    artifacts = [_artifact(name, key, digests[key]) for name, key in keys.items()]
    sealed = verdict.model_copy(update={"artifacts": artifacts})
    return sealed if seal(store, REPORT_MANIFEST, digests, sealed) else None


def _artifact(name: str, key: str, digest: Digest) -> Artifact:
    return Artifact(name=name, key=key, sha256=digest.sha256, size_bytes=digest.size_bytes)
