"""The curves of the report: each metric of the history that there is, over the steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from swe_workloads.history import Point, series
from swe_workloads.report_chart import Chart, Curve, Kind, Tone, draw

History = Sequence[dict[str, float]]


@dataclass(frozen=True)
class Course:
    """What a training went through. `best` is the evaluation that is marked, `resumed_at` where attempts went on."""

    history: History
    last_step: int
    best: Point | None
    resumed_at: Sequence[int]


def curves_section(course: Course) -> str:
    """The loss large, all other metrics small beside each other; those that a method does not have are left out."""
    history = course.history
    loss = _chart(course, "Loss", _both(history, "loss"), wide=True)
    answers = [
        _curve(history, "chosen", "logps/chosen", "one", "Noisy"),
        _curve(history, "rejected", "logps/rejected", "two", "Noisy"),
    ]
    small = [
        _chart(course, "Reward margin", _both(history, "rewards/margins")),
        _chart(course, "Reward accuracy", _both(history, "rewards/accuracies")),
        _chart(course, "Log-probability of answers", answers),
        _chart(course, "Learning rate", [_curve(history, "learning rate", "learning_rate", "three", "Exact")]),
        _chart(course, "Gradient norm", [_curve(history, "gradient norm", "grad_norm", "three", "Noisy")]),
        _chart(course, "Token accuracy", _both(history, "mean_token_accuracy")),
    ]
    rest = "".join(chart for chart in small if chart)
    if not loss and not rest:
        return '<h2>Curves</h2>\n<p class="muted">The metric history is empty.</p>'
    return f'<h2>Curves</h2>\n{loss}\n<div class="small">\n{rest}\n</div>'


def _both(history: History, metric: str) -> list[Curve]:
    return [
        _curve(history, "training", metric, "one", "Noisy"),
        _curve(history, "held-out", f"eval_{metric}", "two", "Dotted"),
    ]


def _curve(history: History, name: str, metric: str, tone: Tone, kind: Kind) -> Curve:
    return Curve(name, tone, kind, series(history, metric))


def _chart(course: Course, title: str, curves: list[Curve], wide: bool = False) -> str:
    shown = [curve for curve in curves if curve.points]
    resumed = course.resumed_at if wide else []
    drawn = draw(
        Chart(
            title=title,
            curves=shown,
            total_steps=course.last_step,
            width=920 if wide else 310,
            height=330 if wide else 190,
            best=course.best if wide else None,
            resumed_at=resumed,
        )
    )
    if not drawn:
        return ""
    keys = [f'<span class="key {curve.tone}"><span>{curve.name}</span></span>' for curve in shown if len(shown) > 1]
    if resumed:
        keys.append('<span class="key resumed"><span>resumed from a checkpoint</span></span>')
    caption = f"<figcaption><b>{title}</b>{''.join(keys)}</figcaption>"
    return f'<figure>\n{caption}\n<div class="chart">\n{drawn}\n</div>\n</figure>'
