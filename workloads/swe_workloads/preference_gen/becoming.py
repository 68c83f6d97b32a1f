"""What became of every sample, and why of those that are in no pair."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from swe_workloads.preference_gen.graded_lines import Key
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.material import SampleLine
from swe_workloads.preference_gen.verdicts import DroppedCount

REASONS = 16  # in a verdict; what is rarer is counted together
OTHER = "Other"


@dataclass(frozen=True)
class Became:
    """With a side it is in so many pairs, else in none, for the reason. It may be learnt from (`sft`) all the same."""

    side: Literal["Chosen", "Rejected"] | None
    pairs: int
    sft: bool
    reason: str | None


def becomings(made: Made) -> list[tuple[SampleLine, Became]]:
    """Of every row that the preparation could use, in its order. What is one change has one fate."""
    chosen = Counter((pair.question.instance, pair.chosen.sample) for pair in made.pairs)
    rejected = Counter((pair.question.instance, pair.rejected.sample) for pair in made.pairs)
    sft, paired = set(made.sft), {pair.question.instance for pair in made.pairs}

    def became(sample: SampleLine) -> Became:
        key = sample.key
        if key is None:
            return Became(None, 0, False, sample.dropped)
        if chosen[key]:
            return Became("Chosen", chosen[key], key in sft, None)
        if rejected[key]:
            return Became("Rejected", rejected[key], key in sft, None)
        return Became(None, 0, key in sft, _reason(key, made, key[0] in paired))

    return [(sample, became(sample)) for sample in made.material.samples]


def dropped_counts(made: Made) -> list[DroppedCount]:
    """Of the samples about the instances that are used, the most frequent reason first."""
    about = {id(sample) for sample in made.material.about}
    reasons = Counter(one.reason for sample, one in becomings(made) if id(sample) in about and one.reason is not None)
    ranked = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) > REASONS:
        ranked = [*ranked[: REASONS - 1], (OTHER, sum(number for _, number in ranked[REASONS - 1 :]))]
    return [DroppedCount(reason=reason, count=number) for reason, number in ranked]


def sources_of(made: Made) -> Mapping[Key, list[SampleLine]]:
    """By prediction the samples that it was graded for."""
    found: dict[Key, list[SampleLine]] = defaultdict(list)
    for sample in made.material.samples:
        if sample.key is not None:
            found[sample.key].append(sample)
    return found


def sample_lines(made: Made) -> Iterator[dict[str, object]]:
    """samples.jsonl of the report."""
    for place, (sample, one) in enumerate(becomings(made)):
        line = made.material.lines.get(sample.key) if sample.key is not None else None
        yield {
            "instance_id": sample.instance_id,
            "model_name_or_path": sample.model_name_or_path,
            "sample": sample.sample,
            "sha256": sample.sha256,
            "prediction": sample.prediction,
            "state": None if line is None else line.state,
            "used_as": one.side,
            "pairs": one.pairs,
            "sft": one.sft,
            "dropped": one.reason,
            "trajectory": made.trajectories.words.get(place),
        }


def _reason(key: Key, made: Made, has_pairs: bool) -> str:
    """`has_pairs` says it of the instance."""
    fate, rule = made.fates[key], made.material.spec.pairs
    if fate.kind is None or (fate.kind != "Passing" and fate.kind not in rule.rejected):
        return fate.reason
    if rule.chosen == "Gold":
        return "GoldIsChosen" if fate.kind == "Passing" else "OverLimit" if has_pairs else "GoldNotResolved"
    if has_pairs:
        return "OverLimit"
    others = made.failing if fate.kind == "Passing" else made.passing
    if key[0] in others:
        return "NoPair"  # the reader of a training would refuse every row
    return "AllPass" if fate.kind == "Passing" else "AllFail"
