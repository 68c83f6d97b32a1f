"""The files that the tests of an instance consist of, and whether they were what they should be while these ran.

What is in the sandbox only the sandbox can say, so a list that fits proves nothing, and neither does one that is
missing. One that does not fit is what an honest patch has no reason for.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from swe_workloads.diff_files import paths_of, sections
from swe_workloads.evaluation.eval_commands import checked_out_by, eval_commands
from swe_workloads.evaluation.grade_input import BenchInput, GradeInput, ProInput
from swe_workloads.evaluation.sandbox_account import SandboxAccount
from swe_workloads.evaluation.smith_script import files_of_tests

# Beyond that a list costs more than it tells; the tests of an instance are in a handful of files.
MOST_FILES = 500
LISTING_CHARACTERS = 1 << 20
# sha256sum writes names with a backslash or a line break in another way, and no benchmark has any.
_SPEAKABLE = re.compile(r"[^\\\x00-\x1f\x7f]{1,1024}")
_LISTED = re.compile(r"^([0-9a-f]{64})  (.+)$", re.MULTILINE)
_CREATED = re.compile(r"^@@ -0,0 \+1(?:,(\d+))? @@.*\n", re.MULTILINE)
# The line "diff --git" does not tell where one of two names with spaces ends; this one has only the new name.
_NEW_PATH = re.compile(r"^\+\+\+ b/([^\t\n]+)", re.MULTILINE)
_PLAIN_FILE = re.compile(r"^new file mode 100(?:644|755)$", re.MULTILINE)


@dataclass(frozen=True)
class FileChanges:
    """Of so many files: those that did not hold what the eval script writes, and those that changed meanwhile."""

    watched: int
    at_start: tuple[str, ...]
    meanwhile: tuple[str, ...]


def watched_files(given: GradeInput) -> tuple[str, ...]:
    """As paths in the repository: what the script puts in place, or else the files that the tests are named after."""
    found = _of_pro(given) if isinstance(given, ProInput) else _of_bench(given)
    return tuple(sorted({path for path in found if _is_listable(path)}))[:MOST_FILES]


def file_changes(given: GradeInput, account: SandboxAccount) -> FileChanges | None:
    """None where the sandbox lists nothing."""
    if account.files_before is None and account.files_after is None:
        return None
    paths, written = watched_files(given), _written(given)
    before, after = (_listed(text, given.workdir) for text in (account.files_before, account.files_after))
    at_start = [
        path for path in paths if path in written and before is not None and before.get(path) not in written[path]
    ]
    expected = {path: frozenset([digest]) for path, digest in (before or {}).items()} | {
        path: digests for path, digests in written.items() if path not in at_start
    }
    meanwhile = [
        path for path in paths if path in expected and after is not None and after.get(path) not in expected[path]
    ]
    return FileChanges(len(paths), tuple(at_start), tuple(meanwhile))


def changed_paths(patch: str) -> tuple[str, ...]:
    """The files that a patch is about, those that it deletes among them, as far as they can be listed."""
    found = {path for section in sections(patch) for path in paths_of(section)}
    return tuple(sorted(path for path in found if _is_listable(path)))[:MOST_FILES]


def changed_python(patch: str) -> tuple[str, ...]:
    return tuple(path for path in changed_paths(patch) if path.endswith(".py"))


def _of_bench(given: BenchInput) -> Iterable[str]:
    commands = eval_commands(given.instance.eval_script)
    patched = [path for patch in commands.patches for section in sections(patch) for path in paths_of(section)]
    found = [*patched, *commands.checked_out, *(asset.path for asset in given.assets)]
    return found or files_of_tests([*given.instance.FAIL_TO_PASS, *given.instance.PASS_TO_PASS])


def _of_pro(given: ProInput) -> Iterable[str]:
    instance = given.instance
    tests = files_of_tests([*instance.fail_to_pass, *instance.pass_to_pass])
    return [*instance.test_files, *checked_out_by(instance.restore), *tests]


def _is_listable(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(_SPEAKABLE.fullmatch(path)) and not path.startswith("/") and ".." not in parts and path != "dev/null"


def _written(given: GradeInput) -> Mapping[str, frozenset[str]]:
    """What can be known of contents without the repository: by path, the digests that it may have."""
    if isinstance(given, ProInput):
        return {}
    commands = eval_commands(given.instance.eval_script)
    patches = commands.patches if commands.are_last else ()
    created = {
        path: _digests(content)
        for patch in patches
        for section in sections(patch)
        for path, content in _created(section)
    }
    return created | {asset.path: frozenset([_sha256(asset.content)]) for asset in given.assets}


def _created(section: str) -> Iterator[tuple[str, bytes]]:
    """The file that this part of a patch makes, with all that is in it."""
    hunk = _CREATED.search(section)
    path = _NEW_PATH.search(section[: hunk.start()]) if hunk else None
    if hunk is None or path is None or not _PLAIN_FILE.search(section[: hunk.start()]):
        return
    lines = section[hunk.end() :].split("\n")
    count = int(hunk[1] or 1)
    text = "".join(f"{line[1:]}\n" for line in lines[:count])
    is_cut = lines[count : count + 1] != [] and lines[count].startswith("\\")
    yield path[1], (text.removesuffix("\n") if is_cut else text).encode()


def _digests(content: bytes) -> frozenset[str]:
    """With either kind of line breaks: git writes those that the repository asks for."""
    return frozenset(_sha256(text) for text in (content, content.replace(b"\n", b"\r\n")))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _listed(text: str | None, workdir: str) -> dict[str, str] | None:
    if text is None:
        return None
    lines = _LISTED.findall(text[:LISTING_CHARACTERS])
    return {name.removeprefix(f"{workdir}/"): digest for digest, name in lines}
