"""The tables of the report."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from swe_workloads.report_text import count, duration
from swe_workloads.verdict import PrepareSummary, TrainVerdict

Rows = Sequence[tuple[str, str]]
# In this order, and what is not named here after them.
SECTIONS = (
    *("model", "data", "split", "sequence", "dpo", "lora", "optimizer", "batch", "duration", "evaluation"),
    "checkpoint",
)
# Shown elsewhere, or nothing that a person chose.
NOT_SETTINGS = ("version", "run")


def fact_rows(rows: Rows) -> str:
    """Rows of two cells, escaped."""
    return "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)


def flat(section: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Every value with its path as the specification spells it. What is absent is left out."""
    rows: list[tuple[str, str]] = []
    for name, value in section.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            rows += flat(value, f"{path}.")
        elif value is not None:
            rows.append((path, _in_words(value)))
    return rows


def data_section(summary: PrepareSummary | None) -> str:
    if summary is None:
        return ""
    plain = [
        ("Rows used", count(summary.rows)),
        ("Trained on", count(summary.train)),
        ("Held out", count(summary.test)),
        ("Tokens in a row, median", count(summary.tokens.p50)),
        ("90 % of the rows have at most", count(summary.tokens.p90)),
        ("Longest row", count(summary.tokens.max)),
        ("Longer than sequence.maxLength", f"{summary.truncated_percent} %"),
    ]
    doubtful = [
        ("Bad rows, left out", summary.bad_rows),
        ("Equal rows on both sides of the split", summary.duplicates_across_split),
        ("Held-out rows that leaked into training", summary.leaked_across_split),
        ("Prompts that contain lines of the gold patch", summary.gold_in_prompt),
    ]
    checks = "".join(f"<tr><th>{name}</th><td>{_flagged(number)}</td></tr>" for name, number in doubtful)
    table = f'<div class="scroll"><table class="facts">{fact_rows(plain)}{checks}</table></div>'
    return f'<h2>Data</h2>\n<div class="columns">\n{table}\n{_repositories(summary)}\n</div>\n{_bad_rows(summary)}'


def _flagged(number: int) -> str:
    return f'<span class="warn">{count(number)}</span>' if number else "0"


def _repositories(summary: PrepareSummary) -> str:
    if not summary.repositories:
        return ""
    most = max(repository.rows for repository in summary.repositories)
    rows = "".join(
        f'<tr><td>{html.escape(one.name)}</td><td class="bars"><span class="bar" '
        f'style="width:{100 * one.rows / max(most, 1):.1f}%"></span></td><td class="number">{count(one.rows)}</td></tr>'
        for one in summary.repositories
    )
    head = '<tr><th>Repository</th><th></th><th class="number">Rows</th></tr>'
    return f'<div class="scroll"><table>{head}{rows}</table></div>'


def _bad_rows(summary: PrepareSummary) -> str:
    if not summary.bad_row_examples:
        return ""
    rows = [(f"Row {count(example.row)}", example.reason) for example in summary.bad_row_examples]
    return (
        f"<details><summary>The first bad rows</summary>"
        f'<div class="scroll"><table class="facts">{fact_rows(rows)}</table></div></details>'
    )


def attempts_table(attempts: Sequence[TrainVerdict]) -> str:
    """One attempt without interruption needs no table."""
    if len(attempts) < 2:
        return ""
    names = ("Attempt", "From step", "To step", "Duration", "Rows in a pass")
    numbers = "".join(f'<th class="number">{name}</th>' for name in names)
    rows = "".join(_attempt(attempt) for attempt in attempts)
    head = f"<tr>{numbers}<th>Ended</th></tr>"
    return f'<h2>Attempts</h2>\n<div class="scroll"><table>{head}{rows}</table></div>'


def _attempt(attempt: TrainVerdict) -> str:
    figures = (
        count(attempt.attempt),
        count(attempt.from_step),
        count(attempt.last_step),
        "" if attempt.seconds is None else duration(attempt.seconds),
        "" if attempt.micro_batch is None else count(attempt.micro_batch),
    )
    cells = "".join(f'<td class="number">{text}</td>' for text in figures)
    why = f"<td>{html.escape(attempt.reason)}<br/><span class='muted'>{html.escape(attempt.message)}</span></td>"
    return f"<tr>{cells}{why}</tr>"


def settings_section(settings: Mapping[str, Any], engine_config: str | None) -> str:
    sections = {name: settings[name] for name in SECTIONS if isinstance(settings.get(name), dict)}
    rest = {name: value for name, value in settings.items() if name not in (*SECTIONS, *NOT_SETTINGS)}
    more = {name: value for name, value in rest.items() if isinstance(value, dict) and value}
    single = {name: value for name, value in rest.items() if not isinstance(value, dict)}
    tables = [_settings_table(name, flat(section)) for name, section in {**sections, **more, "run": single}.items()]
    shown = "\n".join(table for table in tables if table)
    return f'<h2>Settings</h2>\n<div class="flow">\n{shown}\n</div>\n{_engine_config(engine_config)}'


def _settings_table(name: str, rows: Rows) -> str:
    if not rows:
        return ""
    return f'<div class="scroll"><h3>{html.escape(name)}</h3><table class="facts">{fact_rows(rows)}</table></div>'


def _engine_config(text: str | None) -> str:
    if not text:
        return ""
    return f"<details><summary>trl.yaml, what the engine was given</summary><pre>{html.escape(text)}</pre></details>"


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_in_words(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value)
