"""What is left out because a model is judged by it, or by something like it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from swe_workloads.evaluation.predictions import Prediction
from swe_workloads.evaluation.roster import Known
from swe_workloads.evaluation_sets import Membership, membership


@dataclass(frozen=True)
class Removed:
    """A selected instance, or one of its samples, and by what that is known."""

    instance: Known
    member: Membership
    sample: Prediction | None = None


@dataclass(frozen=True)
class Removal:
    """`sets` are of the sets that everybody is judged by; the others are like rows that the user named."""

    sets: list[Removed]
    instances: list[Removed]
    samples: list[Removed]

    @property
    def all(self) -> list[Removed]:
        return [*self.sets, *self.instances, *self.samples]


def of_sets(selected: Iterable[Known]) -> list[Removed]:
    """Those of the repositories that a model is judged by."""
    found = ((known, membership(known.repository, known.id)) for known in selected)
    return [Removed(known, member) for known, member in found if member is not None]


def without(selected: Iterable[Known], removed: Iterable[Removed]) -> list[Known]:
    names = {one.instance.id for one in removed}
    return [known for known in selected if known.id not in names]


def rules_of(removed: Sequence[Removed]) -> list[tuple[str, str, int, str]]:
    """Set, rule, how many rows and the instance of the first of them, the most frequent first."""
    counts = Counter((one.member.name, one.member.rule) for one in removed)
    first = {(one.member.name, one.member.rule): one.instance.id for one in reversed(removed)}
    return [(*key, number, first[key]) for key, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def removed_lines(removal: Removal, numbers: Mapping[Prediction, int]) -> Iterator[dict[str, object]]:
    """decontamination.jsonl. `sample` and `model` are null where it is the instance with all its samples."""
    for one in removal.all:
        yield {
            "rule": one.member.rule,
            "instance_id": one.instance.id,
            "repo": one.instance.repository,
            "model_name_or_path": one.sample and one.sample.model,
            "sample": one.sample and numbers[one.sample],
            "set": one.member.name,
            "like": one.member.like,
        }
