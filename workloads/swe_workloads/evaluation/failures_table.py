"""What ran and was not resolved, each with the end of its log."""

import html
from collections.abc import Mapping, Sequence

from swe_workloads.evaluation.grade_verdict import Passed
from swe_workloads.evaluation.judged import Judged
from swe_workloads.report_frame import and_more
from swe_workloads.report_text import count, duration

# More would make a page that no browser likes; all of them are in results.jsonl.
MOST_FAILURES = 200
# What most needs a look comes first.
ORDER = ("Incomplete", "Error", "Unresolved")


def shown_failures(judged: Sequence[Judged]) -> list[Judged]:
    """Those that the table has room for."""
    return _failures(judged)[:MOST_FAILURES]


def failures_section(judged: Sequence[Judged], tails: Mapping[int, str]) -> str:
    failures = _failures(judged)
    if not failures:
        return ""
    several = any(one.sample > 1 for one in judged)
    rows = "".join(_rows(one, several, tails) for one in failures[:MOST_FAILURES])
    rest = and_more(len(failures) - MOST_FAILURES, "results.jsonl")
    numbers = "".join(f'<th class="number">{name}</th>' for name in ("Fail to pass", "Pass to pass", "Tests took"))
    head = f"<tr><th>Prediction</th><th>Outcome</th>{numbers}</tr>"
    return f'<h2>What was not resolved</h2>\n<div class="scroll"><table>{head}{rows}</table></div>\n{rest}'


def _failures(judged: Sequence[Judged]) -> list[Judged]:
    failed = [one for one in judged if one.state in ORDER and not one.excluded]
    return sorted(failed, key=lambda one: (ORDER.index(one.state), one.reason, one.instance, one.sample))


def _rows(one: Judged, several: bool, tails: Mapping[int, str]) -> str:
    verdict = one.verdict
    name = f"{one.instance} · {one.sample}" if several else one.instance
    reason = f"{one.state}: {one.reason}" if one.reason not in ("Completed", one.state) else one.state
    seconds = verdict.test_seconds if verdict is not None else None
    cells = (
        _passed(verdict.fail_to_pass if verdict else None),
        _passed(verdict.pass_to_pass if verdict else None),
        "" if seconds is None else duration(seconds),
    )
    numbers = "".join(f'<td class="number">{html.escape(cell)}</td>' for cell in cells)
    return (
        f'<tr class="told"><td>{html.escape(name)}</td><td>{html.escape(reason)}</td>{numbers}</tr>'
        f'<tr class="more"><td colspan="5">{_told(one)}{_log(tails.get(-1 if one.ordinal is None else one.ordinal))}'
        "</td></tr>"
    )


def _passed(tests: Passed | None) -> str:
    return "" if tests is None else f"{count(tests.passed)} of {count(tests.total)}"


def _told(one: Judged) -> str:
    sign = one.verdict.infra_failure if one.verdict is not None else None
    told = [one.message.rstrip(".") + "."] if one.message else []
    if sign is not None:
        told.append(f"The log has a sign of a broken environment: {sign.reason} ({sign.tier}).")
    return html.escape(" ".join(told))


def _log(tail: str | None) -> str:
    if not tail:
        return ""
    return f"<details><summary>End of the log</summary><pre>{html.escape(tail)}</pre></details>"
