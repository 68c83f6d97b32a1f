"""Who may pull from which registry: the Secrets of spec.images.pullSecrets, mounted as files."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ValidationError

from swe_workloads.evaluation.image_references import ImageReference, canonical_registry
from swe_workloads.pod import say


@dataclass(frozen=True)
class Credential:
    """For what lies at `host` below `path`. A star in the host stands for what is between two dots."""

    host: str
    path: str
    username: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


class _Entry(BaseModel):
    auth: str = ""
    username: str = ""
    password: str = ""


class _DockerConfig(BaseModel):
    auths: dict[str, _Entry] = {}


def read_credentials(folder: Path) -> list[Credential]:
    """Of every file there. One that cannot be read is passed over, as a kubelet does, and named in the log."""
    found: list[Credential] = []
    for file in sorted(folder.glob("*.json")):
        try:
            entries = _DockerConfig.model_validate_json(file.read_bytes()).auths
            found += [credential for key, entry in entries.items() if (credential := _credential(key, entry))]
        except (OSError, ValueError) as error:
            # Not the error's own words: they repeat what is in the file.
            kind = "no document of auths" if isinstance(error, ValidationError) else "not readable"
            say(f"spec.images.pullSecrets: .dockerconfigjson of Secret {file.stem} is {kind}; it is not used.")
    return found


def credentials_for(image: ImageReference, known: Sequence[Credential]) -> list[Credential]:
    """Those that fit, the longest path first, as a kubelet tries them."""
    fitting = [one for one in known if _fits(one, image)]
    return sorted(fitting, key=lambda one: len(one.path), reverse=True)


def _fits(credential: Credential, image: ImageReference) -> bool:
    patterns, labels = credential.host.split("."), image.registry.split(".")
    if len(patterns) != len(labels) or not all(map(fnmatchcase, labels, patterns)):
        return False
    return f"{image.repository}/".startswith(f"{credential.path}/" if credential.path else "")


def _credential(key: str, entry: _Entry) -> Credential | None:
    username, password = entry.username, entry.password
    if entry.auth:
        try:
            username, _, password = base64.b64decode(entry.auth).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    host, _, path = key.split("://")[-1].partition("/")
    path = path.strip("/")
    # docker login writes https://index.docker.io/v1/, which is all of Docker Hub.
    path = "" if path in ("v1", "v2") else path
    return Credential(canonical_registry(host), path, username, password) if username else None
