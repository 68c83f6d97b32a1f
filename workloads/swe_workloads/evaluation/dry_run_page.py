"""The report of a dry run for people: what is the matter with each prediction, without a word on its tests."""

import html
from collections.abc import Sequence

from swe_workloads.evaluation.dry_run_figures import summarise_dry_run
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.judged import Judged
from swe_workloads.evaluation.report_origin import left_out_section, provenance_section
from swe_workloads.evaluation.report_page import STYLE
from swe_workloads.evaluation.verdicts import PrepareEvalVerdict, ReportEvalVerdict
from swe_workloads.report_frame import and_more, card, footer, header, page
from swe_workloads.report_text import count

# More would make a page that no browser likes; all of them are in results.jsonl.
MOST_PREDICTIONS = 2000
IN_WORDS = {True: "yes", False: "no", None: "not checked"}


def render_dry_run(
    spec: EvalFile, prepared: PrepareEvalVerdict, verdict: ReportEvalVerdict, judged: Sequence[Judged]
) -> str:
    parts = [
        header(("Dry run", spec.instances.format, spec.eval.namespace), spec.eval.name, verdict.message),
        _headline(judged),
        _table(judged),
        left_out_section(prepared),
        provenance_section(spec, prepared, {one.model for one in judged}),
        footer(["results.jsonl"]),
    ]
    return page(f"{spec.eval.name}: dry run", parts, STYLE.read_text())


def _headline(judged: Sequence[Judged]) -> str:
    summary = summarise_dry_run(judged)
    cards = [
        card("Nothing is the matter", f"{count(summary.ok)} of {count(summary.submitted)}", "no test was run"),
        card("No diff", count(summary.does_not_parse), "no command takes it"),
        card("Does not apply", count(summary.does_not_apply), "by the official commands, in the instance's image"),
        card("Does not compile", count(summary.does_not_compile), "Python alone, by the image's interpreter"),
    ]
    return '<dl class="figures">\n' + "\n".join(cards) + "\n</dl>"


def _table(judged: Sequence[Judged]) -> str:
    """What most needs a look comes first."""
    in_order = sorted(judged, key=lambda one: (one.reason == "Ok", one.reason, one.instance, one.sample))
    rows = "".join(_row(one) for one in in_order[:MOST_PREDICTIONS])
    more = and_more(len(in_order) - MOST_PREDICTIONS, "results.jsonl")
    names = ("Prediction", "Is a diff", "Applies", "Compiles", "Said of it")
    head = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    return f'<h2>Predictions</h2>\n<div class="scroll"><table>{head}{rows}</table></div>\n{more}'


def _row(one: Judged) -> str:
    found = one.verdict.dry_run if one.verdict is not None else None
    applied = one.verdict.applied_with if one.verdict is not None else None
    told = (None, None, None) if found is None else (found.parses, found.applies, found.compiles)
    parses, applies, compiles = (IN_WORDS[word] for word in told)
    by = f"{applies}: {applied}" if applied else applies
    said = "; ".join(
        [f"{one.reason}: {one.message}" if one.message else one.reason, *(found.errors[1:] if found else [])]
    )
    cells = (f"{one.instance}, sample {one.sample}", parses, by, compiles, said)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
