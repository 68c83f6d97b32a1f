import json
from pathlib import Path
from typing import Any

import pytest

from swe_workloads.examples import Example, plain, question_and_answers, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.instances import count_tests, pro_prompt, upstream
from swe_workloads.reverse_diff import reverse_diff
from swe_workloads.rows import BadRow, Row, read_rows

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
PATCH = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-good = 1\n+bad = 1\n"


def real_rows() -> list[dict[str, Any]]:
    return [row.fields for row in read_rows(REAL_ROWS, "rows.jsonl") if isinstance(row, Row)]


def as_pro(row: dict[str, Any]) -> dict[str, Any]:
    """A real row in SWE-bench Pro's columns: lower case, lists as Python writes them."""
    return {
        **{name: row[name] for name in ("repo", "base_commit", "problem_statement", "patch", "test_patch")},
        "instance_id": f"instance_{row['instance_id']}-v{row['base_commit']}",
        "repo_language": "python",
        "fail_to_pass": repr(json.loads(row["FAIL_TO_PASS"])),
        "pass_to_pass": repr(json.loads(row["PASS_TO_PASS"])),
        "selected_test_files_to_run": "['tests/test_it.py']",
        "requirements": "",
        "interface": "",
    }


def as_smith(row: dict[str, Any]) -> dict[str, Any]:
    """A real row in SWE-smith's columns: the gold patch turned round is the bug."""
    mirror = f"{row['repo'].replace('/', '__')}.{row['base_commit'][:8]}"
    return {
        "instance_id": f"{mirror}.pr_1",
        "repo": f"swesmith/{mirror}",
        "patch": reverse_diff(row["patch"]),
        "FAIL_TO_PASS": json.loads(row["FAIL_TO_PASS"]),
        "PASS_TO_PASS": json.loads(row["PASS_TO_PASS"]),
        "image_name": f"jyangballin/swesmith.x86_64.{mirror.replace('__', '_1776_')}",
        "problem_statement": row["problem_statement"],
        "base_commit": row["base_commit"],
    }


def read(kind: str, **fields: object) -> Example:
    example = read_example(Row("rows.jsonl", 3, fields), CONVERT[kind])
    assert isinstance(example, Example), example
    return example


def reason(kind: str, **fields: object) -> str:
    bad = read_example(Row("rows.jsonl", 3, fields), CONVERT[kind])
    assert isinstance(bad, BadRow)
    return bad.reason


def smith(**fields: object) -> dict[str, object]:
    known = {"instance_id": "i", "repo": "swesmith/a__b.01234567", "patch": PATCH, "problem_statement": "It breaks."}
    return {**known, **fields}


def test_one_problem_is_the_same_example_in_all_three_formats() -> None:
    assert len(real_rows()) == 10
    for row in real_rows():
        bench, pro, smith = (
            read("SWEBench", **row),
            read("SWEBenchPro", **as_pro(row)),
            read("SWESmith", **as_smith(row)),
        )
        assert bench.record == pro.record == smith.record
        assert bench.repository == pro.repository == smith.repository == row["repo"]
        assert bench.fail_to_pass == pro.fail_to_pass == smith.fail_to_pass == len(json.loads(row["FAIL_TO_PASS"]))
        assert plain(bench.record)["completion"] == row["patch"]


def test_the_state_of_the_code_is_known_but_where_all_bugs_share_one_commit() -> None:
    row = real_rows()[0]
    assert (
        read("SWEBench", **row).base == read("SWEBenchPro", **as_pro(row)).base == f"{row['repo']}@{row['base_commit']}"
    )
    assert read("SWESmith", **as_smith(row)).base is None


def test_pro_s_issue_has_three_parts() -> None:
    row = as_pro(real_rows()[0]) | {"problem_statement": "It breaks.", "requirements": "R", "interface": "I"}
    prompt, _ = question_and_answers(read("SWEBenchPro", **row).record)
    assert prompt == pro_prompt(row["repo"], "It breaks.\n\nRequirements:\nR\n\nNew interfaces introduced:\nI")


def test_pro_s_texts_that_are_strings_within_strings_are_unpacked() -> None:
    row = as_pro(real_rows()[0]) | {
        "problem_statement": '"It\\n\\"breaks\\"."',
        "requirements": '"half',
        "interface": None,
    }
    prompt, _ = question_and_answers(read("SWEBenchPro", **row).record)
    assert 'It\n"breaks".\n\nRequirements:\n"half' in prompt


def test_the_answer_to_swe_smith_takes_the_bug_out() -> None:
    _, [patch] = question_and_answers(read("SWESmith", **smith()).record)
    assert "-bad = 1\n+good = 1\n" in patch


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"problem_statement": ""}, "problem_statement is empty"),
        ({"patch": "Add the bug."}, "patch cannot be reversed: it is no unified diff"),
        ({"patch": PATCH.replace("-1 +1", "-1,9 +1,9")}, "patch cannot be reversed: the hunk at line 3 is shorter"),
        ({"repo": None}, "repo is missing"),
    ],
)
def test_a_row_of_swe_smith_that_cannot_be_used_says_why(fields: dict[str, object], why: str) -> None:
    assert reason("SWESmith", **smith(**fields)).startswith(why)


def test_a_patch_without_its_last_newline_gets_one() -> None:
    row = real_rows()[0]
    _, [patch] = question_and_answers(read("SWEBench", **{**row, "patch": row["patch"].rstrip("\n")}).record)
    assert patch == row["patch"]


@pytest.mark.parametrize(
    ("repository", "upstream_of_it"),
    [
        ("swesmith/oauthlib__oauthlib.1fd52536", "oauthlib/oauthlib"),
        ("SWE-smith/a__b__c.d.01234567", "a/b__c.d"),
        ("oauthlib/oauthlib", "oauthlib/oauthlib"),
        ("swesmith/tools", "swesmith/tools"),
    ],
)
def test_a_mirror_is_known_by_what_it_mirrors(repository: str, upstream_of_it: str) -> None:
    assert upstream(repository) == upstream_of_it


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (["a", "b"], 2),
        ([], 0),
        ('["a", "b"]', 2),
        ("['it\\'s', \"b\"]", 2),
        (" ['a'] ", 1),
        ("[]", 0),
        ("", None),
        (None, None),
        ("a test", None),
        ("[1, 2]", None),
        ({"a": 1}, None),
        ("__import__('os').abort()", None),
        ("[" * 100_000, None),
    ],
)
def test_tests_are_counted_in_a_list_in_json_and_in_a_python_literal(value: object, count: int | None) -> None:
    assert count_tests(value) == count
