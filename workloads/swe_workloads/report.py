"""The report of a finished run: one HTML page that needs nothing else, to be read in a browser or kept."""

import html
from dataclasses import dataclass, field
from typing import Any

from swe_workloads.history import Point, lowest, series
from swe_workloads.report_curves import Course, curves_section
from swe_workloads.report_frame import card, footer, header, page
from swe_workloads.report_tables import attempts_table, data_section, fact_rows, flat, settings_section
from swe_workloads.report_text import count, counted, duration, figure
from swe_workloads.verdict import FirstAndLast, FrozenSource, PrepareVerdict, TrainVerdict


@dataclass(frozen=True)
class Facts:
    """What is shown. What is not known is absent from the page.

    `settings` is run.json as the operator wrote it, `attempts` every attempt's verdict in order, `engine_config`
    the file the engine was configured with, `beside` the names of the files in the report's own folder.
    """

    settings: dict[str, Any]
    verdict: TrainVerdict
    history: list[dict[str, float]] = field(default_factory=list)
    attempts: list[TrainVerdict] = field(default_factory=list)
    prepared: PrepareVerdict | None = None
    sources: dict[str, FrozenSource] = field(default_factory=dict)
    engine_config: str | None = None
    beside: list[str] = field(default_factory=list)


def render_report(facts: Facts) -> str:
    run = facts.settings.get("run", {})
    name = str(run.get("name", "training run"))
    body = [
        _header(facts, name, str(run.get("namespace", ""))),
        _headline(facts),
        curves_section(_course(facts)),
        _comparison(facts),
        _held_out(facts),
        data_section(facts.prepared.summary if facts.prepared else None),
        attempts_table(facts.attempts),
        settings_section(facts.settings, facts.engine_config),
        _provenance(facts),
        footer(facts.beside),
    ]
    return page(f"{name}: training report", body)


def _header(facts: Facts, name: str, namespace: str) -> str:
    method = str(facts.settings.get("method", ""))
    badge = f'<span class="badge">{html.escape(facts.verdict.reason)}</span>'
    return header(("Training run", method, namespace), name, facts.verdict.message, badge)


def _headline(facts: Facts) -> str:
    cards = [
        _change_card("Training loss", facts.verdict.loss, "first and last entry of the history"),
        _change_card("Held-out loss", facts.verdict.eval_loss, _best_note(facts)),
        *_preference_cards(facts),
        _perplexity_card(facts),
        _steps_card(facts),
        _attempts_card(facts),
        _duration_card(facts),
    ]
    return '<dl class="figures">\n' + "\n".join(card for card in cards if card) + "\n</dl>"


def _change_card(label: str, told: FirstAndLast | None, note: str) -> str:
    return card(label, f"{told.first} → {told.last}" if told.first != told.last else told.last, note) if told else ""


def _preference_cards(facts: Facts) -> list[str]:
    """Of the held-out pairs where there are any: on those that it is trained on a model is soon always right."""
    found = facts.verdict.preferences
    if found is None:
        return []
    where = "on the held-out pairs" if found.eval_accuracy else "on the pairs that are trained on"
    return [
        _change_card("Reward accuracy", found.eval_accuracy or found.accuracy, where),
        _change_card("Reward margin", found.eval_margin or found.margin, where),
    ]


def _best_note(facts: Facts) -> str:
    best = _best(facts)
    if best is None:
        return ""
    which = "the result" if _result_is_best(facts) else "the result is the last step"
    return f"lowest {figure(best.value)} at step {count(int(best.step))}: {which}"


def _perplexity_card(facts: Facts) -> str:
    found = facts.verdict.perplexity
    if found is None:
        return ""
    if found.value is None:
        return card("Perplexity", "none", found.reason or "", " none")
    return card("Perplexity, held-out rows", found.value, f"95 % interval {found.low} to {found.high}")


