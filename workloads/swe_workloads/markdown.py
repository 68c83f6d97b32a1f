"""Markdown tables whose columns also line up in a pod's log."""

from collections.abc import Sequence

CELL_CHARACTERS = 120


def table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A column whose title begins with # holds numbers and stands to the right."""
    cells = [[title.removeprefix("#").strip() for title in titles], *([_cell(text) for text in line] for line in lines)]
    widths = [max(3, *(len(line[at]) for line in cells)) for at in range(len(titles))]
    numbers = [title.startswith("#") for title in titles]
    rows = [
        [
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, numbers, strict=True)
        ]
        for line in cells
    ]
    rule = [f"{'-' * (width - 1)}:" if number else "-" * width for width, number in zip(widths, numbers, strict=True)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [rows[0], rule, *rows[1:]])


def _cell(text: str) -> str:
    """On one line, without the sign that ends a cell."""
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= CELL_CHARACTERS else flat[: CELL_CHARACTERS - 1] + "…"
