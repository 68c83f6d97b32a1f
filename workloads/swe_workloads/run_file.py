"""run.json: what the operator resolved for this run. Anything unknown or out of range is refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from swe_workloads.settings_file import DecimalString, Section, read_settings

Percent = Annotated[int, Field(ge=1, le=99)]
PositiveInt = Annotated[int, Field(ge=1)]
ObjectUri = Annotated[str, Field(pattern=r"^s3://[^/]+/.+")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Credentials = Literal["OwnPrefix", "Secret"]
Method = Literal["SFT", "DPO"]
# How the calls of an agent's tools are told in text.
Style = Literal["XML", "Ticks"]


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
    """`sha256` is of configuration and tokenizer as an earlier run read them, `files` of each file that it left."""

    kind: Literal["S3"]
    uri: ObjectUri
    credentials: Credentials
    sha256: Sha256 | None = None
    files: dict[str, Sha256] | None = None


class HubModel(Hub):
    kind: Literal["Hub"]
    sha256: Sha256 | None = None

    @property
    def uri(self) -> str:
        """For messages and provenance, as huggingface_hub writes it."""
        return f"hf://{self.repo}@{self.revision}"


Model = Annotated[S3Model | HubModel, Field(discriminator="kind")]


class Adapter(Section):
    """What another run of the namespace left, for this one to go on with: a folder, and the digests of its files."""

    run: str
    uri: ObjectUri
    files: dict[str, Sha256]


class HubDataset(Hub):
    config: str | None
    split: str

    @property
    def uri(self) -> str:
        return f"hf://datasets/{self.repo}@{self.revision}"


class HubFolder(Hub):
    """Files of a dataset repository that are no rows: all below a folder, null: of the whole repository."""

    folder: str | None

    @property
    def uri(self) -> str:
        return f"hf://datasets/{self.repo}@{self.revision}{'' if self.folder is None else f'/{self.folder}'}"


class Source(Section):
    """Exactly one of a mounted ConfigMap file, an object or prefix in an S3 store, and what is on a hub."""

    config_map_file: str | None = None
    uri: ObjectUri | None = None
    credentials: Credentials | None = None
    # Of the object at the URI, where it must be the one that was read before.
    sha256: Sha256 | None = None
    hub: HubDataset | HubFolder | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        if sum(one is not None for one in (self.config_map_file, self.uri, self.hub)) != 1:
            raise ValueError("exactly one of configMapFile, uri and hub must be set")
        if (self.uri is None) != (self.credentials is None):
            raise ValueError("credentials belongs to uri")
        if self.sha256 is not None and self.uri is None:
            raise ValueError("sha256 belongs to uri")
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


class Resolved(Section):
    """What is learnt of the predictions that an evaluation resolved. With a style conversations, else patches."""

    max_per_instance: PositiveInt
    style: Style | None = None
    allow_evaluation_sets: bool


class TrajectoryFolder(Section):
    """What is learnt of a folder of trajectories: conversations, or only those that a report says resolved."""

    max_per_instance: PositiveInt
    style: Style
    allow_evaluation_sets: bool
    only_resolved: bool


# Of these the format is the kind, or one of two.
KINDS = {"Preferences": "Preferences", "Resolved": "Trajectories", "Trajectory": "Trajectories"}
SECTIONS = {"Resolved": "resolved", "Trajectory": "folder"}
Format = Literal[
    "SWEBench", "SWEBenchPro", "SWESmith", "Messages", "PromptCompletion", "Preferences", "Resolved", "Trajectory"
]


class Data(Section):
    """Which rows."""

    kind: Literal["Instances", "Files", "Preferences", "Trajectories"]
    source: Source
    format: Format
    prompt_style: Literal["Pro"] | None = None
    resolved: Resolved | None = None
    folder: TrajectoryFolder | None = None
    select: Select

    @property
    def attempts(self) -> Resolved | TrajectoryFolder | None:
        """How the attempts of a model are learnt from, where that is what these are."""
        return self.resolved or self.folder

    @property
    def has_conversations(self) -> bool:
        return self.format == "Messages" or (self.attempts is not None and self.attempts.style is not None)

    @model_validator(mode="after")
    def _format_of_kind(self) -> "Data":
        kind = "Instances" if self.format.startswith("SWE") else "Files"
        if self.kind != KINDS.get(self.format, kind):
            raise ValueError(f"format {self.format} does not belong to kind {self.kind}")
        for format_, section in SECTIONS.items():
            if (self.format == format_) != (getattr(self, section) is not None):
                raise ValueError(f"{section} belongs to format {format_}, which needs it")
        if (self.kind == "Instances") != (self.prompt_style is not None):
            raise ValueError("promptStyle belongs to kind Instances, which needs it")
        return self


class Split(Section):
    train_percent: Percent
    by: Literal["Instance", "Repository"]
    seed: int


class Sequence(Section):
    """`loss_on` belongs to method SFT: a comparison has nothing to choose there."""

    max_length: Annotated[int, Field(ge=8)]
    loss_on: Literal["Completion", "AssistantMessages", "All"] | None = None


class Dpo(Section):
    """How chosen and rejected answers are compared, and when the reference is asked for its share of that."""

    beta: Annotated[DecimalString, Field(gt=0)]
    loss_type: Literal["Sigmoid", "SigmoidNorm", "Hinge", "IPO", "Robust", "APOZero", "APODown"]
    label_smoothing: Annotated[DecimalString, Field(ge=0, lt=0.5)]
    reference_log_probs: Literal["EveryStep", "Precomputed"]


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
    method: Method
    engine: Literal["TRL"]
    seed: Annotated[int, Field(ge=0)]
    model: Model
    adapter: Adapter | None = None
    data: Data
    split: Split
    sequence: Sequence
    dpo: Dpo | None = None
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

    @model_validator(mode="after")
    def _sections_of_method(self) -> "RunFile":
        compares = self.method == "DPO"
        belonging = {
            "dpo": self.dpo is not None,
            "data.kind Preferences": self.data.kind == "Preferences",
            "a sequence without lossOn": self.sequence.loss_on is None,
        }
        wrong = [name for name, there in belonging.items() if there != compares]
        if wrong:
            raise ValueError(f"{' and '.join(wrong)}: goes with method DPO, which needs it")
        return self

    @model_validator(mode="after")
    def _adapter_with_lora(self) -> "RunFile":
        if self.adapter is not None and self.lora is None:
            raise ValueError(f"lora: set lora: {{}} to continue the adapter of TrainingRun {self.adapter.run}")
        return self


def read_run_file(path: Path) -> RunFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, RunFile, "run.json")
