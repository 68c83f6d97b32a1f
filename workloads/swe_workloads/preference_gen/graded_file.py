"""What the operator tells the report: which evaluation graded the patches, and where its artifacts lie."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.verdict import Part

RESULTS, BASELINES = "results.jsonl", "baselines.jsonl"


class Evaluated(Part):
    name: str
    uid: str


class Graded(Part):
    """URIs by the name of the artifact."""

    version: Literal[1]
    evaluation: Evaluated
    artifacts: dict[str, str]


def read_graded(path: Path) -> Graded:
    """Raises Failure(INVALID_CONFIGURATION)."""
    try:
        return Graded.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"{path.name} cannot be read: {error}") from error


def uri_of(name: str, artifacts: dict[str, str], evaluation: Evaluated) -> str:
    """Raises Failure(INVALID_DATA) where the evaluation has left none."""
    if name not in artifacts:
        raise Failure(ExitCode.INVALID_DATA, f"Evaluation {evaluation.name} has no {name}.")
    return artifacts[name]
