import json
import tracemalloc
from datetime import datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from swe_workloads.rows import NOT_TEXT, BadRow, Row, read_rows


def read(folder: Path, content: str | bytes) -> list[Row | BadRow]:
    path = folder / "rows"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_rows(path, "rows.jsonl"))


def test_jsonl_rows_are_numbered_by_line(tmp_path: Path) -> None:
    first, second = read(tmp_path, '{"a": 1}\n\n{"a": 2}\n')
    assert (first, second) == (Row("rows.jsonl", 1, {"a": 1}), Row("rows.jsonl", 3, {"a": 2}))


def test_a_json_list_is_numbered_by_position(tmp_path: Path) -> None:
    assert [row.number for row in read(tmp_path, '[{"a": 1},\n {"a": 2}]')] == [1, 2]


def test_a_bad_line_spoils_only_itself(tmp_path: Path) -> None:
    good, bad, list_row, last = read(tmp_path, '{"a": 1}\n{"a": \n[1]\n{"a": 2}')
    assert isinstance(good, Row)
    assert isinstance(last, Row)
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.reason.startswith("not valid JSON")) == (2, True)
    assert isinstance(list_row, BadRow)
    assert list_row.reason == "a row must be a JSON object, this is list"


def test_line_separators_inside_strings_end_no_row(tmp_path: Path) -> None:
    [row] = read(tmp_path, json.dumps({"a": "one\u2028two\x85three"}, ensure_ascii=False))
    assert isinstance(row, Row)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    assert [type(row) for row in read(tmp_path, '\ufeff{"a": 1}\r\n{"a": 2}\r\n')] == [Row, Row]


@pytest.mark.parametrize("content", ["[{", b"\xff\xfe{}"])
def test_a_file_that_cannot_be_read_is_one_bad_row(tmp_path: Path, content: str | bytes) -> None:
    [bad] = read(tmp_path, content)
    assert isinstance(bad, BadRow)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, "\n") == []


def test_bytes_that_are_no_text_spoil_only_their_row(tmp_path: Path) -> None:
    content = b'{"a": 1}\n{"a": "caf\xe9"}\n\xff\xfe\n{"a": "\\ud800"}\n{"a": 5}\n'
    rows = read(tmp_path, content)
    assert [(row.number, type(row)) for row in rows] == [(1, Row), (2, BadRow), (3, BadRow), (4, BadRow), (5, Row)]
    assert [row.reason.startswith("not UTF-8 text") for row in rows if isinstance(row, BadRow)] == [True] * 3


def test_bytes_that_are_no_text_spoil_only_their_item_of_a_list(tmp_path: Path) -> None:
    assert [type(row) for row in read(tmp_path, b'[{"a": 1}, {"a": "\xe9"}, {"a": 3}]')] == [Row, BadRow, Row]


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a":' * 100_000, '{"a": \0}', "\0\0", '{"a": ' + "9" * 5000 + "}"])
def test_a_row_made_to_break_the_reader_is_a_bad_row(tmp_path: Path, line: str) -> None:
    assert [type(row) for row in read(tmp_path, f'{{"a": 1}}\n{line}\n{{"a": 3}}')] == [Row, BadRow, Row]


def test_a_list_nested_too_deeply_is_one_bad_row(tmp_path: Path) -> None:
    assert [type(row) for row in read(tmp_path, "[" * 100_000)] == [BadRow]


def test_a_row_may_be_very_long_and_hold_any_character(tmp_path: Path) -> None:
    fields = {"a": "x" * 5_000_000, "b": "\0\r\n\U0001f642"}
    assert read(tmp_path, json.dumps(fields)) == [Row("rows.jsonl", 1, fields)]


def parquet(folder: Path, table: pyarrow.Table) -> list[Row | BadRow]:
    path = folder / "0"
    pyarrow.parquet.write_table(table, path, row_group_size=2)
    return list(read_rows(path, "rows.parquet"))


def test_parquet_rows_are_numbered_and_hold_python_values(tmp_path: Path) -> None:
    columns = {"name": ["a", "b", "c"], "tests": [["t1"], [], None], "nested": [{"x": [1]}, {"x": []}, None]}
    rows = parquet(tmp_path, pyarrow.table(columns))
    assert rows == [
        Row("rows.parquet", 1, {"name": "a", "tests": ["t1"], "nested": {"x": [1]}}),
        Row("rows.parquet", 2, {"name": "b", "tests": [], "nested": {"x": []}}),
        Row("rows.parquet", 3, {"name": "c", "tests": None, "nested": None}),
    ]


def test_times_and_bytes_in_parquet_are_no_reason_to_refuse_a_row(tmp_path: Path) -> None:
    columns = {"name": ["a"], "created_at": [datetime(2026, 1, 1)], "raw": [b"\xff"]}
    [row] = parquet(tmp_path, pyarrow.table(columns))
    assert isinstance(row, Row)
    assert row.fields["name"] == "a"


def test_bytes_that_are_no_text_spoil_their_own_row_of_parquet_only(tmp_path: Path) -> None:
    names = pyarrow.array([b"a", b"\xff", b"c"]).view(pyarrow.string())
    first, bad, last = parquet(tmp_path, pyarrow.table({"name": names}))
    assert (first, last) == (Row("rows.parquet", 1, {"name": "a"}), Row("rows.parquet", 3, {"name": "c"}))
    assert bad == BadRow("rows.parquet", 2, NOT_TEXT)


@pytest.mark.parametrize("size", [0, 3, 60])
def test_a_file_that_is_no_parquet_says_so(tmp_path: Path, size: int) -> None:
    path = tmp_path / "0"
    pyarrow.parquet.write_table(pyarrow.table({"name": ["a"]}), path)
    path.write_bytes(path.read_bytes()[:size])
    [bad] = read_rows(path, "rows.parquet")
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.reason.startswith("the file is not valid parquet")) == (1, True)


def test_a_bad_line_is_described_as_if_it_stood_alone(tmp_path: Path) -> None:
    bad, _ = read(tmp_path, '{"a": \n{"a": 2}\n')
    assert isinstance(bad, BadRow)
    assert bad.reason == "not valid JSON: Expecting value: line 1 column 7 (char 6)"


def test_of_many_lines_one_at_a_time_is_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text(f"{json.dumps({'a': 'x' * 100_000})}\n" * 300)
    tracemalloc.start()
    assert sum(1 for _ in read_rows(path, "rows.jsonl")) == 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
