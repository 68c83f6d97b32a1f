"""What the preparation and the report of a PreferenceGen say in the end."""

from typing import Literal

from pydantic import Field

from swe_workloads.evaluation.verdicts import AtK, EvalSources
from swe_workloads.verdict import Artifact, BadRowExample, FrozenSource, Part, Verdict


class RemovedCount(Part):
    """Instances that a rule of the decontamination left out, and samples: of these instances, and of others."""

    rule: str
    instances: int
    samples: int


class Compared(Part):
    """Rows of evaluations that were compared with."""

    rows: int
    bad_rows: int
    sources: list[FrozenSource]


class PrepareGenSummary(Part):
    """`samples` are the rows that were read; `instances` have samples, are selected and of no evaluation set.

    `unique_patches` are graded; `without_sample` are instances that no sample is about, `unknown_ids` instances that no
    row is about. `evaluation_sets` are instances of the known sets that were left out, `removed` has them and all that
    is like the rows of `decontamination`. `not_selected` are predictions about others.
    """

    instances: int
    samples: int
    unique_patches: int
    empty_patches: int
    without_sample: int
    unknown_ids: int
    duplicates: int
    bad_rows: int
    bad_predictions: int
    not_selected: int
    evaluation_sets: int
    removed: list[RemovedCount] = Field(default_factory=list)
    decontamination: Compared | None = None
    bad_row_examples: list[BadRowExample]


class PrepareGenVerdict(Verdict):
    """`data` is the folder of what was prepared."""

    kind: Literal["PrepareGen"] = "PrepareGen"
    summary: PrepareGenSummary | None = None
    sources: EvalSources | None = None
    data: str | None = None
    table: str | None = None


class DroppedCount(Part):
    """Samples that are in no pair, by the reason."""

    reason: str
    count: int


class ReportGenSummary(Part):
    """`instances` are those with a sample; of them `all_pass` and `all_fail` have usable ones of one kind alone.

    `resolved` are samples whose patch is resolved, whether it is used or not. `pair_yield` is pairs by samples, told
    as yield, which is no name in Python. `length_ratio`, absent without pairs, is how many times as long as rejected
    answers the chosen ones are, as the geometric mean.
    `train_pairs` and `test_pairs` are absent without a split, `trajectory_rows` where none are exported.
    """

    instances: int
    samples: int
    unique_patches: int
    resolved: int
    all_pass: int
    all_fail: int
    with_pairs: int
    pairs: int
    pair_yield: str = Field(alias="yield")
    length_ratio: str | None = None
    pass_at_k: list[AtK]
    train_pairs: int | None = None
    test_pairs: int | None = None
    sft_rows: int
    trajectory_rows: int | None = None
    dropped: list[DroppedCount]


class ReportGenVerdict(Verdict):
    kind: Literal["ReportGen"] = "ReportGen"
    summary: ReportGenSummary | None = None
    artifacts: list[Artifact] | None = None
