"""README.md of a published result. Equal facts make equal bytes, so that nothing is published twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swe_workloads.publishing.card_evaluation import evaluation_section, frozen_text
from swe_workloads.publishing.publish_file import Cost, Evaluation, PublishFile
from swe_workloads.report_tables import flat
from swe_workloads.report_text import count, counted, duration
from swe_workloads.run_file import Compute, HubModel, RunFile
from swe_workloads.verdict import FirstAndLast, Perplexity, Preferences, PrepareVerdict, TrainVerdict

# What a person chose of the training, in this order.
SETTINGS = ("sequence", "dpo", "lora", "optimizer", "batch", "duration", "evaluation", "checkpoint", "engineOptions")
METHODS = {"SFT": "supervised fine-tuning (SFT)", "DPO": "direct preference optimisation (DPO)"}
LOADING = {
    "adapter": ("peft", "AutoPeftModelForCausalLM"),
    "model": ("transformers", "AutoModelForCausalLM"),
}
LICENCE = "That of the base model and of the data it was trained on; none is granted here."

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Told:
    """`settings` is the training's own run.json, `prepared` None where an earlier version prepared the data."""

    spec: PublishFile
    settings: Mapping[str, Any]
    result: TrainVerdict
    prepared: PrepareVerdict | None

    @property
    def training(self) -> RunFile:
        return self.spec.training

    @property
    def kind(self) -> str:
        """What is published, which is the name of its folder too."""
        return "model" if self.training.lora is None else "adapter"


def render_card(told: Told) -> str:
    parts = [
        f"# {told.spec.hub.repo.split('/')[1]}",
        _introduction(told),
        _section("Made from", _origin(told)),
        _section("Figures", _figures(told.result)),
        _meaning(told.spec.evaluation),
        evaluation_section(told.spec.evaluation),
        _section("Settings", _settings(told)),
        _section("Compute and cost", _cost(told.training.compute, told.spec.cost)),
        _loading(told),
        f"## Licence\n\n{LICENCE}",
    ]
    return _front_matter(told) + "\n" + "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(told: Told) -> str:
    """As hubs read it; every name in it has passed a pattern that leaves nothing to escape but a number."""
    training = told.training
    library, _ = LOADING[told.kind]
    tags = ["trl", training.method.lower(), *(["lora"] if told.kind == "adapter" else [])]
    base = training.model
    lines = [f"library_name: {library}", "pipeline_tag: text-generation", *_listed("tags", tags)]
    if isinstance(base, HubModel):
        relation = "adapter" if told.kind == "adapter" else "finetune"
        lines += [f'base_model: "{base.repo}"', f"base_model_relation: {relation}"]
    if training.data.source.hub is not None:
        lines += _listed("datasets", [f'"{training.data.source.hub.repo}"'])
    return "\n".join(["---", *lines, "---", ""])


def _listed(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"- {value}" for value in values)]


def _introduction(told: Told) -> str:
    what = "A whole model" if told.kind == "model" else "A LoRA adapter"
    run = told.training.run
    return f"{what}, the result of {METHODS[told.training.method]} by the TrainingRun `{run.name}` ({run.uid})."


def _origin(told: Told) -> Facts:
    training = told.training
    sources = told.prepared.sources if told.prepared is not None else None
    summary = told.prepared.summary if told.prepared is not None else None
    facts = [("Base model", frozen_text(sources.model) if sources is not None else f"`{training.model.uri}`")]
    if training.adapter is not None:
        facts.append(("Continues", f"the adapter that TrainingRun `{training.adapter.run}` left"))
    if sources is not None:
        facts.append(("Data", f"{frozen_text(sources.data)}, as {training.data.format}"))
    if summary is not None:
        facts.append(("Rows", f"{count(summary.train)} trained on, {count(summary.test)} held out"))
    split = training.split
    facts.append(("Split", f"{split.train_percent} % to train, by {split.by}, seed {split.seed}"))
    return facts


def _figures(result: TrainVerdict) -> Facts:
    preferences = result.preferences or Preferences()
    changes = [
        ("Loss on the rows trained on", result.loss),
        ("Loss", result.eval_loss),
        ("DPO accuracy on the pairs trained on", preferences.accuracy),
        ("DPO accuracy", preferences.eval_accuracy),
        ("DPO margin on the pairs trained on", preferences.margin),
        ("DPO margin", preferences.eval_margin),
    ]
    facts = [("Optimizer steps", _steps(result))]
    facts += [(name, _change(change)) for name, change in changes if change is not None]
    if result.perplexity is not None:
        facts.append(("Perplexity", _perplexity(result.perplexity)))
    if result.best is not None:
        facts.append(("Best loss", f"{result.best.eval_loss} at step {count(result.best.step)}"))
    return facts


def _steps(result: TrainVerdict) -> str:
    whole = "" if result.total_steps is None else f" of {count(result.total_steps)}"
    return f"{count(result.last_step)}{whole}{', ended early for lack of improvement' if result.stopped_early else ''}"


def _change(change: FirstAndLast) -> str:
    return f"{change.first} at first, {change.last} at last"


def _perplexity(found: Perplexity) -> str:
    if found.value is None:
        return f"not known: {found.reason}"
    return f"{found.value} (95 % interval {found.low} to {found.high}, {counted(found.rows or 0, 'row')})"


def _meaning(found: Evaluation | None) -> str:
    rows = "On the held-out rows, unless they are said to be trained on."
    return rows if found is not None else f"{rows} They do not say how many instances it resolves."


def _settings(told: Told) -> Facts:
    sections = {name: told.settings[name] for name in SETTINGS if told.settings.get(name)}
    rows = [row for name, section in sections.items() for row in flat(section, f"{name}.")]
    return [("method", told.training.method), ("seed", str(told.training.seed)), *rows]


def _cost(compute: Compute, cost: Cost | None) -> Facts:
    device = "CPU" if compute.gpus == 0 else f"{compute.gpus} x {compute.gpu_name or 'GPU'}"
    if cost is None:
        return [("Trained on", device)]
    facts = [
        ("Trained on", f"{device}, in {counted(cost.attempts, 'attempt')}"),
        ("Time on nodes", duration(cost.seconds)),
    ]
    if cost.gpu_seconds > 0:
        facts.append(("GPU-hours", f"{cost.gpu_seconds / 3600:.2f}"))
    if cost.amount is not None:
        facts.append(("Cost", f"{cost.amount} {cost.currency or ''}".strip()))
    return facts


def _loading(told: Told) -> str:
    if told.kind == "adapter" and not isinstance(told.training.model, HubModel):
        return ""  # PEFT finds no base where the adapter says that it is
    library, loader = LOADING[told.kind]
    code = f'from {library} import {loader}\n\nmodel = {loader}.from_pretrained("{told.spec.hub.repo}")'
    return f"## Loading\n\n```python\n{code}\n```"


def _section(title: str, facts: Facts) -> str:
    lines = [f"- **{name}**: {' '.join(value.split())}" for name, value in facts]
    return f"## {title}\n\n" + "\n".join(lines)
