"""summary.md: what of the samples is graded, and what is left out and why, as a person reads it."""

from collections import Counter
from collections.abc import Sequence

from swe_workloads.bad_rows import bad_rows_table
from swe_workloads.evaluation.index import ids_of
from swe_workloads.markdown import table
from swe_workloads.preference_gen.gen_file import GenFile
from swe_workloads.preference_gen.prepared_gen import PreparedGen
from swe_workloads.preference_gen.removal import Removed, rules_of
from swe_workloads.preference_gen.samples import Dropped
from swe_workloads.preference_gen.verdicts import PrepareGenSummary
from swe_workloads.some import some
from swe_workloads.verdict import FrozenSource

NAMES_SHOWN = 5


def render_table(prepared: PreparedGen, summary: PrepareGenSummary, spec: GenFile) -> str:
    sources = prepared.sources
    parts = [
        f"# PreferenceGen {spec.generation.namespace}/{spec.generation.name}",
        f"Instances: {_source(sources.instances)}  \nPredictions: {_source(sources.predictions)}",
        _instances(prepared, summary),
        _samples(prepared, summary),
        "## Samples of an instance",
        _sizes(prepared),
    ]
    if prepared.removal.sets:
        parts += ["## Instances of evaluation sets, left out", _rules("# instances", prepared.removal.sets)]
    if prepared.removal.instances:
        parts += ["## Instances like rows of evaluations, left out", _rules("# instances", prepared.removal.instances)]
    if prepared.removal.samples:
        parts += ["## Samples like rows of evaluations, left out", _rules("# samples", prepared.removal.samples)]
    if prepared.evaluations.bad:
        parts += ["## Rows of evaluations that cannot be compared with", bad_rows_table(prepared.evaluations.bad)]
    if prepared.roster.bad:
        parts += ["## Instances that cannot be used", bad_rows_table(prepared.roster.bad)]
    if prepared.bad_predictions:
        parts += ["## Predictions that cannot be used", bad_rows_table(prepared.bad_predictions)]
    if prepared.unexportable:
        parts += ["## Trajectories that cannot be exported", bad_rows_table(prepared.unexportable)]
    return "\n\n".join(parts) + "\n"


def _rules(number: str, removed: Sequence[Removed]) -> str:
    rows = [(name, rule, str(count), first) for name, rule, count, first in rules_of(removed)]
    return table(("set", "known by its", number, "such as"), rows)


def _source(source: FrozenSource | None) -> str:
    if source is None:
        return ""
    digest = f", sha256 {source.sha256}" if source.sha256 else ""
    return f"{source.uri}{digest}"


def _instances(prepared: PreparedGen, summary: PrepareGenSummary) -> str:
    roster, removal, left = prepared.roster, prepared.removal, len(prepared.plan.selected)
    like = len(removal.instances)
    lines = [
        ("read", roster.read, ""),
        ("cannot be used", summary.bad_rows, ""),
        ("left out by spec.instances.select", len(roster.known) - left - summary.evaluation_sets - like, ""),
        ("of evaluation sets", summary.evaluation_sets, some(_names(removal.sets), NAMES_SHOWN)),
        ("like rows of evaluations", like, some(_names(removal.instances), NAMES_SHOWN)),
        ("left", left, ""),
        ("of these without a sample", summary.without_sample, some(prepared.plan.without_prediction, NAMES_SHOWN)),
    ]
    return table(("instances", "#", "such as"), [(name, str(number), note) for name, number, note in lines])


def _samples(prepared: PreparedGen, summary: PrepareGenSummary) -> str:
    plan, repeated = prepared.plan, [one.instance for one in prepared.predictions.duplicates]
    lines: list[tuple[str, int, list[str]]] = [
        ("read", summary.samples, []),
        ("of the instances that are left", len(plan.submitted), []),
        ("different patches, to be graded", summary.unique_patches, []),
        ("with an empty patch", summary.empty_patches, ids_of(plan.empty)),
        ("about no instance", len(plan.unknown), ids_of(plan.unknown)),
        ("about instances of evaluation sets", _dropped(prepared, "EvaluationSet"), []),
        ("like rows of evaluations, or about instances that are", _dropped(prepared, "Contaminated"), []),
        ("left out by spec.instances.select", summary.not_selected, ids_of(plan.not_selected)),
        ("repeat a sample", summary.duplicates, list(dict.fromkeys(repeated))),
        ("cannot be used", summary.bad_predictions, []),
    ]
    cells = [(name, str(number), some(ids, NAMES_SHOWN)) for name, number, ids in lines]
    return table(("samples", "#", "such as"), cells)


def _names(removed: Sequence[Removed]) -> list[str]:
    return [one.instance.id for one in removed]


def _dropped(prepared: PreparedGen, reason: Dropped) -> int:
    return sum(one.dropped == reason for one in prepared.samples)


def _sizes(prepared: PreparedGen) -> str:
    """How many instances have how many samples, and how many different patches these are, all together."""
    samples = Counter(one.instance for one in prepared.plan.submitted)
    unique = Counter(one.instance for one in prepared.unique)
    instances = Counter(samples[known.id] for known in prepared.plan.selected)
    patches: Counter[int] = Counter()
    for name, number in unique.items():
        patches[samples[name]] += number
    lines = [(str(size), str(number), str(patches[size])) for size, number in sorted(instances.items())]
    return table(("# samples", "# instances", "# different patches"), lines)
