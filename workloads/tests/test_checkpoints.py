"""Checkpoints on their way to the store and back, with everything that may lie there or go wrong."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoint_maker import read_weights, write_checkpoint
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads import checkpoints
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.checkpoints import CheckpointSync, Origin, restore_newest, restore_step
from swe_workloads.manifest import manifest_of
from swe_workloads.transfer import Patience

PREFIX = "checkpoints/a1/step-4"
BASE = Origin("base", ranks=1)
BUSY_SECONDS = 30  # what a transfer may take where everything else runs too


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SYNC_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(checkpoints, "TROUBLE_PAUSE_SECONDS", 0.02, raising=False)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """What a checkpoint of step 4 consists of, for a test to change."""
    return files_of(write_checkpoint(tmp_path / "whole", 4))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} | {"inputs.json": b'{"modelSha256": "base"}'}


def keep(store: ArtifactStore, files: dict[str, bytes], prefix: str = PREFIX, step: int = 4) -> None:
    """A checkpoint as another attempt left it; names may be any key relative to its folder."""
    digests = {f"{prefix}/{name}": store.write(f"{prefix}/{name}", content) for name, content in files.items()}
    store.write(f"{prefix}/manifest.json", manifest_of(digests, step=step).to_json())


def snapshot(folder: Path, step: int = 4, weights: str = "weights") -> Path:
    return write_checkpoint(folder / "snapshots" / f"step-{step}", step, weights)


def sync(store: ArtifactStore, folder: Path, best: int | None = None) -> CheckpointSync:
    return CheckpointSync(store, folder / "snapshots", attempt=1, keep=1, origin=BASE, best_step=lambda: best)


def wait_for(uploads: CheckpointSync, step: int) -> None:
    deadline = time.monotonic() + 60
    while uploads.committed_step < step:
        assert time.monotonic() < deadline, "not committed"
        time.sleep(0.02)


def restored(store: ArtifactStore, folder: Path, ranks: int = 1) -> tuple[int, str] | None:
    found = restore_newest(store, folder / "output", Origin("base", ranks))
    return (found.step, read_weights(found.folder)) if found else None


def test_what_was_kept_is_restored(store: ArtifactStore, files: dict[str, bytes], tmp_path: Path) -> None:
    keep(store, files)
    assert restored(store, tmp_path) == (4, "weights")


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_bit_off(content: bytes) -> bytes:
    middle = content.index(b" of step ")
    return content[:middle] + b"\0" + content[middle + 1 :]


def emptied(content: bytes) -> bytes:
    return b""


def without_tensors(content: bytes) -> bytes:
    return (2).to_bytes(8, "little") + b"{}"


def of_another_step(content: bytes) -> bytes:
    return content.replace(b'"global_step": 4', b'"global_step": 5')


DAMAGES = [
    ("adapter_model.safetensors", None, "has no weights"),
    ("adapter_model.safetensors", cut_off, "adapter_model.safetensors is cut off"),
    ("adapter_model.safetensors", emptied, "adapter_model.safetensors is cut off"),
    ("adapter_model.safetensors", without_tensors, "adapter_model.safetensors holds no tensors"),
    ("adapter_model.safetensors", lambda _: b"\2" + b"\0" * 7 + b"[]", "is no safetensors file"),
    ("optimizer.pt", None, "optimizer.pt is missing"),
    ("optimizer.pt", cut_off, "optimizer.pt is cut off or damaged"),
    ("optimizer.pt", one_bit_off, "optimizer.pt is damaged"),
    ("optimizer.pt", emptied, "optimizer.pt is cut off or damaged"),
    ("scheduler.pt", None, "scheduler.pt is missing"),
    ("scheduler.pt", one_bit_off, "scheduler.pt is damaged"),
    ("rng_state.pth", None, "rng_state.pth is missing"),
    ("rng_state.pth", one_bit_off, "rng_state.pth is damaged"),
    ("trainer_state.json", None, "trainer_state.json is missing or cut off"),
    ("trainer_state.json", cut_off, "trainer_state.json is missing or cut off"),
    ("trainer_state.json", lambda _: b"[]", "trainer_state.json is missing or cut off"),
    ("trainer_state.json", of_another_step, "trainer_state.json is of another step"),
    ("checkpoint-is-incomplete.txt", lambda _: b"", "the trainer was interrupted"),
    ("model.safetensors.index.json", lambda _: b'{"weight_map": {"a": "part-2.safetensors"}}', "part-2.safetensors is"),
    ("model.safetensors.index.json", cut_off, "model.safetensors.index.json in a readable form is missing"),
]


@pytest.mark.parametrize(("name", "damage", "words"), DAMAGES)
def test_what_was_broken_when_it_was_uploaded_is_named_and_the_one_before_it_used(
    store: ArtifactStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[bytes], bytes] | None,
    words: str,
) -> None:
    keep(store, files_of(write_checkpoint(tmp_path / "older", 2, "older")), "checkpoints/a1/step-2", step=2)
    broken = files_of(write_checkpoint(tmp_path / "newer", 4))
    content = broken.pop(name, b"")
    keep(store, broken if damage is None else {**broken, name: damage(content)})
    assert restored(store, tmp_path) == (2, "older")
    said = capsys.readouterr().out
    assert "checkpoints/a1/step-4 cannot be used" in said
    assert words in said


@pytest.mark.parametrize(("name", "damage", "words"), DAMAGES)
def test_what_is_broken_on_disk_is_not_uploaded(
    store: ArtifactStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    damage: Callable[[bytes], bytes] | None,
    words: str,
) -> None:
    broken = snapshot(tmp_path) / name
    content = broken.read_bytes() if broken.exists() else b""
    broken.unlink(missing_ok=True)
    if damage is not None:
        broken.write_bytes(damage(content))
    uploads = sync(store, tmp_path)
    uploads.finish(5)
    assert uploads.committed_step == 0
    assert store.list_keys("checkpoints/") == []
    assert words in capsys.readouterr().out


def test_every_rank_must_find_its_own_random_state(
    store: ArtifactStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = files_of(write_checkpoint(tmp_path / "two", 4, ranks=2))
    keep(store, {name: content for name, content in files.items() if name != "rng_state_1.pth"})
    assert restored(store, tmp_path, ranks=2) is None
    assert "rng_state_1.pth is missing: each of the 2 ranks must go on from its own" in capsys.readouterr().out


def test_another_number_of_ranks_than_wrote_it_cannot_go_on_from_it(
    store: ArtifactStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(store, files_of(write_checkpoint(tmp_path / "three", 4, ranks=3)))
    assert restored(store, tmp_path, ranks=2) is None
    assert "it was written by 3 ranks, and this attempt has 2" in capsys.readouterr().out


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
    keep(store, files_of(write_checkpoint(tmp_path / "whole", 4)))
    path = endpoint.prefix / PREFIX / "manifest.json"
    document = json.loads(path.read_text())
    document["files"].append({"key": key, "sha256": "0" * 64, "sizeBytes": 1})
    path.write_text(json.dumps(document))
    assert restored(store, tmp_path) is None
    assert "its manifest names files outside of it" in capsys.readouterr().out
    assert not list((tmp_path / "output").rglob("*"))


@pytest.mark.parametrize("inputs", [None, b"[]", b"{"])
def test_a_checkpoint_that_does_not_say_what_it_was_made_on_is_passed_over(
    store: ArtifactStore, files: dict[str, bytes], tmp_path: Path, inputs: bytes | None
) -> None:
    del files["inputs.json"]
    keep(store, files if inputs is None else {**files, "inputs.json": inputs})
    assert restored(store, tmp_path) is None


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
    store.patience = Patience(BUSY_SECONDS)
    assert restored(store, tmp_path) == (4, "weights")


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


def test_a_later_pod_of_the_same_attempt_writes_beside_what_an_earlier_one_left_half_done(
    store: ArtifactStore, tmp_path: Path
) -> None:
    store.write(f"{PREFIX}/trainer_state.json", b"other bytes")
    snapshot(tmp_path)
    wait_for(sync(store, tmp_path), 4)
    assert store.read(f"{PREFIX}-2/manifest.json") is not None
    assert restored(store, tmp_path) == (4, "weights")


def test_of_two_that_pods_of_one_attempt_sealed_the_later_counts(
    store: ArtifactStore, files: dict[str, bytes], tmp_path: Path
) -> None:
    keep(store, files)
    snapshot(tmp_path, weights="other bytes")
    wait_for(sync(store, tmp_path), 4)
    assert restored(store, tmp_path) == (4, "other bytes")


def test_the_best_one_outlasts_a_slow_store(
    store: ArtifactStore, tmp_path: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "TROUBLE_PAUSE_SECONDS", 1)
    endpoint.failures["PUT", 503] = 10_000
    store.patience = Patience(0.1)
    for step in (4, 8, 12, 16):
        snapshot(tmp_path, step, f"weights of {step}")
    uploads = sync(store, tmp_path, best=8)
    while (tmp_path / "snapshots" / "step-12").exists():
        time.sleep(0.02)
    assert sorted(path.name for path in (tmp_path / "snapshots").iterdir()) == ["step-16", "step-8"]
    endpoint.failures.clear()
    store.patience = Patience(BUSY_SECONDS)
    uploads.finish(BUSY_SECONDS)
    found = restore_step(store, tmp_path / "scratch", 8, BASE)
    assert found is not None
    assert read_weights(found.folder) == "weights of 8"
    assert restored(store, tmp_path) == (16, "weights of 16")
