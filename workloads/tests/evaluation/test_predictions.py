import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation.eval_world import DIFF, prediction
from swe_workloads.evaluation.diffs import diff_problem
from swe_workloads.evaluation.predictions import Duplicate, Predictions, Said, collect, read_prediction
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.examples import Unusable
from swe_workloads.rows import BadRow, Row


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path / "shelf") as opened:
        yield opened


def collected(shelf: Shelf, *rows: dict[str, Any]) -> Predictions:
    return collect([Row("p.jsonl", number, row) for number, row in enumerate(rows, start=1)], shelf)


def samples(found: Predictions) -> list[tuple[str, int]]:
    return [(one.instance, one.sample) for one in found.usable]


def test_predictions_of_one_instance_are_its_samples_in_file_order(shelf: Shelf) -> None:
    found = collected(shelf, prediction(1), prediction(2), prediction(1, "other\n"), prediction(1, model="another"))
    assert samples(found) == [
        ("psf__requests-1", 1),
        ("psf__requests-2", 1),
        ("psf__requests-1", 2),
        ("psf__requests-1", 3),
    ]
    assert [one.model for one in found.usable] == ["team/model", "team/model", "team/model", "another"]


def test_what_lies_aside_is_the_prediction_as_the_official_harness_takes_it(shelf: Shelf) -> None:
    patch = DIFF + " ünï\u2028code"
    [one] = collected(shelf, prediction(1, patch, trajectory=["long"])).usable
    assert one.document is not None
    assert json.loads(shelf.get(one.document)) == prediction(1, patch)


def test_a_repeated_row_is_kept_once_and_named(shelf: Shelf) -> None:
    found = collected(shelf, prediction(1), prediction(2), prediction(1))
    assert samples(found) == [("psf__requests-1", 1), ("psf__requests-2", 1)]
    assert found.duplicates == [Duplicate("p.jsonl", 3, "psf__requests-1", "p.jsonl", 1)]
    assert found.read == 3


def test_a_row_of_another_file_is_a_repetition_even_with_the_same_number(shelf: Shelf) -> None:
    found = collect([Row("a.jsonl", 1, prediction()), Row("b.jsonl", 1, prediction())], shelf)
    assert found.duplicates == [Duplicate("b.jsonl", 1, "psf__requests-1", "a.jsonl", 1)]


def test_equal_patches_are_two_samples_when_a_column_tells_them_apart(shelf: Shelf) -> None:
    found = collected(shelf, prediction(1, sample=0), prediction(1, sample=1))
    assert samples(found) == [("psf__requests-1", 1), ("psf__requests-1", 2)]


@pytest.mark.parametrize("patch", ["", None, " \n\t"])
def test_an_empty_patch_is_a_sample_without_a_document(shelf: Shelf, patch: str | None) -> None:
    found = collected(shelf, prediction(1, patch), prediction(1))
    assert [(one.sample, one.document is None) for one in found.usable] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"instance_id": "i", "model_name_or_path": "m", "model_patch": "p"}, Said("i", "m", "p")),
        ({"instance_id": "i", "patch": "p", "prefix": "run-1"}, Said("i", "run-1", "p")),
        ({"instance_id": "i", "model_patch": None, "patch": "gold"}, Said("i", "None", "")),
    ],
)
def test_patch_and_model_are_read_as_each_tool_calls_them(row: dict[str, Any], said: Said) -> None:
    assert read_prediction(Row("f", 1, row)) == said


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"model_patch": "p"}, "instance_id is missing"),
        ({"instance_id": 7, "model_patch": "p"}, "instance_id must be a string, not int"),
        ({"instance_id": "i"}, "model_patch is missing"),
        ({"instance_id": "i", "model_patch": ["p"]}, "model_patch must be a string or null, not list"),
        ({"instance_id": "i", "model_patch": "p", "model_name_or_path": 4}, "model_name_or_path must be a string"),
    ],
)
def test_a_row_that_says_no_prediction_is_named_with_the_reason(shelf: Shelf, row: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read_prediction(Row("f", 1, row))
    found = collected(shelf, row, prediction())
    assert (len(found.usable), [(bad.number, bad.reason.startswith(words)) for bad in found.bad]) == (1, [(1, True)])


def test_what_the_reader_refused_is_kept_with_its_reason(shelf: Shelf) -> None:
    bad = BadRow("p.jsonl", 2, "not valid JSON")
    assert collect([bad], shelf).bad == [bad]


@pytest.mark.parametrize(
    ("patch", "problem"),
    [
        (DIFF, None),
        ("\nSome words before.\n" + DIFF, None),
        (DIFF + "-- \n2.34.1\n\n", None),
        ("diff --git a/x b/x\nGIT binary patch\nliteral 0\n", None),
        (DIFF.rstrip("\n"), "there is no newline at its end"),
        ("I would change the sign.\n", "it is no unified diff"),
        (DIFF.replace("@@ -1,2 +1,2 @@", "@@ -1,3 +1,2 @@"), "the hunk at line 4 is shorter than it says"),
        (DIFF.replace("@@ -1,2 +1,2 @@", "@@ here @@"), "line 4 is no hunk's header: @@ here @@"),
    ],
)
def test_a_malformed_diff_is_told_by_what_is_wrong_with_it(patch: str, problem: str | None) -> None:
    assert diff_problem(patch) == problem


def test_a_malformed_diff_is_a_prediction_all_the_same(shelf: Shelf) -> None:
    [one] = collected(shelf, prediction(1, "no diff\n")).usable
    assert (one.document is None, one.problem) == (False, "it is no unified diff")
