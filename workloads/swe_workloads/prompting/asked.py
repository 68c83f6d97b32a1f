"""One row as a prompt, in the style that is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.examples import Unusable, text_of
from swe_workloads.instances import PROBLEMS, Problem, pro_prompt
from swe_workloads.prompting.code import Code, fitting, numbered
from swe_workloads.prompting.official_styles import style_2, style_3
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.prompting.template import Template, fill, placeholders, read_template
from swe_workloads.rows import Row

OFFICIAL = {"Style2": style_2, "Style3": style_3}
OF_CODE = frozenset({"code", "readmes"})


@dataclass(frozen=True)
class Asked:
    """`cut` names the files that the prompt had no room for."""

    prompt: str
    cut: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asker:
    """`ask` raises Unusable. Where no code is needed none is shown."""

    needs_code: bool
    ask: Callable[[Row, Code], Asked]


def asker(prompt: Prompt, row_format: str) -> Asker:
    """Raises Failure(INVALID_CONFIGURATION) for a template that cannot be used."""
    problem_of = PROBLEMS[row_format]
    if prompt.style == "Pro":
        return Asker(False, lambda row, _: _pro(problem_of(row)))
    if prompt.template_file is not None:
        template = read_template(Path(prompt.template_file))
        needs_code = bool(placeholders(template) & OF_CODE)
        return Asker(needs_code, lambda row, code: _custom(row, problem_of(row), template, code, prompt.code_tokens))
    style = OFFICIAL[prompt.style]

    def official(row: Row, code: Code) -> Asked:
        shown = fitting(code, prompt.code_tokens)
        return Asked(style(problem_of(row).statement, shown.code), shown.cut)

    return Asker(True, official)


def _pro(problem: Problem) -> Asked:
    return Asked(pro_prompt(problem.repository, problem.statement))


def _custom(row: Row, problem: Problem, template: Template, code: Code, code_tokens: int) -> Asked:
    shown = fitting(code, code_tokens)
    values: dict[str, Callable[[], str]] = {
        "base_commit": lambda: text_of(row, "base_commit"),
        "code": lambda: numbered(shown.code.files),
        "hints_text": lambda: _hints(row),
        "instance_id": lambda: text_of(row, "instance_id"),
        "problem_statement": lambda: problem.statement,
        "readmes": lambda: numbered(shown.code.readmes),
        "repo": lambda: problem.repository,
    }
    return Asked(fill(template, values), shown.cut)


def _hints(row: Row) -> str:
    """Many instances have none, which is an empty text."""
    hints = row.fields.get("hints_text")
    if not isinstance(hints, str):
        raise Unusable("hints_text is missing or no string")
    return hints
