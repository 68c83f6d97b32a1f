"""SWE-bench Pro: its rows, and one prediction run by its rules."""

import ast
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swe_instances.rows import Row, gold
from swe_instances.sandbox import Container
from swe_instances.sources import ROOT, Instance, read

WORKDIR = "/app"
TIMEOUT_SECONDS = 300
PRO = "rows.swebenchpro.jsonl"
# Beside the data set, not in its rows; one for each instance there, the same for all of ours.
SCRIPTS = ("run_script.sh", "parser.py")
_ENTRY = """#!/bin/bash
cd /app
git reset --hard {base}
git checkout {base}
git apply -v /workspace/patch.diff
{last}
bash /workspace/run_script.sh {files} > /workspace/stdout.log 2> /workspace/stderr.log
python /workspace/parser.py /workspace/stdout.log /workspace/stderr.log /workspace/output.json
"""


@dataclass(frozen=True)
class Commits:
    """What only the image can tell: where an instance starts, and where its tests are."""

    base: str
    tests: str

    @staticmethod
    def of(root: Path) -> "Commits":
        """Of the repository in an image."""
        git = ["git", "-C", str(root / "app"), "-c", "safe.directory=*", "rev-parse", "main", "upstream"]
        base, tests = subprocess.run(git, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        return Commits(base, tests)


def pro_instances(every: list[Instance]) -> list[Instance]:
    """Those that are in this format too."""
    ids = read(ROOT / "pro/instances.txt").split()
    return [instance for instance in every if instance.id in ids]


def pro_row(instance: Instance, commits: Commits, fail_to_pass: list[str], pass_to_pass: list[str]) -> Row:
    """Lower-case columns, and lists as Python writes them."""
    package = instance.package
    name = f"{package.identifier}-{commits.tests}"
    files = [line.removeprefix("+++ b/") for line in instance.test_patch.splitlines() if line.startswith("+++ b/")]
    restore = f"git checkout {commits.tests} -- {' '.join(files)}"
    steps = [f"git reset --hard {commits.base}", "git clean -fd ", f"git checkout {commits.base} ", restore]
    return {
        "repo": package.repository,
        "instance_id": f"instance_{name}-vnan",
        "base_commit": commits.base,
        "patch": gold(instance),
        "test_patch": instance.test_patch,
        "problem_statement": instance.problem_statement,
        "requirements": "",
        "interface": "",
        "repo_language": "python",
        "fail_to_pass": repr(fail_to_pass),
        "pass_to_pass": repr(pass_to_pass),
        "before_repo_set_cmd": "\n".join(steps),
        "selected_test_files_to_run": repr([file for file in files if file.endswith(".py")]),
        "dockerhub_tag": f"{package.repository.replace('/', '.')}-{name}".lower()[:128],
    }


def statuses(root: Path, row: Mapping[str, Any], patch: str, folder: Path) -> dict[str, str]:
    """How the tests end with a patch, or what its parser makes of them. The streams stay in the folder."""
    workspace = root / "workspace"
    workspace.mkdir()
    for script in SCRIPTS:
        shutil.copy(ROOT / "pro" / script, workspace)
    (workspace / "patch.diff").write_text(patch)
    last = str(row["before_repo_set_cmd"]).splitlines()[-1]
    files = ",".join(ast.literal_eval(str(row["selected_test_files_to_run"])))
    entry = _ENTRY.format(base=row["base_commit"], last=last, files=files)
    (workspace / "entryscript.sh").write_text(entry)
    environment = "PATH=/opt/miniconda3/envs/testbed/bin:/usr/local/bin:/usr/bin:/bin"
    command = ["env", environment, "/bin/bash", "/workspace/entryscript.sh"]
    Container(root, workdir=WORKDIR).run(command, folder / "entry.txt", TIMEOUT_SECONDS)
    for name in ("stdout.log", "stderr.log", "output.json"):
        shutil.copy(workspace / name, folder)
    tests = json.loads((workspace / "output.json").read_text())["tests"]
    return {test["name"]: test["status"] for test in tests}
