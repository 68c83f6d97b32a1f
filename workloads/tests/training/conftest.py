"""What is trained in these tests."""

import json
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import MODEL_URI
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_files import DATA_MANIFEST
from swe_workloads.manifest import manifest_of
from training.train_world import Wrapper


@pytest.fixture
def wrapper(run: dict[str, Any], endpoint: FakeEndpoint, store: ArtifactStore, tmp_path: Path) -> Wrapper:
    for name in ("config.json", "model.safetensors"):
        endpoint.put(f"{MODEL_URI}/{name}", b"{}")
    rows = b'{"prompt": "question", "completion": " answer"}\n'
    data = {"data/pod/train.jsonl": rows, "data/pod/test.jsonl": b""}
    digests = {key: store.write(key, content) for key, content in data.items()}
    store.write(DATA_MANIFEST, manifest_of(digests).to_json())
    (tmp_path / "run.json").write_text(json.dumps(run))
    return Wrapper(endpoint, tmp_path)
