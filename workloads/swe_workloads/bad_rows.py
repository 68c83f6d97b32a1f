"""Rows that cannot be used, as they are told about: all in a file, some in the verdict, by reason in a table."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from swe_workloads.markdown import table
from swe_workloads.rows import BadRow
from swe_workloads.verdict import BadRowExample

BAD_ROWS_FILE = "bad-rows.jsonl"
EXAMPLES = 5
REASONS = 10
REASON_CHARACTERS = 200
_NUMBER = re.compile(r"\d+")


def name_of(bad: BadRow) -> str:
    return f"row {bad.number} of {bad.file}"


def first_of(bad: Sequence[BadRow]) -> str:
    """As a sentence."""
    return f"The first, {name_of(bad[0])}: {bad[0].reason}."


def examples_of(bad: Sequence[BadRow]) -> list[BadRowExample]:
    """The first few, for the verdict."""
    return [BadRowExample(row=row.number, reason=_reason(row)[:REASON_CHARACTERS]) for row in bad[:EXAMPLES]]


def write_bad_rows(bad: Iterable[BadRow], folder: Path) -> Path:
    lines = ({"file": row.file, "row": row.number, "reason": row.reason} for row in bad)
    return write_lines(folder / BAD_ROWS_FILE, lines)


def write_lines(path: Path, lines: Iterable[Mapping[str, object]]) -> Path:
    with path.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def bad_rows_table(bad: Sequence[BadRow]) -> str:
    """By reason, the most frequent first; reasons that differ in a number only are one."""
    alike: dict[str, list[BadRow]] = defaultdict(list)
    for row in bad:
        alike[_NUMBER.sub("", row.reason)].append(row)
    groups = sorted(alike.values(), key=len, reverse=True)
    lines = [(str(len(rows)), rows[0].reason, name_of(rows[0])) for rows in groups[:REASONS]]
    rest = sum(len(rows) for rows in groups[REASONS:])
    if rest:
        lines.append((str(rest), "other reasons, each in bad-rows.jsonl", ""))
    return table(("# rows", "reason", "first"), lines)


def _reason(bad: BadRow) -> str:
    # With several files a row number alone says nothing.
    return f"{bad.file.rsplit('/', 1)[-1]}: {bad.reason}" if "/" in bad.file else bad.reason
