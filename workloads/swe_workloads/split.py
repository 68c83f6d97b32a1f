"""On which side of the split a row is: decided by seed and content, never by row order."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from swe_workloads.examples import Example
from swe_workloads.run_file import Split


def split(examples: Sequence[Example], rule: Split) -> tuple[list[Example], list[Example]]:
    """Train and test. Groups stay together; both sides get at least one when there are two groups or more.

    Groups are put in a seeded order and cut where the rows before the cut come closest to trainPercent.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[_group(example, rule)].append(example)
    order = sorted(groups, key=lambda name: rank(rule.seed, name))
    train_groups = set(order[: _cut([len(groups[name]) for name in order], rule.train_percent)])
    train = [example for example in examples if _group(example, rule) in train_groups]
    test = [example for example in examples if _group(example, rule) not in train_groups]
    return train, test


def duplicates_across(train: Sequence[Example], test: Sequence[Example]) -> int:
    """Test rows whose text, but for spacing and letter case, is also a train row's."""
    known = {_normalised(example) for example in train}
    return sum(_normalised(example) in known for example in test)


def duplicates_within(examples: Sequence[Example]) -> int:
    """Rows that repeat an earlier one, by the same measure."""
    return len(examples) - len({_normalised(example) for example in examples})


def identity(example: Example) -> str:
    """The instance, without one the group, else the content: equal rows are the same row wherever they stand."""
    return example.instance or example.group or content_of(example)


def content_of(example: Example) -> str:
    return digest(json.dumps(example.record, sort_keys=True))


def _group(example: Example, rule: Split) -> str:
    if rule.by == "Instance":
        return identity(example)
    return example.repository or ""


def _cut(sizes: Sequence[int], percent: int) -> int:
    if len(sizes) < 2:
        return len(sizes)
    target = sum(sizes) * percent / 100
    before = list(accumulate(sizes))
    return min(range(1, len(sizes)), key=lambda cut: abs(before[cut - 1] - target))


def _normalised(example: Example) -> str:
    return digest(" ".join(json.dumps(example.record, sort_keys=True).replace("\\n", " ").lower().split()))


def rank(seed: int, name: str) -> str:
    """Where a name stands in the order of a seed."""
    return digest(f"{seed}:{name}")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
