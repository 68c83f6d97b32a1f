"""run.json of a PreferenceGen: what the operator resolved. Anything unknown or out of range is refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from swe_workloads.evaluation.eval_file import EvalFile, Format, Instances, as_evaluation
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.run_file import PositiveInt, RunIdentity, Source, Split, Style
from swe_workloads.settings_file import Section, read_settings

FILE = "run.json"
Rejected = Literal["Failing", "PatchDoesNotApply"]
LengthBalance = Literal["EachPair", "AllPairs"]


class Brought(Section):
    """Predictions that somebody made: several samples of an instance."""

    source: Source


class Pairs(Section):
    chosen: Literal["Passing", "Gold"]
    rejected: Annotated[list[Rejected], Field(min_length=1)]
    max_per_instance: PositiveInt
    length_balance: LengthBalance
    seed: int


class Trajectories(Section):
    """`style` is how a call of a tool is told in text."""

    style: Style
    max_per_instance: PositiveInt


class Export(Section):
    """What is exported beside pairs and answers."""

    trajectories: Trajectories | None = None


class Against(Section):
    """Rows of an evaluation."""

    source: Source
    format: Format


class Decontamination(Section):
    """What no instance and no sample may be like."""

    against: Annotated[list[Against], Field(min_length=1)]


class GenFile(Section):
    """Without `split` no rows are held out."""

    version: Literal[1]
    generation: RunIdentity
    instances: Instances
    predictions: Brought
    prompt: Prompt
    pairs: Pairs
    split: Split | None = None
    export: Export = Field(default_factory=Export)
    allow_evaluation_sets: bool = False
    decontamination: Decontamination | None = None
    harness_version: str

    def evaluation(self) -> EvalFile:
        """The one that grades the samples."""
        baseline: Literal["Required", "Skip"] = "Required" if self.pairs.chosen == "Gold" else "Skip"
        return as_evaluation(self.generation, self.instances, self.harness_version, baseline)


def read_gen_file(path: Path) -> GenFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, GenFile, FILE)
