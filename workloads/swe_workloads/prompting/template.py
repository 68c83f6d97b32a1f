"""A prompt in a person's own words, with names in braces where an instance's own come."""

from collections.abc import Callable, Mapping
from pathlib import Path
from string import Formatter

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.prompting.prompt_section import TEMPLATE_FIELD

PLACEHOLDERS = ("base_commit", "code", "hints_text", "instance_id", "problem_statement", "readmes", "repo")
Template = list[tuple[str, str | None]]


def read_template(path: Path) -> Template:
    """Texts, each with the placeholder behind it. Raises Failure(INVALID_CONFIGURATION)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(f"cannot be read: {error}") from error
    if not text.strip():
        raise _refused("is empty")
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise _refused(f"{error}. A brace that is meant as such is written twice, {{{{ or }}}}") from error
    for _, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            raise _refused(_unknown(name, form, conversion))
    return [(said, name) for said, name, _, _ in parts]


def placeholders(template: Template) -> frozenset[str]:
    return frozenset(name for _, name in template if name is not None)


def fill(template: Template, values: Mapping[str, Callable[[], str]]) -> str:
    """Only what the template names is asked for."""
    return "".join(said + ("" if name is None else values[name]()) for said, name in template)


def _unknown(name: str, form: str | None, conversion: str | None) -> str:
    written = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
    return f"{{{written}}} is no placeholder. There are {known}; a brace that is meant as such is written twice"


def _refused(problem: str) -> Failure:
    return Failure(ExitCode.INVALID_CONFIGURATION, f"{TEMPLATE_FIELD}: {problem}.")
