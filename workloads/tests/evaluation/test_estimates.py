import itertools
import math
import random
from fractions import Fraction

import pytest

from swe_workloads.evaluation.estimates import Outcomes, decimal, ks_of, pass_at, pass_hat, resolve_rate, wilson

ALL, NONE = [True], [False]


def single(resolved: int, total: int) -> list[Outcomes]:
    return [ALL] * resolved + [NONE] * (total - resolved)


@pytest.mark.parametrize(
    ("resolved", "total", "figures"),
    [
        (5, 12, ("0.4167", "0.1933", "0.6805")),
        (0, 10, ("0.0000", "0.0000", "0.2775")),
        (10, 10, ("1.0000", "0.7225", "1.0000")),
        (250, 500, ("0.5000", "0.4563", "0.5437")),
        (1, 1, ("1.0000", "0.2065", "1.0000")),
    ],
)
def test_one_sample_an_instance_has_a_wilson_interval(resolved: int, total: int, figures: tuple[str, ...]) -> None:
    rate = resolve_rate(single(resolved, total), seed=1)
    assert (tuple(map(decimal, (rate.value, rate.low, rate.high))), rate.method) == (figures, "Wilson")


@pytest.mark.parametrize("resolved", [0, 1, 7, 19, 20])
def test_the_ends_of_a_wilson_interval_are_where_the_share_is_just_not_rejected(resolved: int) -> None:
    share = resolved / 20
    for end in wilson(share, 20):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(1.959963984540054 * math.sqrt(end * (1 - end) / 20))


def test_an_instance_without_a_prediction_counts_as_not_resolved() -> None:
    assert resolve_rate([ALL, [], [], []], seed=1) == resolve_rate(single(1, 4), seed=1)


def test_of_several_samples_each_instance_weighs_the_same() -> None:
    rate = resolve_rate([[True], [False] * 9, [True, False]], seed=1)
    assert rate.value == pytest.approx((1 + 0 + 0.5) / 3)
    assert rate.method == "Bootstrap"
    assert 0 <= rate.low <= rate.value <= rate.high <= 1


def test_the_bootstrap_is_the_same_for_the_same_seed() -> None:
    outcomes = [[True] * (number % 5) + [False] * (number % 7) for number in range(1, 300)]
    assert resolve_rate(outcomes, seed=4) == resolve_rate(outcomes, seed=4)
    assert resolve_rate(outcomes, seed=4) != resolve_rate(outcomes, seed=5)


def test_the_bootstrap_is_over_instances_and_not_over_samples() -> None:
    """Ten equal samples of an instance say no more than one: the interval is that of 30 instances."""
    rate = resolve_rate([[number % 2 == 0] * 10 for number in range(30)], seed=1)
    low, high = wilson(0.5, 30)
    assert rate.high - rate.low == pytest.approx(high - low, rel=0.15)


@pytest.mark.parametrize(("sample", "ends"), [(True, (0.7225, 1.0)), (False, (0.0, 0.2775))])
def test_outcomes_that_are_all_the_same_are_no_certainty(sample: bool, ends: tuple[float, float]) -> None:
    rate = resolve_rate([[sample] * 4] * 10, seed=1)
    assert ((rate.low, rate.high), rate.method) == (pytest.approx(ends, abs=1e-4), "Wilson")


def test_pass_at_k_is_what_drawing_k_of_the_samples_gives_on_average() -> None:
    draw = random.Random(3)
    outcomes = [[draw.random() < share for _ in range(6)] for share in (0.1, 0.5, 0.9, 0.0, 1.0)]
    for k in range(1, 7):
        subsets = [list(itertools.combinations(one, k)) for one in outcomes]
        some = sum(Fraction(sum(map(any, one)), len(one)) for one in subsets) / len(outcomes)
        every = sum(Fraction(sum(map(all, one)), len(one)) for one in subsets) / len(outcomes)
        assert pass_at(outcomes, k) == pytest.approx(float(some))
        assert pass_hat(outcomes, k) == pytest.approx(float(every))


def test_one_try_passes_as_often_as_the_resolve_rate_says() -> None:
    outcomes: list[Outcomes] = [[True, False, False], [True] * 3, []]
    assert pass_at(outcomes, 1) == pytest.approx(resolve_rate(outcomes, 1).value)
    assert pass_hat(outcomes, 1) == pytest.approx(resolve_rate(outcomes, 1).value)


@pytest.mark.parametrize(
    ("sizes", "ks"),
    [
        ([1, 1], [1]),
        ([4, 4], [1, 2, 3, 4]),
        ([7, 9, 0], [1, 2, 3, 4, 5, 7]),
        ([30], [1, 2, 3, 4, 5, 8, 10, 16, 25, 30]),
        ([0], []),
    ],
)
def test_k_goes_as_far_as_every_predicted_instance_has_samples(sizes: list[int], ks: list[int]) -> None:
    assert ks_of([[True] * size for size in sizes]) == ks


def test_many_samples_are_no_trouble_for_the_arithmetic() -> None:
    assert pass_at([[True] + [False] * 999], 1000) == 1.0
    assert pass_at([[False] * 1000], 500) == 0.0
