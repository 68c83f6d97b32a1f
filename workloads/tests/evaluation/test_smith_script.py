"""The script runs for real, in a repository made on the spot, and the official parser reads what it wrote."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.eval_world import DIFF, HARNESS, smith_row
from swe_workloads.evaluation import official
from swe_workloads.evaluation.benchmark_rows import read_instance
from swe_workloads.evaluation.smith_script import smith_script
from swe_workloads.rows import Row

TESTS = """\
import pytest
from lib import add

def test_add():
    assert add(2, 3) == 5

@pytest.mark.parametrize("word", ["a b", "c"])
def test_word(word):
    print("PASSED everything_else")
    assert word

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass
"""


def repository(folder: Path) -> Path:
    """At the state in which the instance is judged: with the bug, and a test file that a patch has emptied."""
    testbed = folder / "testbed"
    (testbed / "tests").mkdir(parents=True)
    (testbed / "lib.py").write_text("def add(a, b):\n    return a + b\n")
    (testbed / "tests/test_lib.py").write_text(TESTS)
    (testbed / "conftest.py").write_text("import sys\nsys.path.insert(0, '.')\n")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *command], cwd=testbed, check=True)
    (testbed / "tests/test_lib.py").write_text("def test_add():\n    pass\n")
    return testbed


def log_of(script: str, testbed: Path) -> str:
    """With the paths of the image replaced by those of this machine."""
    here = script.replace("/testbed", str(testbed)).replace("pytest ", f"{sys.executable} -m pytest ", 1)
    here = here.replace("source /opt/miniconda3/bin/activate", ":").replace("conda activate testbed", ":")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(testbed.parent)}
    ran = subprocess.run(
        ["bash", "-c", here], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=60
    )
    return ran.stdout.decode()


@pytest.mark.parametrize(("broken", "resolved"), [("a + b", True), ("a - b", False)])
def test_the_official_grading_reads_the_log_of_the_script(tmp_path: Path, broken: str, resolved: bool) -> None:
    row = smith_row(PASS_TO_PASS=["tests/test_lib.py::test_word[c]"])
    columns = read_instance(Row("f", 1, row), "SWESmith", HARNESS).columns
    testbed = repository(tmp_path)
    (testbed / "lib.py").write_text(f"def add(a, b):\n    return {broken}\n")
    log = tmp_path / "log"
    log.write_text(log_of(official.eval_script(columns), testbed))
    name = str(columns["instance_id"])
    prediction = {"instance_id": name, "model_name_or_path": "m", "model_patch": DIFF}
    said = official.grade(columns, prediction, log)[name]
    assert (said["patch_successfully_applied"], said["resolved"]) == (True, resolved), log.read_text()
    assert said["tests_status"]["PASS_TO_PASS"] == {"success": ["tests/test_lib.py::test_word[c]"], "failure": []}


def test_files_of_tests_are_restored_one_by_one_and_named_safely() -> None:
    tests = ["tests/b.py::x", "tests/a b.py::y[z::1]", "../up.py::x", "/root.py::x", "test_name", "tests/b.py::z"]
    restoring = [line for line in smith_script(None, tests).splitlines() if line.startswith("git checkout")]
    assert restoring == ["git checkout HEAD -- 'tests/a b.py'", "git checkout HEAD -- tests/b.py"]


def test_a_row_may_bring_its_own_command() -> None:
    lines = smith_script("source env.sh; pytest -n 4 {tests}\n", []).splitlines()
    assert lines[lines.index(": '>>>>> Start Test Output'") + 1] == "source env.sh; pytest -n 4 {tests}"
    assert lines[lines.index(": '>>>>> End Test Output'") - 1] == lines[-2] == "source env.sh; pytest -n 4 {tests}"


def test_ids_of_tests_are_only_data(tmp_path: Path) -> None:
    testbed = repository(tmp_path)
    log_of(
        smith_script(None, [json.dumps("$(touch hit)") + ".py::x", "`touch hit`.py::x", "';touch hit;.py::x"]), testbed
    )
    assert not (testbed / "hit").exists()
