"""One attempt at a training run, as process 1 of its container.

Fetches data, model and the newest checkpoint, lets the engine train, keeps its checkpoints in the store, and
ends with a verdict: in the store first, then as termination message, then as exit code.
"""

import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from swe_workloads import held_signals
from swe_workloads.attempt import Attempt, classify
from swe_workloads.checkpoints import CheckpointSync, restore_newest
from swe_workloads.data_files import DATA_MANIFEST, TEST_FILE, TRAIN_FILE
from swe_workloads.engine_files import EngineOrder, write_atomically
from swe_workloads.engine_process import EngineProcess, cpu_limit
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import read_manifest
from swe_workloads.model_files import digest_of, fetch_model
from swe_workloads.pod import read_pod, say, termination_file
from swe_workloads.results import Provenance, adopt_result, publish_result
from swe_workloads.run_file import RunFile, read_run_file
from swe_workloads.sources import reader
from swe_workloads.transfer import Digest, Missing
from swe_workloads.verdict import TrainVerdict, outcome, write_termination_message

ENGINES = {"SFT": "swe_workloads.engine_sft"}
LOOK_EVERY_SECONDS = 0.1
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
    returncode = run_engine(attempt, run, order, digest_of(provenance.model_files))
    code, message = classify(attempt, returncode)
    verdict = attempt.verdict(code, message)
    if code != ExitCode.COMPLETED:
        return verdict
    say("Uploading the result.")
    return publish_result(attempt.store, attempt.report, verdict, provenance)


def set_up(attempt: Attempt, run: RunFile) -> tuple[EngineOrder, Provenance]:
    """Everything the engine needs, on local disk."""
    shutil.rmtree(attempt.folder, ignore_errors=True)
    attempt.report.snapshots.mkdir(parents=True)
    data = fetch_prepared(attempt, attempt.folder / "data")
    origin = reader(attempt.pod, attempt.store, run.model.credentials, "model")
    model = fetch_model(origin, run.model.uri, attempt.folder / "model")
    say(f"The model is here: {len(model)} files, {sum(file.size_bytes for file in model.values()):,} bytes.")
    restored = restore_newest(attempt.store, attempt.folder / "output", digest_of(model))
    if restored is not None:
        attempt.from_step = attempt.checkpoint_step = restored.step
    test_file = attempt.folder / "data" / TEST_FILE
    order = EngineOrder(
        run_file=attempt.pod.run_file,
        model_dir=attempt.folder / "model",
        train_file=attempt.folder / "data" / TRAIN_FILE,
        test_file=test_file if test_file.stat().st_size > 0 else None,
        output_dir=attempt.folder / "output",
        resume_from=restored.folder if restored else None,
        report=attempt.report,
    )
    return order, Provenance(run.model.uri, model, data, json.loads(attempt.pod.run_file.read_text()))


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


def run_engine(attempt: Attempt, run: RunFile, order: EngineOrder, model_sha256: str) -> int:
    """The engine's exit code. Every checkpoint it leaves goes to the store."""
    order_file = attempt.folder / "order.json"
    write_atomically(order_file, order)
    sync = CheckpointSync(
        attempt.store, attempt.report.snapshots, attempt.pod.attempt, run.checkpoint.keep, model_sha256
    )
    if attempt.stop.requested:
        raise Failure(ExitCode.PREEMPTED, "Stopped before the engine was started.")
    command = [sys.executable, "-m", ENGINES[run.method], str(order_file)]
    attempt.engine = engine = EngineProcess(command, engine_environment(attempt))
    if attempt.stop.requested:  # the signal came while the engine was being started
        engine.send(signal.SIGTERM)
    while (returncode := engine.poll()) is None:
        if attempt.stop.requested and attempt.stop.engine_must_end():
            engine.kill()
        time.sleep(LOOK_EVERY_SECONDS)
    sync.finish(attempt.stop.seconds_left() if attempt.stop.requested else attempt.pod.store_patience_seconds)
    attempt.checkpoint_step = max(attempt.checkpoint_step, sync.committed_step)
    return returncode


def engine_environment(attempt: Attempt) -> dict[str, str]:
    threads = os.environ.get("OMP_NUM_THREADS") or str(cpu_limit())
    return {
        **os.environ,
        # Equal in every attempt: sums in another order, or sets in another, are other results.
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",
        "HF_HOME": str(attempt.folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def after_failure(attempt: Attempt, failure: Failure) -> TrainVerdict:
    # A store that "did not answer" because we gave up early on request has not failed.
    if attempt.stop.requested and failure.code == ExitCode.STORE_UNAVAILABLE:
        return attempt.verdict(ExitCode.PREEMPTED, f"Stopped on request. {failure.message}")
    return attempt.verdict(failure.code, failure.message)


def end(attempt: Attempt, verdict: TrainVerdict) -> None:
    say(f"{verdict.reason}: {verdict.message}")
    patience = attempt.stop.seconds_left() if attempt.stop.requested else VERDICT_PATIENCE_SECONDS
    attempt.store.patience.hurry(patience)
    try:
        attempt.store.write(f"attempts/{attempt.pod.attempt}/verdict.json", verdict.to_json())
    except Exception as error:  # whatever it is, a full disk for one: the termination message still tells
        say(f"The verdict is not in the store: {error}")
    write_termination_message(verdict, attempt.pod.termination_file)
    # Not sys.exit: it would wait for a transfer that still hangs.
    os._exit(verdict.exit_code)


if __name__ == "__main__":
    main()
