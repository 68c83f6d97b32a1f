"""What is known of an attempt so far. A verdict can be made of it at any moment, whatever went wrong."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.engine_files import EngineReport, read_failure, read_metrics, read_progress
from swe_workloads.engine_process import EngineProcess
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod
from swe_workloads.run_file import RunFile
from swe_workloads.stop_request import StopRequest
from swe_workloads.verdict import FirstAndLast, TrainVerdict, outcome, write_termination_message


@dataclass
class Attempt:
    pod: Pod
    store: ArtifactStore
    folder: Path
    stop: StopRequest = field(init=False)
    run: RunFile | None = None
    engine: EngineProcess | None = None
    from_step: int = 0
    checkpoint_step: int = 0

    def __post_init__(self) -> None:
        self.stop = StopRequest(self.pod.grace_seconds, self._pass_on, self._give_up)

    @property
    def report(self) -> EngineReport:
        return EngineReport(folder=self.folder / "report")

    def verdict(self, code: ExitCode, message: str) -> TrainVerdict:
        progress = read_progress(self.report)
        history = read_metrics(self.report)
        planned = self.run.duration.max_steps if self.run else None
        told = self.engine is not None and code not in (ExitCode.COMPLETED, ExitCode.PREEMPTED)
        return TrainVerdict(
            **outcome(code, message),
            attempt=self.pod.attempt,
            from_step=self.from_step,
            last_step=progress.step if progress else self.from_step,
            checkpoint_step=self.checkpoint_step,
            total_steps=progress.total_steps if progress else planned,
            loss=first_and_last(history, "loss"),
            eval_loss=first_and_last(history, "eval_loss"),
            log_tail=self.engine.tail() if self.engine is not None and told else None,
        )

    def _pass_on(self) -> None:
        if self.engine is None:
            self.store.patience.hurry(0)  # nothing to save yet: whatever is being fetched is dropped
            return
        self.store.patience.hurry(self.stop.seconds_left())
        self.engine.send(signal.SIGTERM)

    def _give_up(self) -> None:
        """The last resort: whatever still hangs is left behind, so that the pod says how it ended."""
        where = f"the next attempt continues from step {self.checkpoint_step}"
        verdict = self.verdict(ExitCode.PREEMPTED, f"Stopped; the grace period ended during a transfer; {where}.")
        write_termination_message(verdict, self.pod.termination_file)
        os._exit(verdict.exit_code)


def first_and_last(history: list[dict[str, float]], name: str) -> FirstAndLast | None:
    values = [entry[name] for entry in history if name in entry]
    return FirstAndLast(first=f"{values[0]:.5g}", last=f"{values[-1]:.5g}") if values else None


def classify(attempt: Attempt, returncode: int) -> tuple[ExitCode, str]:
    """Why the engine ended, and what a person should know. COMPLETED only when the last step was really made."""
    failure = read_failure(attempt.report)
    if failure is not None and not (attempt.stop.requested and failure.code == ExitCode.ENGINE_FAILED):
        return failure.code, failure.message
    progress = read_progress(attempt.report)
    if returncode == 0 and progress is not None and progress.step >= progress.total_steps:
        return ExitCode.COMPLETED, f"All {progress.total_steps} steps are done."
    where = f"at step {progress.step} of {progress.total_steps}" if progress else "before its first step"
    if attempt.stop.requested or returncode == ExitCode.PREEMPTED:
        return ExitCode.PREEMPTED, f"Stopped {where}; the next attempt continues from step {attempt.checkpoint_step}."
    if returncode == -signal.SIGKILL and attempt.engine is not None and attempt.engine.out_of_memory():
        return ExitCode.HOST_OUT_OF_MEMORY, f"The kernel killed the engine for memory {where}. Raise compute.memory."
    how = f"was killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"ended with code {returncode}"
    return ExitCode.ENGINE_FAILED, f"The engine {how} {where}."
