import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import preferences_document

from swe_workloads.decisions import WINDOW_LOGS, divergence, out_of_patience, tolerated_rise
from swe_workloads.run_file import EarlyStop, RunFile


def rule(patience: int, min_improvement: str = "0") -> EarlyStop:
    return EarlyStop.model_validate({"patience": patience, "minImprovement": min_improvement})


def evaluations(*losses: float) -> list[dict[str, float]]:
    return [{"step": 10.0 * number, "eval_loss": loss} for number, loss in enumerate(losses, 1)]


def logs(*losses: float) -> list[dict[str, float]]:
    return [{"step": float(number), "loss": loss, "grad_norm": 1.0} for number, loss in enumerate(losses, 1)]


def ended_at(history: list[dict[str, float]]) -> float | None:
    """The step at which a training with this history would have ended."""
    for count in range(1, len(history) + 1):
        if divergence(history[:count]) is not None:
            return history[count - 1]["step"]
    return None


@pytest.mark.parametrize(
    ("losses", "patience", "improvement", "over"),
    [
        ((3, 2, 1), 1, "0", False),
        ((3, 2, 2), 1, "0", True),
        ((3, 2, 2.5), 2, "0", False),
        ((3, 2, 2.5, 2.1), 2, "0", True),
        ((3, 2, 2.5, 1.9), 2, "0", False),
        ((3, 2.95, 2.92), 2, "0.1", True),
        ((3, 2.95, 2.88), 2, "0.1", False),
        ((3,), 1, "0", False),
        ((), 1, "0", False),
    ],
)
def test_patience_ends_after_evaluations_without_improvement(
    losses: tuple[float, ...], patience: int, improvement: str, over: bool
) -> None:
    assert out_of_patience(evaluations(*losses), rule(patience, improvement)) == over


def test_many_small_improvements_together_are_one() -> None:
    slow = evaluations(*(3 - 0.04 * number for number in range(12)))
    assert not out_of_patience(slow, rule(3, "0.1"))


def test_a_resumed_run_decides_as_an_uninterrupted_one() -> None:
    history = [entry for pair in zip(logs(*[2.0] * 5), evaluations(3, 2, 2, 2, 2), strict=True) for entry in pair]
    decisions = [out_of_patience(history[:count], rule(3)) for count in range(len(history) + 1)]
    assert decisions == [False] * 10 + [True]


@pytest.mark.parametrize("name", ["loss", "eval_loss", "grad_norm"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_figure_that_is_no_number_ends_at_once(name: str, value: float) -> None:
    found = divergence([*logs(2.0), {"step": 2.0, name: value}])
    assert found == f"{name} is {value} at step 2"


def test_a_lasting_rise_ends_within_two_windows() -> None:
    blown_up = logs(*[1.2] * 60, *[9.5] * 200)
    assert ended_at(blown_up) == 60 + WINDOW_LOGS
    found = divergence(blown_up[: 60 + WINDOW_LOGS])
    assert found == "the loss has risen from 1.2 to 9.5 by step 80 and stays there"


def test_a_run_that_rises_from_its_first_steps_ends_too() -> None:
    assert ended_at(logs(*[2.0] * 20, *(min(11, 2 + 0.1 * number) for number in range(200)))) is not None


@pytest.mark.parametrize(
    "losses",
    [
        [*[1.0] * 50, *[12.0] * 8, *[1.0] * 50],  # a spike that heals
        [11 * 0.97**number for number in range(300)],  # from a random model downwards
        [0.02] * 100 + [0.9] * 200,  # over-fitted rows, then others: 45 times the loss, and nothing is lost
        [3.0] * 500,
    ],
)
def test_what_recovers_or_is_no_loss_of_the_model_goes_on(losses: list[float]) -> None:
    assert ended_at(logs(*losses)) is None


def test_noise_between_batches_goes_on() -> None:
    noise = random.Random(1)
    assert ended_at(logs(*(max(0.0, noise.gauss(2.5, 1.5)) for _ in range(3000)))) is None


def test_the_loss_of_robust_has_no_level_to_rise_from(tmp_path: Path) -> None:
    comparison = preferences_document(tmp_path / "rows.jsonl")
    comparison["dpo"] |= {"lossType": "Robust", "labelSmoothing": "0.4"}
    tolerated = tolerated_rise(RunFile.model_validate_json(json.dumps(comparison)))
    assert divergence(logs(*[-9.0] * 40, *[-6.0] * 40), tolerated) is None
    assert divergence(logs(*[-9.0] * 40, math.nan), tolerated) is not None


def test_the_squares_of_ipo_may_rise_as_far_as_they_began(run: dict[str, Any], tmp_path: Path) -> None:
    comparison = preferences_document(tmp_path / "rows.jsonl")
    assert tolerated_rise(RunFile.model_validate_json(json.dumps(run))) == 2
    assert tolerated_rise(RunFile.model_validate_json(json.dumps(comparison))) == 2
    comparison["dpo"] |= {"lossType": "IPO", "beta": "0.01"}
    tolerated = tolerated_rise(RunFile.model_validate_json(json.dumps(comparison)))
    assert tolerated == pytest.approx(2500)
    comparison["dpo"]["beta"] = "5"
    assert tolerated_rise(RunFile.model_validate_json(json.dumps(comparison))) == 2
    noisy = logs(*[2000.0] * 40, *[2400.0] * 40)
    assert divergence(noisy) is not None
    assert divergence(noisy, tolerated) is None
