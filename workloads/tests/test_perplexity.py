import json
import math
import random
from pathlib import Path

import pytest

from swe_workloads.perplexity import FEWEST_ROWS, MOST_DRAWN, Absent, Estimate, HeldOutRow, estimate, perplexity


def rows_of(count: int, seed: int = 7) -> list[HeldOutRow]:
    draw = random.Random(seed)
    tokens = [draw.randint(20, 900) for _ in range(count)]
    return [HeldOutRow(row=n, tokens=t, nll=t * draw.lognormvariate(0, 0.3)) for n, t in enumerate(tokens)]


def estimated(rows: list[HeldOutRow], seed: int = 42) -> Estimate:
    found = estimate(rows, seed)
    assert isinstance(found, Estimate), found
    return found


def test_every_token_counts_the_same_however_long_its_row_is() -> None:
    rows = [HeldOutRow(row=n, tokens=10, nll=10.0) for n in range(30)] + [HeldOutRow(row=30, tokens=900, nll=1800.0)]
    found = estimated(rows)
    assert found.value == pytest.approx(math.exp((300 + 1800) / 1200))
    assert (found.rows, found.tokens) == (31, 1200)


def test_the_interval_holds_the_value_and_narrows_with_more_rows() -> None:
    few, many = estimated(rows_of(40)), estimated(rows_of(400))
    for found in (few, many):
        assert found.low < found.value < found.high
    assert (many.high - many.low) < (few.high - few.low) / 2


def test_equal_rows_leave_nothing_open() -> None:
    found = estimated([HeldOutRow(row=n, tokens=5, nll=5 * math.log(3)) for n in range(25)])
    assert (found.low, found.value, found.high) == pytest.approx((3, 3, 3))


def test_the_interval_covers_what_the_rows_were_drawn_from() -> None:
    true = math.exp(math.exp(0.3**2 / 2))
    found = [estimated(rows_of(60, seed)) for seed in range(40)]
    covering = sum(one.low <= true <= one.high for one in found)
    assert 34 <= covering <= 40


def test_seed_and_rows_alone_decide() -> None:
    rows = rows_of(50)
    assert estimated(rows, 1) == estimated(rows, 1)
    assert estimated(rows, 1) != estimated(rows, 2)
    assert estimated(rows, 1).value == estimated(rows, 2).value


def test_more_rows_than_are_drawn_one_by_one_give_the_interval_of_that_many_rows() -> None:
    many = rows_of(MOST_DRAWN + 5000)
    found = estimated(many)
    deviation = math.sqrt(sum((row.nll - row.tokens * math.log(found.value)) ** 2 for row in many)) / found.tokens
    assert math.log(found.high / found.low) == pytest.approx(2 * 1.96 * deviation, rel=0.1)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "no rows were held out"),
        (rows_of(FEWEST_ROWS - 1), "19 held-out rows are too few"),
        ([HeldOutRow(row=n, tokens=2, nll=400.0) for n in range(30)], "no prediction at all"),
    ],
)
def test_a_figure_that_would_say_nothing_is_absent_with_the_reason(rows: list[HeldOutRow], reason: str) -> None:
    found = estimate(rows, 42)
    assert isinstance(found, Absent)
    assert reason in found.reason


def test_it_is_read_from_the_file_that_the_engine_leaves(tmp_path: Path) -> None:
    held_out = tmp_path / "held_out.jsonl"
    rows = rows_of(30)
    held_out.write_text("".join(row.model_dump_json() + "\n" for row in rows))
    assert perplexity(held_out, 42) == estimate(rows, 42)


NO_NUMBER = json.dumps({"row": 1, "tokens": 3, "nll": math.nan})


@pytest.mark.parametrize("line", ["{broken", NO_NUMBER, '{"row": 1, "tokens": 0, "nll": 0}'])
def test_rows_that_cannot_be_read_are_said(tmp_path: Path, line: str) -> None:
    (tmp_path / "held_out.jsonl").write_text(line + "\n")
    found = perplexity(tmp_path / "held_out.jsonl", 42)
    assert isinstance(found, Absent)
    assert "cannot be read" in found.reason
    assert perplexity(tmp_path / "none.jsonl", 42) == Absent("the held-out rows were not measured")
