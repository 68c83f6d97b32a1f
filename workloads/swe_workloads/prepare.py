"""Prepares a run's data: loads, checks, selects, splits and counts it, and leaves it in the store once and for all."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from swe_workloads.adapter_files import ADAPTER_FOLDER, fetch_settings
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_bad_rows
from swe_workloads.data_files import DATA_MANIFEST, TABLE_FILE, write_data_files, write_table
from swe_workloads.data_sources import FetchedData, fetch_data
from swe_workloads.data_table import render_table
from swe_workloads.examples import Example, plain, read_example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.formats import CONVERT, FAIL_TO_PASS
from swe_workloads.model_files import fetch_tokenizer, model_origin
from swe_workloads.pair_lengths import measure_pair
from swe_workloads.pod import Pod, say
from swe_workloads.preferences import is_chat, is_one_question, of_one_form
from swe_workloads.preflight import Preflight, check, look_at_model
from swe_workloads.preflight_look import Look
from swe_workloads.prepared import Prepared, broken_prompts, problem_with, summarise
from swe_workloads.program import run_program
from swe_workloads.resolved_predictions import of_each_instance, reader_of
from swe_workloads.rows import BadRow, Row, read_rows
from swe_workloads.run_file import Data, RunFile, read_run_file
from swe_workloads.seal import seal, sealed_verdict
from swe_workloads.selection import select
from swe_workloads.some import some
from swe_workloads.split import split
from swe_workloads.tokens import Measured, Tokenizer, load_tokenizer, measure
from swe_workloads.trajectory_folder import NotResolved, attempts_in
from swe_workloads.verdict import PrepareSummary, PrepareVerdict, Sources, outcome

TOKENIZER_FOLDER = "tokenizer"
TokenizerLoader = Callable[[Path, str], Tokenizer]
MEASURES = {"SFT": measure, "DPO": measure_pair}


def main() -> None:
    run_program("The preparation", prepare, failed)


def prepare(pod: Pod, tokenizer_of: TokenizerLoader = load_tokenizer, look: Look = look_at_model) -> PrepareVerdict:
    """Raises Failure for everything that is not about single rows."""
    run = read_run_file(pod.run_file)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch:
        prepared = read_and_check(run, pod, store, Path(scratch), tokenizer_of)
        problem = problem_with(prepared, run)
        if problem is not None:
            return report(problem, prepared, run, pod, store, Path(scratch))
        preflight = check(run, Path(scratch) / TOKENIZER_FOLDER, len(prepared.train), look)
        return publish(prepared, preflight, run, pod, store, Path(scratch))


def adopt(store: ArtifactStore) -> PrepareVerdict | None:
    """The verdict of whoever prepared this run's data first: it is prepared once, whatever the source says later."""
    verdict = sealed_verdict(store, DATA_MANIFEST, PrepareVerdict)
    if verdict is not None:
        say("The data of this run has been prepared before and is kept.")
    return verdict


def read_and_check(
    run: RunFile, pod: Pod, store: ArtifactStore, scratch: Path, tokenizer_of: TokenizerLoader
) -> Prepared:
    # First what is small: a model that cannot be used is no reason to read all data.
    origin = model_origin(pod, store, run.model, None)
    model = fetch_tokenizer(origin, scratch / TOKENIZER_FOLDER)
    if run.adapter is not None:
        fetch_settings(store, run.adapter, scratch / TOKENIZER_FOLDER / ADAPTER_FOLDER)
    tokenizer = tokenizer_of(scratch / TOKENIZER_FOLDER, origin.uri)
    data = fetch_data(run.data, pod, store, scratch / "source")
    converted = list(read_examples(data, run))
    say(f"Read {len(converted)} rows of {data.uri} from {some(list(data.files))}.")
    examples = [item for item in converted if isinstance(item, Example)]
    bad = [item for item in converted if isinstance(item, BadRow)]
    if run.method == "DPO":
        examples, others = of_one_form(examples)
        bad += others
    chosen = select(_of_each_instance(examples, run.data), run.data.select)
    say(f"{len(examples)} rows are usable, {len(chosen)} selected.")
    counted = [MEASURES[run.method](fit_to(tokenizer, item, run), tokenizer, run.sequence) for item in chosen]
    measured = {id(item.example): item for item in counted if isinstance(item, Measured)}
    bad += [item for item in counted if isinstance(item, BadRow)]
    train, test = split([item.example for item in measured.values()], run.split)
    return Prepared(
        train=[measured[id(example)] for example in train],
        test=[measured[id(example)] for example in test],
        bad=bad,
        read=len(converted),
        usable=len(examples),
        selected=len(chosen),
        not_resolved=sum(isinstance(item, NotResolved) for item in converted),
        sources=Sources(model=origin.frozen(model), data=data.frozen()),
    )


def read_examples(data: FetchedData, run: RunFile) -> Iterator[Example | BadRow | NotResolved]:
    """Of each row, or of each trajectory. Raises Failure where nothing tells what was asked of a folder."""
    if run.data.folder is not None:
        yield from (
            one if not isinstance(one, Example) else fitting(one, run) for one in attempts_in(data, run.data.folder)
        )
        return
    for name, path in data.files.items():
        yield from (row if isinstance(row, BadRow) else convert(row, run) for row in read_rows(path, name))


