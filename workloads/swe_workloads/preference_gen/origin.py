"""What pairs were made of and by which rules, and what never came so far, for the page and the card."""

from swe_workloads.preference_gen.gen_file import Trajectories
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.verdicts import PrepareGenSummary, RemovedCount
from swe_workloads.report_text import count, counted
from swe_workloads.verdict import FrozenSource

# By which rule of the decontamination, for people.
BY_RULE = {
    "Repository": "of an evaluation set, by its repository",
    "Mirror": "of an evaluation set, by the name of a mirror",
    "Id": "of an evaluation set, by its id",
    "Fork": "of an evaluation set, as a fork",
    "InstanceId": "like an evaluation's row: its id",
    "PullRequest": "like an evaluation's row: its pull request or issue",
    "BaseCommit": "like an evaluation's row: its base commit",
    "SamePatch": "like an evaluation's row: its change",
    "SimilarPatch": "like an evaluation's row: most of its changed lines",
    "IssueText": "like an evaluation's row: the words of its issue",
    "TestIds": "with an evaluation's tests in the trajectory",
}


def origin_rows(made: Made) -> list[tuple[str, str]]:
    material, rule = made.material, made.material.spec.pairs
    sources, graded = material.prepared.sources, material.graded
    rows = [
        *_source("instances", sources.instances if sources else None),
        *_source("predictions", sources.predictions if sources else None),
        *_compared(material.prepared.summary),
        ("evaluation", f"{graded.evaluation.name} ({graded.evaluation.uid})"),
    ]
    return [
        *rows,
        ("official harness", f"swebench {material.spec.harness_version}"),
        ("chosen", "the gold patch" if rule.chosen == "Gold" else "passing patches"),
        ("rejected", ", ".join(rule.rejected)),
        ("pairs of an instance, at most", str(rule.max_per_instance)),
        ("balance of lengths", rule.length_balance),
        ("seed", str(rule.seed)),
        ("prompt style", material.spec.prompt.style),
        *_trajectories(material.spec.export.trajectories),
    ]


def left_out_rows(made: Made) -> list[tuple[str, str]]:
    """What the preparation left out, as far as there is any."""
    summary = made.material.prepared.summary
    if summary is None:
        return []
    rows = [
        ("instances whose rows could not be used", summary.bad_rows),
        ("instances without a sample", summary.without_sample),
        ("predictions that could not be used", summary.bad_predictions),
        ("ids of predictions that no instance has", summary.unknown_ids),
        ("predictions outside the selection", summary.not_selected),
        ("predictions that repeat a sample", summary.duplicates),
    ]
    return [*map(_removed, summary.removed), *((name, count(number)) for name, number in rows if number)]


def _removed(one: RemovedCount) -> tuple[str, str]:
    return BY_RULE.get(one.rule, one.rule), f"{counted(one.instances, 'instance')}, {counted(one.samples, 'sample')}"


def _compared(summary: PrepareGenSummary | None) -> list[tuple[str, str]]:
    found = summary.decontamination if summary else None
    if found is None:
        return []
    rows = [row for source in found.sources for row in _source("compared with the evaluation", source)]
    return [*rows, ("rows compared with", count(found.rows))]


def _trajectories(wanted: Trajectories | None) -> list[tuple[str, str]]:
    if wanted is None:
        return []
    return [
        ("style of trajectories", wanted.style),
        ("trajectories of an instance, at most", str(wanted.max_per_instance)),
    ]


def _source(what: str, source: FrozenSource | None) -> list[tuple[str, str]]:
    if source is None:
        return []
    rows = [(what, source.uri), (f"{what}, revision", source.revision), (f"{what}, sha256", source.sha256)]
    return [(name, value) for name, value in rows if value]
