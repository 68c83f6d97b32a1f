"""Prepares a run's data: loads, checks, selects, splits and counts it, and leaves it in the store once and for all."""

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.data_files import DATA_MANIFEST, write_bad_rows, write_data_files
from swe_workloads.examples import CONVERT, Example, plain, read_example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import manifest_of, read_manifest
from swe_workloads.model_files import digest_of, fetch_tokenizer
from swe_workloads.pod import Pod, read_pod, say, termination_file
from swe_workloads.prepared import Prepared, problem_with, summarise
from swe_workloads.rows import BadRow, Row, read_rows
from swe_workloads.run_file import RunFile, Source, read_run_file
from swe_workloads.sources import list_source, reader
from swe_workloads.split import select, split
from swe_workloads.tokens import Measured, Tokenizer, load_tokenizer, measure
from swe_workloads.transfer import Missing
from swe_workloads.verdict import PrepareVerdict, outcome, write_termination_message

DATA_ENDINGS = (".jsonl", ".json")
TokenizerLoader = Callable[[Path, str], Tokenizer]


def main() -> None:
    try:
        pod = read_pod()
    except Failure as failure:
        sys.exit(end(failed(failure.code, failure.message), termination_file()))
    # Nothing to save: what was uploaded without a manifest is nobody's data.
    stopped = failed(ExitCode.PREEMPTED, "The preparation was stopped from outside.")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(end(stopped, pod.termination_file)))
    try:
        verdict = prepare(pod)
    except Failure as failure:
        verdict = failed(failure.code, failure.message)
    except Exception as error:  # a defect of ours: say so, with the trace in the log
        traceback.print_exc()
        verdict = failed(ExitCode.ENGINE_FAILED, f"The preparation broke: {type(error).__name__}: {error}")
    sys.exit(end(verdict, pod.termination_file))


def prepare(pod: Pod, tokenizer_of: TokenizerLoader = load_tokenizer) -> PrepareVerdict:
    """Raises Failure for everything that is not about single rows."""
    run = read_run_file(pod.run_file)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch:
        prepared = read_and_check(run, pod, store, Path(scratch), tokenizer_of)
        return publish(prepared, run, pod, store, Path(scratch))


def adopt(store: ArtifactStore) -> PrepareVerdict | None:
    """The verdict of whoever prepared this run's data first: it is prepared once, whatever the source says later."""
    manifest = read_manifest(store, DATA_MANIFEST)
    if manifest is None or manifest.verdict is None:
        return None
    say("The data of this run has been prepared before and is kept.")
    return PrepareVerdict.model_validate(manifest.verdict)


def read_and_check(
    run: RunFile, pod: Pod, store: ArtifactStore, scratch: Path, tokenizer_of: TokenizerLoader
) -> Prepared:
    files = fetch_data(run.data.source, pod, store, scratch / "source")
    rows = [row for name, path in files.items() for row in read_rows(path, name)]
    say(f"Read {len(rows)} rows from {', '.join(files)}.")
    converted = [item if isinstance(item, BadRow) else convert(item, run) for item in rows]
    examples = [item for item in converted if isinstance(item, Example)]
    bad = [item for item in converted if isinstance(item, BadRow)]
    chosen = select(examples, run.data.select)
    say(f"{len(examples)} rows are usable, {len(chosen)} selected.")

    model = fetch_tokenizer(reader(pod, store, run.model.credentials, "model"), run.model.uri, scratch / "tokenizer")
    tokenizer = tokenizer_of(scratch / "tokenizer", run.model.uri)
    counted = [measure(fit_to(tokenizer, item, run), tokenizer, run.sequence.max_length) for item in chosen]
    measured = {id(item.example): item for item in counted if isinstance(item, Measured)}
    bad += [item for item in counted if isinstance(item, BadRow)]
    train, test = split([item.example for item in measured.values()], run.split)
    return Prepared(
        train=[measured[id(example)] for example in train],
        test=[measured[id(example)] for example in test],
        bad=bad,
        read=len(rows),
        usable=len(examples),
        tokenizer_sha256=digest_of(model),
    )


def fetch_data(source: Source, pod: Pod, store: ArtifactStore, target: Path) -> dict[str, Path]:
    """Local files by the name the user knows them by. Raises Failure(INVALID_DATA)."""
    if source.config_map_file is not None:
        path = Path(source.config_map_file)
        if not path.is_file():
            raise Failure(ExitCode.INVALID_DATA, f"The ConfigMap has no key {path.name}.")
        return {path.name: path}
    assert source.uri is not None and source.credentials is not None  # the run file's own check
    origin = reader(pod, store, source.credentials, "data")
    names = [item.name for item in list_source(origin, source.uri)]
    wanted = names if names == [source.uri] else [name for name in names if name.endswith(DATA_ENDINGS)]
    if not wanted:
        raise Failure(ExitCode.INVALID_DATA, f"There is no .jsonl or .json object at {source.uri}.")
    files = {name: target / f"{number}" for number, name in enumerate(wanted)}
    try:
        for name, path in files.items():
            origin.download_uri(name, path)
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"{name} vanished while it was read.") from error
    return files


def convert(row: Row, run: RunFile) -> Example | BadRow:
    example = read_example(row, CONVERT[run.data.format])
    if isinstance(example, Example) and run.split.by == "Repository" and example.repository is None:
        return BadRow(row.file, row.number, "repo is missing, and split.by is Repository")
    return example


def fit_to(tokenizer: Tokenizer, example: Example, run: RunFile) -> Example:
    """Without a chat template instances become plain text; conversations cannot. Raises Failure(MODEL_UNUSABLE)."""
    if tokenizer.chat_template is not None:
        return example
    if run.data.format == "Messages":
        message = f"The tokenizer of {run.model.uri} has no chat template, which Messages need; use PromptCompletion."
        raise Failure(ExitCode.MODEL_UNUSABLE, message)
    return Example(example.row, plain(example.record), example.instance, example.repository)


def publish(prepared: Prepared, run: RunFile, pod: Pod, store: ArtifactStore, scratch: Path) -> PrepareVerdict:
    """Files first, then the manifest. Whoever writes the manifest first has prepared the run."""
    folder = f"data/{pod.pod_uid}"
    summary = summarise(prepared, run)
    bad_rows = write_bad_rows(prepared, scratch)
    problem = problem_with(prepared, run)
    if problem is not None:
        store.upload(f"{folder}/{bad_rows.name}", bad_rows)
        return failed(ExitCode.INVALID_DATA, problem).model_copy(update={"summary": summary})
    files = [bad_rows, *write_data_files(prepared, summary, scratch)]
    digests = store.upload_all({f"{folder}/{path.name}": path for path in files})
    message = f"{summary.rows} rows: {summary.train} to train, {summary.test} to test, {summary.bad_rows} unusable."
    if not prepared.test:
        message += f" All are of one group: split.by {run.split.by} leaves none to test."
    verdict = PrepareVerdict(**outcome(ExitCode.COMPLETED, message), summary=summary)
    try:
        store.write(DATA_MANIFEST, manifest_of(digests, verdict.to_document()).to_json())
    except Occupied:
        say("Another pod has prepared the data at the same time; its result is kept.")
        return adopt(store) or verdict
    return verdict


def failed(code: ExitCode, message: str) -> PrepareVerdict:
    return PrepareVerdict(**outcome(code, message))


def end(verdict: PrepareVerdict, termination_file: Path) -> int:
    """The exit code."""
    say(f"{verdict.reason}: {verdict.message}")
    write_termination_message(verdict, termination_file)
    return verdict.exit_code


if __name__ == "__main__":
    main()
