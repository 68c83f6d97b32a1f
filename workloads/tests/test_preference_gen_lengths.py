"""How pairs keep the length of a patch from being what is learnt."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from gen_world import FAILS, MENDS_SOME, PASSES, GenWorld, diff, graded, sides

from swe_workloads.preference_gen.fates import FAR_MISS, NEAR_MISS
from swe_workloads.preference_gen.gen_figures import length_ratio
from swe_workloads.preference_gen.gen_file import LengthBalance, Pairs
from swe_workloads.preference_gen.pairs import Answer, Candidates, Pair, pairs_of
from swe_workloads.preference_gen.questions import Question

BALANCES: tuple[LengthBalance, ...] = ("EachPair", "AllPairs")


def rule_of(balance: LengthBalance, most: int = 3, seed: int = 42) -> Pairs:
    told = {"chosen": "Passing", "rejected": ["Failing"], "maxPerInstance": most, "seed": seed}
    return Pairs.model_validate(told | {"lengthBalance": balance})


def candidates(number: int, chosen: Sequence[int], rejected: Sequence[int]) -> Candidates:
    """Answers of these lengths, equally hard."""
    name = f"team__lib-{number:03}"
    good = [Answer(at, f"{at:+}".ljust(size, "+")) for at, size in enumerate(chosen, 1)]
    bad = [Answer(at, f"{-at}".ljust(size, "-"), FAR_MISS) for at, size in enumerate(rejected, len(good) + 1)]
    return Candidates(Question(name, "team/lib", "gold"), good, bad)


def paired(instances: Sequence[Candidates], rule: Pairs) -> list[Pair]:
    return pairs_of(instances, rule, lambda _: "Mend it.")


def drawn(seed: int, longer: float, instances: int = 60) -> list[Candidates]:
    """Instances of which failing answers are so many times as long as passing ones."""
    chance = random.Random(seed)
    return [
        candidates(
            number,
            [round(400 * chance.lognormvariate(0, 0.5)) for _ in range(chance.randint(1, 4))],
            [round(400 * longer * chance.lognormvariate(0, 0.5)) for _ in range(chance.randint(1, 6))],
        )
        for number in range(instances)
    ]


def rejected_sizes(pairs: Sequence[Pair]) -> list[int]:
    return [len(pair.rejected.text) for pair in pairs]


@pytest.mark.parametrize(
    ("balance", "expected"),
    [("EachPair", [110, 110, 110, 110]), ("AllPairs", [88, 88, 110, 110])],
)
def test_over_all_pairs_longer_and_shorter_ones_cancel(balance: LengthBalance, expected: list[int]) -> None:
    alike = [candidates(number, [100], [110, 88]) for number in range(4)]
    assert sorted(rejected_sizes(paired(alike, rule_of(balance, most=1)))) == expected


def test_pairs_of_one_instance_cancel_too() -> None:
    one = candidates(1, [100], [110, 111, 88])
    assert rejected_sizes(paired([one], rule_of("AllPairs", most=2))) == [110, 88]


def test_what_nearly_passes_comes_before_any_length() -> None:
    one = candidates(1, [100], [100])
    near = Answer(9, "-" * 900, NEAR_MISS)
    pairs = paired([replace(one, rejected=[*one.rejected, near])], rule_of("AllPairs", most=1))
    assert [pair.rejected for pair in pairs] == [near]


@pytest.mark.parametrize("seed", range(8))
def test_an_instance_with_a_choice_makes_up_for_one_without(seed: int) -> None:
    free, forced = candidates(1, [100], [100, 50]), candidates(2, [100], [200])
    assert rejected_sizes(paired([free, forced], rule_of("AllPairs", most=1, seed=seed))) == [50, 200]


@pytest.mark.parametrize("longer", [1.0, 1.35, 0.75, 2.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_all_pairs_the_ratio_is_nearer_to_one_and_no_pair_is_lost(longer: float, seed: int) -> None:
    each, over_all = (paired(drawn(seed, longer), rule_of(balance)) for balance in BALANCES)
    assert len(each) == len(over_all)
    assert abs(sum(pair.lean for pair in over_all)) < abs(sum(pair.lean for pair in each))


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_instances_and_samples_decides_nothing(balance: LengthBalance, seed: int) -> None:
    chance = random.Random(seed)
    known = drawn(seed, 1.3)
    shuffled = [
        replace(
            one,
            chosen=chance.sample(one.chosen, len(one.chosen)),
            rejected=chance.sample(one.rejected, len(one.rejected)),
        )
        for one in chance.sample(known, len(known))
    ]
    assert paired(shuffled, rule_of(balance)) == paired(known, rule_of(balance))


@pytest.mark.parametrize(
    ("sizes", "ratio"),
    [([], None), ([(100, 100)], "1.0000"), ([(200, 100), (100, 200)], "1.0000"), ([(50, 100)], "0.5000")],
)
def test_the_ratio_is_the_geometric_mean_over_pairs(sizes: list[tuple[int, int]], ratio: str | None) -> None:
    pairs = [
        pair
        for at, (good, bad) in enumerate(sizes)
        for pair in paired([candidates(at, [good], [bad])], rule_of("EachPair"))
    ]
    assert length_ratio(pairs) == ratio


def test_the_rule_holds_from_run_file_to_page(gen: GenWorld) -> None:
    gen.document["pairs"].update(maxPerInstance=1, lengthBalance="AllPairs")
    good, long = diff("    return a + b"), diff("    return a * b" + " + 0" * 40)
    other, near, short = (
        diff("    return b + a" + " + 0" * 20),
        diff("    return b - a" + " + 0" * 20),
        diff("    return"),
    )
    summary = graded(gen, {good: PASSES, long: MENDS_SOME}, {other: PASSES, near: FAILS, short: FAILS})
    assert sides(gen) == [(good, long), (other, short)]
    ratio = (len(good) / len(long) * len(other) / len(short)) ** 0.5
    assert summary.length_ratio == f"{ratio:.4f}"
    page = " ".join(gen.text("report/pod-9/report.html").split())
    assert re.search(rf"{summary.length_ratio} times as long .* longer in 1 pair, shorter in 1\.", page)
    card = " ".join(gen.text("report/pod-9/README.md").split())
    assert f"length of chosen by rejected | {summary.length_ratio}" in card and "over all pairs" in card


def test_without_a_pair_there_is_no_ratio(gen: GenWorld) -> None:
    assert graded(gen, {diff("x"): PASSES}).length_ratio is None
