"""The eval script of an instance, command by command as in a row of SWE-bench for a Python repository."""

import re

_DELIMITER = "EOF_114329324912"
_FILE = re.compile(r"^diff --git a/\S+ b/(?P<path>\S+)$(?:\nnew file mode \d+(?P<new>)$)?", re.MULTILINE)


def eval_script(base_commit: str, install: str, test_command: str, test_patch: str) -> str:
    """What runs once the prediction is applied: test files put back, test patch, tests, and test files put back."""
    files = list(_FILE.finditer(test_patch))
    tests = [file["path"] for file in files if file["path"].endswith(".py")]
    existing = [file["path"] for file in files if file["new"] is None]
    new = [file["path"] for file in files if file["new"] is not None]
    reset = [f"git checkout {base_commit} {' '.join(existing)}"] if existing else []
    reset += [f"rm -f {' '.join(new)}"] if new else []
    lines = [
        "#!/bin/bash",
        "set -uxo pipefail",
        "source /opt/miniconda3/bin/activate",
        "conda activate testbed",
        "cd /testbed",
        "git config --global --add safe.directory /testbed",
        "cd /testbed",
        "git status",
        "git show",
        f"git -c core.fileMode=false diff {base_commit}",
        "source /opt/miniconda3/bin/activate",
        "conda activate testbed",
        install,
        *reset,
        f"git apply -v - <<'{_DELIMITER}'\n{test_patch}\n{_DELIMITER}",
        ": '>>>>> Start Test Output'",
        " ".join([test_command, *tests]),
        ": '>>>>> End Test Output'",
        *reset,
    ]
    return "\n".join(lines) + "\n"
