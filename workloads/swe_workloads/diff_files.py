"""A diff, file by file, and the paths that each part names."""

import codecs
import re
from collections.abc import Iterator

from swe_workloads.reverse_diff import begins_file

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_SIDE = re.compile(r"(?:---|\+\+\+) (.+?)(?:\t.*)?\n")
_MOVED = re.compile(r"(?:rename|copy) (?:from|to) (.+)\n")
_BOTH = re.compile(r"diff --git (.+)\n")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def sections(patch: str) -> Iterator[str]:
    """One for each file. Lines of hunks are counted: one that was removed may look like the head of a file."""
    lines = [f"{line}\n" for line in patch.removesuffix("\n").split("\n")]
    begun: list[str] = []
    old = new = 0
    awaits_sides = False  # a head of git, whose pair of names is to come
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if old > 0 or new > 0:
            old -= line[0] in " -\n"
            new -= line[0] in " +\n"
        elif hunk := _HUNK.match(line):
            old, new = (int(count or 1) for count in hunk.groups())
        elif begins_file(line, after) and not (awaits_sides and line.startswith("--- ")):
            if begun:
                yield "".join(begun)
            begun, awaits_sides = [], line.startswith("diff --git ")
        elif not begun:
            continue
        begun.append(line)
        awaits_sides = awaits_sides and not _SIDE.match(line)
    if begun:
        yield "".join(begun)


def paths_of(section: str) -> Iterator[str]:
    """Every path that a tool could take from the head of a file's section."""
    for line in section.splitlines(keepends=True):
        if _HUNK.match(line):
            return
        if side := _SIDE.match(line):
            yield _without_first(_unquoted(side[1]))
        elif moved := _MOVED.match(line):
            yield _unquoted(moved[1])
        elif both := _BOTH.match(line):
            quoted = _QUOTED.findall(both[1])
            yield from map(_without_first, map(_unquoted, quoted or [both[1].rpartition(" ")[2]]))


def sides_of(section: str) -> list[str]:
    """The names before and after the change, with their first folders; none for a file without hunks."""
    sides: list[str] = []
    for line in section.splitlines(keepends=True):
        if _HUNK.match(line):
            break
        if side := _SIDE.match(line):
            sides.append(_unquoted(side[1]))
    return sides


def _without_first(path: str) -> str:
    """Patches are applied with -p1, whatever the first folder is called."""
    return path.partition("/")[2]


def _unquoted(path: str) -> str:
    """git writes what is not plain ASCII as a string of C."""
    if not _QUOTED.fullmatch(path):
        return path
    return codecs.escape_decode(path[1:-1].encode())[0].decode(errors="replace")
