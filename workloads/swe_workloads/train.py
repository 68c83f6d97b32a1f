"""One attempt at a training run, as process 1 of its container.

Fetches data, model and the newest checkpoint, lets the engine train, keeps its checkpoints in the store, and
ends with a verdict: in the store first, then as termination message, then as exit code.
"""

import json
import os
import shutil
import sys
import traceback
from pathlib import Path

from swe_workloads import held_signals
from swe_workloads.accounts import Provenance, write_accounts
from swe_workloads.adapter_files import ADAPTER_FOLDER, fetch_adapter
from swe_workloads.artifacts import Occupied
from swe_workloads.attempt import Attempt, classify, why_stopped
from swe_workloads.checkpoints import Origin, restore_newest
from swe_workloads.data_files import DATA_MANIFEST, TEST_FILE, TRAIN_FILE, prepared_model
from swe_workloads.engine_files import EngineOrder, read_finished, read_metrics
from swe_workloads.engine_run import run_engine
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.exports import Base, CheckpointPlaces, export_result
from swe_workloads.held_out import measure_held_out
from swe_workloads.manifest import read_manifest
from swe_workloads.model_files import digest_of, fetch_model, model_origin
from swe_workloads.numbered import numbered
from swe_workloads.pod import read_pod, say, termination_file
from swe_workloads.results import adopt_result, publish_result
from swe_workloads.run_file import RunFile, read_run_file
from swe_workloads.transfer import Digest, Missing
from swe_workloads.verdict import TrainVerdict, outcome, write_termination_message

# A verdict is worth waiting for, but the termination message carries it too.
VERDICT_PATIENCE_SECONDS = 30


def main() -> None:
    try:
        pod = read_pod()
        attempt = Attempt(pod, pod.store(), pod.work_dir / f"attempt-{pod.attempt}")
    except Failure as failure:
        broken = TrainVerdict(**outcome(failure.code, failure.message), attempt=0)
        write_termination_message(broken, termination_file())
        sys.exit(failure.code)
    held_signals.release()
    try:
        verdict = train(attempt)
    except Failure as failure:
        verdict = after_failure(attempt, failure)
    except Exception as error:  # a defect of ours: say so, with the trace in the log
        traceback.print_exc()
        verdict = attempt.verdict(ExitCode.ENGINE_FAILED, f"The wrapper broke: {type(error).__name__}: {error}")
    end(attempt, verdict)


def train(attempt: Attempt) -> TrainVerdict:
    """Raises Failure for what happens around the engine."""
    finished = adopt_result(attempt.store)
    if finished is not None:
        return finished
    run = attempt.run = read_run_file(attempt.pod.run_file)
    order, provenance = set_up(attempt, run)
    origin = Origin(digest_of(provenance.model_files), run.compute.ranks)
    order.resume_from = restore(attempt, order, origin)
    code, message = classify(attempt, run_engine(attempt, run, order, origin))
    if code != ExitCode.COMPLETED:
        return attempt.verdict(code, message)
    places = CheckpointPlaces(order.output_dir, attempt.report, attempt.store, attempt.folder / "best", origin)
    step = export(attempt, places, Base(run, provenance.model_revision))
    perplexity = measure_held_out(attempt, run, order)
    verdict = attempt.verdict(code, f"{message} The result is the checkpoint of step {step}.")
    verdict.perplexity = perplexity
    say("Uploading the result.")
    write_accounts(attempt.store, attempt.report, verdict, provenance)
    return publish_result(attempt.store, attempt.report, verdict, step)


