"""Files that tests and their runner are configured by, and a patch taken apart into these and all others."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from swe_workloads.diff_files import paths_of, sections

NAMES = frozenset(
    (
        *("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "setup.py"),
        *("sitecustomize.py", "usercustomize.py", "Makefile", "noxfile.py", "runtests.py"),
        *("package.json", "Cargo.toml", "build.gradle", "pom.xml", "go.mod"),
    )
)
PATTERN = re.compile(r"(\.pth|(jest|vitest|karma|mocha)\.(config|conf|setup)\.\w+|\.mocharc\.\w+)$")
# Where the runner is what is tested, its own files are no support of the tests.
RUNNERS = frozenset({"pytest-dev/pytest"})


@dataclass(frozen=True)
class Parts:
    """Two patches; each is empty where there is nothing of it. `paths` are those of `support`."""

    support: str
    others: str
    paths: tuple[str, ...]


def take_apart(patch: str, repository: str) -> Parts:
    """Text before the first file is dropped, as git and patch do."""
    if repository in RUNNERS:
        return Parts("", patch, ())
    support: list[str] = []
    others: list[str] = []
    paths: set[str] = set()
    for section in sections(patch):
        found = {path for path in paths_of(section) if is_support(PurePosixPath(path))}
        (support if found else others).append(section)
        paths |= found
    return Parts("".join(support), "".join(others), tuple(sorted(paths)))


def is_support(path: PurePosixPath) -> bool:
    is_plugin_list = path.name == "entry_points.txt" and path.parent.name.endswith(".egg-info")
    is_test_package = path.name == "__init__.py" and path.parent.name in ("test", "tests", "testing")
    return path.name in NAMES or bool(PATTERN.search(path.name)) or is_plugin_list or is_test_package
