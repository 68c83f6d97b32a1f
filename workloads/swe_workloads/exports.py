"""The result as others load it: the adapter or the model of one checkpoint, from wherever that checkpoint is."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.checkpoint_files import INPUTS_FILE, STATE_FILE, problem_of
from swe_workloads.checkpoints import Origin, restore_step
from swe_workloads.engine_files import EngineReport, Finished
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.history import Point, series
from swe_workloads.pod import say
from swe_workloads.run_file import HubModel, RunFile

# What a checkpoint holds to go on training, the adapter that is the reference of a comparison, and a card that names
# local paths.
NOT_PART_OF_THE_RESULT = ("*.pt", "*.pth", "*.bin", STATE_FILE, INPUTS_FILE, "ref", "README.md")


@dataclass(frozen=True)
class CheckpointPlaces:
    """Where a checkpoint may still be: with the trainer, waiting for its upload, or in the store."""

    trainer: Path
    report: EngineReport
    store: ArtifactStore
    scratch: Path
    origin: Origin


@dataclass(frozen=True)
class Base:
    """What was trained on; `revision` is the commit that was read from a hub."""

    run: RunFile
    revision: str | None


def export_result(places: CheckpointPlaces, base: Base, finished: Finished, history: list[dict[str, float]]) -> int:
    """The step whose checkpoint is now in report.result. Raises Failure(ENGINE_FAILED) when none can be found."""
    for step in wanted_steps(base.run, finished, history):
        checkpoint = find(places, step)
        if checkpoint is not None:
            _copy(checkpoint, places.report.result / ("model" if base.run.lora is None else "adapter"), base)
            return step
        say(f"The checkpoint of step {step} is nowhere to be found.")
    raise Failure(ExitCode.ENGINE_FAILED, "The training is over, but no checkpoint of it can be found.")


def wanted_steps(run: RunFile, finished: Finished, history: list[dict[str, float]]) -> Iterator[int]:
    """Best first; the next best stands in for one that was lost on its way to the store."""
    if run.checkpoint.result == "Best":
        by_loss = sorted(series(history, "eval_loss"), key=_loss_then_step)
        yield from (int(point.step) for point in by_loss)
    yield finished.step


def find(places: CheckpointPlaces, step: int) -> Path | None:
    """A whole checkpoint of this step."""
    here = [places.trainer / f"checkpoint-{step}", places.report.snapshots / f"step-{step}"]
    for folder in here:
        if folder.exists() and problem_of(folder, step, places.origin.ranks) is None:
            return folder
    restored = restore_step(places.store, places.scratch, step, places.origin)
    return restored.folder if restored else None


def _loss_then_step(point: Point) -> tuple[float, float]:
    return point.value, point.step


def _copy(checkpoint: Path, folder: Path, base: Base) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # Hard links: a whole model need not be on the disk twice.
    ignored = shutil.ignore_patterns(*NOT_PART_OF_THE_RESULT)
    shutil.copytree(checkpoint, folder, ignore=ignored, copy_function=os.link)
    if base.run.lora is not None:
        _name_the_base(folder / "adapter_config.json", base)


def _name_the_base(path: Path, base: Base) -> None:
    """As PEFT reads it, naming the run's model instead of a path inside this pod."""
    config = json.loads(path.read_text())
    model = base.run.model
    config["base_model_name_or_path"] = model.repo if isinstance(model, HubModel) else model.uri
    config["revision"] = base.revision
    # PEFT keeps the modules in a set; in a fixed order equal runs have equal files.
    if isinstance(config.get("target_modules"), list):
        config["target_modules"].sort()
    path.unlink()  # the checkpoint's own file stays as it is
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
