"""The measured rows against the trainer's own evaluation and against arithmetic by hand. Runs inside the image."""

import json
import math
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.run_document import run_document
from engine.world import some_rows
from swe_workloads import tiny_model
from swe_workloads.engine_files import EngineOrder, EngineReport, read_metrics
from swe_workloads.engine_perplexity import measure
from swe_workloads.engine_program import quieten, train
from swe_workloads.engine_sft import build_trainer
from swe_workloads.perplexity import HeldOutRow

STEPS = 4
HELD_OUT = 7


class HeldOutRows(unittest.TestCase):
    model: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        quieten()
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="swe-perplexity-"))
        self.run_file = self.folder / "run.json"
        self.settings = run_document(self.folder / "rows.jsonl")
        self.settings["duration"] = {"maxSteps": STEPS}
        self.settings["evaluation"]["everySteps"] = STEPS
        rows = some_rows()
        for number, row in enumerate(rows):
            row["completion"] *= 1 + number % 4  # of different lengths: otherwise every way to average is the same
        self.write("train.jsonl", rows[HELD_OUT:])
        self.write("test.jsonl", rows[:HELD_OUT])

    def tearDown(self) -> None:
        shutil.rmtree(self.folder)

    def test_average_as_the_trainer_averages_them_to_its_own_loss(self) -> None:
        rows, evaluated = self.trained_and_measured(micro_batch=2)
        self.assertEqual([row.row for row in rows], list(range(1, HELD_OUT + 1)))
        self.assertAlmostEqual(mean_of_batches(rows, 2), evaluated, delta=1e-4)
        self.assertNotAlmostEqual(mean_of_tokens(rows), evaluated, delta=1e-3)

    def test_have_the_trainer_s_own_mean_where_it_takes_them_in_one_batch(self) -> None:
        self.settings["batch"]["perDevice"] = HELD_OUT
        rows, evaluated = self.trained_and_measured(micro_batch=HELD_OUT)
        self.assertAlmostEqual(mean_of_tokens(rows), evaluated, delta=1e-4)
        self.assertAlmostEqual(math.exp(mean_of_tokens(rows)), math.exp(evaluated), delta=0.1)

    def test_are_measured_alike_whatever_the_micro_batch_is(self) -> None:
        order, _ = self.trained(micro_batch=2)
        measure(order)
        before = order.report.held_out.read_bytes()
        measure(order.model_copy(update={"micro_batch": 1}))
        self.assertEqual(order.report.held_out.read_bytes(), before)

    def test_are_measured_with_the_weights_of_the_result(self) -> None:
        order, _ = self.trained(micro_batch=2)
        measure(order)
        base = AutoModelForCausalLM.from_pretrained(self.model)
        adapted = PeftModel.from_pretrained(base, str(order.report.result / "adapter")).eval()
        tokenizer = AutoTokenizer.from_pretrained(self.model)
        for row, example in zip(measured(order), some_lines(self.folder / "test.jsonl"), strict=True):
            tokens, nll = by_hand(adapted, tokenizer, example)
            self.assertEqual(row.tokens, tokens)
            self.assertAlmostEqual(row.nll / tokens, nll / tokens, delta=1e-4)

    def test_of_a_whole_model_are_measured_with_that_model(self) -> None:
        self.settings["lora"] = None
        self.settings["optimizer"]["learningRate"] = "1e-3"
        rows, evaluated = self.trained_and_measured(micro_batch=2)
        self.assertAlmostEqual(mean_of_batches(rows, 2), evaluated, delta=1e-4)

    def test_keep_their_own_loss_when_another_one_is_trained(self) -> None:
        order, _ = self.trained(micro_batch=2)
        measure(order)
        plain = measured(order)
        self.settings["engineOptions"] = {"loss_type": "dft"}
        self.run_file.write_text(json.dumps(self.settings))
        measure(order)
        for row, before in zip(measured(order), plain, strict=True):
            self.assertAlmostEqual(row.nll, before.nll, delta=1e-2)

    def test_leave_the_engine_s_configuration_as_the_training_had_it(self) -> None:
        order, _ = self.trained(micro_batch=2)
        before = order.report.engine_config.read_text()
        measure(order)
        self.assertEqual(order.report.engine_config.read_text(), before)
        order.report.engine_config.unlink()
        measure(order)
        self.assertEqual(order.report.engine_config.read_text(), before)

    def trained_and_measured(self, micro_batch: int) -> tuple[list[HeldOutRow], float]:
        order, evaluated = self.trained(micro_batch)
        measure(order)
        return measured(order), evaluated

    def trained(self, micro_batch: int) -> tuple[EngineOrder, float]:
        """With the last checkpoint as result, and the trainer's own loss on the held-out rows."""
        self.run_file.write_text(json.dumps(self.settings))
        order = EngineOrder(
            run_file=self.run_file,
            model_dir=self.model,
            train_file=self.folder / "train.jsonl",
            test_file=self.folder / "test.jsonl",
            output_dir=self.folder / "output",
            resume_from=None,
            micro_batch=micro_batch,
            report=EngineReport(folder=self.folder / "report"),
        )
        order.report.snapshots.mkdir(parents=True)
        train(order, build_trainer)
        kind = "adapter" if self.settings["lora"] else "model"
        shutil.copytree(order.output_dir / f"checkpoint-{STEPS}", order.report.result / kind)
        [evaluated] = [entry["eval_loss"] for entry in read_metrics(order.report) if "eval_loss" in entry]
        return order, evaluated

    def write(self, name: str, rows: list[dict[str, str]]) -> None:
        (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


def measured(order: EngineOrder) -> list[HeldOutRow]:
    return [HeldOutRow.model_validate(line) for line in some_lines(order.report.held_out)]


def some_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def mean_of_tokens(rows: list[HeldOutRow]) -> float:
    return sum(row.nll for row in rows) / sum(row.tokens for row in rows)


def mean_of_batches(rows: list[HeldOutRow], size: int) -> float:
    """The trainer's eval_loss: each batch's mean over tokens, weighted by its rows."""
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    return sum(mean_of_tokens(batch) * len(batch) for batch in batches) / len(rows)


def by_hand(model: Any, tokenizer: Any, example: dict[str, str]) -> tuple[int, float]:
    prompt = tokenizer(example["prompt"])["input_ids"]
    ids = torch.tensor([[*tokenizer(example["prompt"] + example["completion"])["input_ids"], tokenizer.eos_token_id]])
    with torch.no_grad():
        logits = model(input_ids=ids[:, :512]).logits[0, :-1].float()
    targets = ids[0, 1:512]
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")[len(prompt) - 1 :]
    return len(losses), float(losses.sum())


if __name__ == "__main__":
    unittest.main()
