"""Names of images become names of bytes, so that every try of an instance, and a later evaluation, runs the same."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from swe_workloads.evaluation.image_names import PinDigests
from swe_workloads.evaluation.image_references import parse_reference
from swe_workloads.evaluation.registries import ALL_SECONDS, IMAGE_SECONDS, Registries
from swe_workloads.evaluation.registry_client import Refused
from swe_workloads.evaluation.registry_credentials import read_credentials
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import say
from swe_workloads.some import some
from swe_workloads.transfer import GaveUp

FIELD = "spec.images.pinDigests"
MOST_SECONDS = ALL_SECONDS + IMAGE_SECONDS
AT_ONCE = 6  # hides the round trips of 2,000 images, and is not what registries call a crowd


@dataclass(frozen=True)
class ImagePins:
    """By the name of each image that runs: the name with its digest, or the reason why it runs by its own."""

    pinned: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)

    def pulled(self, image: str) -> str:
        return self.pinned.get(image, image)


def pin_images(images: Iterable[str], wanted: PinDigests, secrets: Path) -> ImagePins:
    """Each image once. Raises Failure(STORE_UNAVAILABLE) where all are required and a registry does not answer."""
    names = list(dict.fromkeys(images))
    pins = ImagePins(pinned={name: name for name in names if _digest_in(name) is not None})
    unpinned = [name for name in names if name not in pins.pinned]
    if wanted == "Never" or not unpinned:
        return pins
    say(f"Asking for the digests of {len(unpinned)} images.")
    registries = Registries(read_credentials(secrets))
    registries.hurry(ALL_SECONDS)
    found = _find_all(unpinned, registries)
    silent = [name for name, answer in found.items() if isinstance(answer, GaveUp)]
    if silent and wanted == "Required":
        raise Failure(ExitCode.STORE_UNAVAILABLE, f"{FIELD}: no digest of {some(silent)}: {found[silent[0]]}")
    return ImagePins(
        pinned={**pins.pinned, **{name: answer for name, answer in found.items() if isinstance(answer, str)}},
        by_name={name: str(answer) for name, answer in found.items() if not isinstance(answer, str)},
    )


def _digest_in(name: str) -> str | None:
    reference = parse_reference(name)
    return None if reference is None else reference.digest


def _find_all(names: Sequence[str], registries: Registries) -> dict[str, str | Refused | GaveUp]:
    """A registry that says a byte now and then holds up its own threads, and nobody waits for these in the end."""
    waiting: SimpleQueue[str] = SimpleQueue()
    found: dict[str, str | Refused | GaveUp] = {}
    for name in names:
        waiting.put(name)

    def work() -> None:
        with suppress(Empty):
            while True:
                name = waiting.get_nowait()
                found[name] = _find(name, registries)

    threads = [Thread(target=work, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + MOST_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return {name: found.get(name) or GaveUp(f"no answer within {MOST_SECONDS:.0f} s") for name in names}


def _find(name: str, registries: Registries) -> str | Refused | GaveUp:
    """The pinned name, or why there is none."""
    reference = parse_reference(name)
    if reference is None:
        return Refused("it is no name of an image")
    if reference.registry == "localhost":
        return Refused("it names no registry, but an image that its node was given")
    try:
        return reference.at(registries.digest_of(reference))
    except (Refused, GaveUp) as error:
        return error
