import random
import subprocess
from pathlib import Path

import pytest

from swe_workloads.reverse_diff import Irreversible, reverse_diff
from swe_workloads.rows import Row, read_rows

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
Tree = dict[str, bytes]


def git(folder: Path, *arguments: str) -> str:
    # Nobody's own configuration may change what a diff looks like.
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": "/usr/bin:/bin"}
    who = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=settings | who, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape")  # not text=True: it would turn CRLF into LF


def put(folder: Path, tree: Tree) -> None:
    for path in folder.iterdir():
        if path.name != ".git":
            path.unlink()
    for name, content in tree.items():
        (folder / name).write_bytes(content)


def bytes_of(folder: Path) -> Tree:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def diff_between(folder: Path, before: Tree, after: Tree, *options: str) -> str:
    """What git says of a change; the folder is left with what came after."""
    git(folder, "init", "--quiet")
    put(folder, before)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "before")
    put(folder, after)
    git(folder, "add", "--all")
    return git(folder, "diff", "--cached", "--find-renames", *options, "HEAD")


def assert_undoes(folder: Path, before: Tree, diff: str) -> None:
    """Git applies the reversed diff to what came after, and that is what was before."""
    back = folder / ".git" / "back.diff"
    back.write_bytes(reverse_diff(diff).encode("utf-8", "surrogateescape"))
    git(folder, "apply", "--index", "--unidiff-zero", str(back))
    assert bytes_of(folder) == before


def git_s_own_reverse(folder: Path) -> str:
    # git -R swaps the prefixes too.
    return git(folder, "diff", "--cached", "--find-renames", "-R", "--src-prefix=b/", "--dst-prefix=a/", "HEAD")


TEN = b"".join(b"line %d\n" % number for number in range(10))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"a.py": TEN}, {"a.py": TEN.replace(b"line 4", b"changed")}, id="a changed line"),
        pytest.param({"a.py": TEN}, {"a.py": TEN.replace(b"line 4\n", b"")}, id="a removed line"),
        pytest.param({}, {"a.py": b"one\ntwo\n"}, id="a new file"),
        pytest.param({"a.py": b"one\ntwo\n"}, {}, id="a deleted file"),
        pytest.param({}, {"a.py": b""}, id="a new empty file"),
        pytest.param({"a.py": TEN}, {"b.py": TEN}, id="a renamed file"),
        pytest.param({"a.py": TEN}, {"b.py": TEN + b"more\n"}, id="a renamed and changed file"),
        pytest.param({"a b.py": TEN}, {"c d.py": TEN + b"more\n"}, id="names with blanks"),
        pytest.param({"\u00e4.py": TEN}, {"\u00f6.py": TEN + b"more\n"}, id="names that git quotes"),
        pytest.param({"a.py": b"one\ntwo"}, {"a.py": b"one\ntwo\n"}, id="a newline added at the end"),
        pytest.param({"a.py": b"one\ntwo\n"}, {"a.py": b"one\nthree"}, id="the newline at the end taken away"),
        pytest.param({"a.py": b"one\ntwo"}, {"a.py": b"one\nthree"}, id="no newline at the end on either side"),
        pytest.param({"a.py": b"zero\n" + TEN + b"end"}, {"a.py": TEN + b"end"}, id="no newline after context"),
        pytest.param({"a.sql": b"-- one\n-- two\n"}, {"a.sql": b"++ one\n-- two\n"}, id="lines that look like headers"),
        pytest.param({"a.py": b"a\r\nb\r\n"}, {"a.py": b"a\r\nc\r\n"}, id="lines that end with CRLF"),
        pytest.param(
            {"a.py": b"x\x0cy\n\xff\n"}, {"a.py": b"x\x0cz\n\xff\n"}, id="form feeds and bytes that are no text"
        ),
        pytest.param({"a": TEN, "b": TEN}, {"a": TEN[7:], "b": TEN + b"x\n"}, id="two files"),
    ],
)
def test_the_reversed_diff_leads_back(tmp_path: Path, before: Tree, after: Tree) -> None:
    diff = diff_between(tmp_path, before, after)
    assert reverse_diff(diff) == git_s_own_reverse(tmp_path)
    assert reverse_diff(reverse_diff(diff)) == diff
    assert_undoes(tmp_path, before, diff)


