"""What is learnt of the predictions that an evaluation resolved: rows of its resolved.jsonl (rejection sampling)."""

from collections import defaultdict
from collections.abc import Sequence

from swe_workloads.conversations import conversation_of
from swe_workloads.evaluation_sets import membership
from swe_workloads.examples import Convert, Example, Unusable, text_of
from swe_workloads.instances import as_chat
from swe_workloads.patch_identity import identity_of
from swe_workloads.rows import Row
from swe_workloads.run_file import Resolved, Style, TrajectoryFolder
from swe_workloads.split import content_of, rank


def reader_of(wanted: Resolved) -> Convert:
    return lambda row: _read(row, wanted)


def refuse_judged(repository: str, instance: str, wanted: Resolved | TrajectoryFolder) -> None:
    """Raises Unusable for an instance by whose like models are judged."""
    member = None if wanted.allow_evaluation_sets else membership(repository, instance)
    if member is not None:
        raise Unusable(f"it is of {member.name}, by which models are judged, and allowEvaluationSets is false")


def of_each_instance(examples: Sequence[Example], most: int, seed: int) -> list[Example]:
    """What says the same once, and of each instance at most so many, as the seed decides; in file order."""
    different: dict[str, dict[str, Example]] = defaultdict(dict)
    for one in sorted(examples, key=content_of):  # not file order, which may differ between equal evaluations
        different[str(one.instance)].setdefault(_said(one), one)
    kept = {
        id(one)
        for instance, found in different.items()
        for one in sorted(found.values(), key=lambda one: rank(seed, f"{instance}:{content_of(one)}"))[:most]
    }
    return [one for one in examples if id(one) in kept]


def _read(row: Row, wanted: Resolved) -> Example:
    instance, repository = text_of(row, "instance_id"), text_of(row, "repo")
    refuse_judged(repository, instance, wanted)
    record = as_chat(text_of(row, "prompt"), text_of(row, "completion"))
    if wanted.style is not None:
        record = {"messages": _conversation(row, record, wanted.style)}
    return Example(row, record, instance, repository)


def _conversation(row: Row, record: dict[str, object], style: Style) -> list[object]:
    """A prediction without one is a question and its answer."""
    said = row.fields.get("conversation")
    if isinstance(said, list):
        return list(conversation_of(said, style))
    turns = [record["prompt"], record["completion"]]
    return [turn for side in turns if isinstance(side, list) for turn in side]


def _said(example: Example) -> str:
    """Two patches that are one change are one answer; two ways to it are two."""
    answer = example.record.get("completion")
    return identity_of(answer[0]["content"]) if isinstance(answer, list) else content_of(example)
