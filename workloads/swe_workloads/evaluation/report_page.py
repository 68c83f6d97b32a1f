"""The report of an evaluation for people: one HTML page that needs nothing else."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swe_workloads.evaluation.baselines_table import baselines_card, baselines_section
from swe_workloads.evaluation.comparison import Comparison, NotCompared, comparison_section
from swe_workloads.evaluation.doubts import flakes_section, integrity_section
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.failures_table import failures_section
from swe_workloads.evaluation.judged import Judged, Judgements, State
from swe_workloads.evaluation.report_origin import left_out_section, provenance_section
from swe_workloads.evaluation.verdicts import PrepareEvalVerdict, ReportEvalSummary, ReportEvalVerdict
from swe_workloads.report_frame import card, footer, header, page
from swe_workloads.report_histogram import Scale, histogram_figure
from swe_workloads.report_text import count, counted, duration

STYLE = Path(__file__).with_name("report_page.css")
IN_WORDS: dict[State, str] = {
    "Resolved": "resolved",
    "Unresolved": "not resolved",
    "Error": "error: the patch did not apply, ran out of time, or left no result",
    "EmptyPatch": "empty patch",
    "Incomplete": "could not be graded",
    "Checked": "looked at without a test",
}
NOT_RUN = "not run: the instance is not proven to be valid here"
TIMES = Scale("Seconds of the tests", "prediction", "seconds", duration, ("resolved", "not resolved"))


@dataclass(frozen=True)
class Facts:
    """What is shown. `tails` are ends of logs by ordinal, `beside` the names of the files in the report's folder."""

    spec: EvalFile
    verdict: ReportEvalVerdict
    summary: ReportEvalSummary
    judgements: Judgements
    prepared: PrepareEvalVerdict
    without_prediction: Sequence[str] = ()
    comparisons: Sequence[Comparison | NotCompared] = ()
    tails: Mapping[int, str] = field(default_factory=dict)
    beside: Sequence[str] = ()

    @property
    def judged(self) -> Sequence[Judged]:
        return self.judgements.predictions


def render_report(facts: Facts) -> str:
    parts = [
        _header(facts),
        _headline(facts),
        _outcomes(facts),
        _samples(facts.summary),
        comparison_section(facts.comparisons),
        _repositories(facts.summary),
        _times(facts.judged),
        baselines_section(facts.judgements),
        integrity_section(facts.judgements.predictions),
        flakes_section(facts.judgements.predictions),
        failures_section(facts.judged, facts.tails),
        left_out_section(facts.prepared),
        provenance_section(facts.spec, facts.prepared, {one.model for one in facts.judged}),
        footer(facts.beside),
    ]
    return page(f"{facts.spec.eval.name}: evaluation report", parts, STYLE.read_text())


def _header(facts: Facts) -> str:
    kind = ("Evaluation", facts.spec.instances.format, facts.spec.eval.namespace)
    incomplete = facts.summary.incomplete - facts.summary.excluded
    badge = f'<span class="badge bad">{counted(incomplete, "prediction")} not graded</span>' if incomplete else ""
    return header(kind, facts.spec.eval.name, facts.verdict.message, badge)