def convert(row: Row, run: RunFile) -> Example | BadRow:
    learnt = run.data.resolved
    example = read_example(row, CONVERT[run.data.format] if learnt is None else reader_of(learnt))
    return example if isinstance(example, BadRow) else fitting(example, run)


def fitting(example: Example, run: RunFile) -> Example | BadRow:
    """Unless it lacks what split or selection go by."""
    row = example.row
    if run.split.by == "Repository" and example.repository is None:
        missing = "repo is missing" if run.data.folder is None else "its instance_id spells out no repository"
        return BadRow(row.file, row.number, f"{missing}, and split.by is Repository")
    if run.data.select.fail_to_pass is not None and example.fail_to_pass is None:
        column = FAIL_TO_PASS[run.data.format]
        return BadRow(row.file, row.number, f"{column} is no list of tests, and data.select.failToPass counts them")
    # Its place is enough from here on: the lists of tests of 50 000 instances are gigabytes.
    return replace(example, row=replace(row, fields={}))


def _of_each_instance(examples: list[Example], data: Data) -> list[Example]:
    if data.attempts is None:
        return examples
    return of_each_instance(examples, data.attempts.max_per_instance, data.select.seed)


def fit_to(tokenizer: Tokenizer, example: Example, run: RunFile) -> Example:
    """Without a chat template instances and single questions become plain text; conversations cannot.

    Raises Failure(MODEL_UNUSABLE).
    """
    if tokenizer.chat_template is not None:
        return example
    without = f"The tokenizer of {run.model.uri} has no chat template, which"
    if run.data.format == "Messages":
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{without} Messages need; use PromptCompletion.")
    if run.data.folder is not None:
        raise Failure(
            ExitCode.MODEL_UNUSABLE,
            f"{without} conversations need; choose a model that has one, or have a SWEBenchEval grade the folder "
            "(predictions.s3) and name that in data.trajectories.fromEval without a style: patches need none.",
        )
    if run.data.has_conversations:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{without} conversations need; leave out data.trajectories.style.")
    if run.data.format == "Preferences":
        if not is_chat(example):
            return example
        if not is_one_question(example):
            raise Failure(ExitCode.MODEL_UNUSABLE, f"{without} conversations need; write preferences as text.")
    return replace(example, record=plain(example.record))


def report(
    problem: str, prepared: Prepared, run: RunFile, pod: Pod, store: ArtifactStore, scratch: Path
) -> PrepareVerdict:
    """Ends without data; what was found in the rows is in the store all the same."""
    summary = summarise(prepared, run)
    files = [write_bad_rows(prepared.bad, scratch), write_table(render_table(prepared, summary, run, None), scratch)]
    store.upload_all({f"data/{pod.pod_uid}/{path.name}": path for path in files})
    found = {"summary": summary, "sources": prepared.sources, "table": table_key(pod)}
    return failed(ExitCode.INVALID_DATA, problem).model_copy(update=found)


def publish(
    prepared: Prepared, preflight: Preflight, run: RunFile, pod: Pod, store: ArtifactStore, scratch: Path
) -> PrepareVerdict:
    """Files first, then the manifest. Whoever writes the manifest first has prepared the run."""
    summary = summarise(prepared, run)
    table = render_table(prepared, summary, run, preflight)
    print(table, flush=True)
    written = write_data_files(prepared, summary, scratch)
    files = [*written, write_bad_rows(prepared.bad, scratch), write_table(table, scratch)]
    digests = store.upload_all({f"data/{pod.pod_uid}/{path.name}": path for path in files})
    verdict = PrepareVerdict(
        **outcome(ExitCode.COMPLETED, in_words(prepared, summary, preflight, run)),
        summary=summary,
        sources=prepared.sources,
        table=table_key(pod),
    )
    if not seal(store, DATA_MANIFEST, digests, verdict):
        say("Another pod has prepared the data at the same time; its result is kept.")
        return adopt(store) or verdict
    return verdict


def in_words(prepared: Prepared, summary: PrepareSummary, preflight: Preflight, run: RunFile) -> str:
    parts = [f"{summary.rows} rows: {summary.train} to train, {summary.test} to test, {summary.bad_rows} unusable."]
    if prepared.not_resolved:
        parts.append(f"{prepared.not_resolved} more did not resolve.")
    if not prepared.test:
        parts.append(f"All are of one group: split.by {run.split.by} leaves none to test.")
    if summary.leaked_across_split:
        parts.append(f"Training sees {summary.leaked_across_split} of the rows to test: see the table.")
    if summary.gold_in_prompt:
        parts.append(f"{summary.gold_in_prompt} prompts hold a line of their own patch.")
    broken = broken_prompts(prepared)
    if broken:
        parts.append(f"In {broken} pairs the tokens of the prompt change when an answer follows: see the table.")
    return " ".join([*parts, *preflight.notes])


def table_key(pod: Pod) -> str:
    return f"data/{pod.pod_uid}/{TABLE_FILE}"


def failed(code: ExitCode, message: str) -> PrepareVerdict:
    return PrepareVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
