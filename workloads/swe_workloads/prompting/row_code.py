"""Code that a row brings along, in the columns that swebench.inference leaves it in."""

import re
from collections.abc import Iterator, Mapping

from swe_workloads.examples import Unusable, optional_text_of
from swe_workloads.instances import literal
from swe_workloads.prompting.code import Code
from swe_workloads.rows import Row

FILES, READMES, PROMPT = "file_contents", "readmes", "text"
_START = re.compile(r"\[start of (.+)\]")
_LINE = re.compile(r"([1-9][0-9]*) (.*)", re.DOTALL)


def brings_code(row: Row) -> bool:
    """Whether it says something there, readable or not."""
    return row.fields.get(FILES) is not None or optional_text_of(row, PROMPT) is not None


def code_in(row: Row) -> Code | None:
    """None where the row has none. Raises Unusable for what cannot be read as code."""
    if row.fields.get(FILES) is not None:
        return Code(readmes=_contents(row, READMES), files=_contents(row, FILES))
    prompt = optional_text_of(row, PROMPT)
    return None if prompt is None else _of_prompt(prompt)


def _contents(row: Row, column: str) -> dict[str, str]:
    value = row.fields.get(column)
    found = literal(value) if isinstance(value, str) else value or {}
    if not isinstance(found, Mapping):
        raise Unusable(f"{column} must be an object of contents by path, or one written as JSON")
    # parquet gives each row the paths of all rows.
    said = {name: content for name, content in found.items() if content is not None}
    wrong = next((name for name, content in said.items() if not isinstance(content, str)), None)
    if wrong is not None:
        raise Unusable(f"{column}: the content of {wrong} must be a string")
    return said


def _of_prompt(prompt: str) -> Code:
    """Of a prompt of style 2 or 3, as the sets called oracle and BM25 have it in their column text."""
    lines = prompt.split("\n")
    try:
        # The issue may hold such lines as well; those of code begin with a number.
        issue = len(lines) - 1 - lines[::-1].index("</issue>")
        begin = lines.index("<code>", issue)
        shown = lines[begin + 1 : lines.index("</code>", begin)]
        blocks = list(_blocks(iter(shown)))
    except ValueError:
        raise Unusable(f"{PROMPT} is no prompt of the official style 2 or 3 with code in it") from None
    # Without a readme an empty line stands in its place.
    first = 0 if shown[:1] == [""] else _readmes([name for name, _ in blocks])
    return Code(readmes=dict(blocks[:first]), files=dict(blocks[first:]))


def _blocks(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line:
            continue
        start = _START.fullmatch(line)
        if start is None:
            raise ValueError(line)
        yield start[1], "\n".join(_unnumbered(lines, f"[end of {start[1]}]"))


def _unnumbered(lines: Iterator[str], end: str) -> Iterator[str]:
    number = 1
    while (line := _next(lines)) != end:
        found = _LINE.fullmatch(line)
        if found is None or int(found[1]) != number:
            raise ValueError(line)
        number += 1
        yield found[2]


def _next(lines: Iterator[str]) -> str:
    line = next(lines, None)
    if line is None:
        raise ValueError("the last file does not end")
    return line


def _readmes(names: list[str]) -> int:
    """How many files at the beginning are readmes: both parts are in order of names, one behind the other."""
    other = (at for at, name in enumerate(names) if "/" in name or not name.lower().startswith("readme"))
    first = next(other, len(names))
    # A readme that the patch changes comes again, among the files.
    return next((at for at in range(1, first) if names[at] <= names[at - 1]), first)
