"""One prediction through grade and sandbox.sh of this project, as the two containers of a sandbox pod."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.fake_capability_endpoint import FakeCapabilityEndpoint

from swe_instances.sandbox import WORKDIR, Container

_GATE = "until [ -e /swe/go ]; do sleep 0.02; done; exec /bin/bash /swe/sandbox.sh"


@dataclass(frozen=True)
class Verdict:
    """verdict.json, and report.json where there is one."""

    said: dict[str, Any]
    report: dict[str, Any] | None


def evaluate(document: Mapping[str, Any], root: Path, folder: Path) -> Verdict:
    """`document` is what the preparation lays down for grade."""
    shared, work = folder / "swe", folder / "work"
    shared.mkdir(parents=True)
    work.mkdir()
    endpoint = FakeCapabilityEndpoint(folder / "endpoint", input=json.dumps(document).encode())
    environment = {
        **os.environ,
        **endpoint.environment(),
        "SWE_WORK_DIR": str(work),
        "SWE_SHARED_DIR": str(shared),
        "SWE_TERMINATION_FILE": str(work / "termination"),
        "SWE_CLOCK_MARGIN_SECONDS": "5",
    }
    try:
        with (folder / "grade.log").open("w") as log:
            grade = subprocess.Popen(
                [sys.executable, "-m", "swe_workloads.evaluation.grade"], env=environment, stdout=log, stderr=log
            )
            Container(root, shared).run(["/bin/bash", "-c", _GATE], folder / "test.log")
            grade.wait(600)
    finally:
        endpoint.stop()
    report = endpoint.outputs.get("report.json")
    return Verdict(endpoint.document("verdict.json"), None if report is None else json.loads(report))


def document(columns: Mapping[str, Any], patch: str, timeout_seconds: int, setup_patch: str | None) -> dict[str, Any]:
    """inputs/<ordinal>.json of one prediction."""
    prediction = {"instance_id": columns["instance_id"], "model_name_or_path": "fixture", "model_patch": patch}
    return {
        "version": 1,
        "format": "SWEBench" if setup_patch is None else "SWESmith",
        "instance": dict(columns),
        "prediction": prediction,
        **({} if setup_patch is None else {"setupPatch": setup_patch}),
        "workdir": WORKDIR,
        "timeoutSeconds": timeout_seconds,
    }
