"""Whether an issue is told in the words of another one: whole, inside a longer text, or with some words changed."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from swe_workloads.leaks import TELLING_CHARACTERS
from swe_workloads.preference_gen.likeness import Likeness

# Words in a row that two people do not write by chance.
RUN = 13
# Of the runs of the shorter text: quoting a sentence of another issue is no copy of it.
SHARED = 0.5
# A run that more issues have, told in different words, is of the form that they were written in.
MOST_ISSUES = 3
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)  # of a form that was filled in


class IssueTexts:
    """By number."""

    def __init__(self, texts: Mapping[int, list[str]]) -> None:
        # A set and its subsets have the same issue; it is one all the same.
        first: dict[tuple[str, ...], int] = {}
        for number, told in texts.items():
            first.setdefault(tuple(told), number)
        found: dict[int, list[int]] = defaultdict(list)
        for words, number in first.items():
            for run in _runs(words):
                found[run].append(number)
        self._by_run = {run: numbers for run, numbers in found.items() if len(numbers) <= MOST_ISSUES}
        self._sizes = Counter(number for numbers in self._by_run.values() for number in numbers)
        self._words = Likeness({number: frozenset(words) for words, number in first.items() if len(words) >= RUN})

    def of(self, words: list[str]) -> int | None:
        """The first text that says the same."""
        runs = _runs(words)
        shared = Counter(number for run in runs for number in self._by_run.get(run, ()))
        same = [number for number, count in shared.items() if count >= SHARED * min(len(runs), self._sizes[number])]
        if same:
            return min(same)
        return self._words.of(frozenset(words)) if len(words) >= RUN else None


def words_of(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", _COMMENT.sub(" ", text)).casefold())


def _runs(words: Sequence[str]) -> set[int]:
    """By their hashes: the runs of some thousand issues are millions. Of a short text all of it is one run."""
    if len(words) < RUN:
        whole = " ".join(words)
        return {hash(whole)} if len(whole) >= TELLING_CHARACTERS else set()
    return set(map(hash, _joined(words)))


def _joined(words: Sequence[str]) -> Iterable[str]:
    return (" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
