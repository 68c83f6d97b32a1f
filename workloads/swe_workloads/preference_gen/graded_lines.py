"""results.jsonl and baselines.jsonl of an evaluation, as far as pairs are made by them."""

from pathlib import Path

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.grade_verdict import InfraFailure, Integrity, Passed, TestCounts
from swe_workloads.evaluation.verdict_cache import Origin
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import Missing
from swe_workloads.verdict import Part

# An instance's name, and which of its samples.
Key = tuple[str, int]


class Votes(Part):
    """Gradings of one patch, and how many of them resolved it."""

    gradings: int
    resolved: int


class GradedLine(Part):
    """As the evaluation writes it; `validity` stands in the lines of baselines."""

    instance: str
    sample: int
    model: str
    state: str
    reason: str
    fail_to_pass: Passed | None = None
    pass_to_pass: Passed | None = None
    integrity: Integrity | None = None
    votes: Votes | None = None
    tests: TestCounts | None = None
    infra_failure: InfraFailure | None = None
    cached: Origin | None = None
    harness: str | None = None
    image: str | None = None
    ordinal: int | None = None
    attempt: int | None = None
    digest: str | None = None
    validity: str | None = None

    @property
    def key(self) -> Key:
        return self.instance, self.sample

    def run(self, uid: str) -> tuple[str, int | None, int | None]:
        """Which try came to it: of this evaluation, or of the one whose verdict was taken over."""
        if self.cached is not None:
            return self.cached.uid, self.cached.ordinal, self.cached.attempt
        return uid, self.ordinal, self.attempt


def fetch_lines(uri: str, store: ArtifactStore, target: Path) -> list[GradedLine]:
    """Raises Failure(INVALID_DATA) where it is gone, or is something else."""
    try:
        store.download_uri(uri, target)
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"{uri} is gone.") from error
    try:
        with target.open(encoding="utf-8") as lines:
            return [GradedLine.model_validate_json(line) for line in lines]
    except (ValidationError, ValueError) as error:
        raise Failure(ExitCode.INVALID_DATA, f"{uri} is not what an evaluation writes: {error}") from error
