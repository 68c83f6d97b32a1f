"""Rows as the user wrote them: jsonl, a JSON list or parquet, each with its place for the messages about it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

DATA_ENDINGS = (".jsonl", ".json", PARQUET := ".parquet")
PARQUET_ROWS = 256  # at a time: instances have test lists and patches of megabytes
NOT_TEXT = "not UTF-8 text: it holds other bytes, or half of a surrogate pair such as \\ud800"


@dataclass(frozen=True)
class Row:
    """One usable object. `number` counts from 1 in its file; for jsonl it is the line."""

    file: str
    number: int
    fields: dict[str, object]


@dataclass(frozen=True)
class BadRow:
    file: str
    number: int
    reason: str


def read_rows(path: Path, name: str) -> Iterator[Row | BadRow]:
    """Every row of the file, unusable ones with the reason. `name` is what the user calls the file, with its ending."""
    if name.endswith(PARQUET):
        yield from _from_parquet(path, name)
        return
    # Bytes that are no text become lone surrogates, so that they spoil their own row and no other.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as opened:
        # Lines are read one by one: a file of predictions or instances may be larger than the memory.
        yield from _from_list(opened.read(), name) if _begins_list(opened) else _from_lines(opened, name)


def _begins_list(opened: TextIO) -> bool:
    """Whether the first sign of the text opens a list. Afterwards the text is at its beginning again."""
    while (sign := opened.read(1)).isspace():
        pass
    opened.seek(0)
    return sign == "["


def _from_lines(lines: Iterable[str], name: str) -> Iterator[Row | BadRow]:
    # A file's own lines, not splitlines(): JSON strings may hold U+2028 and the like, which end no line of jsonl.
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if not _is_text(line):
            yield BadRow(name, number, NOT_TEXT)
            continue
        try:
            yield row_of(name, number, json.loads(line.removesuffix("\n")))
        except (ValueError, RecursionError) as error:
            yield BadRow(name, number, f"not valid JSON: {error}")


def _from_list(text: str, name: str) -> Iterator[Row | BadRow]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield BadRow(name, 1, f"the file is not a valid JSON list: {error}")
        return
    del text  # no longer than it must be beside what it says
    for number, item in enumerate(items, start=1):
        yield row_of(name, number, item)


def _from_parquet(path: Path, name: str) -> Iterator[Row | BadRow]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        for batch in ParquetFile(path).iter_batches(PARQUET_ROWS):
            for item in _python_values(batch):
                number += 1
                yield BadRow(name, number, NOT_TEXT) if item is None else row_of(name, number, item)
    except (ArrowException, OSError, ValueError) as error:
        yield BadRow(name, number + 1, f"the file is not valid parquet from here on: {error}")


def _python_values(batch: Any) -> list[Any]:
    """A dict for each row, None for one with bytes that are no text, which spoil the whole batch at first."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            return [None]
        return [value for at in range(batch.num_rows) for value in _python_values(batch.slice(at, 1))]


def row_of(name: str, number: int, item: object) -> Row | BadRow:
    """What a file says at one place, if it can be a row."""
    if not isinstance(item, dict):
        return BadRow(name, number, f"a row must be a JSON object, this is {type(item).__name__}")
    # default: parquet has times and bytes, in columns that nothing is made of.
    if not _is_text(json.dumps(item, ensure_ascii=False, default=str)):
        return BadRow(name, number, NOT_TEXT)
    return Row(name, number, item)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
