"""What is published in these tests, and how."""

from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import FakeHub

from publishing.publish_world import Spec, publication


@pytest.fixture(autouse=True)
def as_in_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Job says in the environment, which the library reads only once."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)


@pytest.fixture
def spec(hub: FakeHub, endpoint: FakeEndpoint, tmp_path: Path) -> Spec:
    return publication(hub, endpoint, tmp_path)
