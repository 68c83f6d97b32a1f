"""Rows of evaluations that the user names: nothing that is like them is to be learnt from."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import first_of
from swe_workloads.data_sources import Origin
from swe_workloads.evaluation.reading import fetch, rows_of
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.contamination import Contamination
from swe_workloads.preference_gen.gen_file import Against
from swe_workloads.preference_gen.traits import Traits, traits_of
from swe_workloads.rows import BadRow, read_rows
from swe_workloads.verdict import FrozenSource

FIELD = "spec.decontamination.against"
# All public sets together have some four thousand; their texts are compared in memory.
MOST_ROWS = 10_000


@dataclass(frozen=True)
class EvaluationRows:
    """Usable ones with the set that they are of, as its source is called."""

    rows: list[tuple[str, Traits]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    sources: list[FrozenSource] = field(default_factory=list)

    def compared(self) -> Contamination:
        return Contamination(self.rows)


def read_evaluation_rows(against: list[Against], pod: Pod, store: ArtifactStore) -> EvaluationRows:
    """Raises Failure that names the field."""
    found = EvaluationRows()
    for number, one in enumerate(against):
        _read(one, number, found, pod, store)
    if against:
        say(f"Read {len(found.rows)} rows of evaluations to compare with.")
    return found


def _read(one: Against, number: int, found: EvaluationRows, pod: Pod, store: ArtifactStore) -> None:
    place = f"{FIELD}[{number}]"
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as folder:
        data = fetch(one.source, Origin(place, f"evaluation-{number}"), pod, store, Path(folder))
        found.sources.append(data.frozen())
        before, bad = len(found.rows), len(found.bad)
        for row in rows_of(data, read_rows):
            if isinstance(row, BadRow):
                found.bad.append(row)
            elif (traits := traits_of(row.fields, one.format)) is None:
                found.bad.append(BadRow(row.file, row.number, "instance_id is missing"))
            else:
                found.rows.append((data.uri, traits))
            if len(found.rows) > MOST_ROWS:
                message = f"{place}: there are more than {MOST_ROWS} rows to compare with. Name smaller sets."
                raise Failure(ExitCode.INVALID_DATA, message)
    if len(found.rows) == before:
        first = f" {first_of(found.bad[bad:])}" if len(found.bad) > bad else ""
        raise Failure(ExitCode.INVALID_DATA, f"{place}: {data.uri} has no row to compare with.{first} Correct it.")
