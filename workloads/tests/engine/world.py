"""A small world for one run: the tiny model, some rows, a store, and attempts as real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_artifact_endpoint import FakeEndpoint

from engine.run_document import CHECKPOINT_EVERY, MODEL_URI, preferences_document, run_document


class World:
    """Everything lies below one temporary folder. `model` is a folder made by tiny_model."""

    def __init__(self, model: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="swe-world-"))
        (self.folder / "endpoint").mkdir()
        self.endpoint = FakeEndpoint(self.folder / "endpoint")
        for path in model.iterdir():
            self.endpoint.put(f"{MODEL_URI}/{path.name}", path.read_bytes())
        self.rows = self.folder / "rows.jsonl"
        self.write_rows(some_rows())
        self.run = run_document(self.rows)

    def compare(self) -> None:
        """From here on the run compares answers."""
        self.write_rows(some_pairs())
        self.run = preferences_document(self.rows)

    def write_rows(self, rows: list[dict[str, str]]) -> None:
        self.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def stop(self) -> None:
        self.endpoint.stop()
        shutil.rmtree(self.folder)

    def prepare(self) -> dict[str, Any]:
        """The verdict."""
        process = self._start("swe_workloads.prepare", attempt=1)
        process.communicate(timeout=240)
        return self.verdict(1)

    def start(self, attempt: int, **environment: str) -> "subprocess.Popen[str]":
        return self._start("swe_workloads.train", attempt, **environment)

    def train(self, attempt: int = 1, **environment: str) -> dict[str, Any]:
        """The verdict. Its exit code is the process's."""
        return self.finish(self.start(attempt, **environment), attempt)

    def finish(self, process: "subprocess.Popen[str]", attempt: int) -> dict[str, Any]:
        output, _ = process.communicate(timeout=600)
        verdict = self.verdict(attempt)
        assert verdict["exitCode"] == process.returncode, output
        self.output = output
        return verdict

    def verdict(self, attempt: int) -> dict[str, Any]:
        return json.loads((self.work(attempt) / "termination").read_text())  # type: ignore[no-any-return]

    def work(self, attempt: int) -> Path:
        folder = self.folder / f"pod-{attempt}"
        folder.mkdir(exist_ok=True)
        return folder

    def stored(self, key: str) -> Path:
        return self.endpoint.prefix / key

    def when_stored(self, part: str, action: "Any") -> None:
        """Runs the action once, after an object whose key holds this text was stored."""
        waiting = [part]

        def look(what: str) -> None:
            if waiting and waiting[0] in what:
                waiting.clear()
                action()

        self.endpoint.after_put = look

    def _start(self, module: str, attempt: int, **environment: str) -> "subprocess.Popen[str]":
        run_file = self.folder / "run.json"
        run_file.write_text(json.dumps(self.run))
        (self.work(attempt) / "termination").unlink(missing_ok=True)
        self.endpoint.requests.clear()
        pod = self.endpoint.environment(self.work(attempt), run_file, attempt)
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **pod, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def kill_engine(wrapper: "subprocess.Popen[str]", number: signal.Signals = signal.SIGKILL) -> None:
    children = Path(f"/proc/{wrapper.pid}/task/{wrapper.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), number)


def checkpoint_after(step: int) -> int:
    """The step of the first periodic checkpoint that an attempt from there makes."""
    return (step // CHECKPOINT_EVERY + 1) * CHECKPOINT_EVERY


def wait_for(condition: Any, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def some_rows() -> list[dict[str, str]]:
    words = ["read", "write", "open", "close", "parse", "print", "match", "split", "join", "count", "sort", "find"]
    return [
        {
            "prompt": f"Explain how to {word} and {other} a file line by line. " * 3,
            "completion": f"def {word}_{other}(path):\n    return [{word}(line) for line in {other}(path)]\n" * 3,
        }
        for word in words
        for other in words[:2]
    ]


def some_pairs() -> list[dict[str, str]]:
    """The chosen answers are of one kind and the rejected ones of another, whatever is asked."""
    return [
        {
            "prompt": row["prompt"],
            "chosen": row["completion"],
            "rejected": "raise NotImplementedError  # this can not be done at all, sorry\n" * 3,
        }
        for row in some_rows()
    ]
