"""Reports of evaluations beside trajectories: which attempts of their run resolved.

Summaries of the official harness and of sb-cli, `<model>.<run>.json`, which SWE-agent calls results.json.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.run_file import TrajectoryFolder
from swe_workloads.trajectory_files import MOST_BYTES, TRAJECTORY_ENDINGS

# The second is of SWE-agent before 1.0 and of the results that SWE-bench publishes.
_LISTS = ("resolved_ids", "resolved")


@dataclass(frozen=True)
class Report:
    """`resolved` are instances. None of a file that is no JSON, and may have been a report."""

    file: str
    resolved: frozenset[str] | None


# By their folder.
Reports = Mapping[str, Sequence[Report]]


def folder_endings(wanted: TrajectoryFolder) -> tuple[str, ...]:
    """Of the files that have to be fetched."""
    return (*TRAJECTORY_ENDINGS, ".json") if wanted.only_resolved else TRAJECTORY_ENDINGS


def read_reports(files: Mapping[str, Path]) -> Reports:
    """What else is in the files, such as lists of predictions, is passed over."""
    found: dict[str, list[Report]] = {}
    for name, path in files.items():
        if name.endswith(".json") and not name.endswith(TRAJECTORY_ENDINGS):
            report = _read(name, path)
            if report is not None:
                found.setdefault(_folder(name), []).append(report)
    return found


def reports_of(trajectory: str, reports: Reports) -> Sequence[Report]:
    """Those of the nearest folder that has any, beginning with the trajectory's own; none where no folder has."""
    folder = _folder(trajectory)
    while folder not in reports and folder:
        folder = _folder(folder)
    return reports.get(folder, ())


def _read(name: str, path: Path) -> Report | None:
    if path.stat().st_size > MOST_BYTES:  # no list of ids is as long
        return None
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return Report(name, None)
    told = document if isinstance(document, dict) else {}
    ids = next((told[key] for key in _LISTS if isinstance(told.get(key), list)), None)
    return None if ids is None else Report(name, frozenset(str(one) for one in ids))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]
