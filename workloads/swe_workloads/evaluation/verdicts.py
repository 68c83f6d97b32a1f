"""What the preparation and the report of an evaluation say in the end; grade has a verdict of its own."""

from typing import Literal

from pydantic import Field

from swe_workloads.verdict import Artifact, BadRowExample, FrozenSource, Part, Verdict


class EvalSources(Part):
    """`predictions` is absent where the instances brought their own."""

    instances: FrozenSource
    predictions: FrozenSource | None = None


class UnpinnedImage(Part):
    """An image that runs by its name, and why."""

    name: str
    reason: str


class PrepareEvalSummary(Part):
    """`instances` are selected, `predictions` the rows that were read; what does not run is counted by its reason.

    `unknown_ids` are instances that no row is about, `without_prediction` instances that no prediction is about.
    `baselines` are the pods beside `to_run`: two for each instance that runs, or none. Of both, `cached` and
    `cached_baselines` are those whose verdict is an earlier evaluation's, so that they get no pod.
    `images` are those of the instances that run, `pinned_images` of them those that run by digest. `malformed` names
    the first instances with a diff that git may refuse; those run all the same.
    """

    instances: int
    predictions: int
    to_run: int
    baselines: int = 0
    cached: int = 0
    cached_baselines: int = 0
    empty_patches: int
    without_prediction: int
    unknown_ids: int
    not_selected: int
    duplicates: int
    bad_predictions: int
    bad_rows: int
    bad_row_examples: list[BadRowExample]
    malformed: list[str]
    images: int
    pinned_images: int = 0
    unpinned_image_examples: list[UnpinnedImage] = Field(default_factory=list)


class PrepareEvalVerdict(Verdict):
    """`data` is the folder of what was prepared."""

    kind: Literal["PrepareEval"] = "PrepareEval"
    summary: PrepareEvalSummary | None = None
    sources: EvalSources | None = None
    data: str | None = None
    table: str | None = None


class AtK(Part):
    k: int
    value: str


class RepositoryRate(Part):
    """`total` and `resolved` count predictions; an instance without any counts as one that is not resolved."""

    name: str
    total: int
    resolved: int


class ComparisonSummary(Part):
    """With an earlier evaluation, over the instances that have a verdict in both; or the `problem` with that.

    `difference` is that of the resolve rates, positive where this evaluation resolves more.
    """

    name: str
    uid: str | None = None
    instances: int | None = None
    difference: str | None = None
    low: str | None = None
    high: str | None = None
    p_value: str | None = None
    wins: int | None = None
    losses: int | None = None
    problem: str | None = None


class IntegrityCounts(Part):
    """Resolved predictions by what their logs bear out; `unknown` are those that were not looked at."""

    clean: int
    suspicious: int
    tampered: int
    unknown: int


class LeakCounts(Part):
    """Instances whose repository was looked at, and those with commits that their own does not come from."""

    scanned: int
    leaking: int


class FlakeCounts(Part):
    """Predictions that were graded again, those whose gradings differ, and those that most gradings resolve.

    The last are those alone whose verdict is another one.
    """

    rerun: int
    disagreeing: int
    resolved_by_vote: int


class ReportEvalSummary(Part):
    """`total` are the selected instances, `submitted` and `resolved` predictions; rates are of all instances.

    `incomplete` are predictions that could not be graded, whatever they are worth; of these `excluded` were not run,
    because their instance is not proven to be valid. `cached` are predictions whose verdict is an earlier evaluation's.
    `valid_only` is the share of resolved ones among those with a verdict, where baselines ran of valid instances alone;
    `invalid` are instances of which baselines have shown that they cannot be graded here. `audited_rate` is the resolve
    rate if only resolved predictions counted whose integrity is Clean.
    """

    resolved_rate: str
    low: str
    high: str
    method: Literal["Wilson", "Bootstrap"]
    resolved: int
    submitted: int
    total: int
    incomplete: int
    audited_rate: str
    integrity: IntegrityCounts
    flakes: FlakeCounts
    leaks: LeakCounts
    excluded: int = 0
    cached: int = 0
    valid_only: str | None = None
    invalid: int = 0
    pass_at_k: list[AtK]
    pass_hat_k: list[AtK]
    repositories: list[RepositoryRate]
    comparisons: list[ComparisonSummary] | None = None


class DryRunSummary(Part):
    """Predictions of a dry run. `checked` are the sum of the next four; `over_limits` took more than they may.

    Nothing of it is a rate: no test was run.
    """

    submitted: int
    checked: int
    ok: int
    does_not_parse: int
    does_not_apply: int
    does_not_compile: int
    over_limits: int
    unchecked: int
    empty_patches: int


class ReportEvalVerdict(Verdict):
    """With a summary, or that of a dry run."""

    kind: Literal["ReportEval"] = "ReportEval"
    summary: ReportEvalSummary | None = None
    dry_run: DryRunSummary | None = None
    artifacts: list[Artifact] | None = None
