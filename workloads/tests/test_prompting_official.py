"""The official styles, compared with the official package on the same rows, to the byte."""

import json
from typing import Any

import pytest
from official_prompts import official_prompts
from prompting_world import real_rows, repositories

from swe_workloads.examples import Unusable
from swe_workloads.prompting.asked import Asked, asker
from swe_workloads.prompting.code import Code
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.prompting.row_code import code_in
from swe_workloads.rows import Row

STYLES = {"Style2": "style-2", "Style3": "style-3"}


def ask(row: dict[str, Any], style: str, code_tokens: int = 1_000_000) -> Asked:
    prompt = Prompt.model_validate({"style": style, "codeTokens": code_tokens})
    told = Row("rows.jsonl", 1, row)
    return asker(prompt, "SWEBench").ask(told, code_in(told) or Code())


@pytest.fixture(scope="module", params=STYLES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """The style, and rows as the official package leaves them."""
    folder = tmp_path_factory.mktemp("remotes")
    return request.param, official_prompts(STYLES[request.param], repositories(real_rows(), folder), folder)


def test_rows_with_code_are_asked_as_officially(made: tuple[str, list[dict[str, Any]]]) -> None:
    style, rows = made
    assert len(rows) == 12 and all(row["text_inputs"] for row in rows)
    for row in rows:
        assert ask(row, style) == Asked(row["text_inputs"]), row["instance_id"]


def test_rows_of_the_published_sets_are_asked_as_they_say(made: tuple[str, list[dict[str, Any]]]) -> None:
    style, rows = made
    for row in rows:
        published = {name: value for name, value in row.items() if name not in ("file_contents", "readmes")}
        published["text"] = published.pop("text_inputs")
        assert ask(published, style) == Asked(published["text"]), row["instance_id"]


def test_code_is_the_same_whichever_style_it_was_published_in(made: tuple[str, list[dict[str, Any]]]) -> None:
    style, rows = made
    other = next(name for name in STYLES if name != style)
    for row in rows:
        published = {name: row[name] for name in ("instance_id", "repo", "problem_statement", "patch")}
        assert ask(published | {"text": row["text_inputs"]}, other) == ask(row, other)


def test_columns_may_be_json_in_a_string_and_have_the_paths_of_other_rows(
    made: tuple[str, list[dict[str, Any]]],
) -> None:
    style, [row, *_] = made
    told = {**row, "readmes": json.dumps(row["readmes"]), "file_contents": row["file_contents"] | {"other.py": None}}
    assert ask(told, style) == Asked(row["text_inputs"])


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"text": "words"}, "text is no prompt of the official style 2 or 3 with code in it"),
        ({"text": "<issue>\n</issue>\n<code>\n[start of a.py]\n1 a\n3 b\n[end of a.py]\n</code>"}, "text is no prompt"),
        ({"text": "<issue>\n</issue>\n<code>\n[start of a.py]\n1 a\n</code>"}, "text is no prompt"),
        ({"file_contents": "words"}, "file_contents must be an object of contents by path"),
        ({"file_contents": {"a.py": 1}}, "file_contents: the content of a.py must be a string"),
        ({"file_contents": {}, "readmes": ["a"]}, "readmes must be an object of contents by path"),
    ],
)
def test_a_row_whose_code_cannot_be_read_says_so(columns: dict[str, Any], problem: str) -> None:
    row = {"instance_id": "a", "repo": "o/a", "problem_statement": "b", "patch": "c", **columns}
    with pytest.raises(Unusable) as caught:
        ask(row, "Style3")
    assert problem in str(caught.value)


def test_files_come_before_readmes_and_what_has_no_room_is_left_out_whole() -> None:
    files = {"a.py": "a" * 30, "b.py": "b" * 3000, "c.py": "c" * 30}
    row = {
        "repo": "o/a",
        "problem_statement": "b",
        "patch": "c",
        "file_contents": files,
        "readmes": {"README": "r" * 90},
    }
    asked = ask(row, "Style2", code_tokens=60)
    assert asked.cut == ("b.py", "README")
    assert "[start of a.py]\n1 aaa" in asked.prompt and "[end of c.py]" in asked.prompt
    assert "b.py" not in asked.prompt and "README" not in asked.prompt
    assert ask(row, "Style2").cut == ()
