"""Pairs as parquet, for those who read columns: the hub's viewer, datasets and what works on many files."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swe_workloads.evaluation.parts import in_parts

ROWS_AT_ONCE = 256
TEXT_COLUMNS = ("instance_id", "repo")
TURN_COLUMNS = ("prompt", "chosen", "rejected")


def write_parquet(path: Path, lines: Iterable[Mapping[str, object]]) -> Path:
    """Pairs as messages. Columns have their types without any pair too."""
    from pyarrow.parquet import ParquetWriter

    schema = _schema()
    with ParquetWriter(path, schema) as writer:
        for some in in_parts(lines, _size, ROWS_AT_ONCE):
            writer.write_table(_table(some, schema))
    return path


def _size(line: Mapping[str, Any]) -> int:
    """In characters: prompts with code and patches may be megabytes."""
    return sum(len(turn["content"]) for name in TURN_COLUMNS for turn in line[name])


def _schema() -> Any:
    import pyarrow

    turns = pyarrow.list_(pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.string())]))
    columns = [*((name, turns) for name in TURN_COLUMNS), *((name, pyarrow.string()) for name in TEXT_COLUMNS)]
    return pyarrow.schema(columns)


def _table(rows: list[Mapping[str, object]], schema: Any) -> Any:
    import pyarrow

    return pyarrow.Table.from_pylist(rows, schema=schema)
