"""The seal: work is done once, by whoever writes its manifest first. The manifest holds the verdict that stands."""

from typing import TypeVar

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.manifest import manifest_of, read_manifest
from swe_workloads.transfer import Digest
from swe_workloads.verdict import Verdict

AnyVerdict = TypeVar("AnyVerdict", bound=Verdict)


def sealed_verdict(store: ArtifactStore, key: str, kind: type[AnyVerdict]) -> AnyVerdict | None:
    """None as long as nobody has sealed `key`, or when what is there has no verdict."""
    manifest = read_manifest(store, key)
    if manifest is None or manifest.verdict is None:
        return None
    return kind.model_validate(manifest.verdict)


def seal(store: ArtifactStore, key: str, files: dict[str, Digest], verdict: Verdict) -> bool:
    """False when another pod was first: then its verdict stands. The files have to be in the store before."""
    try:
        store.write(key, manifest_of(files, verdict.to_document()).to_json())
    except Occupied:
        return False
    return True
