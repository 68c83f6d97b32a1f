"""Checkpoints on their way to the store and back, with everything that may lie there or go wrong."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads import checkpoints
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.checkpoints import CheckpointSync, restore_newest
from swe_workloads.manifest import manifest_of
from swe_workloads.transfer import Patience

PREFIX = "checkpoints/a1/step-4"
FILES = {
    "adapter_model.safetensors": b"weights",
    "inputs.json": b'{"modelSha256": "base"}',
    "trainer_state.json": b'{"global_step": 4}',
}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SYNC_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(checkpoints, "TROUBLE_PAUSE_SECONDS", 0.02, raising=False)


def keep(store: ArtifactStore, files: dict[str, bytes]) -> None:
    """A checkpoint as another attempt left it; names may be any key relative to its folder."""
    digests = {f"{PREFIX}/{name}": store.write(f"{PREFIX}/{name}", content) for name, content in files.items()}
    store.write(f"{PREFIX}/manifest.json", manifest_of(digests, step=4).to_json())


def snapshot(folder: Path, step: int = 4, weights: str = "weights") -> Path:
    taken = folder / "snapshots" / f"step-{step}"
    taken.mkdir(parents=True)
    (taken / "adapter_model.safetensors").write_text(weights)
    (taken / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return taken


def sync(store: ArtifactStore, folder: Path) -> CheckpointSync:
    return CheckpointSync(store, folder / "snapshots", attempt=1, keep=3, model_sha256="base")


def wait_for(uploads: CheckpointSync, step: int) -> None:
    deadline = time.monotonic() + 20
    while uploads.committed_step < step:
        assert time.monotonic() < deadline, "not committed"
        time.sleep(0.02)


def test_what_was_kept_is_restored(store: ArtifactStore, tmp_path: Path) -> None:
    keep(store, FILES)
    restored = restore_newest(store, tmp_path / "output", "base")
    assert restored is not None
    assert (restored.step, (restored.folder / "adapter_model.safetensors").read_bytes()) == (4, b"weights")


@pytest.mark.parametrize(
    "key",
    [
        "data/pod/train.jsonl",
        "checkpoints/a1/step-40/x",
        f"{PREFIX}/../../a2/x",
        f"{PREFIX}/inner/../../x",
        f"{PREFIX}//etc/x",
        f"{PREFIX}/./x",
        f"{PREFIX}/",
        f"{PREFIX}/a\0b",
    ],
)
def test_a_manifest_that_names_anything_outside_its_folder_is_passed_over_unread(
    store: ArtifactStore, endpoint: FakeEndpoint, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(store, FILES)
    path = endpoint.prefix / PREFIX / "manifest.json"
    document = json.loads(path.read_text())
    document["files"].append({"key": key, "sha256": "0" * 64, "sizeBytes": 1})
    path.write_text(json.dumps(document))
    assert restore_newest(store, tmp_path / "output", "base") is None
    assert "its manifest names files outside of it" in capsys.readouterr().out
    assert not list((tmp_path / "output").rglob("*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("inputs.json", None), ("inputs.json", b"[]"), ("inputs.json", b"{"), ("trainer_state.json", b"[]")],
)
def test_a_sealed_checkpoint_with_unusable_files_is_passed_over(
    store: ArtifactStore, tmp_path: Path, name: str, content: bytes | None
) -> None:
    files = {other: kept for other, kept in FILES.items() if other != name}
    keep(store, files if content is None else {**files, name: content})
    assert restore_newest(store, tmp_path / "output", "base") is None


def test_an_upload_that_failed_midway_is_taken_up_again(
    endpoint: FakeEndpoint, store: ArtifactStore, tmp_path: Path
) -> None:
    endpoint.failures["trainer_state.json", 503] = 3
    store.patience = Patience(0.6)
    snapshot(tmp_path)
    uploads = sync(store, tmp_path)
    wait_for(uploads, 4)
    uploads.finish(5)
    assert endpoint.failures["trainer_state.json", 503] == 0
    assert restore_newest(store, tmp_path / "output", "base") is not None


def test_a_full_disk_does_not_end_the_uploads(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.upload_all
    troubles: list[Exception] = [OSError(28, "No space left on device")]

    def upload_all(files: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return real(files)

    monkeypatch.setattr(store, "upload_all", upload_all)
    snapshot(tmp_path)
    wait_for(sync(store, tmp_path), 4)


def test_what_an_earlier_pod_of_the_same_attempt_left_half_done_costs_only_that_step(
    store: ArtifactStore, tmp_path: Path
) -> None:
    store.write(f"{PREFIX}/trainer_state.json", b"other bytes")
    snapshot(tmp_path)
    snapshot(tmp_path, step=8)
    uploads = sync(store, tmp_path)
    wait_for(uploads, 8)
    uploads.finish(5)
    restored = restore_newest(store, tmp_path / "output", "base")
    assert restored is not None
    assert restored.step == 8


def test_a_step_that_an_earlier_pod_of_the_same_attempt_sealed_counts(store: ArtifactStore, tmp_path: Path) -> None:
    keep(store, FILES)
    snapshot(tmp_path, weights="other bytes")
    wait_for(sync(store, tmp_path), 4)
