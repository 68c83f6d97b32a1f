"""Which instances cannot be graded here, as their baselines tell."""

import html
from collections import Counter

from swe_workloads.evaluation.judged import Judged, Judgements
from swe_workloads.evaluation.validity import IN_WORDS, Reason
from swe_workloads.report_frame import and_more, card
from swe_workloads.report_text import count, counted

# As of the failures: all of them are in baselines.jsonl.
MOST_INSTANCES = 200
COUNTED: dict[Reason, str] = {
    "GoldFails": "The gold patch fails:",
    "NoOpResolves": "The patch that does nothing resolves:",
    "Unknown": "Lost to the cluster, and not known:",
}


def baselines_card(judgements: Judgements, valid_only: str | None) -> str:
    if not judgements.baselines:
        return ""
    instances = len(judgements.baselines) // 2
    note = "" if valid_only is None else f"{100 * float(valid_only):.1f} % of the predictions for them are resolved"
    return card("Valid instances", f"{count(instances - len(judgements.unproven))} of {count(instances)}", note)


def baselines_section(judgements: Judgements) -> str:
    if not judgements.baselines:
        return ""
    pairs = zip(judgements.baselines[::2], judgements.baselines[1::2], strict=True)
    unproven = [(gold, no_op) for gold, no_op in pairs if gold.instance in judgements.unproven]
    rows = "".join(_row(judgements, gold, no_op) for gold, no_op in unproven[:MOST_INSTANCES])
    head = "<tr><th>Instance</th><th>Why</th><th>Gold patch</th><th>No-op</th></tr>"
    table = f'<div class="scroll"><table>{head}{rows}</table></div>\n' if rows else ""
    rest = and_more(len(unproven) - MOST_INSTANCES, "baselines.jsonl")
    return f'<h2>Baselines</h2>\n<p class="muted">{_told(judgements)}</p>\n{table}{rest}'


def _told(judgements: Judgements) -> str:
    instances = len(judgements.baselines) // 2
    reasons = Counter(judgements.unproven.values())
    told = [
        f"The gold patch and a patch that does nothing were graded for {counted(instances, 'instance')}; "
        f"{count(instances - len(judgements.unproven))} are valid: the first resolves them and the second does not."
    ]
    told += [f"{words} {count(reasons[reason])}." for reason, words in COUNTED.items() if reasons[reason]]
    leaking = [one for one in judgements.baselines if one.verdict and one.verdict.leaks and one.verdict.leaks.commits]
    if leaking:
        told.append(
            f"The images of {counted(len(leaking), 'instance')} hold commits that their own does not come from, "
            f"{leaking[0].instance} among them: who reads the history there may read the fix."
        )
    return html.escape(" ".join(told))


def _row(judgements: Judgements, gold: Judged, no_op: Judged) -> str:
    why = IN_WORDS[judgements.unproven[gold.instance]]
    cells = (gold.instance, why, _end(gold), _end(no_op))
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"


def _end(one: Judged) -> str:
    words = one.state if one.reason in ("Completed", one.state) else f"{one.state}: {one.reason}"
    return f"{words}. {one.message}" if one.message else words
