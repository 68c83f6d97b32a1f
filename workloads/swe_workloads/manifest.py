"""Manifests: the last object written of a set. Where there is one, the set is whole."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.transfer import Digest


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class ManifestFile(_Document):
    key: str
    sha256: str
    size_bytes: int

    def digest(self) -> Digest:
        return Digest(self.sha256, self.size_bytes)


class Manifest(_Document):
    version: int = 1
    files: list[ManifestFile]
    verdict: dict[str, Any] | None = None
    step: int | None = Field(default=None, ge=0)

    def to_json(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_none=True, indent=1).encode()

    def by_key(self) -> dict[str, Digest]:
        return {file.key: file.digest() for file in self.files}


def manifest_of(files: dict[str, Digest], verdict: dict[str, Any] | None = None, step: int | None = None) -> Manifest:
    listed = [
        ManifestFile(key=key, sha256=digest.sha256, size_bytes=digest.size_bytes)
        for key, digest in sorted(files.items())
    ]
    return Manifest(files=listed, verdict=verdict, step=step)


def read_manifest(store: ArtifactStore, key: str) -> Manifest | None:
    """None when there is none, or when what is there is no manifest."""
    content = store.read(key)
    if content is None:
        return None
    try:
        return Manifest.model_validate_json(content)
    except ValidationError:
        return None
