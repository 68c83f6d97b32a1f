"""The report of a PreferenceGen for people: one HTML page that needs nothing else."""

import html
from collections.abc import Sequence
from pathlib import Path

from swe_workloads.evaluation.estimates import share
from swe_workloads.preference_gen.diff_view import side_by_side
from swe_workloads.preference_gen.fates import NEAR_MISS, NO_PATCH
from swe_workloads.preference_gen.gen_figures import outcomes_of
from swe_workloads.preference_gen.graded_lines import GradedLine
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.origin import left_out_rows, origin_rows
from swe_workloads.preference_gen.pairs import GOLD, Answer, Pair
from swe_workloads.preference_gen.verdicts import ReportGenSummary
from swe_workloads.report_frame import and_more, card, footer, header, page
from swe_workloads.report_histogram import Scale, histogram_figure
from swe_workloads.report_tables import Rows, fact_rows
from swe_workloads.report_text import count, counted

STYLE = Path(__file__).with_name("gen_page.css")
EXAMPLES = 20
RATES = Scale("Samples that pass", "instance", "%", lambda value: f"{value:.0f} %", ("with pairs", "without"))
LENGTHS = Scale(
    "Characters of the answers", "answer", "characters", lambda value: f"{value:,.0f}", ("chosen", "rejected")
)


def render_page(made: Made, summary: ReportGenSummary, message: str, beside: Sequence[str]) -> str:
    """`beside` are the names of the files in the report's folder."""
    generation = made.material.spec.generation
    kind = ("Preference pairs", made.material.spec.instances.format, generation.namespace)
    parts = [
        header(kind, generation.name, message),
        _headline(made, summary),
        _rates(made),
        _lengths(made, summary),
        _dropped(summary),
        _examples(made),
        _section("Left out before", left_out_rows(made)),
        _section("Provenance", origin_rows(made)),
        footer(beside),
    ]
    return page(f"{generation.name}: preference pairs", parts, STYLE.read_text())


def _headline(made: Made, summary: ReportGenSummary) -> str:
    sides = "" if made.sides is None else f"{len(made.sides.train)} to train, {len(made.sides.test)} to test"
    cards = [
        card("Pairs", count(summary.pairs), sides),
        card("Pairs by samples", summary.pair_yield),
        card("Instances with pairs", f"{count(summary.with_pairs)} of {count(summary.instances)}", _one_kind(summary)),
        card("Samples", count(summary.samples), f"{counted(summary.unique_patches, 'change')} among them"),
        card("Samples resolved", count(summary.resolved), _pass_at(summary)),
        card("Rows to learn from", count(summary.sft_rows), "answers that resolve, in sft.jsonl"),
    ]
    if summary.trajectory_rows is not None:
        cards.append(card("Trajectories", count(summary.trajectory_rows), "of answers that resolve"))
    return '<dl class="figures">\n' + "\n".join(cards) + "\n</dl>"


def _one_kind(summary: ReportGenSummary) -> str:
    return f"{count(summary.all_pass)} always pass, {count(summary.all_fail)} always fail"


def _pass_at(summary: ReportGenSummary) -> str:
    return ", ".join(f"pass@{one.k} {100 * float(one.value):.1f} %" for one in summary.pass_at_k[:4])


def _rates(made: Made) -> str:
    paired = {pair.question.instance for pair in made.pairs}
    rates = {name: 100 * share(outcomes) for name, outcomes in outcomes_of(made.material).items()}
    with_pairs = [rate for name, rate in rates.items() if name in paired]
    drawn = histogram_figure(with_pairs, [rate for name, rate in rates.items() if name not in paired], RATES)
    return f"<h2>Instances</h2>\n{drawn}" if drawn else ""


def _lengths(made: Made, summary: ReportGenSummary) -> str:
    chosen = {(pair.question.instance, pair.chosen.sample): len(pair.chosen.text) for pair in made.pairs}
    rejected = {(pair.question.instance, pair.rejected.sample): len(pair.rejected.text) for pair in made.pairs}
    drawn = histogram_figure(list(chosen.values()), list(rejected.values()), LENGTHS)
    return f"<h2>Lengths</h2>\n<p>{_balance(made, summary)}</p>\n{drawn}" if drawn else ""


def _balance(made: Made, summary: ReportGenSummary) -> str:
    leans = [pair.lean for pair in made.pairs]
    longer, shorter = sum(lean > 0 for lean in leans), sum(lean < 0 for lean in leans)
    return (
        f"Chosen answers are {summary.length_ratio} times as long as rejected ones (geometric mean over pairs): "
        f"longer in {counted(longer, 'pair')}, shorter in {count(shorter)}."
    )


def _dropped(summary: ReportGenSummary) -> str:
    if not summary.dropped:
        return ""
    rows = "".join(
        f'<tr><td>{html.escape(one.reason)}</td><td class="number">{count(one.count)}</td></tr>'
        for one in summary.dropped
    )
    head = '<tr><th>Reason</th><th class="number">Samples</th></tr>'
    return f'<h2>In no pair</h2>\n<div class="scroll"><table>{head}{rows}</table></div>'


def _examples(made: Made) -> str:
    """One of each instance before any second one."""
    if not made.pairs:
        return ""
    seen: dict[str, int] = {}
    ranked = []
    for pair in made.pairs:
        name = pair.question.instance
        seen[name] = seen.get(name, 0) + 1
        ranked.append((seen[name], name, pair))
    shown = [pair for _, _, pair in sorted(ranked, key=lambda one: one[:2])[:EXAMPLES]]
    parts = [f"<h2>Examples</h2>\n{''.join(_example(pair, made) for pair in shown)}"]
    return "\n".join([*parts, and_more(len(made.pairs) - len(shown), "preferences.jsonl")])


def _example(pair: Pair, made: Made) -> str:
    name = pair.question.instance
    told = f"Rejected: {_why(pair.rejected, made.material.lines.get((name, pair.rejected.sample)))}."
    sides = side_by_side((_title("Chosen", pair.chosen), pair.chosen.text), _titled(pair.rejected))
    return (
        f"<details><summary>{html.escape(name)} · {html.escape(told)}</summary>"
        f"<pre>{html.escape(made.material.prompt_of(name))}</pre>{sides}</details>"
    )


def _titled(answer: Answer) -> tuple[str, str]:
    return _title("Rejected", answer), answer.text


def _title(side: str, answer: Answer) -> str:
    return f"{side}: {'the gold patch' if answer.sample == GOLD else f'patch {answer.sample}'}"


def _why(answer: Answer, line: GradedLine | None) -> str:
    if answer.hardness == NO_PATCH:
        return "it does not apply"
    if line is None or line.fail_to_pass is None or line.pass_to_pass is None:
        return "it fails"
    mended, kept = line.fail_to_pass, line.pass_to_pass
    close = "nearly, " if answer.hardness == NEAR_MISS else ""
    return f"{close}{mended.passed} of {mended.total} tests mended, {kept.total - kept.passed} of {kept.total} broken"


def _section(title: str, rows: Rows) -> str:
    if not rows:
        return ""
    return f'<h2>{title}</h2>\n<div class="scroll"><table class="facts">{fact_rows(rows)}</table></div>'
