"""What is added to the unmodified trainer, all through its public callbacks."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from swe_workloads.decisions import divergence, out_of_patience
from swe_workloads.engine_files import EngineReport, Progress, write_atomically
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import say
from swe_workloads.run_file import EarlyStop

# They measure this machine and this attempt, or start again at zero after a resume: with them the
# history of an interrupted run would differ from that of an uninterrupted one.
NOT_HISTORY = ("num_tokens", "total_flos", "train_loss", "runtime", "per_second")


class Report(TrainerCallback):
    """Progress after every step, the metric history, and a snapshot of every checkpoint."""

    def __init__(self, report: EngineReport) -> None:
        self._report = report

    def begin_with(self, state: TrainerState) -> None:
        """The history starts with what earlier attempts logged up to this state."""
        self._report.metrics.write_text("")
        for entry in state.log_history:
            self._write_history(entry)
        self._write_progress(state)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.begin_with(state)
        say(f"Training from step {state.global_step} to {state.max_steps}.")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._write_progress(state)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        entry = self._write_history(state.log_history[-1])
        if entry:
            say(_readable(entry, state))

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        target = self._report.snapshots / f"step-{state.global_step}"
        if target.exists():
            return
        part = self._report.snapshots / f".step-{state.global_step}"
        shutil.rmtree(part, ignore_errors=True)
        # Hard links cost nothing and outlive the trainer's own rotation of old checkpoints.
        shutil.copytree(checkpoint, part, copy_function=os.link)
        part.rename(target)

    def _write_history(self, logged: dict[str, Any]) -> dict[str, float]:
        """The line that was written; empty when nothing of the entry belongs to the history."""
        kept = {name: logged[name] for name in sorted(logged) if not any(part in name for part in NOT_HISTORY)}
        if not kept.keys() - {"step", "epoch"}:
            return {}
        with self._report.metrics.open("a") as out:
            out.write(json.dumps(kept) + "\n")
        return kept

    def _write_progress(self, state: TrainerState) -> None:
        write_atomically(self._report.progress, Progress(step=state.global_step, total_steps=state.max_steps))


class EndWhenDiverged(TrainerCallback):
    """Ends a training that is lost; what that means is in decisions.py."""

    def __init__(self, tolerated_rise: float) -> None:
        self._tolerated_rise = tolerated_rise

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        lost = divergence(state.log_history, self._tolerated_rise)
        if lost is not None:
            raise Failure(ExitCode.DIVERGED, f"{lost}. Lower optimizer.learningRate or check the data.")


class StopEarly(TrainerCallback):
    """Ends the training, with a checkpoint, when the held-out loss no longer falls."""

    def __init__(self, rule: EarlyStop) -> None:
        self._rule = rule

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if out_of_patience(state.log_history, self._rule):
            control.should_training_stop = True
            control.should_save = True
        return control


class SaveTheLast(TrainerCallback):
    """Without periodic checkpoints the trainer would end without any, and the result is made of one."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        if state.global_step >= state.max_steps:
            control.should_save = True
        return control


def _readable(entry: dict[str, float], state: TrainerState) -> str:
    figures = "  ".join(f"{name} {value:.5g}" for name, value in entry.items() if name != "step")
    return f"step {state.global_step}/{state.max_steps}  {figures}"
