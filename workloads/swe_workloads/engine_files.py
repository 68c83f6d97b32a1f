"""What the wrapper and the engine tell each other, as files: either may be killed at any moment."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from swe_workloads.exit_codes import ExitCode


class EngineOrder(BaseModel):
    """Written by the wrapper: everything the engine works on is a local path."""

    run_file: Path
    model_dir: Path
    # The adapter that is gone on with.
    adapter_dir: Path | None = None
    train_file: Path
    test_file: Path | None
    output_dir: Path
    resume_from: Path | None
    # Rows of one forward pass on one device; the engine accumulates until the step has as many as the run says.
    micro_batch: int
    report: "EngineReport"


class EngineReport(BaseModel):
    """Where the engine reports. All of it is below one folder; only rank 0 writes, but for failures."""

    folder: Path

    @property
    def snapshots(self) -> Path:
        """step-<n>: whole checkpoints, hard-linked, for the wrapper to upload and remove."""
        return self.folder / "snapshots"

    @property
    def metrics(self) -> Path:
        """One JSON object a line: the metric history from step 0, across attempts."""
        return self.folder / "metrics.jsonl"

    @property
    def engine_config(self) -> Path:
        """What the engine was told, in its own words."""
        return self.folder / "trl.yaml"

    @property
    def held_out(self) -> Path:
        """One JSON object a held-out row: its tokens and their loss with the weights of the result."""
        return self.folder / "held_out.jsonl"

    @property
    def progress(self) -> Path:
        return self.folder / "progress.json"

    @property
    def pulse(self) -> Path:
        """Touched whenever the engine gets on: a part of a step, a batch of an evaluation, the loaded model."""
        return self.folder / "pulse"

    @property
    def finished(self) -> Path:
        """The engine's own word that the training is over."""
        return self.folder / "finished.json"

    @property
    def stop(self) -> Path:
        """Made by the wrapper: finish the step in hand, write a checkpoint, end with 75."""
        return self.folder / "stop"

    @property
    def result(self) -> Path:
        """What is published below result/a<N>/: adapter/ or model/, made by the wrapper."""
        return self.folder / "result"

    def failure(self, rank: int) -> Path:
        return self.folder / f"failure-{rank}.json"


class Progress(BaseModel):
    step: int
    total_steps: int


class Finished(BaseModel):
    """The training is over: all steps are made, or it was stopped early on purpose."""

    step: int
    total_steps: int
    stopped_early: bool
    best_step: int | None = None
    best_eval_loss: float | None = None


class EngineFailure(BaseModel):
    """Why the engine ended, in words for the person who wrote the run."""

    code: ExitCode
    message: str


def own_rank() -> int:
    """Which of the engine's processes this is; torchrun tells."""
    return int(os.environ.get("RANK", "0"))


def number_of_ranks() -> int:
    """How many processes this engine has; 1 for a program that torchrun did not start."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def write_atomically(path: Path, document: BaseModel) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(document.model_dump_json())
    os.replace(part, path)


def read_progress(report: EngineReport) -> Progress | None:
    return Progress.model_validate_json(report.progress.read_text()) if report.progress.exists() else None


def read_finished(report: EngineReport) -> Finished | None:
    try:
        return Finished.model_validate_json(report.finished.read_text())
    except (OSError, ValidationError):
        return None


def read_failure(report: EngineReport) -> EngineFailure | None:
    """What the first rank to fail says; that a peer was lost is only the echo of another's failure."""
    told = sorted(report.folder.glob("failure-*.json"), key=lambda path: path.stat().st_mtime_ns)
    failures = [failure for path in told if (failure := _read_one(path)) is not None]
    causes = [failure for failure in failures if failure.code != ExitCode.PEER_LOST]
    return next(iter([*causes, *failures]), None)


def read_metrics(report: EngineReport) -> list[dict[str, float]]:
    """The history so far; a line that a kill cut off is left out."""
    if not report.metrics.exists():
        return []
    lines = report.metrics.read_text().split("\n")
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def _read_one(path: Path) -> EngineFailure | None:
    try:
        return EngineFailure.model_validate_json(path.read_text())
    except (OSError, ValidationError):
        return None
