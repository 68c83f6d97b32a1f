"""Code of instances as their images have it, read where their registries have these, once for each image."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.evaluation.image_layers import read_files
from swe_workloads.evaluation.image_references import parse_reference
from swe_workloads.evaluation.registries import LONGEST_WAIT_SECONDS, Registries
from swe_workloads.evaluation.registry_client import Refused
from swe_workloads.evaluation.registry_credentials import read_credentials
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Unusable
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import say
from swe_workloads.prompting.code import Code
from swe_workloads.prompting.patched import DoesNotApply, patched, sources_of
from swe_workloads.split import digest
from swe_workloads.transfer import GaveUp

AT_ONCE = 4  # images; each is read as a stream, and hashing one of them takes a core
READ_AT_ONCE = 20
REST_SECONDS = LONGEST_WAIT_SECONDS + 60.0  # a registry may ask for an hour, and then for a moment more
HURRY_SECONDS = 120.0  # for images under way when another one cannot be read
_KEPT = re.compile(r"/code-[0-9a-f]{64}\.jsonl$")

_Reading = Future[dict[str, Code | str]]


@dataclass(frozen=True)
class Wanted:
    """The code that `gold` changes, out of this image. `bug` is what is put in first."""

    instance: str
    image: str
    gold: str
    bug: str | None = None

    @property
    def paths(self) -> list[str]:
        """That the image has them under."""
        return sources_of(self.bug or self.gold)


@dataclass
class ImageCode:
    """`store_folder` is where this program may write; what an earlier pod has left there is not read again."""

    store: ArtifactStore
    store_folder: str
    pod_uid: str
    workdir: str
    pull_secrets: Path
    shelf: Shelf
    _places: dict[str, Place] = field(default_factory=dict)
    _lacks: dict[str, str] = field(default_factory=dict)

    def of(self, instance: str) -> Code:
        """Raises Unusable."""
        place = self._places.get(instance)
        if place is None:
            raise Unusable(self._lacks[instance])
        told = json.loads(self.shelf.get(place))
        return Code(readmes=told["readmes"], files=told["files"])

    def fetch(self, wanted: Iterable[Wanted]) -> None:
        """Raises Failure(STORE_UNAVAILABLE) where a registry does not answer; what was read by then is stored."""
        by_image: dict[str, dict[str, Wanted]] = defaultdict(dict)
        for one in wanted:
            by_image[one.image][one.instance] = one
        if not by_image:
            return
        self._read_back(by_image)
        missing = {
            image: [one for name, one in group.items() if name not in self._places] for image, group in by_image.items()
        }
        missing = {image: group for image, group in missing.items() if group}
        if not missing:
            return
        say(f"Reading code out of {len(missing)} images.")
        self._read_all(missing, Registries(read_credentials(self.pull_secrets), REST_SECONDS))

    def _read_all(self, missing: Mapping[str, Sequence[Wanted]], registries: Registries) -> None:
        """Each image is kept as soon as it is read. After an error no other is begun, and those under way may end."""
        waiting = iter(missing.items())
        reading: dict[_Reading, str] = {}
        trouble: list[Exception] = []
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while True:
                for image, group in islice(waiting, 0 if trouble else AT_ONCE - len(reading)):
                    reading[threads.submit(_read, image, group, self.workdir, registries)] = image
                if not reading:
                    break
                done, _ = wait(reading, return_when=FIRST_COMPLETED)
                for one in done:
                    try:
                        self._keep(reading.pop(one), one.result())
                    except Exception as error:
                        registries.hurry(HURRY_SECONDS)
                        trouble.append(error)
        if trouble:
            raise _as_failure(trouble[0])

    def _keep(self, image: str, found: Mapping[str, Code | str]) -> None:
        lines: list[bytes] = []
        for instance, code in found.items():
            if isinstance(code, str):
                self._lacks[instance] = code
                continue
            told = {"instance_id": instance, "image": image, "readmes": code.readmes, "files": code.files}
            line = json.dumps(told, ensure_ascii=False).encode()
            self._places[instance] = self.shelf.put(line)
            lines.append(line + b"\n")
        try:
            self.store.write(f"{self.store_folder}{self.pod_uid}/code-{digest(image)}.jsonl", b"".join(lines))
        except Occupied:  # by a container of this pod that ended before
            return

    def _read_back(self, by_image: Mapping[str, Mapping[str, Wanted]]) -> None:
        names = [item.name for item in self.store.list_keys(self.store_folder) if _KEPT.search(item.name)]
        for at in range(0, len(names), READ_AT_ONCE):
            for content in self.store.read_all(names[at : at + READ_AT_ONCE]).values():
                for line in (content or b"").splitlines():
                    told = json.loads(line)
                    if told["instance_id"] in by_image.get(told["image"], {}):
                        self._places[told["instance_id"]] = self.shelf.put(line)


def _as_failure(error: Exception) -> Exception:
    if not isinstance(error, GaveUp):
        return error
    message = f"No code of images can be read: {error}. Rows may bring it along, in file_contents."
    return Failure(ExitCode.STORE_UNAVAILABLE, message)


def _read(image: str, group: Sequence[Wanted], workdir: str, registries: Registries) -> dict[str, Code | str]:
    """By instance its code, or why there is none. Raises GaveUp."""
    reference = parse_reference(image)
    if reference is None or reference.registry == "localhost":
        return dict.fromkeys(
            (one.instance for one in group), f"the code of {image} cannot be read: it is in no registry"
        )
    try:
        found = read_files(reference, workdir, {path for one in group for path in one.paths}, registries)
        # Once for all of its instances, which may be hundreds.
        readmes = {name: _text(_decoded(name, content)) for name, content in found.readmes.items()}
    except (Refused, Unusable) as error:
        return dict.fromkeys((one.instance for one in group), f"the code of {image} cannot be read: {error}")
    return dict(_each(group, found.files, readmes))


def _each(
    group: Iterable[Wanted], files: Mapping[str, bytes], readmes: Mapping[str, str]
) -> Iterator[tuple[str, Code | str]]:
    for one in group:
        missing = next((path for path in one.paths if path not in files), None)
        if missing is not None:
            yield one.instance, f"its image has no file {missing}, which the patch changes"
            continue
        try:
            contents = {path: _decoded(path, files[path]) for path in one.paths}
            if one.bug is not None:
                contents = patched(contents, one.bug)
            shown = {path: _text(contents[path]) for path in sources_of(one.gold)}
            yield one.instance, Code(readmes, shown)
        except Unusable as error:
            yield one.instance, str(error)
        except (DoesNotApply, KeyError) as error:
            yield one.instance, f"patch is no change of what its image has: {error}"


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Unusable(f"its file {path} is no UTF-8 text") from None


def _text(content: str) -> str:
    """As the official package opens files: each end of a line is one sign."""
    return content.replace("\r\n", "\n").replace("\r", "\n")
