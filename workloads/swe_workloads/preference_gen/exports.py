"""The files that are learnt from, and a line for each pair that says where it is from."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from swe_workloads.bad_rows import write_lines
from swe_workloads.instances import as_chat
from swe_workloads.preference_gen.becoming import sample_lines, sources_of
from swe_workloads.preference_gen.graded_lines import GradedLine, Key
from swe_workloads.preference_gen.made import Made
from swe_workloads.preference_gen.material import Material, SampleLine
from swe_workloads.preference_gen.pairs import FILE, GOLD, Answer, Pair
from swe_workloads.preference_gen.parquet_files import write_parquet
from swe_workloads.preference_gen.questions import answer_of
from swe_workloads.verdict import FrozenSource

CHAT_FILE, SFT_FILE, PROVENANCE_FILE, ACCOUNT_FILE = (
    "preferences-chat.jsonl", "sft.jsonl", "provenance.jsonl", "samples.jsonl",
)  # fmt: skip
PARQUET_FILE = "preferences.parquet"
TRAIN_FILE, TEST_FILE = "train.jsonl", "test.jsonl"


def write_exports(made: Made, folder: Path) -> list[Path]:
    """What is wanted most comes first."""
    files = [
        write_lines(folder / FILE, _lines(made.pairs, made.material)),
        write_lines(folder / CHAT_FILE, _chat_lines(made)),
        write_parquet(folder / PARQUET_FILE, _chat_lines(made)),
    ]
    if made.sides is not None:
        files.append(write_lines(folder / TRAIN_FILE, _lines(made.sides.train, made.material)))
        files.append(write_lines(folder / TEST_FILE, _lines(made.sides.test, made.material)))
    return [
        *files,
        write_lines(folder / SFT_FILE, _sft_lines(made)),
        write_lines(folder / PROVENANCE_FILE, provenance_lines(made)),
        write_lines(folder / ACCOUNT_FILE, sample_lines(made)),
    ]


def _lines(pairs: Iterable[Pair], material: Material) -> Iterator[dict[str, object]]:
    for pair in pairs:
        yield pair.line(material.prompt_of(pair.question.instance))


def _chat_lines(made: Made) -> Iterator[dict[str, object]]:
    """The turns of TRL's conversational preferences, which are those that instances are learnt in."""
    for pair in made.pairs:
        prompt = made.material.prompt_of(pair.question.instance)
        chosen, rejected = (as_chat(prompt, answer.text) for answer in (pair.chosen, pair.rejected))
        turns = {"prompt": chosen["prompt"], "chosen": chosen["completion"], "rejected": rejected["completion"]}
        yield pair.line(prompt) | turns


def _sft_lines(made: Made) -> Iterator[dict[str, object]]:
    for key in made.sft:
        question = made.material.questions[key[0]]
        yield {
            "prompt": made.material.prompt_of(key[0]),
            "completion": answer_of(made.material.patches[key]),
            "instance_id": question.instance,
            "repo": question.repository,
        }


def provenance_lines(made: Made) -> Iterator[dict[str, object]]:
    """One for each line of preferences.jsonl, in its order."""
    material, sources = made.material, sources_of(made)
    origin = origin_of(material)
    for number, pair in enumerate(made.pairs, start=1):
        yield {
            "line": number,
            "instance_id": pair.question.instance,
            "repo": pair.question.repository,
            "image": _image(pair, material),
            "prompt_sha256": _sha256(material.prompt_of(pair.question.instance)),
            "chosen": _side(pair, pair.chosen, material, sources),
            "rejected": _side(pair, pair.rejected, material, sources),
            **origin,
        }


def origin_of(material: Material) -> dict[str, object]:
    """What all that is exported has in common."""
    frozen = material.prepared.sources
    return {
        "instances": _source(frozen.instances if frozen else None),
        "predictions": _source(frozen.predictions if frozen else None),
        "evaluation": material.graded.evaluation.model_dump(),
    }


def _side(
    pair: Pair, answer: Answer, material: Material, sources: Mapping[Key, Iterable[SampleLine]]
) -> dict[str, object]:
    """`sha256` is that of the answer as it is exported, `patch_sha256` that of the patch as it was graded."""
    name = pair.question.instance
    if answer.sample == GOLD:
        told: dict[str, object] = {"kind": "Gold", "prediction": None, "samples": []}
        return told | {"sha256": _sha256(answer.text), "verdict": told_verdict(material.gold.get(name))}
    key = (name, answer.sample)
    merged = [
        {"model_name_or_path": one.model_name_or_path, "sample": one.sample, "sha256": one.sha256}
        for one in sources.get(key, ())
    ]
    return {
        "kind": "Sample",
        "prediction": answer.sample,
        "samples": merged,
        "sha256": _sha256(answer.text),
        "patch_sha256": _sha256(material.patches[key]),
        "verdict": told_verdict(material.lines.get(key)),
    }


def told_verdict(line: GradedLine | None) -> dict[str, object] | None:
    """As the evaluation tells it."""
    kept = {"instance", "sample", "model", "image", "validity"}
    return None if line is None else line.model_dump(by_alias=True, exclude_none=True, exclude=kept)


def _image(pair: Pair, material: Material) -> str | None:
    name = pair.question.instance
    lines = [material.lines.get((name, one.sample)) for one in (pair.rejected, pair.chosen)]
    return next((line.image for line in [*lines, material.gold.get(name)] if line and line.image), None)


def _source(source: FrozenSource | None) -> dict[str, object] | None:
    return None if source is None else source.model_dump(exclude_none=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
