"""Curves as inline SVG: no scripts, colours from the page's style, the exact figures as tooltips."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from swe_workloads.history import Point, smoothed, thinned
from swe_workloads.report_text import figure, labels, ticks

# Where letters stand; the picture scales as a whole.
TICK_GAP, LETTER_WIDTH = 8, 6.2
TOP, BOTTOM, RIGHT = 14, 40, 18
# From this share of the width on a label stands to the left of what it names.
TURN_AT = 0.62
# More single dots than these would be a line again.
MOST_DOTS = 60
# An axis begins at zero when the lowest value is at most this share of the highest: readers expect it there.
NEAR_ZERO = 0.2


# The class that gives a curve its colour.
Tone = Literal["one", "two", "three"]
# Noisy: its running mean above the values themselves. Dotted: few values, each to be seen.
Kind = Literal["Noisy", "Dotted", "Exact"]


@dataclass(frozen=True)
class Curve:
    name: str
    tone: Tone
    kind: Kind
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    """`total_steps` is the end of the axis, `resumed_at` the steps at which an attempt went on."""

    title: str
    curves: Sequence[Curve]
    total_steps: float
    width: int = 760
    height: int = 280
    best: Point | None = None
    resumed_at: Sequence[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    left: float
    right: float
    top: float
    bottom: float
    steps: tuple[float, float]
    values: tuple[float, float]

    def x(self, step: float) -> float:
        return self.left + (self.right - self.left) * _share(step, self.steps)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * _share(value, self.values)


def draw(chart: Chart) -> str:
    """An svg element; empty text when there is nothing to draw."""
    points = [point for curve in chart.curves for point in curve.points]
    if not points:
        return ""
    low, high = _value_range([point.value for point in points])
    heights = ticks(low, high, 6 if chart.height > 250 else 4)
    texts = labels(heights)
    frame = _Frame(
        left=14 + TICK_GAP + LETTER_WIDTH * max(map(len, texts)),
        right=chart.width - RIGHT,
        top=TOP,
        bottom=chart.height - BOTTOM,
        steps=_step_range(points, chart.total_steps),
        values=(low, high),
    )
    parts = [
        *_value_axis(frame, heights, texts),
        *_step_axis(frame),
        *_resumptions(frame, chart.resumed_at),
        *(part for curve in chart.curves for part in _curve(frame, curve)),
        *_best(frame, chart.best),
    ]
    about = f"{chart.title}: " + "; ".join(_in_words(curve) for curve in chart.curves if curve.points)
    head = f'<svg viewBox="0 0 {chart.width} {chart.height}" role="img" aria-label="{escape(about)}">'
    return "\n".join([head, *parts, "</svg>"])


def _in_words(curve: Curve) -> str:
    first, last = curve.points[0], curve.points[-1]
    return (
        f"{curve.name} from {figure(first.value)} at step {first.step:.0f} to {figure(last.value)} at {last.step:.0f}"
    )


def _value_range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    base = 0.0 if 0 <= low <= high * NEAR_ZERO else low - room
    return base, high + room


def _step_range(points: list[Point], total_steps: float) -> tuple[float, float]:
    last = max(total_steps, *(point.step for point in points))
    return (0.0, last) if last > 0 else (0.0, 1.0)


def _share(value: float, limits: tuple[float, float]) -> float:
    return (value - limits[0]) / (limits[1] - limits[0])


def _value_axis(frame: _Frame, heights: list[float], texts: list[str]) -> list[str]:
    parts = []
    for height, text in zip(heights, texts, strict=True):
        y = frame.y(height)
        parts.append(f'<line class="grid" x1="{frame.left:.1f}" x2="{frame.right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        x = frame.left - TICK_GAP
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y:.1f}" dy="0.32em" text-anchor="end">{text}</text>')
    return parts


def _step_axis(frame: _Frame) -> list[str]:
    steps = [step for step in ticks(*frame.steps, 8 if frame.right > 500 else 3) if step == round(step)]
    y = frame.bottom
    parts = [f'<line class="axis" x1="{frame.left:.1f}" x2="{frame.right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>']
    for step in steps:
        x = frame.x(step)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{y + 4:.1f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle">{step:,.0f}</text>')
    middle = (frame.left + frame.right) / 2
    parts.append(f'<text class="tick" x="{middle:.1f}" y="{y + 34:.1f}" text-anchor="middle">step</text>')
    return parts


def _resumptions(frame: _Frame, steps: Sequence[int]) -> list[str]:
    parts = []
    for step in steps:
        x, y = frame.x(step), frame.bottom
        triangle = f"M{x:.1f} {y:.1f}l-4.5 -8h9z"
        parts.append(f'<path class="resumed" d="{triangle}"><title>resumed from step {step:,}</title></path>')
    return parts


def _curve(frame: _Frame, curve: Curve) -> list[str]:
    mean = smoothed(curve.points) if curve.kind == "Noisy" else []
    shown = thinned(curve.points, int(frame.right - frame.left))
    parts = []
    if len(shown) > 1:
        faint = " faint" if mean else ""
        parts.append(f'<path class="curve {curve.tone}{faint}" d="{_path(frame, shown)}"/>')
    if mean:
        parts.append(f'<path class="curve {curve.tone}" d="{_path(frame, thinned(mean, 400))}"/>')
    if (curve.kind == "Dotted" and len(shown) <= MOST_DOTS) or len(shown) == 1:
        parts += [_dot(frame, curve, point) for point in shown]
    return parts


def _path(frame: _Frame, points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{frame.x(step):.1f} {frame.y(value):.1f}" for step, value in points)


def _dot(frame: _Frame, curve: Curve, point: Point) -> str:
    told = f"<title>step {point.step:,.0f}: {escape(curve.name)} {figure(point.value)}</title>"
    where = f'cx="{frame.x(point.step):.1f}" cy="{frame.y(point.value):.1f}"'
    return f'<circle class="dot {curve.tone}" {where} r="3">{told}</circle>'


def _best(frame: _Frame, best: Point | None) -> list[str]:
    if best is None:
        return []
    x, y = frame.x(best.step), frame.y(best.value)
    left = (x - frame.left) / (frame.right - frame.left) > TURN_AT
    at = f'x="{x - 7:.1f}" text-anchor="end"' if left else f'x="{x + 7:.1f}" text-anchor="start"'
    text = f"best: {figure(best.value)} at step {best.step:,.0f}"
    return [
        f'<line class="best" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.top:.1f}" y2="{frame.bottom:.1f}"/>',
        f'<circle class="best-dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        f'<text class="note" {at} y="{frame.top + 10:.1f}">{text}</text>',
    ]
