"""Documents laid aside on the disk: 10,000 predictions and the test lists of their instances are gigabytes."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class Place:
    """Where a document lies on its shelf."""

    begin: int
    size_bytes: int


class Shelf:
    """A file that only grows. Documents are read back one by one, in any order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")

    def __enter__(self) -> "Shelf":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, document: bytes) -> Place:
        begin = self._file.seek(0, 2)
        self._file.write(document)
        return Place(begin, len(document))

    def get(self, place: Place) -> bytes:
        self._file.seek(place.begin)
        return self._file.read(place.size_bytes)
