"""Hunks of a diff as a model wrote it: counts that are wrong are counted again, and what is not diff is left out."""

import re
from dataclasses import dataclass

from swe_workloads.reverse_diff import NO_NEWLINE, begins_file

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$", re.DOTALL)
_LINES = (" ", "+", "-", NO_NEWLINE)
_SIGNATURE = ("-- ", "--")  # git format-patch ends its mails like this
_FENCES = ("```", "~~~")


@dataclass(frozen=True)
class Recounted:
    """`repaired` hunks had other counts than lines. `is_followed` where words came after the diff, so that it ended."""

    text: str
    repaired: int
    is_followed: bool


def recounted(text: str) -> Recounted:
    """The same diff with right counts. One that is malformed otherwise stays as it is: that is for git to say."""
    lines = text.removesuffix("\n").split("\n")  # not splitlines(): a line of code may hold a form feed
    out: list[str] = []
    at = repaired = 0
    is_followed = False
    while at < len(lines):
        found = _HUNK.match(lines[at])
        if found is None:
            out.append(lines[at])
            at += 1
            continue
        end = _end_as_said(lines, at + 1, int(found[2] or 1), int(found[4] or 1))
        if end is None:
            end = _end_as_seen(lines, at + 1)
            if end == at + 1 or not _may_end(lines, end):
                return Recounted(text, 0, False)
            repaired += 1
            out.append(_header(found, lines[at + 1 : end]))
        else:
            out.append(lines[at])
        out += lines[at + 1 : end]
        at = _next_part(lines, end)
        is_followed = any(line.strip() for line in lines[end:at])
    return Recounted("\n".join(out) + "\n", repaired, is_followed)


def _end_as_said(lines: list[str], at: int, old: int, new: int) -> int | None:
    """Where a hunk of so many lines ends. None if it has fewer, or goes on."""
    while old > 0 or new > 0:
        if at == len(lines) or (lines[at][:1] or " ") not in _LINES:
            return None
        kind = lines[at][:1] or " "  # editors strip the blank of an empty context line
        old -= kind in " -"
        new -= kind in " +"
        at += 1
    while at < len(lines) and lines[at].startswith(NO_NEWLINE):
        at += 1
    goes_on = at < len(lines) and lines[at].startswith(_LINES) and not _begins_part(lines, at)
    return None if old < 0 or new < 0 or goes_on else at


def _end_as_seen(lines: list[str], at: int) -> int:
    """Where the lines end that can be a hunk's; empty ones at its end are none of it."""
    begin = at
    while at < len(lines) and (lines[at][:1] or " ") in _LINES and not _begins_part(lines, at):
        at += 1
    while at > begin and not lines[at - 1]:
        at -= 1
    return at


def _begins_part(lines: list[str], at: int) -> bool:
    """Of the next hunk, the next file, or what follows a diff."""
    following = lines[at + 1] if at + 1 < len(lines) else ""
    return bool(_HUNK.match(lines[at])) or begins_file(lines[at], following) or lines[at] in _SIGNATURE


def _may_end(lines: list[str], at: int) -> bool:
    """A line of context without its blank would else look like the end of a hunk, and the rest be lost."""
    return at == len(lines) or not lines[at] or _begins_part(lines, at) or lines[at].startswith(_FENCES)


def _next_part(lines: list[str], at: int) -> int:
    """Past the words between two parts of a diff, or after it."""
    while at < len(lines) and (lines[at] in _SIGNATURE or not _begins_part(lines, at)):
        at += 1
    return at


def _header(found: re.Match[str], body: list[str]) -> str:
    kinds = [line[:1] or " " for line in body]
    old, new = (sum(kind in signs for kind in kinds) for signs in (" -", " +"))
    return f"@@ -{found[1]},{old} +{found[3]},{new} @@{found[5]}"
