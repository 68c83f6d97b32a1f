"""What is learnt of a folder of trajectories: the conversation of each attempt, or of those that resolved.

Whether an attempt resolved is in no trajectory: a report of an evaluation beside it says so (trajectory_reports.py).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.conversations import conversation_of
from swe_workloads.data_sources import FetchedData
from swe_workloads.evaluation_sets import repository_in
from swe_workloads.examples import Example, Unusable, text_of
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.resolved_predictions import refuse_judged
from swe_workloads.rows import BadRow, Row, row_of
from swe_workloads.run_file import TrajectoryFolder
from swe_workloads.split import digest
from swe_workloads.trajectory_files import TRAJECTORY_ENDINGS, Attempt, read_trajectory
from swe_workloads.trajectory_reports import Report, Reports, read_reports, reports_of

FIELD = "data.trajectories"


@dataclass(frozen=True)
class NotResolved:
    """An attempt that a report does not count among those that resolved."""

    file: str


@dataclass(frozen=True)
class _Told:
    """What one file comes to. `vouched` is where a report vouches for it, and `patch` what it vouches for."""

    item: Example | BadRow | NotResolved
    vouched: tuple[str, str] | None = None
    patch: str = ""


def attempts_in(data: FetchedData, wanted: TrajectoryFolder) -> list[Example | BadRow | NotResolved]:
    """One of each trajectory, in the order of their names. Raises Failure where nothing tells what was asked."""
    files = {name: path for name, path in data.files.items() if name.endswith(TRAJECTORY_ENDINGS)}
    if not files:
        message = f"{FIELD}: There is no .traj.json or .traj file at {data.uri}: name the folder that an agent wrote."
        raise Failure(ExitCode.INVALID_DATA, message)
    reports = read_reports(data.files) if wanted.only_resolved else {}
    if wanted.only_resolved and not reports:
        raise Failure(ExitCode.INVALID_DATA, _without_report(data.uri))
    return _of_one_attempt([_told(name, path, wanted, reports) for name, path in files.items()])


def _without_report(uri: str) -> str:
    return (
        f"{FIELD}.onlyResolved: nothing at {uri} tells which attempts resolved. Put the report of their evaluation "
        "there (results.json of SWE-agent, <model>.<run>.json of the harness), set onlyResolved: false to learn from "
        "all, or have a SWEBenchEval grade them (predictions.s3) and name that in fromEval with a style."
    )


def _told(name: str, path: Path, wanted: TrajectoryFolder, reports: Reports) -> _Told:
    row = read_trajectory(path, name)
    if isinstance(row, BadRow):
        return _Told(row)
    try:
        instance = text_of(row, "instance_id")
        repository = repository_in(instance)
        refuse_judged(repository or "", instance, wanted)
        vouching = _vouching(name, instance, reports) if wanted.only_resolved else []
        if vouching is None:
            return _Told(NotResolved(name))
        example = _example(row, instance, repository, wanted)
    except Unusable as error:
        return _Told(BadRow(name, 1, str(error)))
    vouched = (vouching[0].file, instance) if vouching else None
    return _Told(example, vouched, digest(str(row.fields["model_patch"] or "").strip()))


def _vouching(name: str, instance: str, reports: Reports) -> Sequence[Report] | None:
    """The reports that count the attempt as resolved, all of its folder; None where one of them does not.

    Raises Unusable where none tells.
    """
    nearest = reports_of(name, reports)
    if not nearest:
        raise Unusable(
            "no report in its folder or above tells whether it resolved: put one there, or onlyResolved: false"
        )
    damaged = next((one.file for one in nearest if one.resolved is None), None)
    if damaged is not None:
        raise Unusable(f"{damaged} is no JSON and may be the report: correct it, or take it away")
    return nearest if all(instance in (one.resolved or ()) for one in nearest) else None


def _example(row: Attempt, instance: str, repository: str | None, wanted: TrajectoryFolder) -> Example | BadRow:
    """Raises Unusable."""
    record = {"messages": conversation_of(row.said, wanted.style)}
    # As a row of its own: what was said in it may be no text although the patch is.
    told = row_of(row.file, row.number, record)
    return told if isinstance(told, BadRow) else Example(Row(row.file, 1, {}), told.fields, instance, repository)


def _of_one_attempt(all_told: Sequence[_Told]) -> list[Example | BadRow | NotResolved]:
    """A report is of one attempt at each instance: of several with different patches it does not say which."""
    patches: dict[tuple[str, str], set[str]] = defaultdict(set)
    for told in all_told:
        if told.vouched is not None:
            patches[told.vouched].add(told.patch)
    return [_unless_rivalled(told, patches) for told in all_told]


def _unless_rivalled(told: _Told, patches: Mapping[tuple[str, str], set[str]]) -> Example | BadRow | NotResolved:
    rivals = 0 if told.vouched is None else len(patches[told.vouched])
    if told.vouched is None or rivals < 2 or not isinstance(told.item, Example):
        return told.item
    report, instance = told.vouched
    return BadRow(
        told.item.row.file,
        1,
        f"{report} is about one attempt at {instance}, and {rivals} with different patches lie below it: give each run "
        "a folder with its own report",
    )
