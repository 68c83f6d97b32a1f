import json
from pathlib import Path

import pytest

from swe_workloads.examples import Example, plain, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.instances import pro_prompt
from swe_workloads.rows import BadRow, Row, read_rows

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"


def read(kind: str, **fields: object) -> Example | BadRow:
    return read_example(Row("rows.jsonl", 3, fields), CONVERT[kind])


def reason(kind: str, **fields: object) -> str:
    bad = read(kind, **fields)
    assert isinstance(bad, BadRow)
    assert bad.number == 3
    return bad.reason


def test_real_swe_bench_rows_become_a_question_and_their_gold_patch() -> None:
    rows = [row for row in read_rows(REAL_ROWS, "rows.jsonl") if isinstance(row, Row)]
    examples = [read_example(row, CONVERT["SWEBench"]) for row in rows]
    assert len(examples) == 10
    for row, example in zip(rows, examples, strict=True):
        assert isinstance(example, Example)
        text = json.dumps(example.record)
        assert str(row.fields["repo"]) in text
        assert plain(example.record)["completion"] == row.fields["patch"]
        assert example.instance == row.fields["instance_id"]


def test_the_pro_prompt_is_one_paragraph_around_the_statement() -> None:
    prompt = pro_prompt("django/django", " It breaks.\n")
    assert prompt.startswith("The repository django/django has the following problem: It breaks. Write a patch")
    assert prompt.count("\n") == 0


@pytest.mark.parametrize("missing", ["instance_id", "repo", "problem_statement", "patch"])
def test_an_instance_without_a_needed_field_names_it(missing: str) -> None:
    fields = {"instance_id": "a__a-1", "repo": "a/a", "problem_statement": "It breaks.", "patch": "diff"}
    assert reason("SWEBench", **{**fields, missing: None}) == f"{missing} is missing"
    assert reason("SWEBench", **{**fields, missing: " \n"}) == f"{missing} is empty"
    assert reason("SWEBench", **{**fields, missing: 7}) == f"{missing} must be a string, not int"


def test_prompt_and_completion_stay_as_they_are() -> None:
    example = read("PromptCompletion", prompt="p", completion="c", extra=1)
    assert isinstance(example, Example)
    assert example.record == {"prompt": "p", "completion": "c"}


def test_messages_keep_role_and_content() -> None:
    turns = [{"role": "user", "content": "Hi", "name": "x"}, {"role": "assistant", "content": "Hello"}]
    example = read("Messages", messages=turns, repo="a/a")
    assert isinstance(example, Example)
    assert example.record == {"messages": [{"role": turn["role"], "content": turn["content"]} for turn in turns]}
    assert example.repository == "a/a"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ("Hi", "messages must be a list"),
        ([], "messages must be a list"),
        (["Hi"], "message 1 must be an object"),
        ([{"role": "robot", "content": "Hi"}], "role must be one of"),
        ([{"role": "user", "content": None}], "message 1: content must be a string"),
        ([{"role": "user", "content": "Hi"}], "the last message must be the assistant's"),
        ([{"role": "assistant", "content": "", "tool_calls": [{}]}], "tool_calls are not supported"),
    ],
)
def test_messages_that_cannot_be_used_say_why(turns: object, words: str) -> None:
    assert words in reason("Messages", messages=turns)
