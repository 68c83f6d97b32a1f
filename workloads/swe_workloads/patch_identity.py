"""When two patches are the same change: equal files and equal changed lines, wherever the hunks say that they stand.

Samples of one model differ in line numbers, in lines of context and in blanks at the ends of lines. That is no reason
to test the same change twice.
"""

import re
from collections.abc import Iterator

from swe_workloads.diff_files import paths_of, sections
from swe_workloads.split import digest

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
# Of the head of a file what names it, and what git found out about it: the paths are told apart from these.
_PASSED_OVER = ("diff --git ", "index ", "--- ", "+++ ", "similarity index ", "dissimilarity index ")
_ORDINARY = ("new file mode 100644", "deleted file mode 100644")  # what a diff of another tool does not say


def identity_of(patch: str) -> str:
    """sha256 of the change; of a text that is no diff, that of its lines."""
    return digest("\n\n".join(sorted(_section(part) for part in sections(patch))) or _lines(patch.split("\n")))


def changed_lines(patch: str) -> frozenset[str]:
    """Added and removed lines, with their sign and in single blanks, whatever their files are called."""
    changes = (line for part in sections(patch) for line in _changes(part) if line[:1] in ("+", "-"))
    return frozenset(line[0] + " ".join(line[1:].split()) for line in changes if line[1:].strip())


def _section(part: str) -> str:
    return "\n".join([*sorted(set(paths_of(part))), "", _lines(_changes(part))])


def _changes(part: str) -> Iterator[str]:
    """Added and removed lines, and of the head what else it changes: names, modes, bytes of a binary file."""
    old = new = 0
    for line in part.split("\n"):
        if old > 0 or new > 0:
            kind = line[:1] or " "  # editors strip the blank of an empty context line
            old -= kind in " -"
            new -= kind in " +"
            if kind in "+-":
                yield line
        elif hunk := _HUNK.match(line):
            old, new = (int(count or 1) for count in hunk.groups())
        elif not line.startswith(_PASSED_OVER) and line not in _ORDINARY:
            yield line


def _lines(lines: Iterator[str] | list[str]) -> str:
    stripped = (line.rstrip() for line in lines)
    return "\n".join(line for line in stripped if line)
