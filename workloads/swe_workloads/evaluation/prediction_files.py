"""Files of predictions: what SWE-agent, mini-swe-agent, SWE-bench and SWE-bench Pro write."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.rows import DATA_ENDINGS, PARQUET, BadRow, Row, read_rows, row_of
from swe_workloads.trajectory_files import TRAJECTORY_ENDINGS, read_trajectory

ID = "instance_id"
PREDICTION_ENDINGS = (*DATA_ENDINGS, ".traj")
_BLANK = re.compile(r"[ \t\r\n]*")


def read_prediction_rows(path: Path, name: str) -> Iterator[Row | BadRow]:
    """Every row, unusable ones with the reason: of jsonl, a JSON list, parquet, or one JSON object by instance id.

    A trajectory is one row.
    Raises Failure(INVALID_DATA) for an object by id that is not whole: its end may have held any number of them.
    """
    if name.endswith(TRAJECTORY_ENDINGS):
        yield read_trajectory(path, name)
        return
    if name.endswith((".jsonl", PARQUET)) or not _is_by_id(path):
        yield from read_rows(path, name)
        return
    text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    try:
        for number, (key, value) in enumerate(_entries(text), start=1):
            yield _row(name, number, key, value)
    except (ValueError, RecursionError) as error:
        message = f"{name} is no JSON list, no object by instance id and no jsonl ({error}). Correct the file."
        raise Failure(ExitCode.INVALID_DATA, message) from error


def _is_by_id(path: Path) -> bool:
    """An object whose first line is not a prediction of its own, as it would be in jsonl."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as opened:
        first = next((line for line in opened if line.strip()), "")
    if not first.lstrip().startswith("{"):
        return False
    try:
        return ID not in json.loads(first)
    except (ValueError, RecursionError):
        return True  # an object over several lines


def _entries(text: str) -> Iterator[tuple[str, object]]:
    """One entry of the object at a time, and the same key twice as often as it is there."""
    decoder = json.JSONDecoder()
    at = _past(text, 0, "{")
    if text.startswith("}", at):
        return
    while True:
        key, at = decoder.raw_decode(text, at)
        if not isinstance(key, str):
            raise ValueError(f"a name was expected before character {at}")
        value, at = decoder.raw_decode(text, _past(text, at, ":"))
        yield key, value
        if text.startswith("}", _blank(text, at)):
            break
        at = _past(text, at, ",")
    if _blank(text, _past(text, at, "}")) != len(text):
        raise ValueError("there is more after its end")


def _past(text: str, at: int, sign: str) -> int:
    """Where the next thing begins after this sign."""
    place = _blank(text, at)
    if not text.startswith(sign, place):
        raise ValueError(f"{sign} was expected at character {place}")
    return _blank(text, place + 1)


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _row(name: str, number: int, key: str, value: object) -> Row | BadRow:
    row = row_of(name, number, value)
    if isinstance(row, BadRow):
        return BadRow(name, number, f"{key[:80]}: {row.reason}")
    inside = row.fields.get(ID, key)
    if inside != key:
        return BadRow(name, number, f"{key[:80]}: its instance_id is {str(inside)[:80]}")
    return row_of(name, number, {**row.fields, ID: key})
