"""What a preflight is told by whoever looks at the model, with the engine's libraries or without."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.memory_estimate import ModelShape
from swe_workloads.run_file import RunFile


@dataclass(frozen=True)
class Seen:
    """What the engine's own libraries say of the settings and the model. No shape: PEFT refuses the adapter."""

    problems: list[str]
    shape: ModelShape | None
    float32_weights: bool
    plain_loss: bool


Look = Callable[[RunFile, Path], Seen]
