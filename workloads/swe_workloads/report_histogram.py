"""How often which value occurs, as inline SVG: a column for each span of values, the first of two kinds at its foot."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from swe_workloads.report_text import counted, labels, ticks

WIDTH, HEIGHT = 920, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 18, 14, 40
COLUMNS = 30
GAP = 1.5


@dataclass(frozen=True)
class Scale:
    """What the values are: `about` whom, `unit` below the axis, `told` as words; what the two `kinds` are called."""

    title: str
    about: str
    unit: str
    told: Callable[[float], str]
    kinds: tuple[str, str]


def histogram_figure(first: Sequence[float], second: Sequence[float], scale: Scale) -> str:
    """With the title above it and what its colours mean; empty text without values."""
    drawn = histogram(first, second, scale)
    if not drawn:
        return ""
    tones = zip(("one", "two"), scale.kinds, strict=True)
    keys = "".join(f'<span class="key {tone}"><span>{kind}</span></span>' for tone, kind in tones)
    caption = f"<figcaption><b>{scale.title}</b>{keys}</figcaption>"
    return f'<figure>\n{caption}\n<div class="chart">\n{drawn}\n</div>\n</figure>'


def histogram(first: Sequence[float], second: Sequence[float], scale: Scale) -> str:
    """An svg element of both kinds of values, none of which is negative; empty text when there are none."""
    values = [*first, *second]
    if not values:
        return ""
    width = _span(max(values))
    number = max(1, math.floor(max(values) / width) + 1)
    columns = [(_in_span(first, at, width), _in_span(second, at, width)) for at in range(number)]
    most = max(low + high for low, high in columns)
    parts = [*_heights(most), *_axis(width * number, scale.unit)]
    for at, (low, high) in enumerate(columns):
        told = f"{scale.told(at * width)} to {scale.told((at + 1) * width)}"
        parts += _column(at, number, (low, high), most, f"{told}: {low} {scale.kinds[0]}, {high} {scale.kinds[1]}")
    about = f"{scale.title} of {counted(len(values), scale.about)}, at most {scale.told(max(values))}"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{about}">'
    return "\n".join([head, *parts, "</svg>"])


def _span(largest: float) -> float:
    """A round number for one column."""
    marks = ticks(0, max(largest, 1e-3), COLUMNS)
    return marks[1] - marks[0] if len(marks) > 1 else max(largest, 1e-3)


def _in_span(values: Sequence[float], at: int, width: float) -> int:
    return sum(math.floor(value / width) == at for value in values)


def _heights(most: int) -> list[str]:
    marks = [mark for mark in ticks(0, most, 4) if mark == round(mark)]
    parts = []
    for mark, text in zip(marks, labels(marks), strict=True):
        y = _y(mark, most)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y:.1f}" dy="0.32em" text-anchor="end">{text}</text>')
    return parts


def _axis(end: float, unit: str) -> list[str]:
    marks = ticks(0, end, 8)
    y = HEIGHT - BOTTOM
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>']
    for mark, text in zip(marks, labels(marks), strict=True):
        x = LEFT + (WIDTH - LEFT - RIGHT) * mark / end
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 17}" text-anchor="middle">{text}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, f'<text class="tick" x="{middle:.1f}" y="{y + 34}" text-anchor="middle">{unit}</text>']


def _column(at: int, number: int, counts: tuple[int, int], most: int, told: str) -> list[str]:
    width = (WIDTH - LEFT - RIGHT) / number
    x = LEFT + at * width
    lower, upper = counts
    title = f"<title>{told}</title>"
    shape = f'x="{x + GAP / 2:.1f}" width="{max(1.0, width - GAP):.1f}"'
    parts = []
    for tone, low, high in (("one", 0, lower), ("two", lower, lower + upper)):
        if high > low:
            top, bottom = _y(high, most), _y(low, most)
            parts.append(
                f'<rect class="column {tone}" {shape} y="{top:.1f}" height="{bottom - top:.1f}">{title}</rect>'
            )
    return parts


def _y(count: float, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / most
