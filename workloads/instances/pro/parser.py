"""Reads what `pytest -v` printed: python parser.py <stdout> <stderr> <output.json>."""

import json
import re
import sys
from pathlib import Path

LINE = re.compile(
    r"^(?P<name>\S+::.*?) (?P<status>PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS)(?: +\[ *\d+%\])?$", re.MULTILINE
)


def parse_test_output(stdout: str) -> list[dict[str, str]]:
    return [{"name": found["name"], "status": found["status"]} for found in LINE.finditer(stdout)]


if __name__ == "__main__":
    tests = parse_test_output(Path(sys.argv[1]).read_text(errors="replace"))
    Path(sys.argv[3]).write_text(json.dumps({"tests": tests}, indent=2))
