"""Checkpoints between this pod and the store. A checkpoint exists once its manifest does."""

import json
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import Manifest, manifest_of, read_manifest
from swe_workloads.pod import say
from swe_workloads.transfer import Missing

MANIFEST = re.compile(r"^checkpoints/a(?P<attempt>\d+)/step-(?P<step>\d+)/manifest\.json$")
# What the checkpoint was made of; added by us to the trainer's files.
INPUTS_FILE = "inputs.json"
# Written by the trainer itself when a save was interrupted.
INCOMPLETE_MARK = "checkpoint-is-incomplete.txt"
SYNC_PAUSE_SECONDS = 0.2
TROUBLE_PAUSE_SECONDS = 5.0
# What an upload may end with: the store's ways to fail, and this pod's disk.
TROUBLES = (Failure, Missing, OSError)


@dataclass(frozen=True)
class Restored:
    step: int
    folder: Path


def restore_newest(store: ArtifactStore, target: Path, model_sha256: str) -> Restored | None:
    """The newest checkpoint whose files are all there and unchanged; a damaged one is named and passed over.

    Raises Failure(MODEL_UNUSABLE) when it was made on another base model than today's.
    """
    found = [match for item in store.list_keys("checkpoints/") if (match := MANIFEST.match(item.name))]
    newest_first = sorted(found, key=lambda match: (int(match["step"]), int(match["attempt"])), reverse=True)
    for match in newest_first:
        step, name = int(match["step"]), match[0].removesuffix("/manifest.json")
        folder = target / f"checkpoint-{step}"
        problem = _restore(store, match[0], step, folder)
        if problem is None:
            refuse_other_model(folder, name, model_sha256)
            say(f"Continuing from {name}.")
            return Restored(step, folder)
        say(f"{name} cannot be used: {problem}. Trying the one before it.")
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _restore(store: ArtifactStore, manifest_key: str, step: int, folder: Path) -> str | None:
    """What is wrong with it, or None once it lies in the folder."""
    manifest = read_manifest(store, manifest_key)
    if manifest is None or manifest.step != step:
        return "its manifest cannot be read"
    files = _paths_of(manifest, manifest_key.removesuffix("manifest.json"), folder)
    if files is None:
        return "its manifest names files outside of it"
    try:
        digests = store.download_all(files)
    except Missing as error:
        return f"{error} is missing"
    damaged = [key for key, digest in manifest.by_key().items() if digests[key] != digest]
    if damaged:
        return f"{damaged[0]} has other bytes than its manifest says"
    if _made_on(folder) is None:
        return f"{INPUTS_FILE} is missing or cannot be read"
    return problem_of(folder, step)


def _paths_of(manifest: Manifest, prefix: str, folder: Path) -> dict[str, Path] | None:
    """Where each key belongs below the folder, or None when one is not plainly below the prefix."""
    names = {key: key.removeprefix(prefix) for key in manifest.by_key() if key.startswith(prefix)}
    plain = all("\0" not in name and not {"", ".", ".."} & set(name.split("/")) for name in names.values())
    if not plain or len(names) != len(manifest.by_key()):
        return None
    return {key: folder / name for key, name in names.items()}


def problem_of(folder: Path, step: int) -> str | None:
    """Whether the trainer can resume from this folder. trainer_state.json is the last file it writes."""
    if (folder / INCOMPLETE_MARK).exists():
        return "the trainer was interrupted while it wrote it"
    try:
        saved_at = json.loads((folder / "trainer_state.json").read_text())["global_step"]
    except (OSError, ValueError, KeyError, TypeError):
        return "trainer_state.json is missing or cut off"
    return None if saved_at == step else "trainer_state.json is of another step"


def refuse_other_model(folder: Path, name: str, model_sha256: str) -> None:
    """An adapter is nothing without its base: trained on across two of them it would fit neither."""
    if _made_on(folder) != model_sha256:
        raise Failure(
            ExitCode.MODEL_UNUSABLE,
            f"The base model has changed since {name} was written. Put the old files back, or start a new run.",
        )


def _made_on(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / INPUTS_FILE).read_text())["modelSha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class CheckpointSync:
    """Uploads snapshots in the background while the engine goes on."""

    def __init__(self, store: ArtifactStore, snapshots: Path, attempt: int, keep: int, model_sha256: str) -> None:
        self._store = store
        self._snapshots = snapshots
        self._attempt = attempt
        self._keep = keep
        self._inputs = json.dumps({"modelSha256": model_sha256})
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self.committed_step = 0
        snapshots.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._run, daemon=True).start()

    def finish(self, seconds: float) -> None:
        """Uploads the newest one if it is still here; older ones are no longer needed."""
        self._over.set()
        if not self._one_at_a_time.acquire(timeout=seconds):
            say("The last checkpoint was not uploaded in time.")
            return
        try:
            for step in self._waiting()[-1:]:
                self._upload(step)
        except TROUBLES as trouble:
            say(f"The last checkpoint is not in the store: {trouble}")
        finally:
            self._one_at_a_time.release()

    def _run(self) -> None:
        while not self._over.wait(SYNC_PAUSE_SECONDS):
            with self._one_at_a_time:
                try:
                    self._upload_next()
                    continue
                except TROUBLES as trouble:
                    # Training goes on: the next round, or the end, tries again.
                    say(f"The checkpoint is not in the store yet: {trouble}")
            self._over.wait(TROUBLE_PAUSE_SECONDS)

    def _upload_next(self) -> None:
        waiting = self._waiting()
        # A store slower than the trainer must not fill the disk.
        for step in waiting[: -self._keep]:
            shutil.rmtree(self._folder(step))
        for step in waiting[-self._keep :][:1]:
            self._upload(step)

    def _upload(self, step: int) -> None:
        """Commits one snapshot and removes it."""
        folder = self._folder(step)
        problem = problem_of(folder, step)
        if problem is None:
            problem = self._commit(step, folder)
        say(f"The checkpoint of step {step} is {'in the store' if problem is None else f'not kept: {problem}'}.")
        shutil.rmtree(folder)

    def _commit(self, step: int, folder: Path) -> str | None:
        (folder / INPUTS_FILE).write_text(self._inputs)
        prefix = f"checkpoints/a{self._attempt}/step-{step}"
        files = {f"{prefix}/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
        try:
            digests = self._store.upload_all(files)
            self._store.write(f"{prefix}/manifest.json", manifest_of(digests, step=step).to_json())
        except Occupied as error:
            sealed = read_manifest(self._store, f"{prefix}/manifest.json")
            if sealed is None or sealed.step != step:
                return f"another writer has written {error}"
        self.committed_step = max(self.committed_step, step)
        return None

    def _waiting(self) -> list[int]:
        return sorted(int(path.name.removeprefix("step-")) for path in self._snapshots.glob("step-*"))

    def _folder(self, step: int) -> Path:
        return self._snapshots / f"step-{step}"