def set_up(attempt: Attempt, run: RunFile) -> tuple[EngineOrder, Provenance]:
    """Everything the engine needs, on local disk."""
    micro_batch = attempt.micro_batch(run)
    if run.batch.per_device % micro_batch:
        message = f"SWE_MICRO_BATCH: {micro_batch} does not divide batch.perDevice, which is {run.batch.per_device}."
        raise Failure(ExitCode.INVALID_CONFIGURATION, message)
    shutil.rmtree(attempt.folder, ignore_errors=True)
    attempt.report.snapshots.mkdir(parents=True)
    data = fetch_prepared(attempt, attempt.folder / "data")
    origin = model_origin(attempt.pod, attempt.store, run.model, prepared_model(attempt.store))
    model = fetch_model(origin, attempt.folder / "model")
    say(f"The model is here: {len(model)} files, {sum(file.size_bytes for file in model.values()):,} bytes.")
    adapter = fetch_adapter(attempt.store, run.adapter, attempt.folder / ADAPTER_FOLDER) if run.adapter else {}
    test_file = attempt.folder / "data" / TEST_FILE
    order = EngineOrder(
        run_file=attempt.pod.run_file,
        model_dir=attempt.folder / "model",
        adapter_dir=attempt.folder / ADAPTER_FOLDER if adapter else None,
        train_file=attempt.folder / "data" / TRAIN_FILE,
        test_file=test_file if test_file.stat().st_size > 0 else None,
        output_dir=attempt.folder / "output",
        resume_from=None,
        micro_batch=micro_batch,
        report=attempt.report,
    )
    settings = json.loads(attempt.pod.run_file.read_text())
    # A checkpoint on another adapter is as foreign as one on another model.
    made_of = model | {f"{ADAPTER_FOLDER}/{name}": digest for name, digest in adapter.items()}
    return order, Provenance(origin.uri, origin.revision, made_of, data, settings)


def restore(attempt: Attempt, order: EngineOrder, origin: Origin) -> Path | None:
    restored = restore_newest(attempt.store, order.output_dir, origin)
    if restored is None:
        return None
    attempt.from_step = attempt.checkpoint_step = restored.step
    return restored.folder


def fetch_prepared(attempt: Attempt, target: Path) -> dict[str, Digest]:
    """The rows as the preparation sealed them. Raises Failure(INVALID_DATA) when they are gone or changed."""
    manifest = read_manifest(attempt.store, DATA_MANIFEST)
    if manifest is None:
        raise Failure(ExitCode.INVALID_DATA, f"{DATA_MANIFEST} is missing: the data of this run was never prepared.")
    wanted = {key: target / Path(key).name for key in manifest.by_key() if Path(key).name in (TRAIN_FILE, TEST_FILE)}
    try:
        digests = attempt.store.download_all(wanted)
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"The prepared data is gone: {error}.") from error
    changed = [key for key, digest in digests.items() if manifest.by_key()[key] != digest]
    if changed or len(digests) != 2:
        raise Failure(ExitCode.INVALID_DATA, f"The prepared data has been changed: {changed or DATA_MANIFEST}.")
    return {Path(key).name: digest for key, digest in digests.items()}


def export(attempt: Attempt, places: CheckpointPlaces, made_on: Base) -> int:
    """The step of the checkpoint that becomes the result."""
    finished = read_finished(attempt.report)
    if finished is None:
        raise Failure(ExitCode.ENGINE_FAILED, "The engine's finished.json vanished.")
    return export_result(places, made_on, finished, read_metrics(attempt.report))


def after_failure(attempt: Attempt, failure: Failure) -> TrainVerdict:
    # A store that "did not answer" because we gave up early on request has not failed.
    if attempt.stop.requested and failure.code == ExitCode.STORE_UNAVAILABLE:
        return attempt.verdict(attempt.stop.code, f"{why_stopped(attempt)}. {failure.message}")
    return attempt.verdict(failure.code, failure.message)


def end(attempt: Attempt, verdict: TrainVerdict) -> None:
    say(f"{verdict.reason}: {verdict.message}")
    patience = attempt.stop.seconds_left() if attempt.stop.requested else VERDICT_PATIENCE_SECONDS
    attempt.store.patience.hurry(patience)
    try:
        store_verdict(attempt, verdict)
    except Exception as error:  # whatever it is, a full disk for one: the termination message still tells
        say(f"The verdict is not in the store: {error}")
    write_termination_message(verdict, attempt.pod.termination_file)
    # Not sys.exit: it would wait for a transfer that still hangs.
    os._exit(verdict.exit_code)


def store_verdict(attempt: Attempt, verdict: TrainVerdict) -> None:
    """Beside those of earlier pods of this attempt; the last one stands."""
    for key in numbered(f"attempts/{attempt.pod.attempt}/verdict.json"):
        try:
            attempt.store.write(key, verdict.to_json())
        except Occupied:
            continue
        return


if __name__ == "__main__":
    main()
