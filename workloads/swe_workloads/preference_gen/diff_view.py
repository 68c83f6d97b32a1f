"""Two patches side by side, as HTML: added and removed lines are coloured, nothing is loaded or run."""

import html

from swe_workloads.report_text import count

# A page of twenty pairs stays readable, and every patch is whole in preferences.jsonl.
MOST_LINES = 120
LINE_CHARACTERS = 400


def side_by_side(left: tuple[str, str], right: tuple[str, str]) -> str:
    """Each a heading and a patch."""
    columns = "".join(f"<div><h3>{html.escape(title)}</h3>{_diff(patch)}</div>" for title, patch in (left, right))
    return f'<div class="sides">{columns}</div>'


def _diff(patch: str) -> str:
    lines = patch.removesuffix("\n").split("\n")
    shown = "\n".join(map(_line, lines[:MOST_LINES]))
    rest = len(lines) - MOST_LINES
    more = f'<p class="muted">And {count(rest)} more lines.</p>' if rest > 0 else ""
    return f'<pre class="diff">{shown}</pre>{more}'


def _line(line: str) -> str:
    text = html.escape(line if len(line) <= LINE_CHARACTERS else f"{line[: LINE_CHARACTERS - 1]}…")
    kind = _kind(line)
    return f'<span class="{kind}">{text}</span>' if kind else text


def _kind(line: str) -> str:
    if line.startswith(("diff --git ", "--- ", "+++ ", "index ")):
        return "head"
    if line.startswith("@@ "):
        return "hunk"
    return {"+": "added", "-": "removed"}.get(line[:1], "")
