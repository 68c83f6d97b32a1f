"""A comparison learns what is chosen, goes on exactly where it was interrupted, and leaves one adapter or one model.

Runs inside the image.
"""

import json
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerState

from engine.run_document import TOTAL_STEPS, preferences_document
from engine.shared_runs import prepare, undisturbed
from engine.test_resume import digests
from engine.world import World, kill_engine, some_pairs
from swe_workloads import tiny_model
from swe_workloads.engine_dpo import build_trainer
from swe_workloads.engine_files import EngineOrder, EngineReport
from swe_workloads.engine_program import quieten, train
from swe_workloads.engine_ranks import Ranks
from swe_workloads.engine_stop import StopOnRequest

STEPS = 6
METRICS = ("rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected")


class AComparison(unittest.TestCase):
    """As pods do it: prepared, trained by the wrapper, its result in the store."""

    model: ClassVar[Path]
    world: ClassVar[World]
    verdict: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)
        whole = undisturbed(comparing(cls.model))
        cls.world, cls.verdict = whole.world, whole.verdict

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def test_learns_what_is_chosen(self) -> None:
        found = self.verdict["preferences"]
        self.assertEqual(float(found["evalAccuracy"]["last"]), 1.0)
        self.assertGreater(float(found["evalMargin"]["last"]), float(found["evalMargin"]["first"]))
        self.assertGreater(float(found["margin"]["last"]), 1.0)
        self.assertLess(float(self.verdict["loss"]["last"]), float(self.verdict["loss"]["first"]))

    def test_tells_its_metrics_at_every_step(self) -> None:
        lines = [json.loads(line) for line in self.stored("metrics.jsonl").read_text().splitlines()]
        trained = [line for line in lines if "loss" in line]
        self.assertEqual([line["step"] for line in trained], list(range(1, TOTAL_STEPS + 1)))
        self.assertTrue(all(line.keys() >= set(METRICS) for line in trained))
        self.assertTrue(any("eval_rewards/accuracies" in line for line in lines))

    def test_begins_where_the_reference_is(self) -> None:
        first = json.loads(self.stored("metrics.jsonl").read_text().splitlines()[0])
        self.assertAlmostEqual(first["rewards/margins"], 0, delta=1e-5)
        self.assertAlmostEqual(first["loss"], 0.6931, delta=1e-3)

    def test_leaves_one_adapter_that_loads_on_the_base(self) -> None:
        names = {artifact["name"] for artifact in self.verdict["artifacts"]}
        self.assertEqual(
            [name for name in names if name.endswith("safetensors")], ["adapter/adapter_model.safetensors"]
        )
        self.assertFalse(any("ref/" in name for name in names), names)
        adapter = self.stored("adapter/adapter_model.safetensors").parent
        base = AutoModelForCausalLM.from_pretrained(self.model)
        before = [margin(base, self.model, pair) for pair in some_pairs()[:4]]
        adapted = PeftModel.from_pretrained(base, str(adapter)).eval()
        after = [margin(adapted, self.model, pair) for pair in some_pairs()[:4]]
        self.assertTrue(all(late > early for early, late in zip(before, after, strict=True)), (before, after))

    def test_says_in_words_why_there_is_no_perplexity(self) -> None:
        self.assertEqual(list(self.verdict["perplexity"]), ["reason"])
        self.assertIn("preferences", self.verdict["perplexity"]["reason"])
        self.assertNotIn("held_out.jsonl", {artifact["name"] for artifact in self.verdict["artifacts"]})

    def test_goes_on_exactly_after_its_engine_was_killed(self) -> None:
        world = comparing(self.model)
        self.addCleanup(world.stop)
        prepare(world)
        process = world.start(1)
        world.when_stored("a1/step-8/manifest.json", lambda: kill_engine(process))
        first = world.finish(process, 1)
        self.assertEqual(first["exitCode"], 70)
        second = world.train(2)
        self.assertEqual((second["exitCode"], second["fromStep"]), (0, first["checkpointStep"]))
        self.assertEqual(digests(second), digests(self.verdict))

    def stored(self, name: str) -> Path:
        [key] = [artifact["key"] for artifact in self.verdict["artifacts"] if artifact["name"] == name]
        return self.world.stored(key)


