"""A sandbox pod made of processes: grade, and beside it sandbox.sh in a git repository that stands for the image."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.fake_capability_endpoint import FakeCapabilityEndpoint
from evaluation.staging_folder import path_with

WORKLOADS = Path(__file__).parents[2]
INSTANCE = "demo__calc-1"
SOURCE = "def add(a, b):\n    return a - b\n\n\ndef sub(a, b):\n    return a - b\n"
TESTS = """\
import pytest
from calc import add, sub

def test_add():
    assert add(1, 2) == 3

def test_sub():
    assert sub(3, 2) == 1
"""
GOLD = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,5 +1,5 @@
 def add(a, b):
-    return a - b
+    return a + b
\x20
\x20
 def sub(a, b):
"""
GATE = 'until [ -e "$0/go" ]; do sleep 0.02; done; exec /bin/bash "$0/sandbox.sh"'


@dataclass(frozen=True)
class Ended:
    """What a sandbox pod left: the exit code of grade, its termination message, and the outputs in the store."""

    code: int
    termination: dict[str, Any]
    outputs: dict[str, bytes]
    log: str
    seconds: float

    @property
    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.outputs["verdict.json"])
        return found

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.outputs["report.json"])
        return found


@dataclass
class SandboxWorld:
    """`repo` is the image's /testbed; a test changes what it likes before it calls run()."""

    folder: Path
    endpoint: FakeCapabilityEndpoint
    environment: dict[str, str] = field(default_factory=dict)
    # What stands before and between the official markers, and what the instance expects.
    test_command: str = (
        f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -p no:cacheprovider -rA test_calc.py"
    )
    before_tests: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    setup_patch: str | None = None
    # As the preparation writes them.
    assets: list[dict[str, str]] = field(default_factory=list)
    timeout_seconds: int = 60

    def __post_init__(self) -> None:
        self.repo, self.shared, self.work = (self.folder / name for name in ("testbed", "swe", "work"))
        self.staged = self.folder / "image_assets"
        # In the environment of all that runs in the instance's container, whatever session it makes for itself.
        self.container = {"CONTAINER": f"of-{self.folder}", "PATH": path_with(self.staged, self.folder / "shims")}
        for made in (self.repo, self.shared, self.work):
            made.mkdir(parents=True)
        (self.repo / "calc.py").write_text(SOURCE)
        (self.repo / "test_calc.py").write_text(TESTS)
        self.git("init", "--quiet")
        self.commit()

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, cwd=self.repo, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=base", "--allow-empty")

    def instance(self) -> dict[str, Any]:
        return {
            "instance_id": INSTANCE,
            "repo": "demo/calc",
            "version": "1.0",
            "base_commit": self.git("rev-parse", "HEAD").strip(),
            "image": "demo:latest",
            "eval_script": self.script(),
            "log_parser": "parse_log_pytest",
            "eval_type": "pass_and_fail",
            "FAIL_TO_PASS": ["test_calc.py::test_add"],
            "PASS_TO_PASS": ["test_calc.py::test_sub"],
        } | self.row

    def script(self) -> str:
        lines = [
            "#!/bin/bash",
            "set -uxo pipefail",
            f"cd {self.repo}",
            "git status",
            self.before_tests,
            ": '>>>>> Start Test Output'",
            self.test_command,
            ": '>>>>> End Test Output'",
            "git checkout HEAD test_calc.py",
        ]
        return "\n".join(lines) + "\n"

    def prediction(self, patch: str) -> dict[str, Any]:
        return {"instance_id": INSTANCE, "model_name_or_path": "models/one", "model_patch": patch}

    def input(self, patch: str) -> dict[str, Any]:
        more = {"setupPatch": self.setup_patch, "assets": self.assets}
        return {
            "version": 1,
            "format": "SWEBench",
            "instance": self.instance(),
            "prediction": self.prediction(patch),
            "workdir": str(self.repo),
            "timeoutSeconds": self.timeout_seconds,
        } | {name: value for name, value in more.items() if value}

    def run(self, patch: str) -> Ended:
        """Both containers, to the end of grade."""
        self.endpoint.input = json.dumps(self.input(patch)).encode()
        grade, test = self.start_grade(), self.start_test()
        return self.wait(grade, test)

    def start_grade(self) -> "subprocess.Popen[str]":
        environment = {
            **os.environ,
            **self.endpoint.environment(),
            "SWE_WORK_DIR": str(self.work),
            "SWE_SHARED_DIR": str(self.shared),
            "SWE_TERMINATION_FILE": str(self.work / "termination"),
            "SWE_START_SECONDS": "20",
            "SWE_CLOCK_MARGIN_SECONDS": "3",
            "PYTHONUTF8": "1",
            **self.environment,
        }
        command = [sys.executable, "-m", "swe_workloads.evaluation.grade"]
        return subprocess.Popen(
            command, cwd=WORKLOADS, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def start_test(self) -> "subprocess.Popen[bytes]":
        kept = {"HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(["/bin/bash", "-c", GATE, str(self.shared)], cwd=self.repo, env=kept | self.container)

    def wait(self, grade: "subprocess.Popen[str]", test: "subprocess.Popen[bytes] | None") -> Ended:
        begun = time.monotonic()
        while grade.poll() is None and time.monotonic() - begun < 120:
            if test is not None and test.poll() is not None:
                end_container(self.container["CONTAINER"])
            time.sleep(0.02)
        if test is not None:
            end_container(self.container["CONTAINER"])
            test.wait()
        printed, _ = grade.communicate(timeout=60)
        message = self.work / "termination"
        return Ended(
            code=grade.returncode,
            termination=json.loads(message.read_bytes()) if message.exists() else {},
            outputs=dict(self.endpoint.outputs),
            log=printed,
            seconds=time.monotonic() - begun,
        )


def end_container(mark: str) -> None:
    """SIGKILL to every process that has the mark in its environment, as the end of a container's first one brings."""
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and mark.encode() in (folder / "environ").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
