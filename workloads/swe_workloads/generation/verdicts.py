"""What a generation says in the end."""

from typing import Literal

from swe_workloads.verdict import FrozenSource, Part, Verdict


class GivenUpExample(Part):
    """A sample that could not be had, and what the API said or did."""

    instance: str
    reason: str


class GenerateSummary(Part):
    """`samples` were asked for: `generated` of them have an answer, and `given_up` were tried in vain or refused.

    Of the answers `without_patch` have none, of which `refused` are those of a model that would not answer;
    `truncated` reached spec.generation.sampling.maxTokens, and `repaired` have a patch with hunks whose lines were
    counted again. `code_files_cut` are files of code that prompts had no room for. Not asked are selected instances
    that are of `evaluation_sets`, or `contaminated`: like rows of spec.decontamination. `retries` are tries beyond the
    first of each sample. Tokens are those that the API counted for answers.
    """

    instances: int
    samples: int
    generated: int
    given_up: int
    without_patch: int
    refused: int = 0
    truncated: int
    repaired: int
    code_files_cut: int = 0
    evaluation_sets: int
    contaminated: int = 0
    bad_rows: int
    retries: int
    prompt_tokens: int
    completion_tokens: int
    given_up_examples: list[GivenUpExample]


class GenerateSources(Part):
    instances: FrozenSource


class GenerateVerdict(Verdict):
    """`predictions` is the key of the file that an evaluation or a PreferenceGen reads."""

    kind: Literal["Generate"] = "Generate"
    summary: GenerateSummary | None = None
    sources: GenerateSources | None = None
    predictions: str | None = None
