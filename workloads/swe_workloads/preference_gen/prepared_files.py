"""What the preparation of a PreferenceGen leaves in the store: what is graded, what became of every row, the seal."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_bad_rows, write_lines
from swe_workloads.evaluation.index import excluded_document
from swe_workloads.evaluation.prepared_files import (
    DATA_MANIFEST,
    EXCLUDED_FILE,
    TABLE_FILE,
    folder_of,
    in_store,
    upload_many,
    write,
)
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.gen_file import GenFile
from swe_workloads.preference_gen.kept_trajectories import name_of
from swe_workloads.preference_gen.prepare_table import render_table
from swe_workloads.preference_gen.prepared_gen import PreparedGen, in_words, summarise
from swe_workloads.preference_gen.raw_rows import RawRows
from swe_workloads.preference_gen.removal import removed_lines
from swe_workloads.preference_gen.samples import NUMBER, Sample, Unique
from swe_workloads.preference_gen.verdicts import PrepareGenSummary, PrepareGenVerdict
from swe_workloads.prompting.prompts import write_prompts
from swe_workloads.seal import seal, sealed_verdict
from swe_workloads.verdict import outcome

INSTANCES_FILE, PREDICTIONS_FILE, SAMPLES_FILE = "instances.jsonl", "predictions.jsonl", "samples.jsonl"
DECONTAMINATION_FILE = "decontamination.jsonl"


@dataclass(frozen=True)
class Leaving:
    """Whose documents, and where they go."""

    spec: GenFile
    pod: Pod
    store: ArtifactStore
    scratch: Path


def adopt(store: ArtifactStore) -> PrepareGenVerdict | None:
    """The verdict of whoever prepared it first: that is done once, whatever the sources say later."""
    verdict = sealed_verdict(store, DATA_MANIFEST, PrepareGenVerdict)
    if verdict is not None:
        say("This has been prepared before; that is kept.")
    return verdict


def refuse(problem: str, prepared: PreparedGen, leaving: Leaving) -> PrepareGenVerdict:
    """Ends without anything to grade; what was found in the rows is in the store all the same."""
    summary = summarise(prepared)
    leaving.store.upload_all(in_store(leaving.pod, write_accounts(prepared, summary, leaving)))
    return PrepareGenVerdict(**outcome(ExitCode.INVALID_DATA, problem), **_found(prepared, summary, leaving.pod))


def publish(prepared: PreparedGen, raw: RawRows, shelf: Shelf, leaving: Leaving) -> PrepareGenVerdict:
    """Files, then the manifest. Returns the verdict that stands: the first to be sealed."""
    known, summary = prepared.roster.known, summarise(prepared)
    instances = _write_documents(leaving.scratch / INSTANCES_FILE, (raw.of(known[name]) for name in prepared.sampled))
    predictions = write_lines(
        leaving.scratch / PREDICTIONS_FILE, _predictions(prepared.unique, leaving.spec.generation.name, shelf)
    )
    prompts = write_prompts(prepared.prompts, prepared.sampled, shelf, leaving.scratch)
    upload_many(_trajectories(prepared.samples, shelf), leaving.pod, leaving.store, leaving.scratch)
    files = [instances, predictions, prompts, *write_accounts(prepared, summary, leaving)]
    digests = leaving.store.upload_all(in_store(leaving.pod, files))
    verdict = PrepareGenVerdict(
        **outcome(ExitCode.COMPLETED, in_words(prepared, summary)),
        **_found(prepared, summary, leaving.pod),
        data=folder_of(leaving.pod),
    )
    if not seal(leaving.store, DATA_MANIFEST, digests, verdict):
        say("Another pod has prepared it at the same time; its result is kept.")
        return adopt(leaving.store) or verdict
    return verdict


def write_accounts(prepared: PreparedGen, summary: PrepareGenSummary, leaving: Leaving) -> list[Path]:
    """What became of every row, and the table, which is also for the pod's log."""
    folder = leaving.scratch
    text = render_table(prepared, summary, leaving.spec)
    numbers = {one.row: one.number for one in prepared.samples}
    print(text, flush=True)
    return [
        write_lines(folder / SAMPLES_FILE, (one.line() for one in prepared.samples)),
        write_bad_rows([*prepared.roster.bad, *prepared.evaluations.bad], folder),
        write(folder / EXCLUDED_FILE, excluded_document(prepared.plan, prepared.predictions)),
        write_lines(folder / DECONTAMINATION_FILE, removed_lines(prepared.removal, numbers)),
        write(folder / TABLE_FILE, text.encode()),
    ]


def _found(prepared: PreparedGen, summary: PrepareGenSummary, pod: Pod) -> dict[str, Any]:
    table = f"{folder_of(pod)}{TABLE_FILE}"
    return {"summary": summary, "sources": prepared.sources, "table": table}


def _predictions(unique: Iterable[Unique], model: str, shelf: Shelf) -> Iterator[Mapping[str, object]]:
    """In the order of their numbers, by which an evaluation counts the samples of an instance too."""
    for one in unique:
        said = json.loads(shelf.get(one.document))
        yield {**said, "model_name_or_path": model, NUMBER: one.sample}


def _trajectories(samples: Iterable[Sample], shelf: Shelf) -> Iterator[tuple[str, bytes]]:
    """Of samples that are graded, each text once."""
    kept = [one.trajectory for one in samples if one.trajectory is not None and one.merged_into is not None]
    places = {one.document: one.place for one in kept if one.document is not None and one.place is not None}
    return ((name_of(document), shelf.get(place)) for document, place in places.items())


def _write_documents(path: Path, documents: Iterable[bytes]) -> Path:
    with path.open("wb") as out:
        for document in documents:
            out.write(document + b"\n")
    return path
