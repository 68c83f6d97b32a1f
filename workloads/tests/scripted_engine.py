"""An engine with the files of the real one, but no training.

SWE_TEST_ENGINE says how it misbehaves; after step SWE_TEST_HOLD_AT it waits to be stopped or killed. The weights
are a digest over all steps, so a wrong resume changes them. The held-out loss is lowest at step 12. A comparison
has rewards as well.
"""

import faulthandler
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

from checkpoint_maker import read_weights, write_checkpoint

from swe_workloads.engine_files import EngineFailure, EngineOrder, Finished, Progress, write_atomically
from swe_workloads.exit_codes import ExitCode
from swe_workloads.run_file import RunFile, read_run_file

BEST_STEP = 12


def main() -> None:
    faulthandler.enable()
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    how = os.environ.get("SWE_TEST_ENGINE", "")
    behave(how, order)
    run = read_run_file(order.run_file)
    total = run.duration.max_steps or 0
    end = BEST_STEP if how == "stop early" else total
    step, weights = resume(order)
    order.report.metrics.write_text("".join(history(done, run) for done in range(1, step + 1)))
    write_atomically(order.report.progress, Progress(step=step, total_steps=total))
    while step < end:
        hold(step, order)
        step += 1
        weights = hashlib.sha256(f"{weights}{step}".encode()).hexdigest()
        with order.report.metrics.open("a") as out:
            out.write(history(step, run))
        write_atomically(order.report.progress, Progress(step=step, total_steps=total))
        print(f"step {step}", flush=True)
        stopping = order.report.stop.exists()
        if step % (run.checkpoint.every_steps or total) == 0 or step == end or stopping:
            save(order, step, weights)
        if stopping and step < end:
            sys.exit(ExitCode.PREEMPTED)
    write_atomically(order.report.finished, Finished(step=step, total_steps=total, stopped_early=step < total))


def hold(step: int, order: EngineOrder) -> None:
    evaluates = os.environ.get("SWE_TEST_ENGINE") == "evaluate for long"
    until = time.monotonic() + 7
    while str(step) == os.environ.get("SWE_TEST_HOLD_AT") and not order.report.stop.exists():
        time.sleep(0.01)
        if evaluates:
            order.report.pulse.touch()
            if time.monotonic() > until:
                return


def behave(how: str, order: EngineOrder) -> None:
    if how == "refuse":
        failure = EngineFailure(code=ExitCode.MODEL_UNUSABLE, message="no such model")
        write_atomically(order.report.failure(0), failure)
        sys.exit(ExitCode.MODEL_UNUSABLE)
    if how == "crash":
        raise RuntimeError("a driver went away")
    if how == "leave early":
        sys.exit(0)


def history(step: int, run: RunFile) -> str:
    told = {"loss": 10 - step} | ({"eval_loss": 0.5 + abs(step - BEST_STEP) / 10} if step % 4 == 0 else {})
    if run.dpo is not None:
        told |= {"rewards/accuracies": step / 24, "rewards/margins": step / 8}
        told |= {"eval_rewards/accuracies": 0.75, "eval_rewards/margins": step / 16} if step % 4 == 0 else {}
    return "".join(json.dumps({"step": step, name: value}) + "\n" for name, value in told.items())


def resume(order: EngineOrder) -> tuple[int, str]:
    if order.resume_from is None:
        return 0, ""
    state = json.loads((order.resume_from / "trainer_state.json").read_text())
    return state["global_step"], read_weights(order.resume_from)


def save(order: EngineOrder, step: int, weights: str) -> None:
    """Only the last checkpoint stays with the trainer."""
    shutil.rmtree(order.output_dir, ignore_errors=True)
    folder = write_checkpoint(order.output_dir / f"checkpoint-{step}", step, weights)
    part = order.report.snapshots / f".step-{step}"
    shutil.copytree(folder, part, copy_function=os.link)
    part.rename(order.report.snapshots / f"step-{step}")


if __name__ == "__main__":
    main()
