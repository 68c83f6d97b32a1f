"""The summary of a preparation as a person reads it: Markdown whose columns also line up in a pod's log."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from swe_workloads.preflight import Preflight
from swe_workloads.prepared import REPOSITORIES, Prepared, name_of, tokens_of, truncated_percent
from swe_workloads.rows import BadRow
from swe_workloads.run_file import RunFile
from swe_workloads.split import duplicates_within
from swe_workloads.tokens import Measured
from swe_workloads.verdict import FrozenSource, PrepareSummary

REASONS = 10
CELL_CHARACTERS = 120
_NUMBER = re.compile(r"\d+")


def render_table(prepared: Prepared, summary: PrepareSummary, run: RunFile, preflight: Preflight | None) -> str:
    """`preflight` is None where there is nothing to train on."""
    parts = [
        f"# Data of {run.run.namespace}/{run.run.name}",
        f"Data: {_source(prepared.sources.data)}  \nModel: {_source(prepared.sources.model)}",
        _rows(prepared, summary),
        "## Length in tokens of the model",
        _lengths(prepared, run.sequence.max_length),
        "## Held-out rows that training has seen, and answers in questions",
        _checks(prepared, summary),
    ]
    if prepared.bad:
        parts += ["## Rows that cannot be used", _bad(prepared.bad)]
    if summary.repositories:
        parts += ["## Repositories", _repositories(prepared, summary)]
    if preflight is not None:
        parts += ["## The run", _run(preflight)]
    return "\n\n".join(parts) + "\n"


def _source(source: FrozenSource) -> str:
    digest = f", sha256 {source.sha256}" if source.sha256 else ""
    return f"{source.uri}{digest}"


def _rows(prepared: Prepared, summary: PrepareSummary) -> str:
    return _table(
        ("rows", "#"),
        [
            ("read", str(prepared.read)),
            ("cannot be used", str(summary.bad_rows)),
            ("left out by data.select", str(prepared.usable - prepared.selected)),
            ("to train on", str(summary.train)),
            ("held out", str(summary.test)),
        ],
    )


def _lengths(prepared: Prepared, max_length: int) -> str:
    def line(name: str, items: Sequence[Measured]) -> tuple[str, ...]:
        tokens = tokens_of(items)
        share = f"{truncated_percent(items, max_length)} %"
        return name, str(len(items)), str(tokens.p50), str(tokens.p90), str(tokens.max), share

    titles = ("side", "# rows", "# median", "# 90 %", "# longest", f"# cut at {max_length}")
    sides = [("train", prepared.train), ("held out", prepared.test), ("both", prepared.used())]
    return _table(titles, [line(name, items) for name, items in sides])


def _checks(prepared: Prepared, summary: PrepareSummary) -> str:
    again = duplicates_within([item.example for item in prepared.used()])
    lines = [
        ("rows that repeat another", str(again), ""),
        ("held-out rows equal to a train row", str(summary.duplicates_across_split), ""),
        (
            "held-out rows that share question, patch or base commit with a train row",
            str(summary.leaked_across_split),
            "split.by Repository keeps them apart" if summary.leaked_across_split else "",
        ),
        (
            "rows whose prompt has a line of the gold patch",
            str(summary.gold_in_prompt),
            ", ".join(summary.gold_in_prompt_examples),
        ),
    ]
    return _table(("check", "# rows", "note"), lines)


def _bad(bad: Sequence[BadRow]) -> str:
    """By reason, the most frequent first; reasons that differ in a number only are one."""
    alike: dict[str, list[BadRow]] = defaultdict(list)
    for row in bad:
        alike[_NUMBER.sub("", row.reason)].append(row)
    groups = sorted(alike.values(), key=len, reverse=True)
    lines = [(str(len(rows)), rows[0].reason, name_of(rows[0])) for rows in groups[:REASONS]]
    rest = sum(len(rows) for rows in groups[REASONS:])
    if rest:
        lines.append((str(rest), "other reasons, each in bad-rows.jsonl", ""))
    return _table(("# rows", "reason", "first"), lines)


def _repositories(prepared: Prepared, summary: PrepareSummary) -> str:
    train = Counter(item.example.repository for item in prepared.train)
    test = Counter(item.example.repository for item in prepared.test)
    lines = [(item.name, str(train[item.name]), str(test[item.name])) for item in summary.repositories]
    more = len({name for name in train | test if name}) - REPOSITORIES
    if more > 0:
        lines.append((f"and {more} more", "", ""))
    return _table(("repository", "# train", "# held out"), lines)


def _run(preflight: Preflight) -> str:
    lines = [f"{preflight.total_steps} steps."]
    lines += [f"- {note}" for note in preflight.notes]
    text = "\n".join(lines)
    return f"{text}\n\nGPU memory:\n\n```\n{preflight.estimate.strip()}\n```" if preflight.estimate else text


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
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
