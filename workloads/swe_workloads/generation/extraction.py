"""The patch in an answer: in a <patch> tag, in a fenced block, or as it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from swe_workloads.generation.hunks import recounted
from swe_workloads.reverse_diff import begins_file

Found = Literal["PatchTag", "DiffFence", "OtherFence", "RawDiff"]
Lack = Literal["EmptyAnswer", "NoPatch", "Refusal", "Truncated"]
LENGTH, FILTERED = "length", "content_filter"  # reasons for which a model ended
_FENCE = re.compile(r"^(?P<indent> *)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[\w+-]*)[^`]*$")
_DIFF_INFOS = ("diff", "patch", "udiff")


@dataclass(frozen=True)
class Extraction:
    """Without a patch there is the reason."""

    patch: str
    found: Found | None = None
    repaired_hunks: int = 0
    lack: Lack | None = None


@dataclass(frozen=True)
class _Piece:
    """A part of an answer that may be its patch. `is_whole` where its end can be seen."""

    found: Found
    text: str
    is_whole: bool


def extract(answer: str, finish_reason: str, refusal: str | None) -> Extraction:
    """The last tag, else the last block that is called a diff or looks like one, else what begins like a diff."""
    text = _spoken(answer.replace("\r\n", "\n"))
    piece = _in_tag(text) or _in_fences(text) or _raw(text)
    if piece is None:
        return Extraction("", lack=_lack(text, finish_reason, refusal))
    counted = recounted(piece.text)
    if finish_reason == LENGTH and not piece.is_whole and not counted.is_followed:
        # The end of a diff shows in nothing: half a change would pass for the model's answer.
        return Extraction("", lack="Truncated")
    return Extraction(counted.text, piece.found, counted.repaired)


def _lack(text: str, finish_reason: str, refusal: str | None) -> Lack:
    if refusal or finish_reason == FILTERED:
        return "Refusal"
    if finish_reason == LENGTH:
        return "Truncated"
    return "NoPatch" if text.strip() else "EmptyAnswer"


def _spoken(answer: str) -> str:
    """Without what a model thought aloud before: drafts of patches are no answers."""
    thought, closed, spoken = answer.partition("</think>")
    if closed and ("<think>" not in thought or thought.lstrip().startswith("<think>")):
        return spoken
    return "" if answer.lstrip().startswith("<think>") else answer


def _in_tag(text: str) -> _Piece | None:
    before, closed, _ = text.rpartition("</patch>")
    _, opened, inside = before.rpartition("<patch>")
    if not closed or not opened or not inside.strip():
        return None
    blocks = [content for _, content, _ in _fenced(inside)]
    return _Piece("PatchTag", _trimmed(blocks[-1] if blocks else inside), True)


def _in_fences(text: str) -> _Piece | None:
    blocks = [block for block in _fenced(text) if block[1].strip()]
    for info, content, is_closed in reversed(blocks):
        if info in _DIFF_INFOS:
            return _Piece("DiffFence", _trimmed(content), is_closed)
    for _, content, is_closed in reversed(blocks):
        if _first_line_of_diff(content.split("\n")) is not None:
            return _Piece("OtherFence", _trimmed(content), is_closed)
    return None


def _raw(text: str) -> _Piece | None:
    lines = text.split("\n")
    at = _first_line_of_diff(lines)
    return None if at is None else _Piece("RawDiff", _trimmed("\n".join(lines[at:])), False)


def _first_line_of_diff(lines: list[str]) -> int | None:
    following = [*lines[1:], ""]
    pairs = enumerate(zip(lines, following, strict=True))
    return next((at for at, (line, after) in pairs if line.startswith("--- a/") or begins_file(line, after)), None)


def _fenced(text: str) -> Iterator[tuple[str, str, bool]]:
    """Blocks as Markdown has them: what they are called in small letters, their content, and whether they are closed.

    A fence ends where the same marks stand at the same place: lines of a diff are one blank further in.
    """
    opened: re.Match[str] | None = None
    content: list[str] = []
    for line in text.split("\n"):
        if opened is None:
            opened, content = _FENCE.match(line), []
        elif _closes(line, opened):
            yield opened["info"].lower(), "\n".join(content) + "\n", True
            opened = None
        else:
            content.append(line.removeprefix(opened["indent"]))
    if opened is not None:
        yield opened["info"].lower(), "\n".join(content), False


def _closes(line: str, opened: re.Match[str]) -> bool:
    inside = line.removeprefix(opened["indent"]).rstrip()
    return len(inside) >= len(opened["marks"]) and set(inside) == {opened["marks"][0]}


def _trimmed(text: str) -> str:
    """Lines of blanks stay: they are context."""
    return text.strip("\n") + "\n"
