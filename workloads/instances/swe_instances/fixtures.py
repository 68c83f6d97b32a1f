"""The rows in the files, as the preparation of an evaluation reads them, with the images they stand for."""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from swe_instances.pro import PRO
from swe_instances.rows import Row, gold
from swe_instances.sources import ROOT, Instance, instances, read
from swe_workloads.evaluation.benchmark_rows import read_instance
from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.reading import installed_harness
from swe_workloads.rows import Row as RowInFile

BENCH, SMITH = "rows.swebench.jsonl", "rows.swesmith.jsonl"
_FORMATS: dict[str, Format] = {BENCH: "SWEBench", SMITH: "SWESmith", PRO: "SWEBenchPro"}


@dataclass(frozen=True)
class Fixture:
    """`columns` is what the official harness gets; `setup_patch` has to be in the image's repository before."""

    instance: Instance
    format: Format
    row: Row
    image: str
    columns: dict[str, Any]
    setup_patch: str | None

    @property
    def id(self) -> str:
        return str(self.columns["instance_id"])

    @property
    def gold(self) -> str:
        return gold(self.instance)


@cache
def fixtures(file: str) -> tuple[Fixture, ...]:
    """All rows of a file, in its order."""
    rows = [json.loads(line) for line in read(ROOT / file).splitlines()]
    return tuple(_fixture(file, number, row) for number, row in enumerate(rows, 1))


def _fixture(file: str, number: int, row: Row) -> Fixture:
    row_format = _FORMATS[file]
    found = read_instance(RowInFile(file, number, row), row_format, installed_harness())
    of = {_key(instance, row_format): instance for instance in instances()}
    instance = of[str(row["instance_id" if row_format == "SWEBench" else "patch"])]
    name = instance.id.lower()
    images = {"SWEBench": name, "SWESmith": instance.package.name, "SWEBenchPro": f"pro/{name}"}
    return Fixture(instance, row_format, row, images[row_format], found.columns, found.setup_patch)


def _key(instance: Instance, row_format: Format) -> str:
    """What tells in a row whose it is."""
    return {"SWEBench": instance.id, "SWESmith": instance.bug, "SWEBenchPro": gold(instance)}[row_format]
