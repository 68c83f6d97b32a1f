"""Predictions: which patch is which sample of which instance."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from swe_workloads.evaluation.diffs import diff_problem
from swe_workloads.evaluation.prediction_files import ID
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Unusable, text_of
from swe_workloads.rows import BadRow, Row
from swe_workloads.trajectory_files import Attempt

GOLD_MODEL = "gold"  # as the official harness calls it
NAMELESS_MODEL = "None"  # likewise
# All that agents list of what they submitted; with another column a row is a sample of its own.
LISTED = frozenset({ID, "model_name_or_path", "model_patch"})


@dataclass(frozen=True)
class Said:
    """What a row says; the patch may be empty."""

    instance: str
    model: str
    patch: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """`document` is where it lies, as grade gets it; None of an empty patch. `problem` is that of a malformed diff."""

    file: str
    row: int
    instance: str
    sample: int
    model: str
    document: Place | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Duplicate:
    """A row that says what another one has said, to the byte, or what a trajectory beside it came to."""

    file: str
    row: int
    instance: str
    first_file: str
    first_row: int


@dataclass(frozen=True)
class Predictions:
    """`read` rows in file order: usable ones, repetitions and bad ones."""

    usable: list[Prediction] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    @property
    def read(self) -> int:
        return len(self.usable) + len(self.duplicates) + len(self.bad)


def collect(rows: Iterable[Row | BadRow], shelf: Shelf) -> Predictions:
    """Predictions of one instance are its samples 1, 2, … in the order of the files, but for repeated rows.

    Trajectories have to come before what may list them.
    """
    found = Predictions()
    before = SaidBefore()
    samples: dict[str, int] = defaultdict(int)
    for row in rows:
        if isinstance(row, BadRow):
            found.bad.append(row)
            continue
        try:
            said = read_prediction(row)
        except Unusable as error:
            found.bad.append(BadRow(row.file, row.number, str(error)))
            continue
        first_file, first_row = before.first(row, said)
        if (first_file, first_row) != (row.file, row.number):
            found.duplicates.append(Duplicate(row.file, row.number, said.instance, first_file, first_row))
            continue
        samples[said.instance] += 1
        found.usable.append(lay_aside(said, row, samples[said.instance], shelf))
    return found


class SaidBefore:
    """Rows by what they say. An agent that leaves trajectories lists what they submitted in a file above them too."""

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[str, int]] = {}
        self._attempts: dict[tuple[str, bytes], list[str]] = defaultdict(list)

    def first(self, row: Row, said: Said) -> tuple[str, int]:
        """File and number of the row that said it first, which may be this one."""
        submitted = said.instance, hashlib.sha256(said.patch.strip().encode()).digest()
        if isinstance(row, Attempt):
            self._attempts[submitted].append(row.file)
        elif row.fields.keys() <= LISTED:
            folder = f"{row.file.rpartition('/')[0]}/"
            below = next((file for file in self._attempts.get(submitted, ()) if file.startswith(folder)), None)
            if below is not None:
                return below, 1
        return self._rows.setdefault(_digest(row), (row.file, row.number))


def lay_aside(said: Said, row: Row, sample: int, shelf: Shelf) -> Prediction:
    """The prediction without its patch, which may be megabytes."""
    known = Prediction(row.file, row.number, said.instance, sample, said.model)
    if not said.patch.strip():
        return known
    columns = {ID: said.instance, "model_name_or_path": said.model, "model_patch": said.patch}
    place = shelf.put(json.dumps(columns, ensure_ascii=False).encode())
    return replace(known, document=place, problem=diff_problem(said.patch))


def read_prediction(row: Row) -> Said:
    """Raises Unusable."""
    instance = text_of(row, ID)
    column = "model_patch" if "model_patch" in row.fields else "patch"
    if column not in row.fields:
        raise Unusable("model_patch is missing")
    patch = row.fields[column]
    if patch is not None and not isinstance(patch, str):
        raise Unusable(f"{column} must be a string or null, not {type(patch).__name__}")
    # SWE-bench Pro's lists name a run, which is the model's name to all that comes after.
    model = row.fields.get("model_name_or_path") or row.fields.get("prefix") or NAMELESS_MODEL
    if not isinstance(model, str):
        raise Unusable(f"model_name_or_path must be a string, not {type(model).__name__}")
    return Said(instance, model, patch or "")


def _digest(row: Row) -> bytes:
    """The same for rows that are equal in all columns: with a column that tells them apart they are two samples."""
    return hashlib.sha256(json.dumps(row.fields, sort_keys=True, default=str).encode()).digest()
