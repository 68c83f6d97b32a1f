"""The eval script of a SWE-smith instance: its rows have none, only tests and an image like the official ones."""

import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

# SWE-smith's own default, for repositories in Python: the whole suite, since its PASS_TO_PASS are.
DEFAULT_TEST_COMMAND = "pytest --disable-warnings --color=no --tb=no --verbose"
# The summary of pytest is what the parsers of the official harness read; options of the command itself come later.
SUMMARY = 'export PYTEST_ADDOPTS="-rA --color=no ${PYTEST_ADDOPTS:-}"'

# As the official harness has them; the markers in the log tell where the tests begin and end.
START_MARKER, END_MARKER = ">>>>> Start Test Output", ">>>>> End Test Output"

_SCRIPT = """#!/bin/bash
set -uxo pipefail
source /opt/miniconda3/bin/activate
conda activate testbed
cd /testbed
git config --global --add safe.directory /testbed
{restore}{summary}
: '{start}'
{command}
: '{end}'
"""


def smith_script(test_command: str | None, tests: Sequence[str]) -> str:
    """Restores the files of the listed tests, which are not the model's to change, then runs the test command."""
    # One by one: git restores nothing at all if it does not know one of several.
    restore = "".join(f"git checkout HEAD -- {shlex.quote(file)}\n" for file in files_of_tests(tests))
    command = (test_command or DEFAULT_TEST_COMMAND).strip()
    return _SCRIPT.format(restore=restore, summary=SUMMARY, command=command, start=START_MARKER, end=END_MARKER)


def files_of_tests(tests: Sequence[str]) -> list[str]:
    """The files that pytest's ids begin with; the names of other frameworks say no file."""
    files = {test.partition("::")[0] for test in tests if "::" in test}
    return sorted(file for file in files if _is_below(PurePosixPath(file)))


def _is_below(file: PurePosixPath) -> bool:
    return file.suffix != "" and not file.is_absolute() and ".." not in file.parts
