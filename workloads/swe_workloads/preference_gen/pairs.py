"""Which answers to one question are put side by side."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from swe_workloads.examples import Example, read_example
from swe_workloads.preference_gen.gen_file import Pairs
from swe_workloads.preference_gen.questions import Question
from swe_workloads.preferences import preferences
from swe_workloads.rows import Row
from swe_workloads.split import digest, rank

GOLD = 0  # in the place of a sample's number
FILE = "preferences.jsonl"


@dataclass(frozen=True)
class Answer:
    """`sample` is the number of the prediction, or GOLD."""

    sample: int
    text: str
    hardness: int = 0


@dataclass(frozen=True)
class Candidates:
    """The answers to one question that may stand side by side."""

    question: Question
    chosen: Sequence[Answer]
    rejected: Sequence[Answer]

    @property
    def number(self) -> int:
        """Of the pairs that could be made."""
        return len(self.chosen) * len(self.rejected)


@dataclass(frozen=True)
class Pair:
    question: Question
    chosen: Answer
    rejected: Answer

    @property
    def lean(self) -> int:
        """The logarithm of how many times as long the chosen answer is: whole millionths, so that sums are exact."""
        return round(1e6 * math.log(len(self.chosen.text) / len(self.rejected.text)))

    def line(self, prompt: str) -> dict[str, object]:
        """A row as TrainingRun's data.preferences reads it. `prompt` is in which words the question was asked."""
        return {
            "prompt": prompt,
            "chosen": self.chosen.text,
            "rejected": self.rejected.text,
            "instance_id": self.question.instance,
            "repo": self.question.repository,
        }

    def is_learnt(self, prompt: str) -> bool:
        """Whether TrainingRun takes the row."""
        return isinstance(read_example(Row(FILE, 1, self.line(prompt)), preferences), Example)

    @property
    def example(self) -> Example:
        """What a split goes by: whose pair it is."""
        return Example(Row(FILE, 1, {}), {}, self.question.instance, self.question.repository)


def pairs_of(instances: Iterable[Candidates], rule: Pairs, prompt_of: Callable[[str], str]) -> list[Pair]:
    """By the names of instances. Those with the least to choose come first, so that the others can make up for them.

    `prompt_of` says in which words an instance was asked about; one prompt is held at a time.
    """
    found: dict[str, list[Pair]] = {}
    lean = 0
    for one in sorted(instances, key=lambda one: (one.number, rank(rule.seed, one.question.instance))):
        pairs = _pairs_of_one(one, rule, lean, prompt_of)
        lean += sum(pair.lean for pair in pairs)
        found[one.question.instance] = pairs
    return [pair for name in sorted(found) for pair in found[name]]


def _pairs_of_one(one: Candidates, rule: Pairs, lean: int, prompt_of: Callable[[str], str]) -> list[Pair]:
    """At most as many as the rule says, and every answer on as few of them as can be.

    Then what nearly passed comes first, then what the balance of lengths wants, and chance by the rule's seed decides
    the rest. `lean` is that of all pairs before.
    """
    pairs = [Pair(one.question, good, bad) for good, bad in product(one.chosen, one.rejected)]
    prompt = prompt_of(one.question.instance) if pairs else ""
    left = {_chance(pair, rule.seed): pair for pair in pairs if pair.is_learnt(prompt)}
    used: Counter[tuple[str, int]] = Counter()
    found: list[Pair] = []
    while left and len(found) < rule.max_per_instance:
        order = {chance: (_uses(pair, used), *_order(pair, rule, lean), chance) for chance, pair in left.items()}
        best = left.pop(min(left, key=order.__getitem__))
        used.update([("chosen", best.chosen.sample), ("rejected", best.rejected.sample)])
        lean += best.lean
        found.append(best)
    return found


def _uses(pair: Pair, used: Counter[tuple[str, int]]) -> int:
    return used["chosen", pair.chosen.sample] + used["rejected", pair.rejected.sample]


def _order(pair: Pair, rule: Pairs, lean: int) -> tuple[int, int, int]:
    apart = abs(len(pair.chosen.text) - len(pair.rejected.text))
    return pair.rejected.hardness, abs(lean + pair.lean) if rule.length_balance == "AllPairs" else 0, apart


def _chance(pair: Pair, seed: int) -> str:
    return rank(seed, f"{pair.question.instance}:{digest(pair.chosen.text)}:{digest(pair.rejected.text)}")
