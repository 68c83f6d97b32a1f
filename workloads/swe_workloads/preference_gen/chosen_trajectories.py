"""Which trajectories are learnt from, and why the others are not."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swe_workloads.preference_gen.fates import Fate
from swe_workloads.preference_gen.graded_lines import Key
from swe_workloads.preference_gen.material import Material, SampleLine
from swe_workloads.split import rank

EXPORTED, OVER_LIMIT, SAME_MESSAGES, UNUSABLE = "Exported", "OverLimit", "SameMessages", "Unusable"
ID_DIGITS = 8  # as many as SWE-smith takes


@dataclass(frozen=True)
class Resolving:
    """A sample whose prediction `key` may be learnt from. `place` is the sample's among those of the material.

    `sha256` is of the trajectory's file, `document` of what is exported of it.
    """

    place: int
    sample: SampleLine
    key: Key
    sha256: str
    document: str

    @property
    def traj_id(self) -> str:
        return f"{self.key[0]}.{self.sha256[:ID_DIGITS]}"


@dataclass(frozen=True)
class ChosenTrajectories:
    """`exported` by instance. `words` tell of each sample with a trajectory, by its place, what became of that."""

    exported: list[Resolving] = field(default_factory=list)
    words: Mapping[int, str] = field(default_factory=dict)


def choose_trajectories(material: Material, fates: Mapping[Key, Fate]) -> ChosenTrajectories:
    """Of what resolves, is confirmed and Clean: each sample counts, although equal patches are graded once."""
    wanted = material.spec.export.trajectories
    if wanted is None:
        return ChosenTrajectories()
    words: dict[int, str] = {}
    resolving: dict[str, list[Resolving]] = defaultdict(list)
    for place, sample in enumerate(material.samples):
        found = _judged(place, sample, fates)
        if isinstance(found, Resolving):
            resolving[sample.instance_id].append(found)
        elif found is not None:
            words[place] = found
    exported: list[Resolving] = []
    for _, rivals in sorted(resolving.items()):
        told = _told(rivals, material.spec.pairs.seed, wanted.max_per_instance)
        words |= {one.place: word for one, word in told}
        chosen = [one for one, word in told if word == EXPORTED]
        exported += sorted(chosen, key=lambda one: (one.key, one.sha256))
    return ChosenTrajectories(exported, words)


def _judged(place: int, sample: SampleLine, fates: Mapping[Key, Fate]) -> Resolving | str | None:
    """Or why it is not exported; None of a sample that came without a trajectory."""
    kept = sample.trajectory
    if kept is None or sample.key is None:
        return sample.dropped if kept is not None else None
    fate = fates[sample.key]
    if fate.kind != "Passing":
        return fate.reason
    if kept.document is None:
        return UNUSABLE
    return Resolving(place, sample, sample.key, kept.sha256, kept.document)


def _told(rivals: Sequence[Resolving], seed: int, most: int) -> list[tuple[Resolving, str]]:
    """By chance, which the seed and the files decide. Of equal conversations one is exported."""
    taken: set[str] = set()
    told: list[tuple[Resolving, str]] = []
    for one in sorted(rivals, key=lambda one: rank(seed, f"{one.key[0]}:{one.sha256}")):
        word = SAME_MESSAGES if one.document in taken else OVER_LIMIT if len(taken) == most else EXPORTED
        if word == EXPORTED:
            taken.add(one.document)
        told.append((one, word))
    return told
