import json
from pathlib import Path

import pytest

from swe_workloads.evaluation.prediction_files import read_prediction_rows
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.rows import BadRow, Row

# One real line of SWE-agent's all_preds.jsonl, its patch shortened.
HANDLER = "pydicom/pixel_data_handlers/numpy_handler.py"
SWE_AGENT = (
    '{"model_name_or_path": "gpt4__swe-bench-dev-easy_first_only__default__t-0.00__p-0.95__c-3.00__install-1", '
    '"instance_id": "pydicom__pydicom-1458", "model_patch": "\\n'
    f"diff --git a/{HANDLER} b/{HANDLER}\\n--- a/{HANDLER}\\n+++ b/{HANDLER}\\n"
    '@@ -285,1 +285,1 @@\\n-a\\n+b\\n"}\n'
)
ONE, TWO = {"model_patch": "a", "model_name_or_path": "m"}, {"model_patch": "b", "model_name_or_path": "m"}


def read(folder: Path, content: str, name: str) -> list[Row | BadRow]:
    path = folder / "file"
    path.write_text(content)
    return list(read_prediction_rows(path, name))


def instances(rows: list[Row | BadRow]) -> list[object]:
    return [row.fields["instance_id"] for row in rows if isinstance(row, Row)]


def test_all_preds_of_swe_agent_are_lines(tmp_path: Path) -> None:
    [row] = read(tmp_path, SWE_AGENT, "all_preds.jsonl")
    assert isinstance(row, Row)
    assert row.fields["instance_id"] == "pydicom__pydicom-1458"
    assert str(row.fields["model_patch"]).startswith("\ndiff --git")


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["preds.json", "preds"])
def test_preds_of_mini_swe_agent_are_an_object_by_id(tmp_path: Path, indent: int | None, name: str) -> None:
    content = json.dumps({"a__a-1": {**ONE, "instance_id": "a__a-1"}, "b__b-2": TWO}, indent=indent)
    rows = read(tmp_path, content, name)
    assert (instances(rows), [row.number for row in rows]) == (["a__a-1", "b__b-2"], [1, 2])


@pytest.mark.parametrize("name", ["preds.json", "preds.jsonl", "preds"])
def test_a_list_and_lines_are_told_apart_by_their_text(tmp_path: Path, name: str) -> None:
    rows = [{"instance_id": "a", **ONE}, {"instance_id": "b", **TWO}]
    assert instances(read(tmp_path, json.dumps(rows, indent=1), name)) == ["a", "b"]
    assert instances(read(tmp_path, "\n".join(map(json.dumps, rows)), name)) == ["a", "b"]


def test_an_id_that_stands_twice_in_an_object_is_two_rows(tmp_path: Path) -> None:
    rows = read(tmp_path, f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(TWO)}}}', "preds.json")
    assert [row.fields["model_patch"] for row in rows if isinstance(row, Row)] == ["a", "b"]


def test_an_entry_that_is_no_prediction_is_named_and_spoils_only_itself(tmp_path: Path) -> None:
    content = json.dumps({"a": "diff", "b": {**ONE, "instance_id": "c"}, "d": ONE})
    first, second, third = read(tmp_path, content, "preds.json")
    assert first == BadRow("preds.json", 1, "a: a row must be a JSON object, this is str")
    assert second == BadRow("preds.json", 2, "b: its instance_id is c")
    assert isinstance(third, Row)


@pytest.mark.parametrize(("content", "count"), [("{}", 0), ("{ }\n", 0), ("", 0), ("[]", 0)])
def test_a_file_without_predictions_has_no_rows(tmp_path: Path, content: str, count: int) -> None:
    assert len(read(tmp_path, content, "preds.json")) == count


@pytest.mark.parametrize(
    "content",
    ['{"a": {"model_patch": "x"', '{"a": 1,}', '{"a" 1}', "{1: 2}", '{"a": {}} more', '{"a": {}}\n{"b": {}}', "{"],
)
def test_an_object_that_is_not_whole_is_refused_as_a_whole(tmp_path: Path, content: str) -> None:
    with pytest.raises(Failure, match=r"preds\.json is no JSON list, no object by instance id and no jsonl") as caught:
        read(tmp_path, content, "preds.json")
    assert caught.value.code == ExitCode.INVALID_DATA


def test_a_broken_line_of_jsonl_spoils_only_itself(tmp_path: Path) -> None:
    broken, good = read(
        tmp_path, f'{{"instance_id": "a", "mod\n{json.dumps({"instance_id": "b", **ONE})}', "preds.jsonl"
    )
    assert isinstance(broken, BadRow)
    assert isinstance(good, Row)


def test_text_that_is_no_text_spoils_only_its_entry(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b'{"a": {"model_patch": "\xe9"}, "b": {"model_patch": "x"}}')
    bad, good = read_prediction_rows(path, "preds.json")
    assert isinstance(bad, BadRow)
    assert isinstance(good, Row)
