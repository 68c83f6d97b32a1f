"""Which rows are used and on which side of the split: decided by seed and content, never by row order."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from swe_workloads.examples import Example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Select, Split


def select(examples: Sequence[Example], wanted: Select) -> list[Example]:
    """By instance, by repository, then a seeded sample. Raises Failure(INVALID_DATA) when a name matches nothing."""
    chosen = list(examples)
    if wanted.instance_ids is not None:
        _refuse_unknown("instanceIds", wanted.instance_ids, {example.instance for example in chosen})
        chosen = [example for example in chosen if example.instance in set(wanted.instance_ids)]
    if wanted.repos is not None:
        _refuse_unknown("repos", wanted.repos, {example.repository for example in chosen})
        chosen = [example for example in chosen if example.repository in set(wanted.repos)]
    if wanted.limit is not None and wanted.limit < len(chosen):
        ranked = sorted(chosen, key=lambda example: (_rank(wanted.seed, identity(example)), _content(example)))
        kept = {id(example) for example in ranked[: wanted.limit]}
        chosen = [example for example in chosen if id(example) in kept]
    return chosen


def split(examples: Sequence[Example], rule: Split) -> tuple[list[Example], list[Example]]:
    """Train and test. Groups stay together; both sides get at least one when there are two groups or more.

    Groups are put in a seeded order and cut where the rows before the cut come closest to trainPercent.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[_group(example, rule)].append(example)
    order = sorted(groups, key=lambda name: _rank(rule.seed, name))
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
    """The instance, or for rows without one their content: equal rows are the same row wherever they stand."""
    return example.instance or _content(example)


def _content(example: Example) -> str:
    return _digest(json.dumps(example.record, sort_keys=True))


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
    return _digest(" ".join(json.dumps(example.record, sort_keys=True).replace("\\n", " ").lower().split()))


def _rank(seed: int, name: str) -> str:
    return _digest(f"{seed}:{name}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_unknown(field: str, wanted: Sequence[str], known: set[str | None]) -> None:
    unknown = sorted(set(wanted) - {name for name in known if name})
    if unknown:
        some = ", ".join(unknown[:3]) + (f" and {len(unknown) - 3} more" if len(unknown) > 3 else "")
        raise Failure(ExitCode.INVALID_DATA, f"data.select.{field}: no usable row has {some}; correct the names.")
