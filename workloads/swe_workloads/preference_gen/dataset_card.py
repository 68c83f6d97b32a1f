"""README.md: what the data set is, for whoever finds it without us."""

from swe_workloads.markdown import table
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.origin import left_out_rows, origin_rows
from swe_workloads.preference_gen.verdicts import ReportGenSummary

HEAD = """\
---
license: unknown
language:
- en
task_categories:
- text-generation
tags:
- preference
- code
configs:
- config_name: default
  data_files: preferences.jsonl
---
"""
ABOUT = {
    "preferences.jsonl": "prompt, chosen and rejected as text, with instance_id and repo",
    "preferences-chat.jsonl": "the same as messages, for models with a chat template",
    "preferences.parquet": "the pairs as messages, in columns",
    "train.jsonl": "the pairs to train on; no instance of it is in the other file",
    "test.jsonl": "the pairs that are held out",
    "sft.jsonl": "answers that resolve, as prompt and completion; at most three of an instance",
    "provenance.jsonl": "for each line of preferences.jsonl where it is from, and both verdicts",
    "trajectories.jsonl": "conversations of agents whose patch resolves, as messages",
    "trajectories-provenance.jsonl": "for each line of trajectories.jsonl where it is from, and the verdict",
    "samples.jsonl": "every sample, and what became of it",
    "decontamination.jsonl": "instances and samples that were left out because a model is judged by them, by rule",
    "report.html": "figures and examples",
}
RULES = """\
An answer is chosen only if all tests of its instance pass in a sandbox and nothing in the log speaks against that; it
is rejected if its tests ran to their end and failed (or, where asked for, if the patch does not apply). What the
cluster lost, what ran out of time, what flakes and what is suspicious is on neither side. Patches that change the same
lines of the same files are one. Of several rejected patches those come first that mend some of the tests, then
{balance}."""
BALANCE = {
    "EachPair": "those of a similar length",
    "AllPairs": "those that keep chosen answers, over all pairs, as long as rejected ones",
}
LICENCE = """\
Unknown. The patches change code of the repositories they are about and stand under their licences; what a model's
terms say about its answers is for the user to know."""


def render_card(made: Made, summary: ReportGenSummary, message: str, files: list[str]) -> str:
    """`files` are those beside it."""
    generation = made.material.spec.generation
    parts = [
        f"# {generation.name}: preference pairs from tests",
        message,
        "## Files",
        table(("file", "what it has"), [(name, ABOUT[name]) for name in files if name in ABOUT]),
        "## Rules",
        RULES.format(balance=BALANCE[made.material.spec.pairs.length_balance]),
        "## From what",
        table(("", ""), origin_rows(made)),
        "## How many",
        _figures(summary),
        _dropped(summary),
        _left_out(made),
        "## Licence",
        LICENCE,
    ]
    return HEAD + "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _figures(summary: ReportGenSummary) -> str:
    rows = [
        ("instances with a sample", summary.instances),
        ("samples", summary.samples),
        ("different patches", summary.unique_patches),
        ("samples that resolve", summary.resolved),
        ("instances of which all usable patches pass", summary.all_pass),
        ("instances of which all usable patches fail", summary.all_fail),
        ("instances with pairs", summary.with_pairs),
        ("pairs", summary.pairs),
        ("rows of answers that resolve", summary.sft_rows),
    ]
    if summary.trajectory_rows is not None:
        rows.append(("trajectories of answers that resolve", summary.trajectory_rows))
    rates = [(f"pass@{one.k}", one.value) for one in summary.pass_at_k]
    lengths = [] if summary.length_ratio is None else [("length of chosen by rejected", summary.length_ratio)]
    return table(("", "#"), [*((name, str(number)) for name, number in rows), *lengths, *rates])


def _dropped(summary: ReportGenSummary) -> str:
    if not summary.dropped:
        return ""
    return table(("samples in no pair, by reason", "#"), [(one.reason, str(one.count)) for one in summary.dropped])


def _left_out(made: Made) -> str:
    rows = left_out_rows(made)
    return table(("left out before", "#"), rows) if rows else ""
