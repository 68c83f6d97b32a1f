"""Supervised fine-tuning, of an adapter or the whole model, with unmodified TRL, in a process of its own."""

from swe_workloads.engine_files import EngineOrder
from swe_workloads.exit_codes import ExitCode
from swe_workloads.loading import uncollected

with uncollected():
    from transformers import PrinterCallback
    from trl import SFTTrainer

    from swe_workloads.engine_program import run_engine_program
    from swe_workloads.engine_ranks import Ranks
    from swe_workloads.engine_stop import StopOnRequest
    from swe_workloads.engine_trainer import blaming, callbacks, load_parts

COLUMNS = ("messages", "prompt", "completion")


def main() -> None:
    run_engine_program(build_trainer)


def build_trainer(order: EngineOrder, ranks: Ranks, stop: StopOnRequest) -> SFTTrainer:
    """Raises Failure naming whose fault it is: the settings', the data's or the model's."""
    parts = load_parts(order, COLUMNS)
    with blaming(ExitCode.INVALID_CONFIGURATION, "The settings do not fit the model", (ValueError,)):
        trainer = SFTTrainer(
            model=parts.model,
            args=parts.parsed.training,
            train_dataset=parts.train,
            eval_dataset=parts.test,
            processing_class=parts.tokenizer,
            peft_config=parts.new_adapter,
            callbacks=callbacks(parts.run, order, ranks, stop),
        )
    trainer.remove_callback(PrinterCallback)
    return trainer


if __name__ == "__main__":
    main()
