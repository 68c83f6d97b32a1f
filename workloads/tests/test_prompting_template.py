"""Prompts in a person's own words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gen_world import gen_row

from swe_workloads.examples import Unusable
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.prompting.asked import Asked, asker
from swe_workloads.prompting.code import Code
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.prompting.row_code import code_in
from swe_workloads.rows import Row


def asking(folder: Path, text: str, row_format: str = "SWEBench") -> Callable[[Row], Asked]:
    path = folder / "prompt.txt"
    path.write_text(text)
    prompt = {"style": "Custom", "templateFile": str(path), "codeTokens": 20}
    made = asker(Prompt.model_validate(prompt), row_format)
    return lambda row: made.ask(row, code_in(row) or Code())


def row(**columns: Any) -> Row:
    return Row("rows.jsonl", 1, gen_row(1, **columns))


def test_names_in_braces_are_what_the_instance_has_there(tmp_path: Path) -> None:
    ask = asking(tmp_path, "{repo} at {base_commit}: {problem_statement} ({instance_id}) {{x}} {hints_text}!\n")
    told = row(base_commit="0a1b", hints_text="none {repo}", problem_statement=" add {subtracts}\n")
    assert ask(told) == Asked("team/lib at 0a1b:  add {subtracts}\n (team__lib-1) {x} none {repo}!\n")


def test_code_is_shown_as_far_as_there_is_room(tmp_path: Path) -> None:
    ask = asking(tmp_path, "{code}|{readmes}")
    told = row(file_contents={"a.py": "x\ny", "b.py": "z" * 90}, readmes={"README": "r"})
    assert ask(told) == Asked("[start of a.py]\n1 x\n2 y\n[end of a.py]|", ("b.py", "README"))


def test_what_the_template_does_not_name_may_be_missing(tmp_path: Path) -> None:
    assert asking(tmp_path, "Mend {repo}.")(row(hints_text=None, base_commit=None)) == Asked("Mend team/lib.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{hints_text}", "hints_text is missing"), ("{base_commit}", "base_commit")],
)
def test_an_instance_without_what_the_template_names_is_a_bad_row(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        asking(tmp_path, text)(row(hints_text=None, base_commit=None))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Mend {issue}",
            "spec.promptTemplate: {issue} is no placeholder. There are {base_commit}, {code}, {hints_text},",
        ),
        ("Mend {}", "{} is no placeholder."),
        ("{repo.__class__}", "{repo.__class__} is no placeholder."),
        ("{repo!r}", "{repo!r} is no placeholder."),
        ("{repo:>99999999}", "{repo:>99999999} is no placeholder."),
        ('{"a": 1}', '{"a": 1} is no placeholder.'),
        ("def f() {", "A brace that is meant as such is written twice, {{ or }}."),
        ("return }", "A brace that is meant as such is written twice, {{ or }}."),
        (" \n", "spec.promptTemplate: is empty."),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_a_remedy(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(Failure) as caught:
        asking(tmp_path, text)
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION
    assert problem in caught.value.message


def test_a_template_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_bytes(b"\xff")
    with pytest.raises(Failure, match=r"spec.promptTemplate: cannot be read"):
        asker(
            Prompt.model_validate({"style": "Custom", "templateFile": str(tmp_path / "prompt.txt"), "codeTokens": 1}),
            "SWEBench",
        )
