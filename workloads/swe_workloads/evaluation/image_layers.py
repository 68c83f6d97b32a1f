"""Files of an image, read out of its layers where the registry has them: nothing runs, and nothing else is kept."""

import gzip
import http.client
import json
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, cast

from swe_workloads.evaluation.image_references import ImageReference
from swe_workloads.evaluation.layer_stream import LayerStream
from swe_workloads.evaluation.registries import Registries
from swe_workloads.evaluation.registry_client import Refused
from swe_workloads.transfer import GaveUp

FILE_BYTES = 16 << 20  # more than any prompt has room for
READMES = 20
READMES_BYTES = FILE_BYTES  # all of them
PATH_CHARACTERS = 4096  # no container opens a longer one
GONE = 10_000  # an image takes that many readmes away from nobody
ATTEMPTS = 3  # at one layer: what breaks off is read from its beginning
PAUSE_SECONDS = 2.0
_GONE, _ALL_GONE = ".wh.", ".wh..wh..opq"  # how a layer says that a file, or all of a folder, is no longer there
_NO_NAMES = frozenset({"", ".", ".."})
# tarfile and gzip raise all of these of bytes that somebody chose.
_BADLY_PACKED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)
_DAMAGE = (*_BADLY_PACKED, ValueError, ArithmeticError, LookupError, RecursionError)

Members = Iterable[tuple[tarfile.TarInfo, Callable[[], bytes]]]


@dataclass(frozen=True)
class ImageFiles:
    """By path in the folder. `missing` were not found in the layers so far, `gone` are what these took away."""

    folder: str
    missing: frozenset[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    readmes: Mapping[str, bytes] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()

    @property
    def is_complete(self) -> bool:
        """Whether lower layers have nothing that is wanted: a clone leaves all of its readmes in one layer."""
        return bool(self.readmes) and all(self.is_gone(PurePosixPath(path)) for path in self.missing)

    def is_gone(self, path: PurePosixPath) -> bool:
        return not self.gone.isdisjoint([str(path), *map(str, path.parents)])

    def with_layer(self, members: Members) -> "ImageFiles":
        """And what the next layer below has."""
        files, readmes, gone = dict(self.files), dict(self.readmes), set(self.gone)
        for member, read in members:
            path = self._within(member.name)
            if path is None:
                continue
            name = str(path)
            if path.name.startswith(_GONE):
                gone.update(self._taken_away(path))
            elif self.is_gone(path) or member.isdir():
                continue
            elif not member.isreg() or member.issparse() or member.size > FILE_BYTES:
                gone.update(self._if_wanted(path))  # it hides what lies below it
            else:
                if name in self.missing:
                    files[name] = read()
                if is_readme(path) and name not in readmes and _has_room(readmes, member.size):
                    readmes[name] = files.get(name) or read()
            if len(gone) > GONE:
                raise Refused(f"it takes away more than {GONE} files")
        return replace(self, missing=self.missing - files.keys(), files=files, readmes=readmes, gone=frozenset(gone))

    def _within(self, name: str) -> PurePosixPath | None:
        """In the folder, if it is there."""
        path = PurePosixPath("/", name[: PATH_CHARACTERS + 1])
        if len(name) > PATH_CHARACTERS or ".." in path.parts or not path.is_relative_to(self.folder):
            return None
        return path.relative_to(self.folder)

    def _taken_away(self, path: PurePosixPath) -> set[str]:
        name = path.name[len(_GONE) :]
        if path.name == _ALL_GONE:
            return self._if_wanted(path.parent)
        return set() if name in _NO_NAMES else self._if_wanted(path.parent / name)

    def _if_wanted(self, path: PurePosixPath) -> set[str]:
        """Of all that an image takes away, only what leads to something that is sought is kept."""
        is_sought = is_readme(path) or any(path in (one, *one.parents) for one in map(PurePosixPath, self.missing))
        return {str(path)} if is_sought else set()


def _has_room(readmes: Mapping[str, bytes], size: int) -> bool:
    return len(readmes) < READMES and sum(map(len, readmes.values())) + size <= READMES_BYTES


def is_readme(path: PurePosixPath) -> bool:
    """As the official package finds them, in the root."""
    return len(path.parts) == 1 and path.name.lower().startswith("readme")


def read_files(image: ImageReference, folder: str, paths: Iterable[str], registries: Registries) -> ImageFiles:
    """From the topmost layer down, until all are found, and a readme of the folder with those beside it.

    Raises Refused, and GaveUp.
    """
    found = ImageFiles(folder, frozenset(paths))
    for digest in reversed(_layers(image, registries)):
        if found.is_complete:
            break
        found = _persist(image, partial(_with_layer, found, image, digest, registries))
    return found


def _layers(image: ImageReference, registries: Registries) -> list[str]:
    """Digests, the lowest first."""
    try:
        manifest = json.loads(registries.manifest(image, image.digest or image.tag))
        if "manifests" in manifest:
            platforms = [(one.get("platform", {}), one["digest"]) for one in manifest["manifests"]]
            fitting = [said for of, said in platforms if (of.get("os"), of.get("architecture")) == ("linux", "amd64")]
            if not fitting:
                raise Refused("it is not built for linux/amd64")
            manifest = json.loads(registries.manifest(image, fitting[0]))
        layers = [(str(one.get("mediaType", "")), str(one["digest"])) for one in manifest["layers"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("its manifest cannot be read") from None
    if any(kind.endswith("zstd") for kind, _ in layers):
        raise Refused("its layers are packed with zstd, which cannot be read here")
    return [digest for _, digest in layers]


def _persist(image: ImageReference, read: Callable[[], ImageFiles]) -> ImageFiles:
    """Raises Refused where the registry gives damaged bytes each time, and GaveUp where it gives none."""
    attempt = 1
    while True:
        try:
            return read()
        except _DAMAGE as error:
            if attempt == ATTEMPTS:
                raise Refused(f"a layer is damaged: {_reason(error)}") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise GaveUp(f"{image.registry}: a layer of {image.named} cannot be read: {_reason(error)}") from error
        attempt += 1
        time.sleep(PAUSE_SECONDS)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _with_layer(found: ImageFiles, image: ImageReference, digest: str, registries: Registries) -> ImageFiles:
    """Nothing is taken of a layer whose bytes are others than its name says."""
    with registries.layer(image, digest) as response:
        stream = LayerStream(response)
        found = found.with_layer(_members(stream))
        if stream.digest() != digest:
            raise ValueError(f"its bytes are {stream.digest()}")
    return found


def _members(stream: LayerStream) -> Iterator[tuple[tarfile.TarInfo, Callable[[], bytes]]]:
    with tarfile.TarFile(fileobj=cast(Any, stream), encoding="utf-8", errors="replace") as layer:
        while (member := layer.next()) is not None:
            yield member, partial(stream.content, member.offset_data, member.size)
            # It keeps all that it has seen, and a layer has hundreds of thousands.
            layer.members, layer.pax_headers = [], {}  # type: ignore[attr-defined]
            stream.begin_header()
