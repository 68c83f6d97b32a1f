"""When a training is over before its last step. Only the metric history decides, so a resumed run decides alike."""

import math
from collections.abc import Sequence
from statistics import median

from swe_workloads.history import series
from swe_workloads.run_file import EarlyStop, RunFile

# None of these recovers once it is no number: every further step would be wasted.
FATAL = ("loss", "eval_loss", "train_loss", "grad_norm")
# Half of so many logs must be far too high: a spike, or a stretch of hard rows, is not enough.
WINDOW_LOGS = 20
# In nats: 7.4 times the perplexity. Batches differ by less; a model that is lost stays near ln(vocabulary), about 11.
# Most losses of a comparison begin at 0.7 or 1, and 2 more is a model that is sure of the wrong answer in most pairs.
TOLERATED_RISE = 2.0


def out_of_patience(history: Sequence[dict[str, float]], rule: EarlyStop) -> bool:
    """Whether the last `patience` evaluations have not lowered the loss by more than `min_improvement`."""
    best, without = math.inf, 0
    for point in series(history, "eval_loss"):
        improved = point.value < best - rule.min_improvement
        best, without = (point.value, 0) if improved else (best, without + 1)
    return without >= rule.patience


def tolerated_rise(run: RunFile) -> float:
    """IPO squares the distance to 1 / (2 beta): back where it started from is as bad as it may become.

    The loss of Robust falls without end as pairs move apart, so that a rise tells nothing of it.
    """
    if run.dpo is None:
        return TOLERATED_RISE
    if run.dpo.loss_type == "IPO":
        return max(TOLERATED_RISE, float((0.5 / run.dpo.beta) ** 2))
    return math.inf if run.dpo.loss_type == "Robust" else TOLERATED_RISE


def divergence(history: Sequence[dict[str, float]], tolerated: float = TOLERATED_RISE) -> str | None:
    """What the newest entry of the history shows to be lost, or None. `tolerated`: a lasting rise of the loss."""
    newest = history[-1]
    for name in FATAL:
        if not math.isfinite(newest.get(name, 0.0)):
            return f"{name} is {newest[name]} at step {newest['step']:.0f}"
    return _lasting_rise(history, tolerated) if "loss" in newest else None


def _lasting_rise(history: Sequence[dict[str, float]], tolerated: float) -> str | None:
    """Looks once in a window, so that a long history costs nothing: the level now against the lowest one before."""
    logs = sum("loss" in entry for entry in history)
    if logs % WINDOW_LOGS != 0 or logs < 2 * WINDOW_LOGS:
        return None
    losses = series(history, "loss")
    starts = range(0, len(losses) - WINDOW_LOGS + 1, WINDOW_LOGS)
    *before, now = [median(point.value for point in losses[start : start + WINDOW_LOGS]) for start in starts]
    if now <= min(before, default=now) + tolerated:
        return None
    return f"the loss has risen from {min(before):.3g} to {now:.3g} by step {losses[-1].step:.0f} and stays there"
