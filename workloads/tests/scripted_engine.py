"""An engine with the files and signals of the real one, but no training.

SWE_TEST_ENGINE says how it misbehaves; after step SWE_TEST_HOLD_AT it waits to be stopped or killed. The weights
are a digest over all steps, so a wrong resume changes them.
"""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from swe_workloads.engine_files import EngineFailure, EngineOrder, Progress, write_atomically
from swe_workloads.exit_codes import ExitCode
from swe_workloads.run_file import read_run_file


def main() -> None:
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    run = read_run_file(order.run_file)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    behave(os.environ.get("SWE_TEST_ENGINE", ""), order)
    total = run.duration.max_steps or 0
    hold_at = int(os.environ.get("SWE_TEST_HOLD_AT", "-1"))
    step, weights = resume(order)
    order.report.metrics.touch()
    write_atomically(order.report.progress, Progress(step=step, total_steps=total))
    while step < total:
        while step == hold_at and not stopping:
            time.sleep(0.01)
        step += 1
        weights = hashlib.sha256(f"{weights}{step}".encode()).hexdigest()
        with order.report.metrics.open("a") as out:
            out.write(json.dumps({"step": step, "loss": 10 - step}) + "\n")
        write_atomically(order.report.progress, Progress(step=step, total_steps=total))
        print(f"step {step}", flush=True)
        if step % run.checkpoint.every_steps == 0 or step == total or stopping:
            save(order, step, weights)
        if stopping:
            sys.exit(ExitCode.PREEMPTED)
    shutil.copytree(order.output_dir / f"checkpoint-{total}", order.report.adapter)


def behave(how: str, order: EngineOrder) -> None:
    if how == "refuse":
        write_atomically(order.report.failure, EngineFailure(code=ExitCode.MODEL_UNUSABLE, message="no such model"))
        sys.exit(ExitCode.MODEL_UNUSABLE)
    if how == "crash":
        raise RuntimeError("a driver went away")
    if how == "leave early":
        sys.exit(0)


def resume(order: EngineOrder) -> tuple[int, str]:
    if order.resume_from is None:
        return 0, ""
    state = json.loads((order.resume_from / "trainer_state.json").read_text())
    return state["global_step"], (order.resume_from / "adapter_model.safetensors").read_text()


def save(order: EngineOrder, step: int, weights: str) -> None:
    folder = order.output_dir / f"checkpoint-{step}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_model.safetensors").write_text(weights)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    part = order.report.snapshots / f".step-{step}"
    shutil.copytree(folder, part)
    part.rename(order.report.snapshots / f"step-{step}")


if __name__ == "__main__":
    main()
