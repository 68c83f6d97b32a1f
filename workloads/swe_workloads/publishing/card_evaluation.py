"""How the result was measured, for its card: what the gate of its run found."""

from swe_workloads.markdown import table
from swe_workloads.publishing.publish_file import Baseline, Evaluation
from swe_workloads.report_text import count
from swe_workloads.verdict import FrozenSource


def evaluation_section(found: Evaluation | None) -> str:
    """Empty where nothing was measured."""
    if found is None:
        return ""
    titles = ["SWEBenchEval", "# Instances", "Resolved", "# Resolve rate", "95 % interval"]
    figures = [found.name, _instances(found), _resolved(found), found.resolved_rate, _interval(found)]
    if found.baseline is not None:
        titles.append("Compared with")
        figures.append(_named(found.baseline))
    source = "" if found.source is None else f" Instances: {frozen_text(found.source)}."
    said = f"The strict rate: what has no verdict counts as not resolved.{source} {_why(found)}"
    return f"## Evaluation\n\n{table(titles, [figures])}\n\n{said}"


def frozen_text(source: FrozenSource) -> str:
    named = source.revision is None or source.revision in source.uri
    revision = "" if named else f" at `{source.revision}`"
    digest = f", sha256 `{source.sha256}`" if source.sha256 is not None and source.revision is None else ""
    return f"`{source.uri}`{revision}{digest}"


def _instances(found: Evaluation) -> str:
    return "" if found.instances is None else count(found.instances)


def _resolved(found: Evaluation) -> str:
    return "" if found.resolved is None or found.total is None else f"{count(found.resolved)} of {count(found.total)}"


def _interval(found: Evaluation) -> str:
    return "" if found.low is None or found.high is None else f"{found.low} to {found.high}"


def _named(baseline: Baseline) -> str:
    return baseline.name if baseline.resolved_rate is None else f"{baseline.name}, {baseline.resolved_rate}"


def _why(found: Evaluation) -> str:
    other = found.baseline
    if other is None:
        return f"Published because the rate is at least {found.min_resolved_rate}."
    figures = f"difference {other.difference} over the instances of both, McNemar's p {other.p_value}"
    return f"Published because it is not significantly worse than `{other.name}`: {figures}."
