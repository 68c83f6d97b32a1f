"""Signs of life between two steps: without them a long evaluation would look like an engine that hangs."""

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from swe_workloads.engine_files import EngineReport, own_rank


def touch(report: EngineReport) -> None:
    """The engine got on. Rank 0 speaks for all: a lost peer stops it too."""
    if own_rank() == 0:
        report.pulse.touch()


class Pulse(TrainerCallback):
    def __init__(self, report: EngineReport) -> None:
        self._report = report

    def on_substep_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        touch(self._report)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        touch(self._report)

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        touch(self._report)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        touch(self._report)