class ItsReference(unittest.TestCase):
    """The engine alone, in this process."""

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
        self.folder = Path(tempfile.mkdtemp(prefix="swe-dpo-"))
        self.settings = preferences_document(self.folder / "rows.jsonl")
        self.settings["duration"] = {"maxSteps": STEPS}
        self.settings["evaluation"]["everySteps"] = STEPS
        self.settings["checkpoint"]["everySteps"] = 3
        for name, part in (("train.jsonl", some_pairs()[2:12]), ("test.jsonl", some_pairs()[:2])):
            (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in part))

    def tearDown(self) -> None:
        shutil.rmtree(self.folder)

    def test_of_a_whole_model_is_the_model_that_the_run_began_with_also_after_a_resume(self) -> None:
        self.settings["lora"] = None
        self.settings["optimizer"]["learningRate"] = "1e-3"
        state = self.trained()
        self.assertAlmostEqual(state.log_history[0]["rewards/margins"], 0, delta=1e-6)
        self.assertGreater(state.log_history[STEPS - 1]["rewards/margins"], 0)
        self.assert_resumes_exactly(state, "model.safetensors")

    def test_computed_beforehand_gives_the_run_that_one_computed_at_every_step_gives(self) -> None:
        every_step = self.trained()
        shutil.rmtree(self.folder / "output")
        self.settings["dpo"]["referenceLogProbs"] = "Precomputed"
        before = self.trained()
        for name in ("loss", "rewards/margins"):
            there, here = losses(every_step, name), losses(before, name)
            self.assertTrue(all(abs(one - two) < 1e-3 for one, two in zip(there, here, strict=True)), (there, here))
        self.assert_resumes_exactly(before, "adapter_model.safetensors")

    def test_of_a_whole_model_computed_beforehand_survives_a_resume_too(self) -> None:
        self.settings["lora"] = None
        self.settings["optimizer"]["learningRate"] = "1e-3"
        self.settings["dpo"]["referenceLogProbs"] = "Precomputed"
        self.assert_resumes_exactly(self.trained(), "model.safetensors")

    def test_computed_beforehand_is_finer_than_the_dtype_of_the_model(self) -> None:
        self.settings["engineOptions"] = {"dtype": "bfloat16"}
        self.settings["dpo"]["referenceLogProbs"] = "Precomputed"
        order = self.order()
        ranks = Ranks()
        trainer = build_trainer(order, ranks, StopOnRequest(order.report.stop, ranks))
        told = torch.tensor(list(trainer.train_dataset["ref_chosen_logps"]))
        self.assertFalse(torch.equal(told, told.bfloat16().float()), told)

    def test_that_is_being_computed_hears_a_request_to_stop(self) -> None:
        self.settings["dpo"]["referenceLogProbs"] = "Precomputed"
        order = self.order()
        order.report.stop.touch()
        ranks = Ranks()
        with self.assertRaises(SystemExit) as ended:
            build_trainer(order, ranks, StopOnRequest(order.report.stop, ranks))
        self.assertEqual(ended.exception.code, 75)
        self.assertTrue(order.report.pulse.exists())

    def test_of_every_loss_trains(self) -> None:
        self.settings["duration"] = {"maxSteps": 1}
        self.settings["evaluation"] |= {"strategy": "No", "everySteps": None}
        for loss in ("SigmoidNorm", "Hinge", "IPO", "Robust", "APOZero", "APODown"):
            with self.subTest(loss):
                self.settings["dpo"] |= {"lossType": loss, "labelSmoothing": "0.1" if loss == "Robust" else "0"}
                self.assertEqual(self.trained().global_step, 1)

    def assert_resumes_exactly(self, state: TrainerState, weights: str) -> None:
        whole = load_file(self.checkpoint(STEPS) / weights)
        shutil.rmtree(self.checkpoint(STEPS))
        again = train(self.order(resume_from=3), build_trainer)
        self.assertEqual(losses(again, "loss"), losses(state, "loss"))
        self.assertEqual(losses(again, "eval_loss"), losses(state, "eval_loss"))
        resumed = load_file(self.checkpoint(STEPS) / weights)
        self.assertEqual(resumed.keys(), whole.keys())
        self.assertTrue(all(torch.equal(resumed[name], whole[name]) for name in whole))

    def trained(self) -> TrainerState:
        return train(self.order(), build_trainer)

    def order(self, resume_from: int | None = None) -> EngineOrder:
        (self.folder / "run.json").write_text(json.dumps(self.settings))
        shutil.rmtree(self.folder / "report", ignore_errors=True)
        (self.folder / "report/snapshots").mkdir(parents=True)
        return EngineOrder(
            run_file=self.folder / "run.json",
            model_dir=self.model,
            train_file=self.folder / "train.jsonl",
            test_file=self.folder / "test.jsonl",
            output_dir=self.folder / "output",
            resume_from=self.checkpoint(resume_from) if resume_from is not None else None,
            micro_batch=2,
            report=EngineReport(folder=self.folder / "report"),
        )

    def checkpoint(self, step: int) -> Path:
        return self.folder / f"output/checkpoint-{step}"


def comparing(model: Path) -> World:
    world = World(model)
    world.compare()
    return world


def losses(state: TrainerState, name: str) -> list[float]:
    return [entry[name] for entry in state.log_history if name in entry]


def margin(model: Any, folder: Path, pair: dict[str, str]) -> float:
    """How much likelier the chosen answer is than the rejected one, in nats."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return log_prob(model, tokenizer, pair, "chosen") - log_prob(model, tokenizer, pair, "rejected")


def log_prob(model: Any, tokenizer: Any, pair: dict[str, str], side: str) -> float:
    asked = len(tokenizer(pair["prompt"])["input_ids"])
    ids = torch.tensor([tokenizer(pair["prompt"] + pair[side])["input_ids"]])
    with torch.no_grad():
        logits = model(input_ids=ids).logits[0, :-1].float()
    chosen = torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None])
    return float(chosen[asked - 1 :].sum())


if __name__ == "__main__":
    unittest.main()
