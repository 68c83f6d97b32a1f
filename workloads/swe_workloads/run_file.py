"""run.json: what the operator resolved for this run. Anything unknown or out of range is refused by name."""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from swe_workloads.exit_codes import ExitCode, Failure

_DECIMAL = re.compile(r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$")


def _from_decimal_string(value: object) -> float:
    if not isinstance(value, str) or not _DECIMAL.match(value):
        raise ValueError('must be a decimal string such as "2e-4"')
    return float(value)


# Kubernetes objects carry no floats, so decimals travel as strings.
DecimalString = Annotated[float, BeforeValidator(_from_decimal_string)]
Percent = Annotated[int, Field(ge=1, le=99)]
PositiveInt = Annotated[int, Field(ge=1)]
ObjectUri = Annotated[str, Field(pattern=r"^s3://[^/]+/.+")]
Credentials = Literal["OwnPrefix", "Secret"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, strict=True)


Settings = TypeVar("Settings", bound=Section)


class RunIdentity(Section):
    namespace: str
    name: str
    uid: str


class Hub(Section):
    """A repository on a hub that speaks the protocol of huggingface.co."""

    repo: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
    revision: str
    endpoint: Annotated[str, Field(pattern=r"^https?://")]
    credentials: Literal["None", "Secret"]


class S3Model(Section):
    kind: Literal["S3"]
    uri: ObjectUri
    credentials: Credentials


class HubModel(Hub):
    kind: Literal["Hub"]

    @property
    def uri(self) -> str:
        """For messages and provenance, as huggingface_hub writes it."""
        return f"hf://{self.repo}@{self.revision}"


# What tells the members of a union apart: of a model, and of the predictions of an evaluation.
UNION_KINDS = ("S3", "Hub", "Gold", "Files")
Model = Annotated[S3Model | HubModel, Field(discriminator="kind")]


class HubDataset(Hub):
    config: str | None
    split: str

    @property
    def uri(self) -> str:
        return f"hf://datasets/{self.repo}@{self.revision}"


class Source(Section):
    """Exactly one of a mounted ConfigMap file, an object or prefix in an S3 store, and a dataset on a hub."""

    config_map_file: str | None = None
    uri: ObjectUri | None = None
    credentials: Credentials | None = None
    hub: HubDataset | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        if sum(one is not None for one in (self.config_map_file, self.uri, self.hub)) != 1:
            raise ValueError("exactly one of configMapFile, uri and hub must be set")
        if (self.uri is None) != (self.credentials is None):
            raise ValueError("credentials belongs to uri")
        return self


class FailToPass(Section):
    """Bounds on the number of FAIL_TO_PASS tests."""

    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None


class Select(Section):
    instance_ids: list[str] | None = None
    id_contains: str | None = None
    repos: list[str] | None = None
    fail_to_pass: FailToPass | None = None
    limit: PositiveInt | None = None
    seed: int


class Data(Section):
    kind: Literal["Instances", "Files"]
    source: Source
    format: Literal["SWEBench", "SWEBenchPro", "SWESmith", "Messages", "PromptCompletion"]
    prompt_style: Literal["Pro"] | None = None
    select: Select

    @model_validator(mode="after")
    def _format_of_kind(self) -> "Data":
        if (self.kind == "Instances") != self.format.startswith("SWE"):
            raise ValueError(f"format {self.format} does not belong to kind {self.kind}")
        if (self.kind == "Instances") != (self.prompt_style is not None):
            raise ValueError("promptStyle belongs to kind Instances, which needs it")
        return self


class Split(Section):
    train_percent: Percent
    by: Literal["Instance", "Repository"]
    seed: int


class Sequence(Section):
    max_length: Annotated[int, Field(ge=8)]
    loss_on: Literal["Completion", "AssistantMessages", "All"]


class Lora(Section):
    rank: PositiveInt
    alpha: PositiveInt
    dropout: Annotated[DecimalString, Field(ge=0, lt=1)]
    target_modules: Annotated[list[str], Field(min_length=1)]
    quantization: Literal["None", "NF4"]


class Optimizer(Section):
    algorithm: Literal["AdamW", "PagedAdamW8Bit"]
    learning_rate: Annotated[DecimalString, Field(gt=0)]
    scheduler: Literal["Linear", "Cosine", "Constant"]
    warmup_ratio: Annotated[DecimalString, Field(ge=0, le=1)]
    weight_decay: Annotated[DecimalString, Field(ge=0)]
    max_grad_norm: Annotated[DecimalString, Field(gt=0)]


class Batch(Section):
    per_device: PositiveInt
    gradient_accumulation: PositiveInt
    gradient_checkpointing: bool


class Duration(Section):
    max_steps: PositiveInt | None = None
    epochs: Annotated[DecimalString, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Duration":
        if (self.max_steps is None) == (self.epochs is None):
            raise ValueError("exactly one of maxSteps and epochs must be set")
        return self


class EarlyStop(Section):
    """Evaluations in a row without a loss lower by min_improvement."""

    patience: PositiveInt
    min_improvement: Annotated[DecimalString, Field(ge=0)]


class Every(Section):
    """When something happens during the training."""

    strategy: Literal["No", "Steps", "Epoch"]
    every_steps: PositiveInt | None

    @model_validator(mode="after")
    def _steps_with_strategy(self) -> "Every":
        if (self.strategy == "Steps") != (self.every_steps is not None):
            raise ValueError("everySteps belongs to strategy Steps, which needs it")
        return self


class Evaluation(Every):
    early_stop: EarlyStop | None


class Checkpoint(Every):
    keep: PositiveInt
    result: Literal["Last", "Best"]


class Logging(Section):
    every_steps: PositiveInt


class Compute(Section):
    """What the training pod has. Each of the ranks is a process of its own; on GPUs one for each."""

    gpus: Annotated[int, Field(ge=0)]
    ranks: PositiveInt
    gpu_name: str | None
    gpu_memory_gi: Annotated[int, Field(ge=1)] | None


class RunFile(Section):
    version: Literal[1]
    run: RunIdentity
    method: Literal["SFT"]
    engine: Literal["TRL"]
    seed: Annotated[int, Field(ge=0)]
    model: Model
    data: Data
    split: Split
    sequence: Sequence
    lora: Lora | None
    optimizer: Optimizer
    batch: Batch
    duration: Duration
    evaluation: Evaluation
    checkpoint: Checkpoint
    logging: Logging
    compute: Compute
    stall_after_seconds: PositiveInt
    engine_options: dict[str, str]


def read_run_file(path: Path) -> RunFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, RunFile, "run.json")


def read_settings(path: Path, kind: type[Settings], name: str) -> Settings:
    """A file that the operator wrote for a program, called `name` in what is said about it."""
    try:
        text = path.read_text()
    except OSError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"The run file cannot be read: {error}") from error
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, describe(error, name)) from error


def describe(error: ValidationError, name: str) -> str:
    """One line that names each wrong field as the file spells it."""
    return f"{name}: " + "; ".join(_describe_one(dict(item)) for item in error.errors(include_url=False))


def _describe_one(item: dict[str, object]) -> str:
    location = item["loc"]
    # Of a union pydantic names the kind too, which is no key of the file.
    parts = [str(part) for part in location if part not in UNION_KINDS] if isinstance(location, tuple) else []
    path = ".".join(parts)
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
