"""The name of an image taken apart, as container runtimes read it."""

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HUB_ALIASES = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
# A repository of the distribution API. Its names have no capital letters, so nothing in a row can lead out of /v2/.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]+)?")


@dataclass(frozen=True)
class ImageReference:
    """`named` is what the name has before tag and digest; `registry` and `repository` are where that lies."""

    named: str
    registry: str
    repository: str
    tag: str
    digest: str | None

    def at(self, digest: str) -> str:
        """The name of these bytes and no others."""
        return f"{self.named}@{digest}"


def parse_reference(name: str) -> ImageReference | None:
    """None for what no runtime would take."""
    tagged, _, digest = name.partition("@")
    folder, slash, last = tagged.rpartition("/")
    last, colon, tag = last.partition(":")
    named = f"{folder}{slash}{last}"
    registry, repository = _place_of(named)
    parts = (_HOST.fullmatch(registry), _REPOSITORY.fullmatch(repository), _TAG.fullmatch(tag) or not colon)
    if not all(parts) or ("@" in name and not DIGEST.fullmatch(digest)):
        return None
    return ImageReference(named, registry, repository, tag or "latest", digest or None)


def canonical_registry(host: str) -> str:
    """One name for each registry: Docker Hub has several."""
    return DOCKER_HUB if host in _HUB_ALIASES else host


def _place_of(named: str) -> tuple[str, str]:
    """Registry and repository, with what Docker Hub's short names leave out."""
    first, slash, rest = named.partition("/")
    is_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    if is_host and canonical_registry(first) != DOCKER_HUB:
        return first, rest
    repository = rest if is_host else named
    return DOCKER_HUB, repository if "/" in repository else f"library/{repository}"
