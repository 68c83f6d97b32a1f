"""The summary of a preparation as a person reads it."""

from collections import Counter
from collections.abc import Sequence

from swe_workloads.bad_rows import bad_rows_table
from swe_workloads.markdown import table
from swe_workloads.preferences import is_chat
from swe_workloads.preflight import Preflight
from swe_workloads.prepared import REPOSITORIES, Prepared, broken_prompts, tokens_of, truncated_percent
from swe_workloads.run_file import RunFile
from swe_workloads.split import duplicates_within
from swe_workloads.tokens import Measured, of_side
from swe_workloads.verdict import FrozenSource, PrepareSummary


def render_table(prepared: Prepared, summary: PrepareSummary, run: RunFile, preflight: Preflight | None) -> str:
    """`preflight` is None where there is nothing to train on."""
    parts = [
        f"# Data of {run.run.namespace}/{run.run.name}",
        f"Data: {_source(prepared.sources.data)}  \nModel: {_source(prepared.sources.model)}",
        _rows(prepared, summary, run),
        "## Length in tokens of the model",
        _lengths(prepared, run.sequence.max_length),
        "## Held-out rows that training has seen, and answers in questions",
        _checks(prepared, summary),
    ]
    if prepared.bad:
        parts += ["## Rows that cannot be used", bad_rows_table(prepared.bad)]
    if summary.repositories:
        parts += ["## Repositories", _repositories(prepared, summary)]
    if preflight is not None:
        parts += ["## The run", _run(preflight)]
    return "\n\n".join(parts) + "\n"


def _source(source: FrozenSource) -> str:
    digest = f", sha256 {source.sha256}" if source.sha256 else ""
    return f"{source.uri}{digest}"


def _rows(prepared: Prepared, summary: PrepareSummary, run: RunFile) -> str:
    left_out = "repeated, or over the limits" if run.data.kind == "Trajectories" else "left out by data.select"
    folder = run.data.folder
    resolving = folder is not None and folder.only_resolved
    return table(
        ("rows", "#"),
        [
            ("read", str(prepared.read)),
            ("cannot be used", str(summary.bad_rows)),
            *([("not resolved, by the reports beside them", str(prepared.not_resolved))] if resolving else []),
            (left_out, str(prepared.usable - prepared.selected)),
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
    used = prepared.used()
    pairs = [item for item in used if item.pair is not None]
    sides = [("train", prepared.train), ("held out", prepared.test), ("both", used)]
    if pairs:
        # A pair counts as long as its longer answer; how unlike they are says whether length alone is learned.
        sides += [("prompt + chosen", of_side(pairs, 0)), ("prompt + rejected", of_side(pairs, 1))]
    return table(titles, [line(name, items) for name, items in sides])


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
    broken = broken_prompts(prepared)
    if broken:
        chat = "the model's chat template writes other tokens before an answer"
        plain = "end prompts with a line break, or begin answers with one"
        remedy = chat if is_chat(prepared.used()[0].example) else plain
        lines.append(("pairs whose prompt has other tokens when an answer follows", str(broken), remedy))
    return table(("check", "# rows", "note"), lines)


def _repositories(prepared: Prepared, summary: PrepareSummary) -> str:
    train = Counter(item.example.repository for item in prepared.train)
    test = Counter(item.example.repository for item in prepared.test)
    lines = [(item.name, str(train[item.name]), str(test[item.name])) for item in summary.repositories]
    more = len({name for name in train | test if name}) - REPOSITORIES
    if more > 0:
        lines.append((f"and {more} more", "", ""))
    return table(("repository", "# train", "# held out"), lines)


def _run(preflight: Preflight) -> str:
    lines = [f"{preflight.total_steps} steps."]
    lines += [f"- {note}" for note in preflight.notes]
    text = "\n".join(lines)
    return f"{text}\n\nGPU memory:\n\n```\n{preflight.estimate.strip()}\n```" if preflight.estimate else text
