"""What the wrapper and the engine tell each other, as files: the engine may be killed at any moment."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

from swe_workloads.exit_codes import ExitCode


class EngineOrder(BaseModel):
    """Written by the wrapper: everything the engine works on is a local path."""

    run_file: Path
    model_dir: Path
    train_file: Path
    test_file: Path | None
    output_dir: Path
    resume_from: Path | None
    report: "EngineReport"


class EngineReport(BaseModel):
    """Where the engine reports. All of it is below one folder."""

    folder: Path

    @property
    def snapshots(self) -> Path:
        """step-<n>: whole checkpoints, hard-linked, for the wrapper to upload and remove."""
        return self.folder / "snapshots"

    @property
    def adapter(self) -> Path:
        """The result. Complete when the engine ends with 0."""
        return self.folder / "adapter"

    @property
    def metrics(self) -> Path:
        """One JSON object a line: the metric history from step 0, across attempts."""
        return self.folder / "metrics.jsonl"

    @property
    def progress(self) -> Path:
        return self.folder / "progress.json"

    @property
    def failure(self) -> Path:
        return self.folder / "failure.json"


class Progress(BaseModel):
    step: int
    total_steps: int


class EngineFailure(BaseModel):
    """Why the engine ended, in words for the person who wrote the run."""

    code: ExitCode
    message: str


def write_atomically(path: Path, document: BaseModel) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(document.model_dump_json())
    os.replace(part, path)


def read_progress(report: EngineReport) -> Progress | None:
    return Progress.model_validate_json(report.progress.read_text()) if report.progress.exists() else None


def read_failure(report: EngineReport) -> EngineFailure | None:
    try:
        return EngineFailure.model_validate_json(report.failure.read_text())
    except (OSError, ValidationError):
        return None


def read_metrics(report: EngineReport) -> list[dict[str, float]]:
    """The history so far; a line that a kill cut off is left out."""
    if not report.metrics.exists():
        return []
    lines = report.metrics.read_text().split("\n")
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
