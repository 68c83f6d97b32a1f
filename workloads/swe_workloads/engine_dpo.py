"""Direct preference optimisation, of an adapter or the whole model, with unmodified TRL, in a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from swe_workloads.engine_files import EngineOrder
from swe_workloads.exit_codes import ExitCode
from swe_workloads.loading import uncollected

with uncollected():
    import transformers
    from transformers import PrinterCallback
    from trl import DPOTrainer

    from swe_workloads.engine_program import run_engine_program
    from swe_workloads.engine_pulse import touch
    from swe_workloads.engine_ranks import Ranks
    from swe_workloads.engine_stop import StopOnRequest
    from swe_workloads.engine_trainer import Parts, blaming, callbacks, load_model, load_parts

COLUMNS = ("prompt", "chosen", "rejected")


def main() -> None:
    run_engine_program(build_trainer)


def build_trainer(order: EngineOrder, ranks: Ranks, stop: StopOnRequest) -> DPOTrainer:
    """Raises Failure naming whose fault it is: the settings', the data's or the model's."""
    parts = load_parts(order, COLUMNS)
    reference = load_reference(order, parts)
    with (
        blaming(ExitCode.INVALID_CONFIGURATION, "The settings do not fit the model", (ValueError,)),
        asking(parts.model, order, stop),
    ):
        trainer = DPOTrainer(
            model=parts.model,
            ref_model=reference,
            args=parts.parsed.training,
            train_dataset=parts.train,
            # Held-out pairs that are never evaluated need no reference.
            eval_dataset=parts.test if parts.run.evaluation.strategy != "No" else None,
            processing_class=parts.tokenizer,
            peft_config=parts.new_adapter,
            callbacks=callbacks(parts.run, order, ranks, stop),
        )
    trainer.remove_callback(PrinterCallback)
    return trainer


def load_reference(order: EngineOrder, parts: Parts) -> Any:
    """The model as the run began, also on the way from a checkpoint. None where the trainer needs no second one.

    A new adapter is switched off for it; of one that is continued TRL keeps a frozen copy, `ref`, made before a
    checkpoint is loaded; precomputed figures come from the model before it is trained. TRL would load a second model
    itself, but with a dtype and to a device of its own choice.
    """
    assert parts.run.dpo is not None  # the run file's own check
    if parts.run.lora is not None or parts.run.dpo.reference_log_probs == "Precomputed":
        return None
    with blaming(ExitCode.MODEL_UNUSABLE, f"The reference {parts.run.model.uri} cannot be loaded"):
        reference = load_model(order.model_dir, parts.parsed)
    # Autocast keeps a copy of each weight that could be trained, through every forward pass.
    reference.requires_grad_(False)
    transformers.set_seed(parts.run.seed)
    return reference


@contextmanager
def asking(model: Any, order: EngineOrder, stop: StopOnRequest) -> Iterator[None]:
    """While the reference may be asked beforehand, for hours: each pass is a sign of life and hears a request to stop.

    Its logits become float32, as in every step of the training: log-probabilities of hundreds of nats have no room for
    a difference in bfloat16.
    """

    def before_each_pass(*_: Any) -> None:
        touch(order.report)
        if stop.requested:
            sys.exit(ExitCode.PREEMPTED)

    def after_each_pass(_: Any, __: Any, output: Any) -> Any:
        output.logits = output.logits.float()
        return output

    handles = [model.register_forward_pre_hook(before_each_pass), model.register_forward_hook(after_each_pass)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


if __name__ == "__main__":
    main()
