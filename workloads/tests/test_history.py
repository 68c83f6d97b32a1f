import math
import random

import pytest

from swe_workloads.history import Point, lowest, series, smoothed, summarise, thinned


def test_a_series_is_in_the_order_of_steps_whatever_a_resume_wrote_again() -> None:
    history = [
        {"step": 2, "loss": 3.0},
        {"step": 1, "loss": 4.0},
        {"step": 2, "loss": 3.5},
        {"step": 2, "eval_loss": 9.0},
    ]
    assert series(history, "loss") == [(1, 4.0), (2, 3.5)]
    assert series(history, "eval_loss") == [(2, 9.0)]
    assert series(history, "grad_norm") == []


def test_what_is_no_number_is_no_point() -> None:
    history = [{"step": 1, "loss": math.nan}, {"step": 2, "loss": math.inf}, {"step": 3, "loss": 1.0}, {"loss": 2.0}]
    assert series(history, "loss") == [(3, 1.0)]


def test_of_equally_low_points_the_first_is_the_lowest() -> None:
    assert lowest([Point(1, 2.0), Point(2, 1.0), Point(3, 1.0)]) == (2, 1.0)
    assert lowest([]) is None


def test_every_metric_is_summed_up_under_its_own_name() -> None:
    history = [{"step": 1, "epoch": 0.5, "loss": 4.0}, {"step": 2, "epoch": 1, "loss": 2.0, "eval_loss": 3.0}]
    found = summarise(history)
    assert set(found) == {"loss", "eval_loss"}
    assert found["loss"].model_dump(by_alias=True) == {
        "points": 2, "first": 4.0, "last": 2.0, "min": 2.0, "minStep": 2, "max": 4.0, "maxStep": 1,
    }  # fmt: skip


def test_few_points_are_not_smoothed() -> None:
    assert smoothed([Point(n, 1.0) for n in range(10)]) == []


def test_smoothing_keeps_the_level_and_takes_the_noise() -> None:
    draw = random.Random(1)
    noisy = [Point(n, 5 + draw.gauss(0, 1)) for n in range(3000)]
    mean = smoothed(noisy)
    assert [point.step for point in mean] == [point.step for point in noisy]
    assert max(abs(point.value - 5) for point in mean[100:-100]) < 0.6


@pytest.mark.parametrize("length", [5, 400, 100_000])
def test_a_thinned_curve_keeps_its_ends_and_its_peaks(length: int) -> None:
    points = [Point(n, math.sin(n)) for n in range(length)]
    points[length // 3] = Point(length // 3, 50.0)
    shown = thinned(points, 100)
    assert len(shown) <= max(400, 5)
    assert (shown[0], shown[-1]) == (points[0], points[-1])
    assert Point(length // 3, 50.0) in shown
    assert shown == sorted(set(shown))
