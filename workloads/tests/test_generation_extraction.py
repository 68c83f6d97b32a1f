import difflib
import random
import re
import subprocess
from pathlib import Path

import pytest
from gen_world import diff

from swe_workloads.generation.extraction import Extraction, extract
from swe_workloads.generation.hunks import recounted

PATCH = diff("    return a + b")
DRAFT = diff("    return 1")


def found(answer: str, finish_reason: str = "stop") -> Extraction:
    return extract(answer, finish_reason, None)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (f"Here: <patch>{DRAFT}</patch> no, <patch>\n{PATCH}</patch> it is.", "PatchTag"),
        (f"In <patch> tags: <patch>{PATCH}</patch>\n```diff\n{DRAFT}```", "PatchTag"),
        (f"<patch>\n```diff\n{PATCH}```\n</patch>", "PatchTag"),
        (f"First\n```diff\n{DRAFT}```\nthen\n```diff\n{PATCH}```\n```python\nx = 1\n```", "DiffFence"),
        (f"```patch\n{PATCH}\n```", "DiffFence"),
        (f"~~~~diff\n{PATCH}~~~~", "DiffFence"),
        (f"1. Do this:\n   ```diff\n{''.join(f'   {line}' for line in PATCH.splitlines(True))}   ```", "DiffFence"),
        (f"```\nnot this\n```\nbut\n```\n{PATCH}```\n```python\nx = 1\n```", "OtherFence"),
        (f"```text\n{PATCH}", "OtherFence"),
        (f"I would write\n{PATCH}", "RawDiff"),
        (PATCH.rstrip("\n"), "RawDiff"),
        (f"{PATCH}\nThis adds the numbers:\n- and not\n+ anything else", "RawDiff"),
        (PATCH.removeprefix("diff --git a/lib.py b/lib.py\n"), "RawDiff"),
        (f"<think>Perhaps {DRAFT}</think>\n{PATCH}", "RawDiff"),
        (f"Perhaps {DRAFT}</think>{PATCH}", "RawDiff"),
        (PATCH.replace("\n", "\r\n"), "RawDiff"),
    ],
)
def test_the_patch_is_found_where_models_put_it(answer: str, where: str) -> None:
    extraction = found(answer)
    assert (extraction.found, extraction.lack, extraction.repaired_hunks) == (where, None, 0)
    assert extraction.patch in (PATCH, PATCH.removeprefix("diff --git a/lib.py b/lib.py\n"))


@pytest.mark.parametrize(
    ("answer", "finish_reason", "refusal", "lack"),
    [
        ("", "stop", None, "EmptyAnswer"),
        (" \n", "stop", None, "EmptyAnswer"),
        ("I cannot see the repository.", "stop", None, "NoPatch"),
        ("```python\nprint()\n```", "stop", None, "NoPatch"),
        ("<patch></patch>", "stop", None, "NoPatch"),
        ("", "stop", "I will not.", "Refusal"),
        ("As an", "content_filter", None, "Refusal"),
        ("The problem is", "length", None, "Truncated"),
        (f"<think>Perhaps {PATCH}", "length", None, "Truncated"),
        (PATCH, "length", None, "Truncated"),
        (f"```diff\n{PATCH}", "length", None, "Truncated"),
    ],
)
def test_an_answer_without_a_patch_says_why(answer: str, finish_reason: str, refusal: str | None, lack: str) -> None:
    assert extract(answer, finish_reason, refusal) == Extraction("", lack=lack)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [f"<patch>{PATCH}</patch> And", f"```diff\n{PATCH}```\nAnd", f"{PATCH}\nAnd so"])
def test_a_patch_that_was_whole_before_the_answer_was_cut_off_is_kept(answer: str) -> None:
    assert found(answer, "length").patch == PATCH


@pytest.mark.parametrize("counts", ["-1,9 +1,9", "-1,1 +1,1", "-1 +1", "-1,2 +1,3"])
@pytest.mark.parametrize("after", ["", "\nThis is why.", "\n```", diff("    pass", path="other.py")])
def test_wrong_line_counts_are_counted_again(counts: str, after: str) -> None:
    wrong = PATCH.replace("-1,2 +1,2", counts)
    extraction = found(f"{wrong}{after}")
    assert (extraction.patch, extraction.repaired_hunks) == (PATCH + (after if after.startswith("diff") else ""), 1)


def test_a_repaired_patch_is_one_that_git_applies(tmp_path: Path) -> None:
    old = [f"line {number}\n" for number in range(40)]
    (tmp_path / "a.txt").write_text("".join(old))
    answer = (
        "--- a/a.txt\n+++ b/a.txt\n@@ -3,7 +3,9 @@ in the beginning\n line 2\n-line 3\n+line three\n+\n line 4\n"
        "@@ -30,2 +31,2 @@\n line 29\n line 30\n-line 31\n line 32\n line 33\n\nI hope that helps!"
    )
    extraction = found(answer)
    assert extraction.repaired_hunks == 2
    (tmp_path / "fix.patch").write_text(extraction.patch)
    subprocess.run(["git", "apply", "--verbose", "fix.patch"], cwd=tmp_path, check=True, capture_output=True)
    new = [*old[:3], "line three\n", "\n", *old[4:31], *old[32:]]
    assert (tmp_path / "a.txt").read_text() == "".join(new)


def test_any_diff_gets_its_counts_back() -> None:
    chance = random.Random(7)
    for _ in range(300):
        old = [chance.choice(["a", "b", "", "  c", "-d", "+e", "@f"]) + "\n" for _ in range(chance.randint(1, 40))]
        new = [line for line in old if chance.random() > 0.1]
        new.insert(chance.randint(0, len(new)), "new\n")
        # With the counts that difflib leaves out where they are 1.
        text = re.sub(
            r"([-+][0-9]+)(?= .*@@$)", r"\1,1", "".join(difflib.unified_diff(old, new, "a/x", "b/x")), flags=re.M
        )
        assert recounted(text).text == text
        wrong = re.sub(r"(?<=[0-9]),[0-9]+", lambda _: f",{chance.randint(1, 60)}", text)
        assert recounted(wrong).text == text


@pytest.mark.parametrize(
    "body",
    [
        "@@ -1,3 +1,3 @@\n def add(a, b):\nforgotten blank\n-    return a - b\n+    return a + b\n",
        "@@ ... @@\n-    return a - b\n+    return a + b\n",
        "@@ -1,2 +1,2 @@\nprose\n",
    ],
)
def test_what_is_malformed_otherwise_stays_as_the_model_wrote_it(body: str) -> None:
    text = f"diff --git a/lib.py b/lib.py\n--- a/lib.py\n+++ b/lib.py\n{body}"
    assert found(text) == Extraction(text, "RawDiff", 0)


def test_a_diff_without_fault_is_left_alone() -> None:
    mail = f"{PATCH}-- \n2.39.2\n"
    assert recounted(mail).text == PATCH
    for text in (
        PATCH,
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n",
        "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
        "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,3 +1,2 @@\n a\n--- b\n c\n",
        "diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+```\n+a\n",
    ):
        assert (recounted(text).text, recounted(text).repaired) == (text, 0)
