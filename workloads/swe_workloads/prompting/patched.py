"""Files as a diff leaves them: how the bug of an instance of SWE-smith comes into the code of its image."""

import re
from collections.abc import Iterator, Mapping

from swe_workloads.diff_files import sections, sides_of
from swe_workloads.reverse_diff import NO_NEWLINE

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_FOLDER = re.compile(r"^[ab]/")
NOTHING = "/dev/null"
_NO_END = "\n"  # in place of a line: that the one before it is not ended
Hunk = tuple[int, list[str], list[str]]


class DoesNotApply(Exception):
    """The files are not those that the diff was made of."""


def sources_of(diff: str) -> list[str]:
    """The files that it changes or takes away, by the names that they have before."""
    return sorted({source for source, _, _ in _files(diff) if source != NOTHING})


def patched(contents: Mapping[str, str], diff: str) -> dict[str, str]:
    """Each line where the diff says that it is. Raises DoesNotApply."""
    found = dict(contents)
    for source, target, hunks in _files(diff):
        if source not in (NOTHING, *contents):
            raise DoesNotApply(f"there is no {source}")
        before = "" if source == NOTHING else found.pop(source)
        if target != NOTHING:
            found[target] = _with_hunks(before, hunks, source)
    return found


def _files(diff: str) -> Iterator[tuple[str, str, list[Hunk]]]:
    for section in sections(diff):
        match sides_of(section):  # a change of mode has none
            case [source, target, *_]:
                lines = section.removesuffix("\n").split("\n")
                yield _FOLDER.sub("", source), _FOLDER.sub("", target), list(_hunks(lines))


def _hunks(lines: list[str]) -> Iterator[Hunk]:
    at = 0
    while at < len(lines):
        head = _HUNK.match(lines[at])
        at += 1
        if head is None:
            continue
        begin, removed = int(head[1]), int(head[2] or 1)
        body, at = _body(lines, at, removed, int(head[4] or 1))
        # A hunk without old lines stands behind the line that it names.
        yield (begin if removed == 0 else begin - 1), _side(body, " -"), _side(body, " +")


def _body(lines: list[str], at: int, old: int, new: int) -> tuple[list[str], int]:
    body: list[str] = []
    while at < len(lines) and (old > 0 or new > 0 or lines[at].startswith(NO_NEWLINE)):
        line = lines[at] or " "
        old -= line[0] in " -"
        new -= line[0] in " +"
        body.append(line)
        at += 1
    return body, at


def _side(body: list[str], kinds: str) -> list[str]:
    """Lines of one side, and behind a last one without a newline that it is one."""
    side: list[str] = []
    for number, line in enumerate(body):
        if line[0] in kinds:
            side.append(line[1:])
        elif line.startswith(NO_NEWLINE) and body[number - 1][0] in kinds:
            side.append(_NO_END)
    return side


def _with_hunks(content: str, hunks: list[Hunk], name: str) -> str:
    lines = content.split("\n")
    # The same form as the sides have: what git says of an end without a newline is a line of its own.
    lines = lines[:-1] if lines[-1] == "" else [*lines, _NO_END]
    moved = 0
    for begin, old, new in hunks:
        at = begin + moved
        if lines[at : at + len(old)] != old:
            raise DoesNotApply(f"line {begin + 1} of {name} is another one")
        lines[at : at + len(old)] = new
        moved += len(new) - len(old)
    return "\n".join(lines[:-1]) if lines[-1:] == [_NO_END] else "".join(f"{line}\n" for line in lines)
