"""Predictions that are looked at and not tested, beside a real sandbox.sh: what is said of them, and nothing runs."""

from typing import Any

import pytest

from evaluation.pro_world import ProWorld
from evaluation.sandbox_world import GOLD, SOURCE, Ended, SandboxWorld
from evaluation.test_grade import ELSEWHERE
from swe_workloads.evaluation import compile_files
from swe_workloads.evaluation.dry_run import Compiled, changed_python, compiled_of
from swe_workloads.evaluation.eval_commands import environment_of_tests

BROKEN = GOLD.replace("+    return a + b", "+    return a +")
TWO_FILES = (
    "diff --git a/more.py b/more.py\nnew file mode 100644\n--- /dev/null\n+++ b/more.py\n@@ -0,0 +1 @@\n+def f(:\n"
)
NOTES = "diff --git a/NOTES b/NOTES\nnew file mode 100644\n--- /dev/null\n+++ b/NOTES\n@@ -0,0 +1 @@\n+def f(:\n"
REMOVES = "diff --git a/old.py b/old.py\ndeleted file mode 100644\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = (\n"


@pytest.fixture
def dry(sandbox: SandboxWorld) -> SandboxWorld:
    """Its tests would tell, if they ran."""
    sandbox.environment["SWE_PURPOSE"] = "DryRun"
    sandbox.test_command = f"touch {sandbox.folder}/tested"
    return sandbox


def checked(world: SandboxWorld | ProWorld, patch: str) -> dict[str, Any]:
    ended: Ended = world.run(patch)
    assert ended.code == 0, ended.log
    verdict = ended.verdict
    assert (verdict["outcome"], verdict["purpose"]) == ("Checked", "DryRun"), verdict
    return verdict


def test_a_patch_that_applies_and_compiles_is_ok(dry: SandboxWorld) -> None:
    verdict = checked(dry, GOLD)
    assert (verdict["reason"], verdict["appliedWith"]) == ("Ok", "git apply --verbose")
    expected = {"parses": True, "applies": True, "compiles": True, "pythonFiles": 1, "otherFiles": 0, "errors": []}
    assert verdict["dryRun"] == expected


def test_no_test_runs_and_nothing_looks_like_a_score(dry: SandboxWorld) -> None:
    ended = dry.run(GOLD)
    assert not (dry.folder / "tested").exists()
    assert ended.outputs.keys() == {"patch.diff", "dry_run.log", "verdict.json"}
    assert not ended.verdict.keys() & {"failToPass", "passToPass", "integrity", "tests", "testSeconds"}
    assert {path.name for path in dry.shared.iterdir()} == {
        "sandbox.sh", "settings", "patch.diff", "environment.sh", "compile_files.py", "python_files", "go",
    }  # fmt: skip


def test_a_patch_of_another_file_does_not_apply_and_git_says_why(dry: SandboxWorld) -> None:
    ended = dry.run(ELSEWHERE)
    assert (ended.verdict["outcome"], ended.verdict["reason"]) == ("Checked", "DoesNotApply")
    assert "no_such_file.py" in ended.verdict["message"]
    assert ended.verdict["dryRun"]["applies"] is False
    assert "compiles" not in ended.verdict["dryRun"]
    assert ended.outputs["dry_run.log"].decode().count("$ ") == 4


@pytest.mark.parametrize(
    "patch", ["The fix is to add instead of to subtract.\n", GOLD.replace("@@ -1,5 +1,5 @@", "@@ -1,9 +1,9 @@")]
)
def test_what_is_no_diff_does_not_parse(dry: SandboxWorld, patch: str) -> None:
    verdict = checked(dry, patch)
    assert (verdict["reason"], verdict["dryRun"]["parses"]) == ("DoesNotParse", False)
    assert verdict["dryRun"]["parseProblem"] in verdict["message"]


def test_a_malformed_diff_that_a_command_takes_all_the_same_is_ok_and_named(dry: SandboxWorld) -> None:
    verdict = checked(dry, GOLD.removesuffix("\n"))
    assert (verdict["reason"], verdict["dryRun"]["parses"], verdict["dryRun"]["applies"]) == ("Ok", False, True)
    assert verdict["appliedWith"].startswith("patch ")
    assert "malformed: there is no newline at its end" in verdict["message"]


def test_python_that_does_not_compile_is_named_with_line_and_reason(dry: SandboxWorld) -> None:
    verdict = checked(dry, BROKEN + TWO_FILES)
    assert (verdict["reason"], verdict["dryRun"]["compiles"]) == ("DoesNotCompile", False)
    assert [error.partition(" invalid")[0] for error in verdict["dryRun"]["errors"]] == [
        "calc.py: line 2:", "more.py: line 1:",
    ]  # fmt: skip
    assert "calc.py: line 2: invalid syntax" in verdict["message"]


def test_other_files_are_not_checked_and_that_is_said(dry: SandboxWorld) -> None:
    verdict = checked(dry, NOTES)
    assert verdict["reason"] == "Ok"
    assert "Other files, which are not checked: 1." in verdict["message"]
    assert (verdict["dryRun"]["otherFiles"], verdict["dryRun"].get("compiles")) == (1, None)


def test_a_file_that_the_patch_deletes_need_not_compile(dry: SandboxWorld) -> None:
    (dry.repo / "old.py").write_text("x = (\n")
    dry.commit()
    assert checked(dry, GOLD + REMOVES)["dryRun"]["pythonFiles"] == 1


def test_files_that_were_broken_before_are_not_looked_at(dry: SandboxWorld) -> None:
    (dry.repo / "old.py").write_text("x = (\n")
    dry.commit()
    assert checked(dry, GOLD)["reason"] == "Ok"


