from pathlib import Path

import pytest

from swe_workloads.examples import Example, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.leaks import gold_in_prompt, leaked_across
from swe_workloads.rows import Row, read_rows

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
LONG = "The view raises a KeyError when the form is empty and the user is known."
PATCH = """diff --git a/x.py b/x.py
index 111..222 100644
--- a/x.py
+++ b/x.py
@@ -10,3 +10,3 @@ def view(form):
 before
-    return form["user"]
+    return form.get("user", anonymous)
 after
"""


def instance(name: str, question: str = "", patch: str = "", base: str | None = None) -> Example:
    record: dict[str, object] = {
        "prompt": [{"role": "user", "content": question or f"{name} {LONG}"}],
        "completion": [{"role": "assistant", "content": patch or PATCH.replace("user", name)}],
    }
    return Example(Row("f", 1, {}), record, name, "a/a", base=base)


def pair(prompt: str, completion: str) -> Example:
    return Example(Row("f", 1, {}), {"prompt": prompt, "completion": completion}, None, None)


def test_different_instances_do_not_leak() -> None:
    assert leaked_across([instance("a", base="a@1")], [instance("b", base="a@2")]) == 0


def test_the_same_base_commit_leaks() -> None:
    assert leaked_across([instance("a", base="a@1")], [instance("b", base="a@1")]) == 1


def test_the_same_question_leaks_whatever_its_spacing_and_case() -> None:
    assert leaked_across([instance("a", LONG)], [instance("b", f"  {LONG.upper()}\n")]) == 1


def test_the_same_patch_leaks_wherever_its_hunks_stand() -> None:
    moved = PATCH.replace("@@ -10,3 +10,3 @@ def view(form):", "@@ -90,3 +91,3 @@").replace("222", "333")
    moved = moved.replace(" before", " something else")
    assert leaked_across([instance("a", patch=PATCH)], [instance("b", patch=moved)]) == 1


def test_another_change_of_the_same_file_does_not_leak() -> None:
    assert leaked_across([instance("a", patch=PATCH)], [instance("b", patch=PATCH.replace("anonymous", "None"))]) == 0


def test_a_short_answer_that_many_rows_share_is_no_leak() -> None:
    assert leaked_across([pair(f"1 {LONG}", "yes")], [pair(f"2 {LONG}", "yes")]) == 0
    assert leaked_across([pair(f"1 {LONG}", LONG)], [pair(f"2 {LONG}", LONG)]) == 1


def test_conversations_leak_by_their_last_answer() -> None:
    def conversation(question: str) -> Example:
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": LONG}]
        return Example(Row("f", 1, {}), {"messages": turns}, None, None)

    assert leaked_across([conversation("one")], [conversation("two")]) == 1


@pytest.mark.parametrize(
    ("question", "tells"),
    [
        ('I would write `return form.get("user", anonymous)` here.', True),
        ("The view breaks.", False),
        ('It says `return form["user"]`, which breaks.', False),
    ],
)
def test_a_question_that_holds_an_added_line_tells_the_answer(question: str, tells: bool) -> None:
    assert bool(gold_in_prompt([instance("a", question, PATCH)])) is tells


@pytest.mark.parametrize(
    "line",
    ["return None", "from collections.abc import Mapping", "import collections.abc as abc"],
)
def test_lines_that_occur_by_chance_tell_nothing(line: str) -> None:
    patch = PATCH.replace('return form.get("user", anonymous)', line)
    assert gold_in_prompt([instance("a", f"Run this: {line}", patch)]) == []


def test_an_added_line_that_the_patch_only_moves_tells_nothing() -> None:
    patch = PATCH.replace(" after", "-    moved = compute(form, user)\n+  moved = compute(form, user)")
    assert gold_in_prompt([instance("a", "It has moved = compute(form, user) twice.", patch)]) == []


def test_an_answer_that_is_no_diff_has_no_gold_lines() -> None:
    assert (
        gold_in_prompt([pair("+ a line of more than twenty characters", "+ a line of more than twenty characters")])
        == []
    )


def test_a_real_issue_that_names_its_fix_is_found() -> None:
    rows = [row for row in read_rows(REAL_ROWS, "rows.jsonl") if isinstance(row, Row)]
    examples = [item for row in rows if isinstance(item := read_example(row, CONVERT["SWEBench"]), Example)]
    assert [example.instance for example in gold_in_prompt(examples)] == ["django__django-17029"]
    assert leaked_across(examples[:5], examples[5:]) == 0
