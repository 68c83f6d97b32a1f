"""What pairs are made of: the preparation's samples and instances, and what evaluations said of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.lines_by_instance import LinesByInstance, lines_by_instance
from swe_workloads.evaluation.prepared_files import DATA_MANIFEST
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import read_manifest
from swe_workloads.preference_gen.gen_file import GenFile
from swe_workloads.preference_gen.graded_file import BASELINES, RESULTS, Graded, uri_of
from swe_workloads.preference_gen.graded_lines import GradedLine, Key, fetch_lines
from swe_workloads.preference_gen.prepared_files import (
    DECONTAMINATION_FILE,
    INSTANCES_FILE,
    PREDICTIONS_FILE,
    SAMPLES_FILE,
)
from swe_workloads.preference_gen.questions import Question, read_questions, write_pro_prompts
from swe_workloads.preference_gen.verdicts import PrepareGenVerdict
from swe_workloads.prompting.prompts import PROMPTS_FILE
from swe_workloads.transfer import Missing

FILES = (INSTANCES_FILE, PREDICTIONS_FILE, SAMPLES_FILE)
# Earlier versions prepared without: they asked in style Pro only, and compared with nothing.
LATER_FILES = (DECONTAMINATION_FILE, PROMPTS_FILE)


class TrajectoryLine(BaseModel):
    """What a sample came with. `document` is what can be exported of it, as the hash of its content."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    document: str | None


class SampleLine(BaseModel):
    """A line of samples.jsonl."""

    model_config = ConfigDict(frozen=True)

    instance_id: str
    model_name_or_path: str
    sample: int
    sha256: str | None
    change_sha256: str | None
    prediction: int | None
    dropped: str | None
    file: str
    trajectory: TrajectoryLine | None = None

    @property
    def key(self) -> Key | None:
        """Of the prediction that was graded for it."""
        return None if self.prediction is None else (self.instance_id, self.prediction)


@dataclass(frozen=True)
class Material:
    """`patches` and `lines` by instance and number; `gold` of gold patches by instance. `prompts` are on the disk."""

    spec: GenFile
    prepared: PrepareGenVerdict
    graded: Graded
    questions: Mapping[str, Question]
    prompts: LinesByInstance
    samples: list[SampleLine]
    patches: Mapping[Key, str]
    lines: Mapping[Key, GradedLine]
    gold: Mapping[str, GradedLine] = field(default_factory=dict)

    def prompt_of(self, instance: str) -> str:
        """As the model was asked that made the samples, or as it would be."""
        return str(self.prompts.line(instance)["prompt"])

    @property
    def about(self) -> list[SampleLine]:
        """The samples of the instances that are used, in their order: the others are only in the account."""
        return [one for one in self.samples if one.key is not None or one.dropped == "EmptyPatch"]


def read_material(spec: GenFile, graded: Graded, store: ArtifactStore, folder: Path) -> Material:
    """Raises Failure."""
    prepared = fetch_prepared(store, folder)
    artifacts = graded.artifacts
    lines = fetch_lines(uri_of(RESULTS, artifacts, graded.evaluation), store, folder / "results")
    gold: list[GradedLine] = []
    if BASELINES in artifacts or spec.pairs.chosen == "Gold":
        found = fetch_lines(uri_of(BASELINES, artifacts, graded.evaluation), store, folder / "baselines")
        gold = [line for line in found if line.model == "gold"]
    said = _json_lines(folder / PREDICTIONS_FILE)
    rows, asked = folder / INSTANCES_FILE, folder / PROMPTS_FILE
    if not asked.exists():
        write_pro_prompts(rows, spec.instances.format, asked)
    return Material(
        spec,
        prepared,
        graded,
        read_questions(rows, spec.instances.format),
        lines_by_instance(asked),
        [SampleLine.model_validate(line) for line in _json_lines(folder / SAMPLES_FILE)],
        {(str(one["instance_id"]), int(str(one["sample"]))): str(one["model_patch"]) for one in said},
        {line.key: line for line in lines},
        {line.instance: line for line in gold},
    )


def fetch_prepared(store: ArtifactStore, folder: Path) -> PrepareGenVerdict:
    """Its files in the folder, each as it was sealed. Raises Failure(INVALID_DATA)."""
    manifest = read_manifest(store, DATA_MANIFEST)
    if manifest is None or manifest.verdict is None:
        raise Failure(ExitCode.INVALID_DATA, f"There is no {DATA_MANIFEST}: this was never prepared.")
    try:
        verdict = PrepareGenVerdict.model_validate(manifest.verdict)
        later = [name for name in LATER_FILES if f"{verdict.data}{name}" in manifest.by_key()]
        keys = {f"{verdict.data}{name}": folder / name for name in (*FILES, *later)}
        digests = store.download_all(keys)
    except (ValidationError, Missing) as error:
        message = f"What {DATA_MANIFEST} seals is not what the preparation writes, or is gone."
        raise Failure(ExitCode.INVALID_DATA, message) from error
    changed = [key for key, digest in digests.items() if manifest.by_key().get(key) != digest]
    if changed:
        raise Failure(ExitCode.INVALID_DATA, f"{changed[0]} is another file than the preparation sealed.")
    (folder / DECONTAMINATION_FILE).touch()
    return verdict


def _json_lines(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
