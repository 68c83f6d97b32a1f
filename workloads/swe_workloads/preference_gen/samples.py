"""Samples: what a model answered several times to the same instance, and which of these answers are one change."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from swe_workloads.evaluation.index import Plan, Run
from swe_workloads.evaluation.predictions import Duplicate, Prediction, Predictions, collect
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.patch_identity import identity_of
from swe_workloads.preference_gen.kept_trajectories import Kept, KeptTrajectories
from swe_workloads.rows import BadRow, Row

NUMBER = "sample"
# By file and row what a row itself calls its number.
Numbers = dict[tuple[str, int], int]
Dropped = Literal["EmptyPatch", "UnknownInstance", "NotSelected", "EvaluationSet", "Contaminated"]


@dataclass(frozen=True)
class Sample:
    """An answer as it was brought, with the number that its row gives it, or else its place among its instance's.

    `sha256` is of the patch, `change` of what it changes; `merged_into` is the prediction that is graded for it.
    """

    row: Prediction
    number: int
    sha256: str | None = None
    change: str | None = None
    merged_into: int | None = None
    dropped: Dropped | None = None
    trajectory: Kept | None = None

    def line(self) -> dict[str, object]:
        return {
            "instance_id": self.row.instance,
            "model_name_or_path": self.row.model,
            "sample": self.number,
            "sha256": self.sha256,
            "change_sha256": self.change,
            "prediction": self.merged_into,
            "dropped": self.dropped,
            "file": self.row.file,
            "row": self.row.row,
            "trajectory": None if self.trajectory is None else self.trajectory.line(),
        }


@dataclass(frozen=True)
class Unique:
    """A change that is graded, in the words of one of its samples. `sample` counts those of its instance from 1."""

    instance: str
    sample: int
    document: Place


def read_samples(rows: Iterable[Row | BadRow], shelf: Shelf) -> tuple[Predictions, Numbers]:
    """As an evaluation reads predictions, and of rows with the same instance, model and number the first alone."""
    numbers: Numbers = {}
    found = collect(_numbered(rows, numbers), shelf)
    first: dict[tuple[str, str, int], Prediction] = {}
    usable: list[Prediction] = []
    repeated = list(found.duplicates)
    for one in found.usable:
        number = numbers.get((one.file, one.row))
        known = one if number is None else first.setdefault((one.instance, one.model, number), one)
        if known is one:
            usable.append(one)
        else:
            repeated.append(Duplicate(one.file, one.row, one.instance, known.file, known.row))
    return Predictions(usable, repeated, found.bad), numbers


def samples_of(
    plan: Plan,
    removed: Mapping[Dropped, Iterable[Prediction]],
    numbers: Numbers,
    trajectories: KeptTrajectories,
    shelf: Shelf,
) -> list[Sample]:
    """Every usable row; `removed` are in no list of the plan. In an order that no file decides."""
    parts: tuple[tuple[Iterable[Prediction], Dropped], ...] = (
        (plan.empty, "EmptyPatch"),
        (plan.unknown, "UnknownInstance"),
        (plan.not_selected, "NotSelected"),
        *((rows, reason) for reason, rows in removed.items()),
    )
    found = [_sample(one, numbers, shelf, reason) for rows, reason in parts for one in rows]
    found += _merged([_sample(run.prediction, numbers, shelf, None) for run in plan.runs])
    found = [replace(one, trajectory=trajectories.of(one.row)) for one in found]
    return sorted(found, key=lambda one: (one.row.instance, one.row.model, one.number, one.row.file, one.row.row))


def unique_of(samples: Sequence[Sample], runs: Iterable[Run]) -> list[Unique]:
    """One for each change of each instance, by instance and number."""
    graded: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    for one in samples:
        if one.merged_into is not None:
            graded[one.row.instance, one.merged_into].append(one)
    places = {(run.prediction.file, run.prediction.row): run.document for run in runs}
    spoken = {key: _spokesman(group).row for key, group in graded.items()}
    return [Unique(*key, places[row.file, row.row]) for key, row in sorted(spoken.items())]


def _numbered(rows: Iterable[Row | BadRow], numbers: Numbers) -> Iterator[Row | BadRow]:
    for row in rows:
        number = row.fields.get(NUMBER) if isinstance(row, Row) else None
        if number is None:
            yield row
        elif isinstance(number, int) and not isinstance(number, bool) and number >= 0:
            numbers[row.file, row.number] = number
            yield row
        else:
            yield BadRow(row.file, row.number, f"{NUMBER} must be a number that counts samples, not {number!r:.80}")


def _sample(one: Prediction, numbers: Numbers, shelf: Shelf, dropped: Dropped | None) -> Sample:
    number = numbers.get((one.file, one.row), one.sample)
    if one.document is None:
        return Sample(one, number, dropped=dropped)
    patch = str(json.loads(shelf.get(one.document))["model_patch"])
    return Sample(one, number, hashlib.sha256(patch.encode()).hexdigest(), identity_of(patch), dropped=dropped)


def _merged(samples: Sequence[Sample]) -> list[Sample]:
    """Numbers by the changes themselves: they are the same in whatever order the rows come."""
    changes: dict[str, set[str]] = defaultdict(set)
    for one in samples:
        changes[one.row.instance].add(str(one.change))
    numbers = {name: {change: at for at, change in enumerate(sorted(found), 1)} for name, found in changes.items()}
    return [replace(one, merged_into=numbers[one.row.instance][str(one.change)]) for one in samples]


def _spokesman(group: Sequence[Sample]) -> Sample:
    """Whose words are tested: of those that git should take, what most samples say, and the rest by their hashes."""
    said = Counter(one.sha256 for one in group)
    return min(group, key=lambda one: (one.row.problem is not None, -said[one.sha256], str(one.sha256)))
