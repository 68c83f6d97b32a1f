"""Models that pods fetched before, on a volume of their namespace: none is fetched twice.

<name>-<identity>/files/<file>      whole: it gets this name once all of it is on the disk
<name>-<identity>/digests/<file>    its sha256 and size, written after it: without these it does not count
<name>-<identity>/parts/<pod>/      what a pod is fetching; another pod fetches its own, and the last one stands
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from swe_workloads.model_files import SAFETENSORS, ModelOrigin
from swe_workloads.pod import say
from swe_workloads.transfer import Digest, digest_file

# A pod that fetches writes all the time: after so long it is gone, and what it left is in the way.
ABANDONED_SECONDS = 6 * 3600
NAME_CHARACTERS, IDENTITY_DIGITS = 80, 16
FILES, DIGESTS, PARTS = "files", "digests", "parts"
_UNSPEAKABLE = re.compile(r"[^A-Za-z0-9._-]+")


def through_cache(origin: ModelOrigin, cache: Path, pod_uid: str) -> ModelOrigin:
    """The same origin, whose files come from the volume where they lie there, and are left there where not.

    What cannot be kept, because the volume is full or refuses, is fetched as if there were none.
    """
    if origin.identity is None:
        say(f"Files of {origin.uri} cannot be told from later ones there, so nothing of it is kept.")
        return origin
    _clear(cache, pod_uid)
    folder = cache / folder_name(origin.uri, origin.identity)

    def download(name: str, target: Path) -> Digest:
        digest = _kept(folder, name, origin.sizes[name]) or _keep(origin, folder, name, pod_uid)
        if digest is None:
            return origin.download(name, target)
        _lay(folder / FILES / name, target)
        return digest

    return replace(origin, download=download)


def folder_name(uri: str, identity: str) -> str:
    """Told apart by the identity; the rest is for people who look into the volume."""
    name = _UNSPEAKABLE.sub("-", uri.partition("://")[2])[-NAME_CHARACTERS:].strip("-.")
    return f"{name}-{identity[:IDENTITY_DIGITS]}"


def _kept(folder: Path, name: str, size_bytes: int) -> Digest | None:
    """Of weights the size is compared: to read them twice takes as long as to fetch them. Of all else every byte is."""
    file = folder / FILES / name
    try:
        sha256, size = (folder / DIGESTS / name).read_text().split()
        digest = Digest(sha256, int(size))
        if file.stat().st_size != digest.size_bytes or digest.size_bytes != size_bytes:
            return None
        return digest if name.endswith(SAFETENSORS) or digest_file(file) == digest else None
    except (OSError, ValueError):
        return None


def _keep(origin: ModelOrigin, folder: Path, name: str, pod_uid: str) -> Digest | None:
    """None where there is no room, or no right to write."""
    part = folder / PARTS / pod_uid / name
    try:
        for place in (folder / FILES, folder / DIGESTS, part.parent):
            place.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < origin.sizes[name]:
            say(f"{name} has {origin.sizes[name]:,} bytes, for which the cache has no room: it is not kept.")
            return None
        digest = origin.download(name, part)
        _settle(part, folder / FILES / name)
        part.write_text(f"{digest.sha256} {digest.size_bytes}\n")
        _settle(part, folder / DIGESTS / name)
    except OSError as error:
        say(f"{name} is not kept in the cache: {error}")
        for left in (part, part.with_name(f"{name}.part")):
            with suppress(OSError):
                left.unlink()
        return None
    return digest


def _settle(part: Path, file: Path) -> None:
    """On the disk first: a name that survives a lost node must not be of bytes that did not."""
    with part.open("rb") as opened:
        os.fsync(opened.fileno())
    part.replace(file)


def _lay(kept: Path, target: Path) -> None:
    """Weights where they are; all else as a copy, because some of it is written anew for the server."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if kept.name.endswith(SAFETENSORS):
        target.symlink_to(kept)
    else:
        shutil.copyfile(kept, target)


def _clear(cache: Path, pod_uid: str) -> None:
    """What this pod left before its container was started again, and pods that are long gone."""
    for left in cache.glob(f"*/{PARTS}/*"):
        if left.name == pod_uid or time.time() - max(_touched(left)) > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _touched(folder: Path) -> Iterator[float]:
    """When anything in there was last written, in seconds since 1970; never, where it is gone meanwhile."""
    yield 0.0
    for path in (folder, *folder.rglob("*")):
        try:
            yield path.stat().st_mtime
        except OSError:
            continue
