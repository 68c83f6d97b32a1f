"""run.json: what the operator resolved for this run. Anything unknown or out of range is refused by name."""

import re
from pathlib import Path
from typing import Annotated, Literal

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


class RunIdentity(Section):
    namespace: str
    name: str
    uid: str


class Model(Section):
    uri: ObjectUri
    credentials: Credentials


class Source(Section):
    """Exactly one of a mounted ConfigMap file and an object or prefix in an S3 store."""

    config_map_file: str | None = None
    uri: ObjectUri | None = None
    credentials: Credentials | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        if (self.config_map_file is None) == (self.uri is None):
            raise ValueError("exactly one of configMapFile and uri must be set")
        if (self.uri is None) != (self.credentials is None):
            raise ValueError("credentials belongs to uri")
        return self


class Select(Section):
    instance_ids: list[str] | None = None
    repos: list[str] | None = None
    limit: PositiveInt | None = None
    seed: int


class Data(Section):
    kind: Literal["Instances", "Files"]
    source: Source
    format: Literal["SWEBench", "Messages", "PromptCompletion"]
    prompt_style: Literal["Pro"] | None = None
    select: Select

    @model_validator(mode="after")
    def _format_of_kind(self) -> "Data":
        if (self.kind == "Instances") != (self.format == "SWEBench"):
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


class Lora(Section):
    rank: PositiveInt
    alpha: PositiveInt
    dropout: Annotated[DecimalString, Field(ge=0, lt=1)]
    target_modules: Annotated[list[str], Field(min_length=1)]


class Optimizer(Section):
    learning_rate: Annotated[DecimalString, Field(gt=0)]
    scheduler: Literal["Linear", "Cosine", "Constant"]
    warmup_ratio: Annotated[DecimalString, Field(ge=0, le=1)]
    weight_decay: Annotated[DecimalString, Field(ge=0)]


class Batch(Section):
    per_device: PositiveInt
    gradient_accumulation: PositiveInt


class Duration(Section):
    max_steps: PositiveInt | None = None
    epochs: Annotated[DecimalString, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Duration":
        if (self.max_steps is None) == (self.epochs is None):
            raise ValueError("exactly one of maxSteps and epochs must be set")
        return self


class Evaluation(Section):
    every_steps: PositiveInt


class Checkpoint(Section):
    every_steps: PositiveInt
    keep: PositiveInt


class Logging(Section):
    every_steps: PositiveInt


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
    lora: Lora
    optimizer: Optimizer
    batch: Batch
    duration: Duration
    evaluation: Evaluation | None
    checkpoint: Checkpoint
    logging: Logging


def read_run_file(path: Path) -> RunFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    try:
        text = path.read_text()
    except OSError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"The run file cannot be read: {error}") from error
    try:
        return RunFile.model_validate_json(text)
    except ValidationError as error:
        raise Failure(ExitCode.INVALID_CONFIGURATION, describe(error)) from error


def describe(error: ValidationError) -> str:
    """One line that names each wrong field as the file spells it."""
    return "run.json: " + "; ".join(_describe_one(dict(item)) for item in error.errors(include_url=False))


def _describe_one(item: dict[str, object]) -> str:
    location = item["loc"]
    path = ".".join(str(part) for part in location) if isinstance(location, tuple) else ""
    message = str(item["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
