"""Rules by which an instance or a patch is known from the rows of evaluations, in this order; the first counts."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from swe_workloads.evaluation_sets import Membership, RowRule
from swe_workloads.leaks import TELLING_CHARACTERS
from swe_workloads.patch_identity import changed_lines, identity_of
from swe_workloads.preference_gen.issue_texts import IssueTexts
from swe_workloads.preference_gen.likeness import Likeness
from swe_workloads.preference_gen.traits import Traits

Mark = TypeVar("Mark", bound=Hashable)
Found = tuple[RowRule, int]


class Contamination:
    """`known` are rows of evaluations, each with the name of its set."""

    def __init__(self, known: Sequence[tuple[str, Traits]]) -> None:
        self._known = known
        rows = [(number, row) for number, (_, row) in enumerate(known)]
        self._names = _first((row.name.lower(), number) for number, row in rows)
        self._requests = _first((one, number) for number, row in rows for one in row.requests)
        self._bases = _first((row.base, number) for number, row in rows if row.base)
        self._changes = _first((identity_of(row.patch), number) for number, row in rows if row.patch)
        lines = {number: telling_lines(row.patch) for number, row in rows if row.patch}
        self._lines = Likeness({number: found for number, found in lines.items() if found})
        self._texts = IssueTexts({number: row.words for number, row in rows})
        self.tests = _first((test, number) for number, row in rows for test in row.tests)

    def of_instance(self, traits: Traits) -> Membership | None:
        return self._told(next(self._of_instance(traits), None))

    def of_patch(self, patch: str) -> Membership | None:
        return self._told(next(self._of_patch(patch), None))

    def of_tests(self, number: int) -> Membership:
        """For whoever named a test of this row."""
        return self._member("TestIds", number)

    def _of_instance(self, traits: Traits) -> Iterator[Found]:
        if (number := self._names.get(traits.name.lower())) is not None:
            yield "InstanceId", number
        for one in sorted(traits.requests & self._requests.keys()):
            yield "PullRequest", self._requests[one]
        if traits.base is not None and traits.base in self._bases:
            yield "BaseCommit", self._bases[traits.base]
        if traits.patch is not None:
            yield from self._of_patch(traits.patch)
        if (number := self._texts.of(traits.words)) is not None:
            yield "IssueText", number

    def _of_patch(self, patch: str) -> Iterator[Found]:
        if (number := self._changes.get(identity_of(patch))) is not None:
            yield "SamePatch", number
        if (number := self._lines.of(telling_lines(patch))) is not None:
            yield "SimilarPatch", number

    def _told(self, found: Found | None) -> Membership | None:
        return None if found is None else self._member(*found)

    def _member(self, rule: RowRule, number: int) -> Membership:
        name, traits = self._known[number]
        return Membership(name, rule, traits.name)


def _first(marks: Iterable[tuple[Mark, int]]) -> dict[Mark, int]:
    """Of rows with the same mark the first."""
    found: dict[Mark, int] = {}
    for mark, number in marks:
        found.setdefault(mark, number)
    return found


def telling_lines(patch: str) -> frozenset[str]:
    """Changed lines; none of a patch as short as many are by chance."""
    lines = changed_lines(patch)
    return lines if sum(len(line) - 1 for line in lines) >= TELLING_CHARACTERS else frozenset()
