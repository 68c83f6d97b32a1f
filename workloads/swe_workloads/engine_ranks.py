"""The processes of one training that must agree: when to stop, and when a checkpoint is whole."""

from typing import Any

import torch
import torch.distributed as dist
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class Ranks:
    """With one process every answer is immediate. All ranks must ask the same questions in the same order."""

    def __init__(self) -> None:
        self._group: Any = None

    def any(self, mine: bool) -> bool:
        """Whether one of the ranks says yes; the same answer on all of them."""
        if not _several():
            return mine
        flag = torch.tensor([int(mine)])
        dist.all_reduce(flag, op=dist.ReduceOp.MAX, group=self._processors())
        return bool(flag.item())

    def wait(self) -> None:
        """Until all of them are here."""
        self.any(False)

    def _processors(self) -> Any:
        # Not the group of the training: on GPUs the answer would wait for everything queued there.
        if self._group is None:
            self._group = dist.new_group(backend="gloo")
        return self._group


class WholeCheckpoint(TrainerCallback):
    """Each rank writes its own random state: nobody looks at a checkpoint before all are done.

    Must be the first callback that looks.
    """

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._ranks.wait()


def _several() -> bool:
    return bool(dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1)
