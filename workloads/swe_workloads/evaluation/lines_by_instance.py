"""Lines of a jsonl file, found by their instance: the prompts of 50,000 instances are too many for the memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ID = "instance_id"


@dataclass(frozen=True)
class LinesByInstance:
    """Where each line begins, in bytes. What it says is read each time that it is asked for."""

    path: Path
    begins: Mapping[str, int]

    def __contains__(self, instance: object) -> bool:
        return instance in self.begins

    def line(self, instance: str) -> dict[str, object]:
        with self.path.open("rb") as opened:
            opened.seek(self.begins[instance])
            said: dict[str, object] = json.loads(opened.readline())
        return said


def lines_by_instance(path: Path) -> LinesByInstance:
    """Of several lines of one instance the last one counts."""
    begins: dict[str, int] = {}
    begin = 0
    with path.open("rb") as opened:
        for line in opened:
            begins[str(json.loads(line)[ID])] = begin
            begin += len(line)
    return LinesByInstance(path, begins)
