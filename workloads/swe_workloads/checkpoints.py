"""Checkpoints between this pod and the store. A checkpoint exists once its manifest does."""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.checkpoint_files import INPUTS_FILE, problem_of
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import Manifest, manifest_of, read_manifest
from swe_workloads.numbered import numbered
from swe_workloads.pod import say
from swe_workloads.transfer import Missing

# A later pod of the same attempt writes beside what an earlier one has left: step-8, step-8-2, …
MANIFEST = re.compile(r"^checkpoints/a(?P<attempt>\d+)/step-(?P<step>\d+)(?:-(?P<number>\d+))?/manifest\.json$")
SYNC_PAUSE_SECONDS = 0.2
TROUBLE_PAUSE_SECONDS = 5.0
# What an upload may end with: the store's ways to fail, and this pod's disk.
TROUBLES = (Failure, Missing, OSError)


@dataclass(frozen=True)
class Restored:
    step: int
    folder: Path


@dataclass(frozen=True)
class Origin:
    """What a checkpoint must have been made by to be gone on from."""

    model_sha256: str
    ranks: int


def restore_newest(store: ArtifactStore, target: Path, origin: Origin) -> Restored | None:
    """The newest checkpoint whose files are all there and unchanged; a damaged one is named and passed over.

    Raises Failure(MODEL_UNUSABLE) when it was made on another base model than today's.
    """
    for match in _newest_first(store):
        restored = _try(store, match, target, origin)
        if restored is not None:
            say(f"Continuing from {_name(match)}.")
            return restored
    return None


def restore_step(store: ArtifactStore, target: Path, step: int, origin: Origin) -> Restored | None:
    """The checkpoint of this step, whichever attempt wrote it."""
    for match in _newest_first(store):
        if int(match["step"]) == step and (restored := _try(store, match, target, origin)) is not None:
            return restored
    return None


def stored_folder(store: ArtifactStore, step: int) -> str | None:
    """The key of the folder that has the checkpoint of this step."""
    return next((_name(match) for match in _newest_first(store) if int(match["step"]) == step), None)


def _newest_first(store: ArtifactStore) -> list[re.Match[str]]:
    found = [match for item in store.list_keys("checkpoints/") if (match := MANIFEST.match(item.name))]
    place = lambda match: (int(match["step"]), int(match["attempt"]), int(match["number"] or 1))  # noqa: E731
    return sorted(found, key=place, reverse=True)


def _name(match: re.Match[str]) -> str:
    return match[0].removesuffix("/manifest.json")


def _try(store: ArtifactStore, match: re.Match[str], target: Path, origin: Origin) -> Restored | None:
    step = int(match["step"])
    folder = target / f"checkpoint-{step}"
    problem = _restore(store, match[0], step, folder) or problem_of(folder, step, origin.ranks)
    if problem is None:
        refuse_other_model(folder, _name(match), origin.model_sha256)
        return Restored(step, folder)
    say(f"{_name(match)} cannot be used: {problem}. Trying the one before it.")
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
    return f"{INPUTS_FILE} is missing or cannot be read" if _made_on(folder) is None else None


def _paths_of(manifest: Manifest, prefix: str, folder: Path) -> dict[str, Path] | None:
    """Where each key belongs below the folder, or None when one is not plainly below the prefix."""
    names = {key: key.removeprefix(prefix) for key in manifest.by_key() if key.startswith(prefix)}
    plain = all("\0" not in name and not {"", ".", ".."} & set(name.split("/")) for name in names.values())
    if not plain or len(names) != len(manifest.by_key()):
        return None
    return {key: folder / name for key, name in names.items()}


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
    """Uploads snapshots in the background while the engine goes on.

    `keep` bounds how many may wait for a slow store; the one of `best_step()` waits beside them.
    """

    def __init__(
        self,
        store: ArtifactStore,
        snapshots: Path,
        attempt: int,
        keep: int,
        origin: Origin,
        best_step: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._attempt = attempt
        self._keep = keep
        self._origin = origin
        self._best_step = best_step
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self.committed_step = 0
        # How long the last upload took.
        self.seconds = 0.0
        snapshots.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._run, daemon=True).start()

    def finish(self, seconds: float) -> None:
        """Uploads the newest one, then the best one, if they are still here; others are no longer needed."""
        self._over.set()
        if not self._one_at_a_time.acquire(timeout=seconds):
            say("The last checkpoint was not uploaded in time.")
            return
        try:
            waiting = self._waiting()
            best = [step for step in waiting[:-1] if step == self._best_step()]
            for step in [*waiting[-1:], *best]:
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
            if step != self._best_step():
                shutil.rmtree(self._folder(step))
        for step in self._waiting()[:1]:
            self._upload(step)

    def _upload(self, step: int) -> None:
        """Commits one snapshot and removes it."""
        begun = time.monotonic()
        folder = self._folder(step)
        problem = problem_of(folder, step, self._origin.ranks)
        if problem is None:
            problem = self._commit(step, folder)
        say(f"The checkpoint of step {step} is {'in the store' if problem is None else f'not kept: {problem}'}.")
        shutil.rmtree(folder)
        self.seconds = time.monotonic() - begun

    def _commit(self, step: int, folder: Path) -> str | None:
        (folder / INPUTS_FILE).write_text(json.dumps({"modelSha256": self._origin.model_sha256}))
        for prefix in numbered(f"checkpoints/a{self._attempt}/step-{step}"):
            files = {f"{prefix}/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
            try:
                digests = self._store.upload_all(files)
                self._store.write(f"{prefix}/manifest.json", manifest_of(digests, step=step).to_json())
            except Occupied:
                continue
            self.committed_step = max(self.committed_step, step)
            return None
        return "too many earlier pods of this attempt have left theirs"

    def _waiting(self) -> list[int]:
        return sorted(int(path.name.removeprefix("step-")) for path in self._snapshots.glob("step-*"))

    def _folder(self, step: int) -> Path:
        return self._snapshots / f"step-{step}"
