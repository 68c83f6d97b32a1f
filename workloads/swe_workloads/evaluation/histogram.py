"""How long the tests took, as inline SVG: a column for each span of seconds, what was resolved at its foot."""

import math
from collections.abc import Sequence

from swe_workloads.report_text import counted, duration, labels, ticks

WIDTH, HEIGHT = 920, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 18, 14, 40
COLUMNS = 30
GAP = 1.5


def histogram(resolved: Sequence[float], others: Sequence[float]) -> str:
    """An svg element of both kinds of times in seconds; empty text when there are none."""
    times = [*resolved, *others]
    if not times:
        return ""
    width = _span(max(times))
    number = max(1, math.floor(max(times) / width) + 1)
    columns = [(_in_span(resolved, at, width), _in_span(others, at, width)) for at in range(number)]
    most = max(good + bad for good, bad in columns)
    parts = [*_heights(most), *_seconds(width * number)]
    for at, (good, bad) in enumerate(columns):
        parts += _column(at, number, (good, bad), most, f"{duration(at * width)} to {duration((at + 1) * width)}")
    about = f"Seconds of the tests of {counted(len(times), 'prediction')}, longest {duration(max(times))}"
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{about}">'
    return "\n".join([head, *parts, "</svg>"])


def _span(longest: float) -> float:
    """A round number of seconds for one column."""
    marks = ticks(0, max(longest, 1e-3), COLUMNS)
    return marks[1] - marks[0] if len(marks) > 1 else max(longest, 1e-3)


def _in_span(times: Sequence[float], at: int, width: float) -> int:
    return sum(math.floor(time / width) == at for time in times)


def _heights(most: int) -> list[str]:
    marks = [mark for mark in ticks(0, most, 4) if mark == round(mark)]
    parts = []
    for mark, text in zip(marks, labels(marks), strict=True):
        y = _y(mark, most)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y:.1f}" dy="0.32em" text-anchor="end">{text}</text>')
    return parts


def _seconds(end: float) -> list[str]:
    marks = ticks(0, end, 8)
    y = HEIGHT - BOTTOM
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>']
    for mark, text in zip(marks, labels(marks), strict=True):
        x = LEFT + (WIDTH - LEFT - RIGHT) * mark / end
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 4}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 17}" text-anchor="middle">{text}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, f'<text class="tick" x="{middle:.1f}" y="{y + 34}" text-anchor="middle">seconds</text>']


def _column(at: int, number: int, counts: tuple[int, int], most: int, span: str) -> list[str]:
    width = (WIDTH - LEFT - RIGHT) / number
    x = LEFT + at * width
    good, bad = counts
    told = f"<title>{span}: {good} resolved, {bad} not</title>"
    shape = f'x="{x + GAP / 2:.1f}" width="{max(1.0, width - GAP):.1f}"'
    parts = []
    for tone, low, high in (("one", 0, good), ("two", good, good + bad)):
        if high > low:
            top, bottom = _y(high, most), _y(low, most)
            parts.append(f'<rect class="column {tone}" {shape} y="{top:.1f}" height="{bottom - top:.1f}">{told}</rect>')
    return parts


def _y(count: float, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / most