def _steps_card(facts: Facts) -> str:
    verdict = facts.verdict
    if verdict.stopped_early:
        return card("Steps", count(verdict.last_step), f"stopped early, of {count(verdict.total_steps or 0)} planned")
    epochs = series(facts.history, "epoch")
    note = f"{figure(epochs[-1].value, 3)} epochs" if epochs else ""
    return card("Steps", count(verdict.last_step), note)


def _attempts_card(facts: Facts) -> str:
    resumed = _resumed_at(facts)
    note = f"resumed from step {', '.join(map(count, resumed[-3:]))}" if resumed else "without interruption"
    return card("Attempts", count(facts.verdict.attempt), note)


def _duration_card(facts: Facts) -> str:
    known = [attempt.seconds for attempt in facts.attempts if attempt.seconds is not None]
    if not known or len(known) < facts.verdict.attempt:
        return card("Duration of the last attempt", duration(known[-1]), _hardware(facts)) if known else ""
    return card("Duration", duration(sum(known)), _hardware(facts))


def _hardware(facts: Facts) -> str:
    compute = facts.settings.get("compute") or {}
    gpus = compute.get("gpus") or 0
    return counted(gpus, str(compute.get("gpuName") or "GPU")) if gpus else "on CPU"


def _resumed_at(facts: Facts) -> list[int]:
    return [attempt.from_step for attempt in facts.attempts if attempt.from_step > 0]


def _result_is_best(facts: Facts) -> bool:
    return (facts.settings.get("checkpoint") or {}).get("result") == "Best"


def _best(facts: Facts) -> Point | None:
    evaluated = series(facts.history, "eval_loss")
    chosen = facts.verdict.best
    if chosen is not None:
        return next((point for point in evaluated if point.step == chosen.step), None)
    return lowest(evaluated)


def _course(facts: Facts) -> Course:
    return Course(facts.history, facts.verdict.last_step, _best(facts), _resumed_at(facts))


def _held_out(facts: Facts) -> str:
    found = facts.verdict.perplexity
    if found is None or found.value is None:
        return ""
    return (
        "<h2>Held-out rows</h2>\n"
        f"<p>Perplexity {found.value}, with 95 % confidence between {found.low} and {found.high}: "
        f"e to the mean loss of {counted(found.tokens or 0, 'token')} in {counted(found.rows or 0, 'row')} that were "
        "not trained on, measured with the weights of this result. The interval is a bootstrap over rows; it says how "
        "far the value would move with other rows of the same kind, not with other training seeds.</p>\n"
        '<p class="muted">Compare it only between runs with the same tokenizer and the same held-out rows. '
        "It differs a little from e to the held-out loss, in which every batch counts the same however many tokens "
        "it has.</p>"
    )


def _comparison(facts: Facts) -> str:
    if facts.verdict.preferences is None:
        return ""
    beta = html.escape(str((facts.settings.get("dpo") or {}).get("beta", "beta")))
    return (
        "<h2>Chosen and rejected</h2>\n"
        f"<p>The reward of an answer is {beta} times what its log-probability has gained over that of the model the "
        "run began with. Accuracy is the share of pairs in which the chosen answer has the higher reward, the margin "
        "is by how much, on average.</p>\n"
        '<p class="muted">A margin grows as well when both answers become unlikely and the rejected one more so: look '
        "at the log-probability of the chosen answers, which should not fall far.</p>"
    )


def _provenance(facts: Facts) -> str:
    rows: list[tuple[str, str]] = []
    for what, source in facts.sources.items():
        rows.append((what, source.uri))
        rows += [(f"{what}, revision", source.revision)] if source.revision else []
        rows += [(f"{what}, sha256", source.sha256)] if source.sha256 else []
    rows += [(f"run, {name}", value) for name, value in flat(facts.settings.get("run", {}))]
    return f'<h2>Provenance</h2>\n<div class="scroll"><table class="facts">{fact_rows(rows)}</table></div>'
