"""Attempts at a run as real processes, with a scripted engine."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkpoint_maker import read_weights
from engine.run_document import TOTAL_STEPS
from fake_artifact_endpoint import FakeEndpoint

TESTS = Path(__file__).parents[1]
WITH_SCRIPTED_ENGINE = (
    "from swe_workloads import engine_run, held_out, train; engine_run.ENGINES['SFT'] = 'scripted_engine'; "
    "held_out.MEASURES['SFT'] = 'scripted_measurement'; train.main()"
)


class Wrapper:
    """Attempts at one prepared run."""

    def __init__(self, endpoint: FakeEndpoint, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder

    def start(self, attempt: int, script: str = WITH_SCRIPTED_ENGINE, **environment: str) -> "subprocess.Popen[str]":
        work = self.folder / f"pod-{attempt}"
        work.mkdir(exist_ok=True)
        pod = self.endpoint.environment(work, self.folder / "run.json", attempt)
        paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        return subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, **pod, "PYTHONPATH": paths, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: "subprocess.Popen[str]", attempt: int) -> dict[str, Any]:
        self.output, _ = process.communicate(timeout=240)
        verdict: dict[str, Any] = json.loads((self.folder / f"pod-{attempt}" / "termination").read_text())
        assert process.returncode == verdict["exitCode"], self.output
        return verdict

    def train(self, attempt: int = 1, **environment: str) -> dict[str, Any]:
        return self.finish(self.start(attempt, **environment), attempt)

    def at(self, stored: str, action: Callable[[], object]) -> None:
        """Acts once, when this object has been stored."""
        waiting = [stored]

        def look(what: str) -> None:
            if waiting and waiting[0] in what:
                waiting.clear()
                action()

        self.endpoint.after_put = look

    def change(self, run: dict[str, Any], **fields: Any) -> None:
        (self.folder / "run.json").write_text(json.dumps(run | fields))

    def stored(self, key: str) -> Path:
        return self.endpoint.prefix / key

    def result(self, verdict: dict[str, Any], kind: str = "adapter") -> str:
        [weights] = [
            item["key"] for item in verdict["artifacts"] if item["name"] == f"{kind}/adapter_model.safetensors"
        ]
        return read_weights(self.stored(weights).parent)


def uninterrupted(steps: int = TOTAL_STEPS) -> str:
    weights = ""
    for step in range(1, steps + 1):
        weights = hashlib.sha256(f"{weights}{step}".encode()).hexdigest()
    return weights
