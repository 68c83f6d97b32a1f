"""What is known of an attempt so far. A verdict can be made of it at any moment, whatever went wrong."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.budget import Budget
from swe_workloads.engine_files import (
    EngineFailure,
    EngineReport,
    read_failure,
    read_finished,
    read_metrics,
    read_progress,
)
from swe_workloads.engine_process import EngineProcess
from swe_workloads.exit_codes import ExitCode
from swe_workloads.history import lowest, series
from swe_workloads.pod import Pod
from swe_workloads.run_file import RunFile
from swe_workloads.stop_request import StopRequest
from swe_workloads.verdict import (
    BestCheckpoint,
    FirstAndLast,
    Preferences,
    TrainVerdict,
    outcome,
    write_termination_message,
)

STOPPED = (ExitCode.PREEMPTED, ExitCode.BUDGET_EXCEEDED)
# What a stop brings about by itself: the engine, or a rank of it, torn down in the middle.
BY_THE_STOP = (ExitCode.ENGINE_FAILED, ExitCode.PEER_LOST)
# TRL's names.
COMPARED = {
    "accuracy": "rewards/accuracies",
    "margin": "rewards/margins",
    "eval_accuracy": "eval_rewards/accuracies",
    "eval_margin": "eval_rewards/margins",
}


@dataclass
class Attempt:
    pod: Pod
    store: ArtifactStore
    folder: Path
    stop: StopRequest = field(init=False)
    budget: Budget = field(init=False)
    began: float = field(default_factory=time.monotonic)
    run: RunFile | None = None
    engine: EngineProcess | None = None
    stalled: bool = False
    from_step: int = 0
    checkpoint_step: int = 0

    def __post_init__(self) -> None:
        self.stop = StopRequest(self.pod.grace_seconds, self._pass_on, self._give_up)
        self.budget = Budget(self.pod.budget_seconds, self.pod.grace_seconds)

    @property
    def report(self) -> EngineReport:
        return EngineReport(folder=self.folder / "report")

    def verdict(self, code: ExitCode, message: str) -> TrainVerdict:
        progress = read_progress(self.report)
        finished = read_finished(self.report)
        history = read_metrics(self.report)
        planned = self.run.duration.max_steps if self.run else None
        told = self.engine is not None and code not in (ExitCode.COMPLETED, *STOPPED)
        return TrainVerdict(
            **outcome(code, message),
            attempt=self.pod.attempt,
            pod_uid=self.pod.pod_uid or None,
            from_step=self.from_step,
            last_step=progress.step if progress else self.from_step,
            checkpoint_step=self.checkpoint_step,
            total_steps=progress.total_steps if progress else planned,
            loss=first_and_last(history, "loss"),
            eval_loss=first_and_last(history, "eval_loss"),
            preferences=preferences_of(history),
            best=best_of(history),
            stopped_early=finished.stopped_early if finished else None,
            micro_batch=self.micro_batch(self.run) if self.run else None,
            seconds=round(time.monotonic() - self.began),
            log_tail=self.engine.tail() if self.engine is not None and told else None,
        )

    def micro_batch(self, run: RunFile) -> int:
        """Rows of one forward pass: as many as the run says, or fewer after a shortage of GPU memory."""
        return self.pod.micro_batch or run.batch.per_device

    def _pass_on(self) -> None:
        if self.engine is None:
            self.store.patience.hurry(0)  # nothing to save yet: whatever is being fetched is dropped
            return
        self.store.patience.hurry(self.stop.seconds_left())
        self.ask_engine_to_stop()

    def ask_engine_to_stop(self) -> None:
        with suppress(OSError):  # on a full disk it can write no checkpoint either, and is killed in time
            self.report.stop.touch()

    def _give_up(self) -> None:
        """The last resort: whatever still hangs is left behind, so that the pod says how it ended."""
        message = f"{why_stopped(self)}; the grace period ended during a transfer; {where_to_go_on(self)}."
        verdict = self.verdict(self.stop.code, message)
        write_termination_message(verdict, self.pod.termination_file)
        os._exit(verdict.exit_code)


def first_and_last(history: list[dict[str, float]], name: str) -> FirstAndLast | None:
    values = [entry[name] for entry in history if name in entry]
    return FirstAndLast(first=f"{values[0]:.5g}", last=f"{values[-1]:.5g}") if values else None


def preferences_of(history: list[dict[str, float]]) -> Preferences | None:
    """None where nothing was compared, or not yet."""
    found = {field: first_and_last(history, name) for field, name in COMPARED.items()}
    return Preferences(**found) if any(found.values()) else None


def best_of(history: list[dict[str, float]]) -> BestCheckpoint | None:
    found = lowest(series(history, "eval_loss"))
    return BestCheckpoint(step=int(found.step), eval_loss=f"{found.value:.5g}") if found else None


def why_stopped(attempt: Attempt) -> str:
    if attempt.stop.code == ExitCode.BUDGET_EXCEEDED:
        return f"The {attempt.pod.budget_seconds:.0f} s that spec.budget left for this attempt are spent"
    return "Stopped"


def where_to_go_on(attempt: Attempt) -> str:
    if attempt.stop.code == ExitCode.BUDGET_EXCEEDED:
        return f"raise spec.budget to continue from step {attempt.checkpoint_step}"
    return f"the next attempt continues from step {attempt.checkpoint_step}"


def classify(attempt: Attempt, returncode: int) -> tuple[ExitCode, str]:
    """Why the engine ended, and what a person should know. COMPLETED only when the engine said so itself."""
    finished = read_finished(attempt.report)
    if returncode == 0 and finished is not None and finished.stopped_early:
        return ExitCode.COMPLETED, f"Stopped early at step {finished.step} of {finished.total_steps}: no improvement."
    if returncode == 0 and finished is not None and finished.step >= finished.total_steps:
        return ExitCode.COMPLETED, f"All {finished.total_steps} steps are done."
    progress = read_progress(attempt.report)
    where = f"at step {progress.step} of {progress.total_steps}" if progress else "before its first step"
    if attempt.stalled and attempt.run is not None:
        seconds = attempt.run.stall_after_seconds
        return (
            ExitCode.ENGINE_STALLED,
            f"The engine made no progress for {seconds} s {where}; its log says where it hung.",
        )
    failure = read_failure(attempt.report)
    if failure is not None and not (attempt.stop.requested and failure.code in BY_THE_STOP):
        return _with_memory(attempt, failure, where)
    if attempt.stop.requested or returncode == ExitCode.PREEMPTED:
        return attempt.stop.code, f"{why_stopped(attempt)} {where}; {where_to_go_on(attempt)}."
    return _unexplained(attempt, returncode, where)


def _with_memory(attempt: Attempt, failure: EngineFailure, where: str) -> tuple[ExitCode, str]:
    """A peer that the kernel killed says nothing; the others only notice that it is gone."""
    if failure.code == ExitCode.PEER_LOST and attempt.engine is not None and attempt.engine.out_of_memory():
        return _killed_for_memory(where)
    return failure.code, failure.message


def _unexplained(attempt: Attempt, returncode: int, where: str) -> tuple[ExitCode, str]:
    if returncode == -signal.SIGKILL and attempt.engine is not None and attempt.engine.out_of_memory():
        return _killed_for_memory(where)
    how = f"was killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"ended with code {returncode}"
    if returncode < 0 and attempt.run is not None and attempt.run.compute.ranks > 1:
        return ExitCode.PEER_LOST, f"One of the {attempt.run.compute.ranks} ranks {how} {where}."
    return ExitCode.ENGINE_FAILED, f"The engine {how} {where}."


def _killed_for_memory(where: str) -> tuple[ExitCode, str]:
    return ExitCode.HOST_OUT_OF_MEMORY, f"The kernel killed the engine for memory {where}. Raise compute.memory."
