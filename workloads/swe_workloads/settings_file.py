"""A file of settings that the operator writes for a program. Anything unknown or out of range is refused by name."""

import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from swe_workloads.exit_codes import ExitCode, Failure

_DECIMAL = re.compile(r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$")
# What tells the members of a union apart: of a model, and of the predictions of an evaluation.
UNION_KINDS = ("S3", "Hub", "Gold", "Files")


def _from_decimal_string(value: object) -> float:
    if not isinstance(value, str) or not _DECIMAL.match(value):
        raise ValueError('must be a decimal string such as "2e-4"')
    return float(value)


# Kubernetes objects carry no floats, so decimals travel as strings.
DecimalString = Annotated[float, BeforeValidator(_from_decimal_string)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, strict=True)


Settings = TypeVar("Settings", bound=Section)


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
