"""Rows as the user wrote them: jsonl or a JSON list, each with its place for the messages about it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One usable JSON object. `number` counts from 1 in its file; for jsonl it is the line."""

    file: str
    number: int
    fields: dict[str, object]


@dataclass(frozen=True)
class BadRow:
    file: str
    number: int
    reason: str


def read_rows(path: Path, name: str) -> Iterator[Row | BadRow]:
    """Every row of the file, unusable ones with the reason. `name` is what the user calls the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        yield BadRow(name, 1, f"the file is not UTF-8 text: {error.reason} at byte {error.start}")
        return
    rows = _from_list(text, name) if text.lstrip().startswith("[") else _from_lines(text, name)
    yield from rows


def _from_lines(text: str, name: str) -> Iterator[Row | BadRow]:
    # Not splitlines(): JSON strings may hold U+2028 and the like, which end no line of jsonl.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield _row(name, number, json.loads(line))
        except ValueError as error:
            yield BadRow(name, number, f"not valid JSON: {error}")


def _from_list(text: str, name: str) -> Iterator[Row | BadRow]:
    try:
        items = json.loads(text)
    except ValueError as error:
        yield BadRow(name, 1, f"the file is not a valid JSON list: {error}")
        return
    for number, item in enumerate(items, start=1):
        yield _row(name, number, item)


def _row(name: str, number: int, item: object) -> Row | BadRow:
    if isinstance(item, dict):
        return Row(name, number, item)
    return BadRow(name, number, f"a row must be a JSON object, this is {type(item).__name__}")
