"""A generation to test with: rows, run.json, an API to ask, and the program in this process or one of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from evaluation.eval_world import HARNESS, write_lines
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import MODEL, Body, FakeChatApi
from gen_world import gen_row

from swe_workloads.exit_codes import Failure
from swe_workloads.generation import asking, pace
from swe_workloads.generation.generate import generate
from swe_workloads.generation.verdicts import GenerateSummary, GenerateVerdict
from swe_workloads.pod import Pod

PodMaker = Callable[[dict[str, Any]], Pod]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM)
HERE = Path(__file__).parent


def generate_document(instances: Path, url: str) -> dict[str, Any]:
    """run.json as the operator writes it."""
    return {
        "version": 1,
        "owner": {"namespace": "team", "name": "samples", "uid": "0b5e7c1a-run"},
        "instances": {"source": {"configMapFile": str(instances)}, "format": "SWEBench", "select": {"seed": 42}},
        "allowEvaluationSets": False,
        "prompt": {"style": "Pro", "codeTokens": 16384},
        "model": {"url": url, "name": MODEL, "credentials": "None"},
        "sampling": {
            "samplesPerInstance": 4, "temperature": "0.8", "topP": "0.95", "maxTokens": 4096, "stop": [], "seed": 42,
        },
        "concurrency": 4,
        "limits": {"requestSeconds": 20, "attempts": 4},
        "harnessVersion": "5.0.2",
    }  # fmt: skip


@dataclass
class GenerationWorld:
    folder: Path
    endpoint: FakeEndpoint
    pod_of: PodMaker
    api: FakeChatApi
    rows: list[Any] = field(default_factory=lambda: [gen_row(number) for number in (1, 2, 3)])

    def __post_init__(self) -> None:
        self.document = generate_document(self.folder / "rows.jsonl", self.api.url)

    def pod(self, uid: str = "pod-1") -> Pod:
        write_lines(self.folder / "rows.jsonl", *self.rows)
        return self.pod_of(self.document).model_copy(update={"pod_uid": uid})

    def generate(self, uid: str = "pod-1") -> GenerateVerdict:
        with kept_signals():
            return generate(self.pod(uid), HARNESS)

    def summary(self) -> GenerateSummary:
        verdict = self.generate()
        assert verdict.summary is not None, verdict
        return verdict.summary

    def failure(self, uid: str = "pod-1") -> Failure:
        with pytest.raises(Failure) as caught:
            self.generate(uid)
        return caught.value

    def with_key(self, key: str) -> None:
        """A Secret with this key, which is what the specification names from now on."""
        self.document["model"]["credentials"] = "Secret"
        path = self.folder / "work/credentials/model/OPENAI_API_KEY"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)

    def start(self, uid: str = "pod-1", **variables: str) -> "subprocess.Popen[str]":
        """The program as a pod runs it."""
        self.pod()
        work = self.folder / uid
        work.mkdir(exist_ok=True)
        environment = self.endpoint.environment(work, self.folder / "run.json") | {"SWE_POD_UID": uid}
        paths = os.pathsep.join([str(HERE), str(HERE.parent)])
        return subprocess.Popen(
            [sys.executable, "-m", "swe_workloads.generation.generate"],
            env={**os.environ, **environment, "PYTHONPATH": paths, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def termination(self, uid: str = "pod-1") -> dict[str, Any]:
        verdict: dict[str, Any] = json.loads((self.folder / uid / "termination").read_text())
        return verdict

    def lines(self, name: str, uid: str = "pod-1") -> list[dict[str, Any]]:
        text = (self.endpoint.prefix / "samples" / uid / name).read_text()
        return [json.loads(line) for line in text.split("\n") if line]  # splitlines() knows ends that jsonl has not

    def stored(self) -> list[dict[str, Any]]:
        """The lines of all batches of all pods."""
        paths = sorted((self.endpoint.prefix / "samples").glob("*/*.jsonl"))
        return [json.loads(line) for path in paths if path.stem.isdigit() for line in path.read_text().splitlines()]


@contextmanager
def kept_signals() -> Iterator[None]:
    """The program handles signals until its process ends; a test's process goes on."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def is_of(body: Body, part: str) -> bool:
    return part in body["messages"][0]["content"]


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test's length."""
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(pace, "FIRST_HOLD_SECONDS", 0.05)


def many_rows() -> list[dict[str, Any]]:
    return [gen_row(number) for number in range(1, 21)]
