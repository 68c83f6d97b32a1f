"""How well the result predicts the held-out rows, one by one: held_out.jsonl.

`python -m swe_workloads.engine_perplexity <measure.json>`, a process of its own after the training: it loads what is
published, from wherever it came, and an error or a shortage of memory in it costs no result.
"""

import faulthandler
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swe_workloads.engine_failures import explain
from swe_workloads.engine_files import EngineOrder, EngineReport, write_atomically
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.loading import uncollected
from swe_workloads.perplexity import HeldOutRow
from swe_workloads.pod import say
from swe_workloads.run_file import read_run_file

with uncollected():
    import torch
    from peft import load_peft_weights, set_peft_model_state_dict
    from trl import SFTTrainer

    from swe_workloads.engine_program import quieten
    from swe_workloads.engine_pulse import touch
    from swe_workloads.engine_ranks import Ranks
    from swe_workloads.engine_sft import build_trainer
    from swe_workloads.engine_stop import StopOnRequest
    from swe_workloads.engine_trainer import settings

SAY_EVERY_ROWS = 100


def main() -> None:
    faulthandler.enable()
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    quieten()
    try:
        measure(order)
    except Exception as error:
        traceback.print_exc()
        failure = explain(error)
        write_atomically(order.report.failure(0), failure)
        sys.exit(failure.code)


def measure(order: EngineOrder) -> None:
    """Writes report.held_out. The order is that of the training; its report has the result."""
    report = order.report
    if not report.engine_config.exists():  # a training that was found finished has not been configured here
        settings(read_run_file(order.run_file), order)
    trainer = trainer_with_result(order)
    touch(report)
    part = report.held_out.with_suffix(".part")
    with part.open("w") as out:
        for row in measured(trainer):
            out.write(row.model_dump_json() + "\n")
            touch(report)
    os.replace(part, report.held_out)


def trainer_with_result(order: EngineOrder) -> SFTTrainer:
    """The training's own trainer, because how rows become tokens and labels is its affair; only the weights differ."""
    adapter, model = order.report.result / "adapter", order.report.result / "model"
    whole = model.exists()
    again = order.model_copy(
        update={
            "model_dir": model if whole else order.model_dir,
            "train_file": order.test_file,
            "report": EngineReport(folder=order.report.folder / "measuring"),
        }
    )
    ranks = Ranks()
    trainer = build_trainer(again, ranks, StopOnRequest(again.report.stop, ranks))
    if not whole:
        loaded = set_peft_model_state_dict(trainer.model, load_peft_weights(str(adapter), device="cpu"))
        if loaded.unexpected_keys:
            raise Failure(ExitCode.ENGINE_FAILED, f"The adapter does not fit its model: {loaded.unexpected_keys[0]}.")
    return trainer


def measured(trainer: SFTTrainer) -> Iterator[HeldOutRow]:
    """One row at a time: no padding, as little memory as can be, and the same figures whatever the micro-batch is."""
    # As the trainer's own evaluation does, for the precision of the arithmetic.
    model = trainer.accelerator.prepare_model(trainer.model, evaluation_mode=True)
    model.eval()
    # Only the model's own loss is asked for: neither label smoothing nor what balances experts is part of it.
    plain = {"use_cache": False, **({"output_router_logits": False} if trainer.aux_loss_enabled else {})}
    total = len(trainer.eval_dataset)
    say(f"Measuring the result on {total} held-out rows.")
    for number, example in enumerate(trainer.eval_dataset, start=1):
        inputs = {name: tensor.to(model.device) for name, tensor in trainer.data_collator([example]).items()}
        tokens = int((inputs["labels"][..., 1:] != -100).sum())
        if tokens > 0:
            yield HeldOutRow(row=number, tokens=tokens, nll=tokens * mean_loss(model, inputs | plain))
        if number % SAY_EVERY_ROWS == 0:
            say(f"{number} of {total} held-out rows are measured.")


def mean_loss(model: Any, inputs: dict[str, Any]) -> float:
    """Nats a token."""
    with torch.no_grad():
        return float(model(**inputs).loss)


if __name__ == "__main__":
    main()