@pytest.mark.parametrize("seed", range(8))
def test_any_change_of_any_files_is_undone(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    def some_file() -> bytes:
        lines = [b"%d\n" % chance.randrange(6) for _ in range(chance.randrange(1, 40))]
        return b"".join(lines) + (b"" if chance.random() < 0.7 else b"no end")

    def changed(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        for _ in range(chance.randrange(1, 5)):
            lines[chance.randrange(len(lines))] = chance.choice([b"", b"new\n", b"-- x\n++ y\n"])
            lines = lines if any(lines) else [b"rest\n"]
        return b"".join(lines)

    before = {f"{name}.py": some_file() for name in "abcd"}
    after = {name: changed(content) for name, content in before.items() if chance.random() < 0.8}
    after |= {"new.py": some_file()} if chance.random() < 0.5 else {}
    if before != after:
        assert_undoes(tmp_path, before, diff_between(tmp_path, before, after, chance.choice(["-U3", "-U0", "-U1"])))


def test_a_changed_mode_is_undone(tmp_path: Path) -> None:
    diff_between(tmp_path, {"run.sh": TEN}, {"run.sh": TEN + b"more\n"})
    (tmp_path / "run.sh").chmod(0o755)
    git(tmp_path, "add", "--all")
    back = reverse_diff(git(tmp_path, "diff", "--cached", "HEAD"))
    assert back == git_s_own_reverse(tmp_path)
    assert "old mode 100755\nnew mode 100644\n" in back


def test_real_gold_patches_reversed_twice_are_themselves() -> None:
    patches = [str(row.fields["patch"]) for row in read_rows(REAL_ROWS, "rows.jsonl") if isinstance(row, Row)]
    assert len(patches) == 10
    for patch in patches:
        assert reverse_diff(patch) != patch
        assert reverse_diff(reverse_diff(patch)) == patch


def test_a_diff_without_git_s_header_is_reversed() -> None:
    diff = "--- a/x.py\t2026-01-01\n+++ b/x.py\t2026-01-02\n@@ -1 +1,2 @@ def f():\n-a\n+b\n+c\n"
    back = "--- a/x.py\t2026-01-02\n+++ b/x.py\t2026-01-01\n@@ -1,2 +1 @@ def f():\n-b\n-c\n+a\n"
    assert reverse_diff(diff) == back


def test_an_empty_context_line_without_its_blank_counts_as_context() -> None:
    assert reverse_diff("--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n a\n\n+b\n").endswith("@@ -1,3 +1,2 @@\n a\n\n-b\n")


@pytest.mark.parametrize(
    ("diff", "why"),
    [
        ("", "no unified diff"),
        ("Replace x by y.", "no unified diff"),
        ("--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-a\n", "hunk at line 3 is shorter than it says"),
        ("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\ndiff --git a/y b/y\n", "hunk at line 3 is shorter than it says"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n-b\n+c\n", "does not have as many lines as it says"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\nand so on\n", "line 6 belongs to no hunk"),
        ("--- a/x\n+++ b/x\n@@ somewhere @@\n-a\n+b\n", "line 3 is no hunk's header"),
        ("diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n", "binary file"),
        ("diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 3\n", "binary file"),
        ("diff --git a/x b/y\nsimilarity index 100%\ncopy from x\ncopy to y\n", "copies a file"),
    ],
)
def test_what_cannot_be_reversed_says_why(diff: str, why: str) -> None:
    with pytest.raises(Irreversible, match=why):
        reverse_diff(diff)
