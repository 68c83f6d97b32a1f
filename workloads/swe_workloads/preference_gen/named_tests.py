"""Tests of evaluations that a trajectory names: who ran or read them has seen what a model is judged by."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from swe_workloads.evaluation.index import WORKDIR
from swe_workloads.evaluation.predictions import Prediction
from swe_workloads.rows import BadRow, Row
from swe_workloads.trajectory_files import Attempt

# Shorter names, such as tests.py::test_a, are those of any repository.
TELLING_NAME = 20
_PIECE = re.compile(r"[\w./:-]+")
_GOES_ON = re.compile(r"[\w\[]")  # a longer name, or one with parameters
# Where agents have the code: as the images do, or below the name of the instance or its repository. Only where a path
# begins, for inside of one it is a folder like any other.
_NAMED_ROOT = r"(?:workspace/)?[a-zA-Z0-9][\w.-]{0,99}__[\w.-]{1,99}"
_ROOTS = "|".join([*sorted({folder[1:] for folder in WORKDIR.values()}), _NAMED_ROOT])
_FOLDERS = re.compile(rf"(?<![\w./-])(?:/(?:{_ROOTS})/|\./)")


class NamedTests:
    """By the name of the test the evaluation's row that it must pass in; `of` says it of samples whose rows passed."""

    def __init__(self, tests: Mapping[str, int]) -> None:
        self._by_piece: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for name, number in ((_FOLDERS.sub("", told), number) for told, number in tests.items()):
            if len(name) >= TELLING_NAME and (piece := _PIECE.match(name)):
                self._by_piece[_bare(piece)].append((name, number))
        self._found: dict[str, int] = {}

    def heard(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows."""
        for row in rows:
            if self._by_piece and isinstance(row, Attempt):
                found = next((number for text in _texts(row.said) for number in self._named(text)), None)
                if found is not None:
                    self._found[row.file] = found
            yield row

    def of(self, sample: Prediction) -> int | None:
        return self._found.get(sample.file)

    def _named(self, text: str) -> Iterator[int]:
        """Names hold blanks and signs, so that only their first piece can be looked up."""
        bare = _FOLDERS.sub("", text)
        for piece in _PIECE.finditer(bare):
            for name, number in self._by_piece.get(_bare(piece), ()):
                end = piece.start() + len(name)
                if bare.startswith(name, piece.start()) and not _GOES_ON.match(bare, end):
                    yield number


def _bare(piece: re.Match[str]) -> str:
    return piece[0].rstrip(".:")


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        for value in said.values():
            yield from _texts(value)
    elif isinstance(said, list):
        for value in said:
            yield from _texts(value)
