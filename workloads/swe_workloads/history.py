"""The metric history of a run: what one metric did over the steps."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

# A curve is smoothed over this share of its points, so that its direction shows above the noise of single batches.
SMOOTHED_SHARE = 1 / 30
FEWEST_SMOOTHED = 40


class Point(NamedTuple):
    step: float
    value: float


class MetricSummary(BaseModel):
    """One metric in figures. Steps are optimizer steps."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    points: int
    first: float
    last: float
    min: float
    min_step: int
    max: float
    max_step: int


def series(history: Sequence[dict[str, float]], name: str) -> list[Point]:
    """By step; of two entries of one step the later. Values that are no number are left out."""
    found = {entry["step"]: entry[name] for entry in history if name in entry and "step" in entry}
    return [Point(step, found[step]) for step in sorted(found) if math.isfinite(found[step])]


def summarise(history: Sequence[dict[str, float]]) -> dict[str, MetricSummary]:
    """Every metric of the history, by its name."""
    names = sorted({name for entry in history for name in entry} - {"step", "epoch"})
    return {name: _summary(points) for name in names if (points := series(history, name))}


def lowest(points: Sequence[Point]) -> Point | None:
    """The first of the lowest."""
    return min(points, key=lambda point: (point.value, point.step), default=None)


def smoothed(points: Sequence[Point]) -> list[Point]:
    """The mean of each point and its neighbours; nothing where there are too few points to need it."""
    if len(points) < FEWEST_SMOOTHED:
        return []
    reach = max(2, round(len(points) * SMOOTHED_SHARE / 2))
    sums = [0.0]
    for point in points:
        sums.append(sums[-1] + point.value)
    means = []
    for at, point in enumerate(points):
        start, end = max(0, at - reach), min(len(points), at + reach + 1)
        means.append(Point(point.step, (sums[end] - sums[start]) / (end - start)))
    return means


def thinned(points: Sequence[Point], columns: int) -> list[Point]:
    """At most four points for each of so many columns: first, lowest, highest and last, so that no peak is lost."""
    if len(points) <= 4 * columns:
        return list(points)
    start, width = points[0].step, (points[-1].step - points[0].step) / columns
    by_column: dict[int, list[Point]] = {}
    for point in points:
        by_column.setdefault(min(columns - 1, int((point.step - start) / width)), []).append(point)
    kept = []
    for column in by_column.values():
        by_value = sorted(column, key=lambda point: point.value)
        kept += sorted({column[0], by_value[0], by_value[-1], column[-1]})
    return kept


def _summary(points: list[Point]) -> MetricSummary:
    low = min(points, key=lambda point: (point.value, point.step))
    high = max(points, key=lambda point: (point.value, -point.step))
    return MetricSummary(
        points=len(points),
        first=points[0].value,
        last=points[-1].value,
        min=low.value,
        min_step=int(low.step),
        max=high.value,
        max_step=int(high.step),
    )
