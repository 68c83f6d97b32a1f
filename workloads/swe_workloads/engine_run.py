"""The engine from its start to its end: watched, asked to stop, its checkpoints kept."""

import os
import sys
import time

from swe_workloads.attempt import Attempt, best_of, why_stopped
from swe_workloads.checkpoints import CheckpointSync, Origin
from swe_workloads.engine_files import EngineOrder, read_finished, read_metrics, write_atomically
from swe_workloads.engine_process import EngineProcess, cpu_limit
from swe_workloads.engine_watch import EngineWatch
from swe_workloads.exit_codes import Failure
from swe_workloads.pod import say
from swe_workloads.run_file import RunFile

ENGINES = {"SFT": "swe_workloads.engine_sft", "DPO": "swe_workloads.engine_dpo"}
LOOK_EVERY_SECONDS = 0.1


def run_engine(attempt: Attempt, run: RunFile, order: EngineOrder, origin: Origin) -> int:
    """The engine's exit code. Every checkpoint it leaves goes to the store."""
    order_file = attempt.folder / "order.json"
    write_atomically(order_file, order)
    sync = sync_of(attempt, run, origin)
    if attempt.stop.requested:
        raise Failure(attempt.stop.code, f"{why_stopped(attempt)} before the engine was started.")
    module = ENGINES[run.method]
    command = [module, str(order_file)]
    if run.compute.ranks > 1:
        command = ["swe_workloads.engine_torchrun", str(run.compute.ranks), *command]
    attempt.engine = EngineProcess([sys.executable, "-m", *command], engine_environment(attempt, run.compute.ranks))
    if attempt.stop.requested:  # the signal came while the engine was being started
        attempt.ask_engine_to_stop()
    returncode = watch_over(attempt, run, attempt.engine, sync)
    if read_finished(attempt.report) is not None:
        attempt.budget.close()
    sync.finish(attempt.stop.seconds_left() if attempt.stop.requested else attempt.pod.store_patience_seconds)
    attempt.checkpoint_step = max(attempt.checkpoint_step, sync.committed_step)
    return returncode


def sync_of(attempt: Attempt, run: RunFile, origin: Origin) -> CheckpointSync:
    def best_step() -> int | None:
        best = best_of(read_metrics(attempt.report)) if run.checkpoint.result == "Best" else None
        return best.step if best else None

    store, snapshots, number = attempt.store, attempt.report.snapshots, attempt.pod.attempt
    return CheckpointSync(store, snapshots, number, run.checkpoint.keep, origin, best_step)


def watch_over(attempt: Attempt, run: RunFile, engine: EngineProcess, sync: CheckpointSync) -> int:
    watch = EngineWatch(attempt.report)
    while (returncode := engine.poll()) is None:
        watch.look()
        attempt.budget.reserve(watch.step_seconds + sync.seconds)
        if attempt.stop.requested:
            if attempt.stop.engine_must_end():
                engine.kill()
        elif watch.silent_seconds() > run.stall_after_seconds:
            say(f"No progress for {run.stall_after_seconds} s: ending the engine. Where its threads are:")
            attempt.stalled = True
            engine.abort()
        time.sleep(LOOK_EVERY_SECONDS)
    return returncode


def engine_environment(attempt: Attempt, ranks: int) -> dict[str, str]:
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cpu_limit() // ranks))
    return {
        **os.environ,
        # Equal in every attempt: sums in another order, or sets in another, are other results.
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": "0",
        "LOGLEVEL": "ERROR",  # torchrun's own
        "USE_LIBUV": "0",  # between ranks; Debian builds torch without it
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",
        "HF_HOME": str(attempt.folder / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",  # bars are not made for logs
    }
