"""run.json of a publication: what the operator resolved. Anything unknown or out of range is refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from swe_workloads.run_file import PositiveInt, RunFile
from swe_workloads.settings_file import Section, read_settings
from swe_workloads.verdict import FrozenSource

Count = Annotated[int, Field(ge=0)]


class Target(Section):
    """The repository of a hub that is written."""

    repo: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
    endpoint: Annotated[str, Field(pattern=r"^https?://")]
    private: bool

    @property
    def owner(self) -> str:
        return self.repo.split("/")[0]


class Cost(Section):
    """Of all attempts together; without a price there is no amount."""

    attempts: PositiveInt
    seconds: Count
    gpu_seconds: Count
    amount: str | None
    currency: str | None


class Baseline(Section):
    """The evaluation that the result was compared with, over the instances of both."""

    name: str
    resolved_rate: str | None
    difference: str
    p_value: str


class Evaluation(Section):
    """How the result was measured before it might be published; the gate is `min_resolved_rate` or `baseline`."""

    name: str
    source: FrozenSource | None
    instances: Count | None
    resolved: Count | None
    total: Count | None
    resolved_rate: str
    low: str | None
    high: str | None
    min_resolved_rate: str | None
    baseline: Baseline | None


class PublishFile(Section):
    """`training` is what the training was told; without a gate there is no `evaluation`.

    `cost` is absent where nobody knows it any more.
    """

    version: Literal[1]
    hub: Target
    training: RunFile
    cost: Cost | None = None
    evaluation: Evaluation | None = None


def read_publish_file(path: Path) -> PublishFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, PublishFile, "run.json")
