"""results.json: how the operator saw predictions and baselines end."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from swe_workloads.evaluation.grade_verdict import Purpose
from swe_workloads.evaluation.validity import Unproven
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.verdict import Part


class LookTold(Part):
    """A try after the verdict, at the same prediction or at a part of its patch."""

    purpose: Purpose
    attempt: int


class Row(Part):
    """How the operator saw a prediction end, or a baseline. It alone knows of pods killed for memory or lost.

    With `cached` there was no pod: the verdict is the one that the preparation found.
    """

    ordinal: int
    state: Literal["Resolved", "Unresolved", "Error", "Incomplete", "Checked"]
    attempt: int | None = None
    seconds: float | None = None
    reason: str | None = None
    cached: bool = False
    looks: list[LookTold] = Field(default_factory=list)


class Infrastructure(Part):
    ordinal: int
    reason: str
    message: str = ""


class Opponent(Part):
    """An earlier evaluation to compare with. `results` is where its results.jsonl lies, `problem` why nowhere."""

    name: str
    uid: str | None = None
    results: str | None = None
    problem: str | None = None


class Results(Part):
    version: Literal[1]
    rows: list[Row]
    infrastructure: list[Infrastructure] = Field(default_factory=list)
    unproven: list[Unproven] = Field(default_factory=list)
    compare_with: list[Opponent] = Field(default_factory=list)


def read_results(path: Path) -> Results:
    """Raises Failure(INVALID_CONFIGURATION)."""
    try:
        return Results.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"results.json cannot be read: {error}") from error
