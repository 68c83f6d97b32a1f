"""eval.json: what the operator resolved for this evaluation. Anything unknown or out of range is refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from swe_workloads.evaluation.image_names import Images
from swe_workloads.run_file import PositiveInt, RunIdentity, Select, Source
from swe_workloads.settings_file import Section, read_settings

Format = Literal["SWEBench", "SWESmith", "SWEBenchPro"]


class Instances(Section):
    source: Source
    format: Format
    select: Select


class Gold(Section):
    """The patches that the instances bring along."""

    kind: Literal["Gold"]


class Files(Section):
    kind: Literal["Files"]
    source: Source


class Sandbox(Section):
    timeout_seconds: PositiveInt


class Environment(Section):
    """What a verdict may depend on beside the image, the patch and the time of the tests. Compared, and never read."""

    cpu: str
    memory: str
    ephemeral_storage: str
    network: str
    isolation: str
    node_selector: dict[str, str]
    harness_image: str


class Cache(Section):
    """`uri` is the folder of the verdicts that evaluations of this namespace left, with a slash at its end."""

    uri: Annotated[str, Field(pattern=r"^s3://.+/$")]
    predictions: Literal["Use", "Ignore"]
    environment: Environment


class EvalFile(Section):
    version: Literal[1]
    eval: RunIdentity
    instances: Instances
    predictions: Annotated[Gold | Files, Field(discriminator="kind")]
    baseline: Literal["Required", "Cached", "Skip"]
    flake_reruns: Annotated[int, Field(ge=0)] = 0
    confirm_resolved: bool = False
    sandbox: Sandbox
    images: Images = Field(default_factory=Images)
    cache: Cache | None = None
    harness_version: str
    dry_run: bool = False

    @property
    def has_baselines(self) -> bool:
        return self.baseline != "Skip"


def as_evaluation(
    owner: RunIdentity, instances: Instances, harness_version: str, baseline: Literal["Required", "Skip"] = "Skip"
) -> EvalFile:
    """An evaluation of such instances, as far as reading their rows goes by it: one reading for all."""
    return EvalFile.model_validate(
        {
            "version": 1,
            "eval": owner,
            "instances": instances,
            "predictions": Files(kind="Files", source=instances.source),  # no row is read by it
            "baseline": baseline,
            "sandbox": {"timeoutSeconds": 1},  # likewise
            "harnessVersion": harness_version,
        }
    )


def read_eval_file(path: Path) -> EvalFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, EvalFile, "eval.json")