def _headline(facts: Facts) -> str:
    summary, states = facts.summary, Counter(one.state for one in facts.judged)
    seconds = sorted(one.verdict.test_seconds for one in facts.judged if one.verdict and one.verdict.test_seconds)
    ever = len({one.instance for one in facts.judged if one.state == "Resolved"})
    cards = [
        card("Resolve rate", _percent(summary.resolved_rate), _interval(summary)),
        card("Audited resolve rate", _percent(summary.audited_rate), _doubtful(summary)),
        card("Instances resolved", f"{count(ever)} of {count(summary.total)}", _in_how_many_samples(summary)),
        baselines_card(facts.judgements, summary.valid_only),
        card("Predictions", count(summary.submitted), _without(facts)),
        card("Errors", count(states["Error"]), "did not apply, ran out of time, or left no result"),
        card("Tests of a prediction", duration(seconds[len(seconds) // 2]), "median") if seconds else "",
    ]
    return '<dl class="figures">\n' + "\n".join(part for part in cards if part) + "\n</dl>"


def _percent(share: str) -> str:
    return f"{100 * float(share):.1f} %"


def _interval(summary: ReportEvalSummary) -> str:
    return f"95 % interval {_percent(summary.low)} to {_percent(summary.high)} ({summary.method})"


def _doubtful(summary: ReportEvalSummary) -> str:
    counts = summary.integrity
    doubtful = counts.suspicious + counts.tampered
    return f"without {counted(doubtful, 'resolved prediction')} that the logs do not bear out" if doubtful else ""


def _in_how_many_samples(summary: ReportEvalSummary) -> str:
    return "in at least one sample" if len(summary.pass_at_k) > 1 else ""


def _without(facts: Facts) -> str:
    missing = len(facts.without_prediction)
    return f"{counted(missing, 'instance')} without any" if missing else "at least one for every instance"


def _outcomes(facts: Facts) -> str:
    words = Counter(NOT_RUN if one.excluded else IN_WORDS[one.state] for one in facts.judged)
    rows = [(told, words[told], len(facts.judged)) for told in (*IN_WORDS.values(), NOT_RUN) if words[told]]
    missing = len(facts.without_prediction)
    lines = _bars(rows) + (f"<tr><td>no prediction</td><td></td>{_number(missing)}</tr>" if missing else "")
    head = '<tr><th>Outcome</th><th></th><th class="number">Predictions</th></tr>'
    return f'<h2>Outcomes</h2>\n<div class="scroll"><table>{head}{lines}</table></div>{_cached(facts.summary)}'


def _cached(summary: ReportEvalSummary) -> str:
    if not summary.cached:
        return ""
    return (
        f'\n<p class="muted">{counted(summary.cached, "prediction")} did not run: an earlier evaluation of this '
        "namespace ran the same, and its verdict stands here too. results.jsonl names it.</p>"
    )


def _samples(summary: ReportEvalSummary) -> str:
    if len(summary.pass_at_k) < 2:
        return ""
    head = '<tr><th class="number">k</th><th class="number">pass@k</th><th class="number">pass^k</th></tr>'
    pairs = zip(summary.pass_at_k, summary.pass_hat_k, strict=True)
    rows = "".join(f"<tr>{_number(one.k)}{_cell(one.value)}{_cell(every.value)}</tr>" for one, every in pairs)
    return (
        f'<h2>Several samples</h2>\n<div class="scroll"><table>{head}{rows}</table></div>\n'
        '<p class="muted">pass@k: at least one of k samples is resolved; pass^k: all of them are. Both are unbiased '
        "estimates over all instances, for as many samples as every predicted instance has.</p>"
    )


def _repositories(summary: ReportEvalSummary) -> str:
    rows = [(one.name, one.resolved, one.total) for one in summary.repositories]
    head = '<tr><th>Repository</th><th></th><th class="number">Resolved</th></tr>'
    return f'<h2>Repositories</h2>\n<div class="scroll"><table>{head}{_bars(rows)}</table></div>'


def _bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """Each a share of its own total."""
    return "".join(_bar(name, part, total, f"{100 * part / max(total, 1):.1f}") for name, part, total in rows)


def _bar(name: str, part: int, total: int, percent: str) -> str:
    return (
        f'<tr><td>{html.escape(name)}</td><td class="bars"><span class="bar" style="width:{percent}%"></span></td>'
        f'<td class="number">{count(part)} of {count(total)}<span class="share">{percent} %</span></td></tr>'
    )


def _number(value: int) -> str:
    return _cell(count(value))


def _cell(text: str) -> str:
    return f'<td class="number">{html.escape(text)}</td>'


def _times(judged: Sequence[Judged]) -> str:
    def seconds(*states: str) -> list[float]:
        timed = [one.verdict.test_seconds for one in judged if one.verdict and one.state in states]
        return [time for time in timed if time is not None]

    drawn = histogram_figure(seconds("Resolved"), seconds("Unresolved", "Error"), TIMES)
    return f"<h2>Times</h2>\n{drawn}" if drawn else ""
