"""The pairs of all instances, the rows to learn from what resolved, and both sides of the split."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from swe_workloads.patch_identity import identity_of
from swe_workloads.preference_gen.chosen_trajectories import ChosenTrajectories, choose_trajectories
from swe_workloads.preference_gen.fates import Fate, fates_of, gold_is_proven
from swe_workloads.preference_gen.graded_lines import Key
from swe_workloads.preference_gen.material import Material
from swe_workloads.preference_gen.pairs import GOLD, Answer, Candidates, Pair, pairs_of
from swe_workloads.preference_gen.questions import Question, answer_of
from swe_workloads.run_file import Split
from swe_workloads.split import digest, rank, split

SFT_ROWS = 3  # of an instance: one that is solved often would outweigh the others

ByInstance = Mapping[str, Sequence[Key]]


@dataclass(frozen=True)
class Sides:
    train: list[Pair]
    test: list[Pair]


@dataclass(frozen=True)
class Made:
    """`passing` and `failing` are the patches that an instance has of each kind; instances without any are absent."""

    material: Material
    fates: Mapping[Key, Fate]
    passing: ByInstance
    failing: ByInstance
    pairs: list[Pair]
    sft: list[Key]
    sides: Sides | None
    trajectories: ChosenTrajectories

    @property
    def all_pass(self) -> list[str]:
        return sorted(set(self.passing) - set(self.failing))

    @property
    def all_fail(self) -> list[str]:
        return sorted(set(self.failing) - set(self.passing))


def make(material: Material) -> Made:
    """The same material makes the same, in whatever order its rows came."""
    rule = material.spec.pairs
    fates = fates_of(material)
    if rule.chosen == "Gold":
        fates = _beside_gold(fates, material)
    passing, failing = _by_instance(fates, ["Passing"]), _by_instance(fates, rule.rejected)
    candidates = [
        Candidates(
            question,
            _gold(question, material) if rule.chosen == "Gold" else _answers(passing, name, fates, material),
            _answers(failing, name, fates, material),
        )
        for name, question in material.questions.items()
    ]
    pairs = pairs_of(candidates, rule, material.prompt_of)
    sft = [key for name in sorted(passing) for key in _some(passing[name], material)]
    sides = None if material.spec.split is None else _sides(pairs, material.spec.split)
    return Made(material, fates, passing, failing, pairs, sft, sides, choose_trajectories(material, fates))


def _beside_gold(fates: Mapping[Key, Fate], material: Material) -> dict[Key, Fate]:
    """A patch that fails although it is the change that resolved as the gold patch is no worse than that."""
    golden = {name: identity_of(question.gold) for name, question in material.questions.items()}
    flaky = {
        key
        for key, fate in fates.items()
        if fate.kind == "Failing" and identity_of(material.patches[key]) == golden.get(key[0])
    }
    return {key: Fate(None, "Flaky") if key in flaky else fate for key, fate in fates.items()}


def _by_instance(fates: Mapping[Key, Fate], kinds: Iterable[str]) -> dict[str, list[Key]]:
    wanted = set(kinds)
    found: dict[str, list[Key]] = defaultdict(list)
    for key in sorted(key for key, fate in fates.items() if fate.kind in wanted):
        found[key[0]].append(key)
    return dict(found)


def _gold(question: Question, material: Material) -> list[Answer]:
    return [Answer(GOLD, question.gold)] if gold_is_proven(question.instance, material) else []


def _answers(of: ByInstance, name: str, fates: Mapping[Key, Fate], material: Material) -> list[Answer]:
    return [Answer(key[1], answer_of(material.patches[key]), fates[key].hardness) for key in of.get(name, ())]


def _some(keys: Sequence[Key], material: Material) -> list[Key]:
    """By chance, which the seed and the patches decide."""
    seed = material.spec.pairs.seed
    ranked = sorted(keys, key=lambda key: rank(seed, f"{key[0]}:{digest(material.patches[key])}"))
    return sorted(ranked[:SFT_ROWS])


def _sides(pairs: Sequence[Pair], rule: Split) -> Sides:
    """All pairs of an instance, or of a repository, are on one side."""
    read = [(pair, pair.example) for pair in pairs]
    train, _ = split([example for _, example in read], rule)
    known = {id(example) for example in train}
    return Sides(
        [pair for pair, example in read if id(example) in known],
        [pair for pair, example in read if id(example) not in known],
    )
