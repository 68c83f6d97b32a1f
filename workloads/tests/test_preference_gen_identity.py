"""When two samples are the same change."""

from pathlib import Path

import pytest
from gen_world import diff

from swe_workloads.patch_identity import identity_of

FIXTURES = Path(__file__).parents[1] / "instances"
ONE = diff("    return a + b")
TWO_FILES = ONE + diff("    return 2", path="more.py")


@pytest.mark.parametrize(
    "other",
    [
        ONE.replace("@@ -1,2 +1,2 @@", "@@ -31,2 +30,2 @@ class Calculator:"),
        ONE.replace("diff --git a/lib.py b/lib.py\n", "diff --git a/lib.py b/lib.py\nindex 61c770c..e0a5b90 100644\n"),
        ONE.replace(" def add(a, b):", " async def add(a, b):"),
        ONE.replace("+    return a + b", "+    return a + b  \t"),
        ONE.removesuffix("\n"),
        "Here is the patch:\n\n" + ONE,
        ONE.removeprefix("diff --git a/lib.py b/lib.py\n"),
    ],
)
def test_lines_around_a_change_and_where_it_stands_make_no_other_change(other: str) -> None:
    assert identity_of(other) == identity_of(ONE)


@pytest.mark.parametrize(
    "other",
    [
        diff("    return b + a"),
        diff("    return a + b", path="other.py"),
        diff("   return a + b"),
        diff("    return a + b", ""),
        ONE.replace("-    return a - b", "-    return a"),
        ONE.replace("--- a/lib.py", "old mode 100644\nnew mode 100755\n--- a/lib.py"),
        ONE.replace("--- a/lib.py", "--- /dev/null"),
        TWO_FILES,
        "return a + b",
        "",
    ],
)
def test_other_lines_other_files_and_other_modes_are_another_change(other: str) -> None:
    assert identity_of(other) != identity_of(ONE)


def test_the_order_of_files_makes_no_other_change() -> None:
    assert identity_of(diff("    return 2", path="more.py") + ONE) == identity_of(TWO_FILES)


def test_texts_that_are_no_diff_are_told_apart_by_their_lines() -> None:
    assert identity_of("I cannot do that.\n") == identity_of("I cannot do that.  \n\n")
    assert identity_of("I cannot do that.\n") != identity_of("I can do that.\n")
