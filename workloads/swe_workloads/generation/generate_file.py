"""run.json of a generation: what the operator resolved. Anything unknown or out of range is refused by name."""

import urllib.parse
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from swe_workloads.evaluation.eval_file import Instances
from swe_workloads.preference_gen.gen_file import Decontamination
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.run_file import PositiveInt, RunIdentity
from swe_workloads.settings_file import DecimalString, Section, read_settings

FILE = "run.json"


def _base_url(value: str) -> str:
    """Without user, query and fragment: nothing secret belongs into an address, and a path is put behind it."""
    parts = urllib.parse.urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://api.example.com/v1, without user, query and fragment")
    if not value.isascii() or any(sign <= " " for sign in value):
        raise ValueError("must be of printable ASCII characters")
    host.encode("idna")
    _ = parts.port  # raises ValueError where it is no number of a port
    return value


class ChatModel(Section):
    """`url` is the base of the API: requests go to <url>/chat/completions. `name` is the model as the API calls it."""

    url: Annotated[str, AfterValidator(_base_url)]
    name: Annotated[str, Field(min_length=1)]
    credentials: Literal["None", "Secret"]


class Sampling(Section):
    """`max_tokens` is of one answer; `seed` is what every sample's own seed is made from."""

    samples_per_instance: PositiveInt
    temperature: Annotated[DecimalString, Field(ge=0)]
    top_p: Annotated[DecimalString, Field(gt=0, le=1)]
    max_tokens: PositiveInt
    stop: list[str]
    seed: int


class Limits(Section):
    """Of one request from its beginning to its end, and how often a sample is tried."""

    request_seconds: PositiveInt
    attempts: PositiveInt


class GenerateFile(Section):
    """`concurrency` is how many requests may be under way at once."""

    version: Literal[1]
    owner: RunIdentity
    instances: Instances
    allow_evaluation_sets: bool
    decontamination: Decontamination | None = None
    prompt: Prompt
    model: ChatModel
    sampling: Sampling
    concurrency: Annotated[int, Field(ge=1, le=1024)]
    limits: Limits
    harness_version: str


def read_generate_file(path: Path) -> GenerateFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, GenerateFile, FILE)
