from collections.abc import Mapping

import pytest

from swe_workloads.examples import Example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.rows import Row
from swe_workloads.run_file import Select
from swe_workloads.selection import select


def examples(count: int) -> list[Example]:
    return [
        Example(Row("f", number, {}), {"prompt": f"{number}", "completion": "c"}, f"i-{number}", f"r/{number % 5}",
                fail_to_pass=number)
        for number in range(count)
    ]  # fmt: skip


def chosen(count: int, wanted: Mapping[str, object]) -> list[str | None]:
    return [item.instance for item in select(examples(count), Select.model_validate({"seed": 1, **wanted}))]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ({"instanceIds": ["i-3", "i-1"]}, ["i-1", "i-3"]),
        ({"repos": ["r/2"]}, ["i-2", "i-7"]),
        ({"repos": ["swesmith/r__2.01234567"]}, ["i-2", "i-7"]),
        ({"idContains": "-7"}, ["i-7"]),
        ({"failToPass": {"min": 8}}, ["i-8", "i-9"]),
        ({"failToPass": {"max": 1}}, ["i-0", "i-1"]),
        ({"failToPass": {"min": 2, "max": 3}}, ["i-2", "i-3"]),
        ({"repos": ["r/2"], "failToPass": {"min": 3}, "limit": 9}, ["i-7"]),
    ],
)
def test_conditions_narrow_the_rows_together(wanted: dict[str, object], left: list[str]) -> None:
    assert chosen(10, wanted) == left


def test_a_limit_takes_a_seeded_sample_in_file_order() -> None:
    every = [item.instance for item in examples(40)]
    sample = chosen(40, {"limit": 5})
    assert len(sample) == 5
    assert sample == sorted(sample, key=every.index)
    assert sample == chosen(40, {"limit": 5})
    assert sample != chosen(40, {"limit": 5, "seed": 2})


def test_a_sample_is_the_same_on_every_machine() -> None:
    assert chosen(12, {"limit": 3}) == ["i-3", "i-6", "i-10"]


def test_row_order_decides_nothing_even_among_rows_of_one_instance() -> None:
    rows = [Example(Row("f", 1, {}), {"prompt": f"{number}", "completion": "c"}, "i", None) for number in range(20)]
    wanted = Select.model_validate({"seed": 1, "limit": 4})
    sample = {str(item.record["prompt"]) for item in select(rows, wanted)}
    assert sample == {str(item.record["prompt"]) for item in select(rows[::-1], wanted)}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"instanceIds": ["i-1", "i-99"]}, "data.select.instanceIds: no usable row has i-99; the rows have i-0, i-1, "),
        (
            {"repos": ["a/b"]},
            "data.select.repos: no usable row has a/b; the rows have r/0, r/1, r/2 and 2 more. Correct",
        ),
        (
            {"idContains": "pr_"},
            'data.select.idContains: no id has "pr_" in it; the 10 rows left are i-0, i-1, i-2 and 7',
        ),
        (
            {"failToPass": {"min": 20}},
            "no row has at least 20 FAIL_TO_PASS tests; the 10 rows left have 0 to 9. Widen it.",
        ),
        (
            {"repos": ["r/2"], "failToPass": {"max": 1}},
            "no row has 0 to 1 FAIL_TO_PASS tests; the 2 rows left have 2 to 7",
        ),
        ({"instanceIds": ["i-1"], "repos": ["r/2"]}, "data.select.repos: no usable row has r/2; the rows have r/1."),
    ],
)
def test_a_condition_that_leaves_nothing_says_what_it_was_given(wanted: dict[str, object], words: str) -> None:
    with pytest.raises(Failure) as caught:
        chosen(10, wanted)
    assert words in caught.value.message
    assert caught.value.code == ExitCode.INVALID_DATA


def test_rows_that_are_all_unusable_are_not_the_selection_s_fault() -> None:
    assert chosen(0, {"instanceIds": ["i-1"]}) == []
