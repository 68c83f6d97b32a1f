"""Which of many sets shares most of its members with another one, without looking at each of them."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

# Of all members of both: what NVIDIA's data curation calls a copy of an evaluation's text.
ALIKE = 0.8


class Likeness:
    """Sets by number.

    Two that share so many members share one among the rarest of each, so that only sets with such a one are compared.
    """

    def __init__(self, sets: Mapping[int, frozenset[str]]) -> None:
        self._sets = sets
        self._counts = Counter(member for one in sets.values() for member in one)
        self._by_rare: dict[str, list[int]] = defaultdict(list)
        for number, members in sets.items():
            for member in self._rarest(members):
                self._by_rare[member].append(number)

    def of(self, members: frozenset[str]) -> int | None:
        """The first set that is alike."""
        near = {number for member in self._rarest(members) for number in self._by_rare.get(member, ())}
        return next((number for number in sorted(near) if _shared(members, self._sets[number]) >= ALIKE), None)

    def _rarest(self, members: frozenset[str]) -> list[str]:
        """In an order that is the same for all sets; as many as cannot all be missing from a set that is alike."""
        ordered = sorted(members, key=lambda member: (self._counts[member], member))
        return ordered[: len(ordered) - math.ceil(ALIKE * len(ordered)) + 1] if ordered else []


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index."""
    return len(one & other) / len(one | other)
