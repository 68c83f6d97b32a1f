import random

import pytest

from swe_workloads.examples import Example
from swe_workloads.rows import Row
from swe_workloads.run_file import Split
from swe_workloads.split import duplicates_across, duplicates_within, split


def example(instance: str | None, repository: str | None = "a/a", text: str | None = None) -> Example:
    record: dict[str, object] = {"prompt": text or f"prompt of {instance}", "completion": "c"}
    return Example(Row("f", 1, {}), record, instance, repository)


def examples(count: int) -> list[Example]:
    return [example(f"i-{number}", f"r/{number % 5}") for number in range(count)]


def rule(percent: int = 90, by: str = "Instance", seed: int = 1) -> Split:
    return Split.model_validate({"trainPercent": percent, "by": by, "seed": seed})


def names(found: list[Example]) -> list[str | None]:
    return [item.instance for item in found]


@pytest.mark.parametrize(("count", "percent", "train"), [(10, 70, 7), (10, 99, 9), (10, 1, 1), (2, 90, 1), (1, 50, 1)])
def test_sides_come_close_to_the_percentage_with_none_empty(count: int, percent: int, train: int) -> None:
    first, second = split(examples(count), rule(percent))
    assert (len(first), len(second)) == (train, count - train)


def test_row_order_decides_nothing() -> None:
    rows = examples(40)
    shuffled = random.Random(3).sample(rows, len(rows))
    assert set(names(split(rows, rule())[0])) == set(names(split(shuffled, rule())[0]))


def test_a_split_is_the_same_on_every_machine() -> None:
    rows = examples(12)
    assert names(split(rows, rule(75))[1]) == ["i-4", "i-5", "i-7"]
    assert names(split(rows, rule(75, "Repository"))[1]) == ["i-1", "i-6", "i-11"]


def test_another_seed_is_another_split() -> None:
    rows = examples(40)
    assert names(split(rows, rule(seed=1))[1]) != names(split(rows, rule(seed=2))[1])


def test_rows_of_one_instance_stay_on_one_side() -> None:
    rows = [example(f"i-{number % 4}", text=f"{number}") for number in range(12)]
    train, test = split(rows, rule(75))
    assert (len(train), len(test)) == (9, 3)
    assert not set(names(train)) & set(names(test))


def test_rows_of_one_repository_stay_on_one_side() -> None:
    train, test = split(examples(50), rule(80, "Repository"))
    assert (len(train), len(test)) == (40, 10)
    assert not {item.repository for item in train} & {item.repository for item in test}


def test_equal_rows_without_an_instance_stay_together() -> None:
    rows = [example(None, text=f"{number % 10}") for number in range(30)]
    train, test = split(rows, rule(50))
    assert duplicates_across(train, test) == 0
    assert duplicates_within(rows) == 20


def test_duplicates_are_seen_through_spacing_and_letter_case() -> None:
    train = [example("a", text="Fix  the\nbug")]
    test = [example("b", text="fix the bug"), example("c", text="fix the other bug")]
    assert duplicates_across(train, test) == 1
