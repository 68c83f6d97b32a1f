"""What several tests need: an endpoint, a run file, a store client."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import run_document
from evaluation.fake_registry import FakeRegistry
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import FakeChatApi
from fake_hub import FakeHub
from gen_world import GenWorld

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation import image_layers, registries
from swe_workloads.pod import Pod
from swe_workloads.transfer import Patience

PodMaker = Callable[[dict[str, Any]], Pod]


@pytest.fixture(autouse=True)
def nobody_elses_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebase and a hook name theirs in the environment, and git would write there instead of where a test is."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[FakeEndpoint]:
    (tmp_path / "endpoint").mkdir()
    fake = FakeEndpoint(tmp_path / "endpoint")
    yield fake
    fake.stop()


@pytest.fixture
def store(endpoint: FakeEndpoint) -> ArtifactStore:
    return ArtifactStore(endpoint.url, endpoint.folder / "token", endpoint.folder / "ca.crt", Patience(5))


@pytest.fixture
def run(tmp_path: Path) -> dict[str, Any]:
    """A run file's content that a test may change; its rows are at tmp_path/rows.jsonl."""
    return run_document(tmp_path / "rows.jsonl")


@pytest.fixture
def pod_of(endpoint: FakeEndpoint, tmp_path: Path) -> PodMaker:
    def make(run: dict[str, Any]) -> Pod:
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        run_file = tmp_path / "run.json"
        run_file.write_text(json.dumps(run))
        return Pod.model_validate(endpoint.environment(work, run_file))

    return make


@pytest.fixture
def gen(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker) -> GenWorld:
    return GenWorld(tmp_path, endpoint, pod_of)


@pytest.fixture
def chat_api() -> Iterator[FakeChatApi]:
    fake = FakeChatApi()
    yield fake
    fake.stop()


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    fake = FakeHub().start()
    yield fake
    fake.stop()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    served = FakeRegistry()
    yield served
    served.stop()


@pytest.fixture
def short_patience_with_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "IMAGE_SECONDS", 2.0)
    monkeypatch.setattr(registries, "SILENT_SECONDS", 0.5)
    monkeypatch.setattr(image_layers, "PAUSE_SECONDS", 0.05)
