"""A training on a device that has no room for passes of two rows after a while; notes every row that it sees.

`python -m engine.scarce_memory` is the wrapper; with an order as argument it is the engine. SWE_TEST_ROOM_UNTIL is
the last step with room for all, SWE_TEST_ROWS the file for the rows: the step in work and a digest, a line each.
"""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from swe_workloads import engine_run, train


def main() -> None:
    if len(sys.argv) == 1:
        engine_run.ENGINES["SFT"] = "engine.scarce_memory"
        train.main()
        return
    import torch
    from trl import SFTTrainer

    from swe_workloads import engine_sft

    room_until = int(os.environ.get("SWE_TEST_ROOM_UNTIL", "1000"))
    rows = Path(os.environ["SWE_TEST_ROWS"])
    original = SFTTrainer.training_step

    def training_step(self: Any, model: Any, inputs: Any, *more: Any) -> Any:
        if len(inputs["input_ids"]) > 1 and self.state.global_step >= room_until:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        with rows.open("a") as out:
            out.writelines(f"{self.state.global_step + 1} {digest}\n" for digest in digests(inputs))
        return original(self, model, inputs, *more)

    SFTTrainer.training_step = training_step
    engine_sft.main()


def digests(inputs: Any) -> list[str]:
    """One for each row, without what it was padded with."""
    pairs = zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist(), strict=True)
    texts = [[token for token, real in zip(tokens, mask, strict=True) if real] for tokens, mask in pairs]
    return [hashlib.sha256(str(text).encode()).hexdigest()[:12] for text in texts]


if __name__ == "__main__":
    main()
