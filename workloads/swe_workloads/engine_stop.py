"""Stopping on request: every rank finishes the same step, writes its part of the checkpoint, and ends with 75."""

import sys
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from swe_workloads.engine_ranks import Ranks
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import say


class StopOnRequest(TrainerCallback):
    """The request is a file: a signal reaches the ranks at different steps, or torchrun, which kills them for it.

    Must be the last callback: the others see the checkpoint first.
    """

    def __init__(self, request: Path, ranks: Ranks) -> None:
        self._request = request
        self._ranks = ranks
        self._stopping = False

    @property
    def requested(self) -> bool:
        return self._request.exists()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if self._ranks.any(self.requested):
            self._stopping = True
            control.should_save = True
            if state.is_world_process_zero:
                say(f"Asked to stop: writing a checkpoint at step {state.global_step}.")
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # Not control.should_training_stop: the trainer would go through its ending and report 100 percent.
        if self._stopping and state.global_step < state.max_steps and not control.should_training_stop:
            self._ranks.wait()  # the first to end has the others killed, and rank 0 may still be at work
            sys.exit(ExitCode.PREEMPTED)
