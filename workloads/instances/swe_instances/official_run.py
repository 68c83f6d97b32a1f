"""One prediction through the official harness itself: `run_instance()` of swebench, unchanged, with an image's root."""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swebench.harness import grading, run_evaluation
from swebench.harness.utils import make_test_spec

from swe_instances.docker_stand_in import Client
from swe_instances.sandbox import Container

ALREADY_APPLIED = "already applied"
_REFUSED = re.compile(r"Failed to apply patch to container: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """`report` is report.json, absent where the harness writes none; `applied_with` the command that took the patch."""

    state: str
    applied_with: str | None
    report: dict[str, Any] | None
    log: Path


@dataclass(frozen=True)
class Work:
    """Where and how long."""

    container: Container
    folder: Path
    timeout_seconds: int


def evaluate(row: Mapping[str, Any], patch: str | None, work: Work, setup_patch: str | None = None) -> Outcome:
    """Grades a patch, or without one the instance as it is. A setup patch is committed first, as SWE-smith does it."""
    if setup_patch is not None:
        _commit(setup_patch, work)
    prediction = {"instance_id": row["instance_id"], "model_name_or_path": "fixture", "model_patch": patch or ""}
    client = Client(work.container, work.folder, work.timeout_seconds)
    # It calls the docker command.
    run_evaluation.cleanup_container = lambda *_: None
    with contextlib.chdir(work.folder), contextlib.redirect_stdout(None):
        run_evaluation.run_instance(
            make_test_spec(dict(row)), prediction, client, "run", work.timeout_seconds, skip_patch=patch is None
        )
    [left] = work.folder.glob("logs/run_evaluation/run/fixture/*")
    report = left / "report.json"
    found = json.loads(report.read_text()) if report.exists() else None
    return Outcome(_state(found), _applied_with(left / "run_instance.log"), found, left / "test_output.txt")


def statuses(row: Mapping[str, Any], log: Path) -> dict[str, str]:
    """How each test ended. Raises ValueError if the log is none of a run."""
    found, valid = grading.get_logs_eval(make_test_spec(dict(row)), str(log))
    if not valid:
        raise ValueError(f"No tests of {row['instance_id']} can be read from {log}")
    return dict(found)


def passed(test: str, found: Mapping[str, str]) -> bool:
    """As the official grading says it."""
    return bool(grading.test_passed(test, dict(found)))


def _commit(patch: str, work: Work) -> None:
    (work.container.root / "tmp/bug.diff").write_text(patch)
    command = "git apply --index /tmp/bug.diff && git commit --quiet --message 'Bug Patch' && rm /tmp/bug.diff"
    log = work.folder / "setup.txt"
    if work.container.run(["/bin/bash", "-c", command], log) != 0:
        raise ValueError(f"The bug does not go in: {log.read_text()}")


def _state(report: dict[str, Any] | None) -> str:
    if report is None:
        return "Error"
    [entry] = report.values()
    return "Resolved" if entry["resolved"] else "Unresolved"


def _applied_with(log: Path) -> str | None:
    """The first of the commands that the log does not call failed."""
    said = log.read_text()
    if run_evaluation.APPLY_PATCH_PASS not in said:
        return None
    refused = _REFUSED.findall(said)
    return next((command for command in run_evaluation.GIT_APPLY_CMDS if command not in refused), ALREADY_APPLIED)
