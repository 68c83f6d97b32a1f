"""A report around its content: one HTML page that loads and runs nothing, whatever stands in the texts it shows."""

import html
import re
from collections.abc import Sequence
from pathlib import Path

from swe_workloads.report_text import count

STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
# What no document may hold: control characters and halves of characters.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def page(title: str, parts: Sequence[str], more_style: str = "") -> str:
    """The whole document. `parts` are of its body, in which texts are escaped already; empty ones are left out."""
    document = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE.read_text()}{more_style}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(part for part in parts if part) + "\n</main>\n</body>\n</html>\n"
    )
    return UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", document)


def header(kind: Sequence[str], name: str, message: str, badge: str = "") -> str:
    """What is reported, and what came of it. `badge` is HTML; empty words of `kind` are left out."""
    words = " · ".join(word for word in kind if word)
    return (
        f'<header>\n<div class="kind">{html.escape(words)}</div>\n<h1>{html.escape(name)}</h1>\n'
        f"<p>{badge}{html.escape(message)}</p>\n</header>"
    )


def and_more(left: int, file: str) -> str:
    """Below a table that has no room for `left` rows, all of which are in a file."""
    return f'<p class="muted">And {count(left)} more, in {file}.</p>' if left > 0 else ""


def card(label: str, value: str, note: str = "", tone: str = "") -> str:
    """One figure of the headline; `tone` is a class of the value, after a blank."""
    noted = f'<div class="note">{html.escape(note)}</div>' if note else ""
    shown = f'<div class="value{tone}">{html.escape(value)}</div>'
    return f"<div><dt>{html.escape(label)}</dt><dd>{shown}{noted}</dd></div>"


def footer(beside: Sequence[str]) -> str:
    """Links to the files in the report's own folder."""
    links = [f'<a href="{html.escape(name)}">{html.escape(name)}</a>' for name in beside]
    return f"<footer>In the same folder: {', '.join(links)}.</footer>" if links else ""
