"""Verdicts: how a program says what it did. The store has the whole one, the termination message a short copy."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from swe_workloads.exit_codes import ExitCode, reason

# The kubelet keeps this much of a termination message.
TERMINATION_MESSAGE_BYTES = 4096
MESSAGE_CHARACTERS = 1000
# Lists of a summary that are only examples, those that are missed least first.
SHORTENED = (
    *(
        "badRowExamples",
        "unpinnedImageExamples",
        "malformed",
        "repositories",
        "goldInPromptExamples",
        "givenUpExamples",
    ),
    "dropped",
)


class Part(BaseModel):
    """Spelled in camelCase outside, made with either name inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BadRowExample(Part):
    row: int
    reason: str


class TokenSummary(Part):
    p50: int
    p90: int
    max: int


class RepositoryCount(Part):
    name: str
    rows: int


class FrozenSource(Part):
    """What was read: every attempt reads exactly the same."""

    uri: str
    revision: str | None = None
    sha256: str | None = None


class Sources(Part):
    model: FrozenSource
    data: FrozenSource


class PrepareSummary(Part):
    """`rows` is train plus test: the rows that are used."""

    rows: int
    train: int
    test: int
    bad_rows: int
    bad_row_examples: list[BadRowExample]
    tokens: TokenSummary
    truncated_percent: str
    duplicates_across_split: int
    leaked_across_split: int
    gold_in_prompt: int
    gold_in_prompt_examples: list[str]
    repositories: list[RepositoryCount]


class Perplexity(Part):
    """Of the result on the held-out rows with its 95 % interval, or the reason why there is none."""

    value: str | None = None
    low: str | None = None
    high: str | None = None
    rows: int | None = None
    tokens: int | None = None
    reason: str | None = None


class BestCheckpoint(Part):
    """`key` is the folder in the store, absent when nothing of that step is there any more."""

    step: int
    eval_loss: str
    key: str | None = None


class FirstAndLast(Part):
    first: str
    last: str


class Preferences(Part):
    """How often the chosen answer has the higher reward, and by how much, over what the reference gives it.

    Accuracy and margin are of the rows that are trained on, those of the evaluations of the held-out ones.
    """

    accuracy: FirstAndLast | None = None
    margin: FirstAndLast | None = None
    eval_accuracy: FirstAndLast | None = None
    eval_margin: FirstAndLast | None = None


class Artifact(Part):
    name: str
    key: str
    sha256: str
    size_bytes: int


class Verdict(Part):
    kind: str
    exit_code: int
    reason: str
    message: str

    def to_document(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True, exclude_none=True)

    def to_json(self) -> bytes:
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class PrepareVerdict(Verdict):
    kind: Literal["Prepare"] = "Prepare"
    summary: PrepareSummary | None = None
    sources: Sources | None = None
    table: str | None = None


class TrainVerdict(Verdict):
    """Steps are optimizer steps. What is not known yet, such as totalSteps before the engine starts, is left out.

    `micro_batch` is the rows of one pass, `seconds` the time since the attempt's program began, `pod_uid` the pod
    it ran in: a queue may have one attempt make several.
    """

    kind: Literal["Train"] = "Train"
    attempt: int
    pod_uid: str | None = None
    from_step: int = 0
    last_step: int = 0
    checkpoint_step: int = 0
    total_steps: int | None = None
    loss: FirstAndLast | None = None
    eval_loss: FirstAndLast | None = None
    preferences: Preferences | None = None
    perplexity: Perplexity | None = None
    best: BestCheckpoint | None = None
    stopped_early: bool | None = None
    micro_batch: int | None = None
    seconds: int | None = None
    log_tail: list[str] | None = None
    artifacts: list[Artifact] | None = None


def outcome(code: ExitCode, message: str) -> dict[str, Any]:
    """The three fields every verdict begins with."""
    text = message.encode(errors="replace").decode()  # a name from outside may hold half a character
    return {"exit_code": int(code), "reason": reason(code), "message": text[:MESSAGE_CHARACTERS]}


def write_termination_message(verdict: Verdict, path: Path) -> None:
    """Lists are shortened, least telling entries first, until the message fits."""
    document = verdict.to_document()
    while len(_encode(document)) > TERMINATION_MESSAGE_BYTES and _shorten(document):
        pass
    path.write_bytes(_encode(document))


def _shorten(document: dict[str, Any]) -> bool:
    summary = document.get("summary", {})
    lists = [document.get("logTail"), *(summary.get(name) for name in SHORTENED)]
    for entries in lists:
        if entries:
            # The end of a log says why; of the other lists the first entries matter most.
            entries.pop(0 if entries is document.get("logTail") else -1)
            return True
    if len(document.get("artifacts", [])) > 1:
        document["artifacts"].pop()
        return True
    message = str(document["message"])
    if message:
        document["message"] = message[: len(message) // 2]
        return True
    # One entry alone is too long: then none of them.
    return any(document.pop(name, None) is not None for name in ("artifacts", "summary"))


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