def test_code_of_the_patch_does_not_run_while_it_is_compiled(dry: SandboxWorld) -> None:
    """Modules of the repository by names that an interpreter looks for, and the file itself."""
    names = ("os.py", "encodings.py", "sitecustomize.py", "calc2.py")
    new = "".join(
        f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n"
        f"+open('{dry.folder}/ran', 'w')\n"
        for name in names
    )
    dry.container["PYTHONPATH"] = str(dry.repo)
    assert checked(dry, new)["dryRun"]["pythonFiles"] == 4
    assert not (dry.folder / "ran").exists()


def test_an_image_without_python_says_so(dry: SandboxWorld) -> None:
    shims = dry.folder / "bin"
    shims.mkdir()
    for tool in ("git", "patch", "cat", "sleep"):
        (shims / tool).symlink_to(f"/usr/bin/{tool}")
    dry.container["PATH"] = str(shims)
    verdict = checked(dry, GOLD)
    assert (verdict["reason"], verdict["dryRun"].get("compiles")) == ("Ok", None)
    assert "The image has no Python to compile with." in verdict["message"]


def test_the_interpreter_is_that_of_the_tests(dry: SandboxWorld) -> None:
    """As the eval script chooses it."""
    chosen = dry.folder / "chosen"
    chosen.mkdir()
    (chosen / "python").write_text('#!/bin/bash\nprintf "ready\\nbad\\tcalc.py\\tby the chosen one\\n"\n')
    (chosen / "python").chmod(0o755)
    dry.before_tests = f"export PATH={chosen}:$PATH"
    assert checked(dry, GOLD)["dryRun"]["errors"] == ["calc.py: by the chosen one"]


def test_the_bug_of_an_instance_is_put_in_first(dry: SandboxWorld) -> None:
    (dry.repo / "calc.py").write_text(SOURCE.replace("a - b", "a + b", 1))
    dry.commit()
    dry.setup_patch = GOLD.replace("-    return a - b", "-    return a + b").replace(
        "+    return a + b", "+    return a - b"
    )
    assert checked(dry, GOLD)["reason"] == "Ok"


def test_an_instance_that_cannot_be_set_up_blames_nobody(dry: SandboxWorld) -> None:
    dry.setup_patch = ELSEWHERE
    ended = dry.run(GOLD)
    assert (ended.code, ended.termination["reason"], ended.outputs) == (64, "InvalidInput", {})


def test_a_sandbox_that_ends_in_the_middle_is_an_error_as_ever(dry: SandboxWorld) -> None:
    dry.environment["SWE_APPLY_SECONDS"] = "1"
    chosen = dry.folder / "chosen"
    chosen.mkdir()
    (chosen / "python").write_text("#!/bin/bash\nsleep 60\n")
    (chosen / "python").chmod(0o755)
    dry.before_tests = f"export PATH={chosen}:$PATH"
    verdict = dry.run(GOLD).verdict
    assert (verdict["outcome"], verdict["reason"]) == ("Error", "TimedOut")
    assert "dryRun" not in verdict


def test_pro_needs_no_parser_and_tries_git_alone(pro: ProWorld) -> None:
    pro.pod.environment |= {"SWE_PURPOSE": "DryRun"}
    verdict = pro_checked(pro, GOLD)
    assert (verdict["reason"], verdict["appliedWith"], verdict["dryRun"]["compiles"]) == ("Ok", "git apply -v", True)
    refused = GOLD.replace(" def sub(a, b):", " def subtract(a, b):")
    assert pro_checked(pro, refused)["reason"] == "DoesNotApply"


def pro_checked(pro: ProWorld, patch: str) -> dict[str, Any]:
    pro.pod.endpoint.outputs.clear()
    for left in pro.pod.shared.iterdir():
        left.unlink()
    return checked(pro, patch)


# What is made of the interpreter's answers


def test_a_file_without_an_answer_is_the_one_that_the_interpreter_did_not_survive() -> None:
    said = "ready\nok\ta.py\nbad\tb.py\tline 1: x\n"
    assert compiled_of(["a.py", "b.py", "c.py", "d.py"], said) == Compiled(
        1, ("b.py: line 1: x", "c.py: the interpreter ended while it compiled")
    )
    assert compiled_of(["a.py"], None) is None
    assert compiled_of(["a.py"], "ready\ngone\ta.py\nrubbish\n") == Compiled(0, ())


def test_an_interpreter_that_does_not_start_accuses_no_file() -> None:
    assert compiled_of(["a.py"], "") is None


def test_only_python_files_of_the_repository_are_compiled() -> None:
    outside = GOLD.replace("calc.py", "../calc.py")
    assert changed_python(GOLD + NOTES + REMOVES + outside) == ("calc.py", "old.py")


def test_what_is_no_text_or_no_file_is_an_answer_too(tmp_path: Any) -> None:
    files = {"nul.py": b"a = 1\0\n", "latin.py": b"a = '\xe9'\n", "cookie.py": b"# coding: latin-1\na = '\xe9'\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.py").symlink_to("/dev/zero")
    words = [compile_files.said_of(str(tmp_path / name))[0] for name in (*files, "link.py", "absent.py")]
    assert words == ["bad", "bad", "ok", "gone", "gone"]


def test_only_lines_that_choose_an_interpreter_are_taken_from_an_eval_script() -> None:
    script = "\n".join(
        [
            "#!/bin/bash",
            "source /opt/miniconda3/bin/activate",
            "conda activate testbed",
            "source env.sh",
            "python -m pip install -e .",
            "export PATH=/x:$PATH",
            ": '>>>>> Start Test Output'",
            "conda activate other",
        ]
    )
    lines = ["source /opt/miniconda3/bin/activate", "conda activate testbed", "export PATH=/x:$PATH"]
    assert environment_of_tests(script).splitlines() == lines
