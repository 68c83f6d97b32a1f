"""What a generation leaves in the store: predictions, the answers they were taken from, and what was given up."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_bad_rows, write_lines
from swe_workloads.exit_codes import ExitCode
from swe_workloads.generation.asking import GivenUp
from swe_workloads.generation.extraction import LENGTH, Extraction, extract
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.generation.questions import Questions
from swe_workloads.generation.stored_samples import FOLDER, SampleLine, StoredSamples
from swe_workloads.generation.verdicts import GenerateSources, GenerateSummary, GenerateVerdict, GivenUpExample
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.evaluation_rows import FIELD
from swe_workloads.prompting.prompt_section import CODE_TOKENS_FIELD
from swe_workloads.report_text import counted
from swe_workloads.seal import seal, sealed_verdict
from swe_workloads.verdict import outcome

MANIFEST = f"{FOLDER}manifest.json"
PREDICTIONS_FILE, ANSWERS_FILE, GIVEN_UP_FILE = "predictions.jsonl", "answers.jsonl", "given-up.jsonl"
EXAMPLES = 5


@dataclass(frozen=True)
class Generated:
    """Everything that was asked for: what was had is stored, the rest is given up."""

    spec: GenerateFile
    questions: Questions
    stored: StoredSamples
    given_up: Sequence[GivenUp]

    @property
    def in_order(self) -> list[GivenUp]:
        return sorted(self.given_up, key=lambda one: (one.sample.instance, one.sample.number))


def adopt(store: ArtifactStore) -> GenerateVerdict | None:
    """The verdict of whoever generated it first: that is done once, whatever the sources say later."""
    verdict = sealed_verdict(store, MANIFEST, GenerateVerdict)
    if verdict is not None:
        say("This has been generated before; that is kept.")
    return verdict


def publish(generated: Generated, pod: Pod, store: ArtifactStore, scratch: Path) -> GenerateVerdict:
    """Files, then the manifest. Returns the verdict that stands: the first to be sealed."""
    folder = f"{FOLDER}{pod.pod_uid}/"
    counts = _write_answers(generated.stored, scratch)
    given_up = write_lines(scratch / GIVEN_UP_FILE, map(_given_up_line, generated.in_order))
    bad = write_bad_rows(generated.questions.roster.bad, scratch)
    prompts = generated.questions.write(scratch)
    files = [scratch / PREDICTIONS_FILE, scratch / ANSWERS_FILE, prompts, given_up, bad]
    digests = store.upload_all({f"{folder}{path.name}": path for path in files})
    summary = _summary(generated, counts)
    verdict = GenerateVerdict(
        **outcome(ExitCode.COMPLETED, in_words(summary)),
        summary=summary,
        sources=GenerateSources(instances=generated.questions.source),
        predictions=f"{folder}{PREDICTIONS_FILE}",
    )
    if not seal(store, MANIFEST, digests, verdict):
        say("Another pod has generated it at the same time; its result is kept.")
        return adopt(store) or verdict
    return verdict


def in_words(summary: GenerateSummary) -> str:
    told = [
        f"{summary.generated} of {counted(summary.samples, 'sample')} for {counted(summary.instances, 'instance')} "
        f"are there, {summary.generated - summary.without_patch} with a patch."
    ]
    if summary.given_up:
        first = summary.given_up_examples[0]
        told.append(f"Given up: {summary.given_up}. The first, of {first.instance}: {first.reason}.")
    if summary.refused:
        told.append(f"Answers that the model refused to give: {summary.refused}.")
    if summary.truncated:
        told.append(f"Answers cut off at spec.generation.sampling.maxTokens: {summary.truncated}.")
    if summary.code_files_cut:
        told.append(f"Files that prompts had no room for ({CODE_TOKENS_FIELD}): {summary.code_files_cut}.")
    if summary.evaluation_sets:
        told.append(f"Instances of evaluation sets, not asked: {summary.evaluation_sets}.")
    if summary.contaminated:
        told.append(f"Instances like rows of {FIELD}, not asked: {summary.contaminated}.")
    if summary.bad_rows:
        told.append(f"Unusable instances: {summary.bad_rows}.")
    return " ".join(told)


def _write_answers(stored: StoredSamples, folder: Path) -> Counter[str]:
    """Line by line: all answers are too many for the memory. Returns what the summary counts."""
    counts: Counter[str] = Counter()
    with (
        (folder / PREDICTIONS_FILE).open("w", encoding="utf-8") as predictions,
        (folder / ANSWERS_FILE).open("w", encoding="utf-8") as answers,
    ):
        for line in stored.lines():
            found = extract(line.answer, line.finish_reason, line.refusal)
            counts.update(_counts(line, found))
            predictions.write(_as_line(_prediction(line, found)))
            answers.write(_as_line(_answer(line, found)))
    return counts


def _prediction(line: SampleLine, found: Extraction) -> dict[str, object]:
    known = {"instance_id": line.instance_id, "model_name_or_path": line.model_name_or_path}
    return {**known, "model_patch": found.patch, "sample": line.sample}


def _answer(line: SampleLine, found: Extraction) -> dict[str, object]:
    extraction = {"found": found.found, "repaired_hunks": found.repaired_hunks, "lack": found.lack}
    return {**line.model_dump(), "extraction": extraction}


def _as_line(document: dict[str, object]) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _counts(line: SampleLine, found: Extraction) -> dict[str, int]:
    return {
        "without_patch": not found.patch,
        "refused": found.lack == "Refusal",
        "repaired": found.repaired_hunks > 0,
        "truncated": line.finish_reason == LENGTH,
        "retries": line.tries - 1,
        "prompt_tokens": line.prompt_tokens,
        "completion_tokens": line.completion_tokens,
    }


def _summary(generated: Generated, counts: Counter[str]) -> GenerateSummary:
    given_up = generated.in_order
    return GenerateSummary(
        instances=len(generated.questions.asked),
        samples=generated.stored.wanted,
        generated=len(generated.stored.places),
        given_up=len(given_up),
        without_patch=counts["without_patch"],
        refused=counts["refused"],
        truncated=counts["truncated"],
        repaired=counts["repaired"],
        code_files_cut=sum(len(prompted.cut) for prompted in generated.questions.asked.values()),
        evaluation_sets=len(generated.questions.removed),
        contaminated=len(generated.questions.copies),
        bad_rows=len(generated.questions.roster.bad),
        retries=counts["retries"] + sum(max(0, one.tries - 1) for one in given_up),
        prompt_tokens=counts["prompt_tokens"],
        completion_tokens=counts["completion_tokens"],
        given_up_examples=[
            GivenUpExample(instance=one.sample.instance, reason=one.reason) for one in given_up[:EXAMPLES]
        ],
    )


def _given_up_line(one: GivenUp) -> dict[str, object]:
    sample = one.sample
    known = {"instance_id": sample.instance, "sample": sample.number, "seed": sample.seed}
    return {**known, "reason": one.reason, "tries": one.tries}
