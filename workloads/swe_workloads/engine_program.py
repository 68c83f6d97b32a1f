"""An engine from its order to its end; what it trains with is the affair of the method.

Ends with 0 when the training is over and finished.json says how, 75 when it was asked to stop and wrote a
checkpoint, else with the code of the failure that failure-<rank>.json explains.
"""

import faulthandler
import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers
from datasets import disable_progress_bars
from transformers import TrainerState

from swe_workloads.decisions import out_of_patience
from swe_workloads.engine_callbacks import Report
from swe_workloads.engine_failures import explain
from swe_workloads.engine_files import EngineOrder, Finished, own_rank, write_atomically
from swe_workloads.engine_pulse import touch
from swe_workloads.engine_ranks import Ranks
from swe_workloads.engine_stop import StopOnRequest
from swe_workloads.exit_codes import ExitCode
from swe_workloads.history import lowest, series
from swe_workloads.run_file import read_run_file

# The trainer of a method, with everything in it. Raises Failure naming whose fault it is if it cannot be made.
Build = Callable[[EngineOrder, Ranks, StopOnRequest], Any]
TRAINERS = ("trl.trainer.sft_trainer", "trl.trainer.dpo_trainer")


def run_engine_program(build: Build) -> None:
    """The order is the first argument of the command line."""
    faulthandler.enable()  # the wrapper ends an engine that hangs with SIGABRT: then every thread says where it is
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    quieten()
    try:
        state = finished_state(order) or train(order, build)
        if own_rank() == 0:
            write_atomically(order.report.finished, finished(state))
    except Exception as error:
        traceback.print_exc()
        failure = explain(error)
        write_atomically(order.report.failure(own_rank()), failure)
        sys.exit(failure.code)


def finished(state: TrainerState) -> Finished:
    best = lowest(series(state.log_history, "eval_loss"))
    return Finished(
        step=state.global_step,
        total_steps=state.max_steps,
        stopped_early=state.global_step < state.max_steps,
        best_step=int(best.step) if best is not None else None,
        best_eval_loss=best.value if best is not None else None,
    )


def finished_state(order: EngineOrder) -> TrainerState | None:
    """The state to resume from if the training ended with it: the trainer would make one step more from there."""
    if order.resume_from is None:
        return None
    state = TrainerState.load_from_json(str(order.resume_from / "trainer_state.json"))
    rule = read_run_file(order.run_file).evaluation.early_stop
    stopped_early = rule is not None and out_of_patience(state.log_history, rule)
    if state.global_step < state.max_steps and not stopped_early:
        return None
    if own_rank() == 0:
        Report(order.report).begin_with(state)
    return state


def train(order: EngineOrder, build: Build) -> TrainerState:
    """Leaves the process with 75 when asked to stop."""
    ranks = Ranks()
    stop = StopOnRequest(order.report.stop, ranks)
    trainer = build(order, ranks, stop)
    touch(order.report)
    if stop.requested:
        sys.exit(ExitCode.PREEMPTED)
    trainer.train(resume_from_checkpoint=str(order.resume_from) if order.resume_from else None)
    return trainer.state


def quieten() -> None:
    """No progress bars, and TRL's warning about single rows once instead of once a row."""
    transformers.utils.logging.disable_progress_bar()
    disable_progress_bars()
    seen: set[str] = set()

    def first_time(record: logging.LogRecord) -> bool:
        known = record.getMessage() in seen
        seen.add(record.getMessage())
        return not known

    for name in TRAINERS:
        logging.getLogger(name).addFilter(first_time)
