"""summary.md: what an evaluation will run, and what it leaves out and why, as a person reads it."""

from collections import Counter, defaultdict

from swe_workloads.bad_rows import bad_rows_table
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.index import ids_of
from swe_workloads.evaluation.prepared_eval import PreparedEval
from swe_workloads.evaluation.verdicts import PrepareEvalSummary
from swe_workloads.markdown import table
from swe_workloads.some import some
from swe_workloads.verdict import FrozenSource

REPOSITORIES = 20
NAMES_SHOWN = 5
REASONS = 10


def render_table(prepared: PreparedEval, summary: PrepareEvalSummary, spec: EvalFile) -> str:
    parts = [
        f"# Evaluation {spec.eval.namespace}/{spec.eval.name}",
        f"Instances: {_source(prepared.sources.instances)}  \nPredictions: {_source(prepared.sources.predictions)}",
        _instances(prepared, summary),
        _predictions(prepared, summary),
        "## Repositories",
        _repositories(prepared),
        "## Samples of an instance",
        _samples(prepared),
    ]
    if prepared.pins.by_name:
        parts += ["## Images that run by name", _unpinned(prepared)]
    if prepared.roster.bad:
        parts += ["## Instances that cannot be used", bad_rows_table(prepared.roster.bad)]
    if prepared.bad_predictions:
        parts += ["## Predictions that cannot be used", bad_rows_table(prepared.bad_predictions)]
    return "\n\n".join(parts) + "\n"


def _source(source: FrozenSource | None) -> str:
    if source is None:
        return "the gold patches of the instances"
    digest = f", sha256 {source.sha256}" if source.sha256 else ""
    return f"{source.uri}{digest}"


def _instances(prepared: PreparedEval, summary: PrepareEvalSummary) -> str:
    roster, plan = prepared.roster, prepared.plan
    lines = [
        ("read", roster.read, ""),
        ("cannot be used", summary.bad_rows, ""),
        ("left out by spec.instances.select", len(roster.known) - len(plan.selected), ""),
        ("to be judged", summary.instances, ""),
        ("of these without a prediction", summary.without_prediction, some(plan.without_prediction, NAMES_SHOWN)),
        ("images that run", summary.images, ""),
        ("of these by their digest", summary.pinned_images, ""),
    ]
    return table(("instances", "#", "such as"), [(name, str(number), note) for name, number, note in lines])


def _predictions(prepared: PreparedEval, summary: PrepareEvalSummary) -> str:
    plan, duplicates = prepared.plan, prepared.predictions.duplicates
    lines = [
        ("read", prepared.predictions.read, []),
        ("to run", summary.to_run, []),
        ("of these with a diff that git may refuse", _malformed(prepared), summary.malformed),
        ("baselines to run beside them, gold and no-op of each instance", summary.baselines, []),
        ("of all these with the verdict of an earlier evaluation", summary.cached + summary.cached_baselines, []),
        ("entries of the cache that lead to no verdict", len(prepared.reuse.remarks), prepared.reuse.remarks),
        ("with an empty patch", summary.empty_patches, ids_of(plan.empty)),
        ("about no instance", len(plan.unknown), ids_of(plan.unknown)),
        ("left out by spec.instances.select", summary.not_selected, ids_of(plan.not_selected)),
        ("repeat another row", summary.duplicates, list(dict.fromkeys(one.instance for one in duplicates))),
        ("cannot be used", summary.bad_predictions, []),
    ]
    return table(
        ("predictions", "#", "such as"), [(name, str(number), some(ids, NAMES_SHOWN)) for name, number, ids in lines]
    )


def _malformed(prepared: PreparedEval) -> int:
    return sum(run.prediction.problem is not None for run in prepared.plan.runs)


def _repositories(prepared: PreparedEval) -> str:
    """Those with the most instances first."""
    plan = prepared.plan
    instances = Counter(known.repository for known in plan.selected)
    runs = Counter(run.instance.repository for run in plan.runs)
    images: dict[str, set[str]] = defaultdict(set)
    for run in plan.runs:
        images[run.instance.repository].add(run.instance.image)
    named = [name for name, _ in sorted(instances.items(), key=lambda item: (-item[1], item[0]))]
    lines = [(name, str(instances[name]), str(runs[name]), str(len(images[name]))) for name in named[:REPOSITORIES]]
    if len(named) > REPOSITORIES:
        lines.append((f"and {len(named) - REPOSITORIES} more", "", "", ""))
    return table(("repository", "# instances", "# predictions to run", "# images"), lines)


def _unpinned(prepared: PreparedEval) -> str:
    """By reason, the most frequent first."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name, reason in prepared.pins.by_name.items():
        alike[reason].append(name)
    groups = sorted(alike.items(), key=lambda item: len(item[1]), reverse=True)
    lines = [(str(len(names)), reason, some(names, 1)) for reason, names in groups[:REASONS]]
    return table(("# images", "reason", "such as"), lines)


def _samples(prepared: PreparedEval) -> str:
    """How many instances have how many predictions, empty ones included."""
    of_instance = Counter(one.instance for one in prepared.plan.submitted)
    sizes = Counter(of_instance.get(known.id, 0) for known in prepared.plan.selected)
    return table(("# samples", "# instances"), [(str(size), str(number)) for size, number in sorted(sizes.items())])
