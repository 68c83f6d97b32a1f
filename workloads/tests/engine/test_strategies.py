"""When the engine evaluates, saves and ends, and what it trains. Runs inside the image."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import torch
import yaml
from safetensors.torch import load_file
from transformers import TrainerState

from engine.run_document import run_document
from engine.world import some_rows
from swe_workloads import tiny_model
from swe_workloads.engine_files import EngineOrder, EngineReport
from swe_workloads.engine_program import finished, finished_state, quieten, train
from swe_workloads.engine_sft import build_trainer

STEPS = 6
NEVER = {"strategy": "No", "everySteps": None}
BY_EPOCH = {"strategy": "Epoch", "everySteps": None}


class AnEngine(unittest.TestCase):
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
        self.folder = Path(tempfile.mkdtemp(prefix="swe-strategies-"))
        self.settings = run_document(self.folder / "rows.jsonl")
        self.settings["duration"] = {"maxSteps": STEPS}
        self.settings["evaluation"] |= NEVER
        rows = some_rows()[:10]
        for name, part in (("train.jsonl", rows[2:]), ("test.jsonl", rows[:2])):
            (self.folder / name).write_text("".join(json.dumps(row) + "\n" for row in part))

    def tearDown(self) -> None:
        shutil.rmtree(self.folder)

    def test_without_periodic_checkpoints_leaves_one_of_the_last_step(self) -> None:
        self.settings["checkpoint"] |= NEVER
        self.trained()
        self.assertEqual(self.checkpoints(), [STEPS])

    def test_saves_and_evaluates_after_each_epoch(self) -> None:
        self.settings["checkpoint"] |= BY_EPOCH
        self.settings["evaluation"] |= BY_EPOCH
        state = self.trained()  # 8 rows, 4 a step: 2 steps an epoch
        self.assertEqual(self.checkpoints(), [2, 4, 6])
        self.assertEqual([entry["step"] for entry in state.log_history if "eval_loss" in entry], [2, 4, 6])

    def test_stops_early_with_a_checkpoint_and_says_so(self) -> None:
        self.settings["duration"] = {"maxSteps": 24}
        self.settings["checkpoint"]["everySteps"] = 3
        rule = {"patience": 2, "minImprovement": "50"}
        self.settings["evaluation"] |= {"strategy": "Steps", "everySteps": 2, "earlyStop": rule}
        state = self.trained()
        over = finished(state)
        self.assertEqual((over.step, over.total_steps, over.stopped_early), (6, 24, True))
        self.assertIn(6, self.checkpoints())
        losses = {entry["step"]: entry["eval_loss"] for entry in state.log_history if "eval_loss" in entry}
        self.assertEqual((over.best_step, over.best_eval_loss), min(losses.items(), key=lambda item: item[1]))
        found = finished_state(self.order(resume_from=6))
        assert found is not None
        self.assertTrue(finished(found).stopped_early)
        self.assertIsNone(finished_state(self.order(resume_from=3)))
        self.assertEqual(train(self.order(resume_from=3), build_trainer).global_step, 6)

    def test_trains_the_whole_model(self) -> None:
        self.settings["lora"] = None
        self.trained()
        before, after = (load_file(folder / "model.safetensors") for folder in (self.model, self.checkpoint(STEPS)))
        self.assertEqual(before.keys(), after.keys())
        moved = [name for name in before if not torch.equal(before[name], after[name])]
        self.assertEqual(len(moved), len(before))
        self.assertFalse((self.checkpoint(STEPS) / "adapter_config.json").exists())

    def test_adapts_the_one_module_that_is_named(self) -> None:
        self.settings["lora"]["targetModules"] = ["q_proj"]
        self.trained()
        adapter = load_file(self.checkpoint(STEPS) / "adapter_model.safetensors")
        self.assertTrue(all(".q_proj." in name for name in adapter), adapter.keys())

    def test_keeps_what_trl_was_told(self) -> None:
        self.settings["engineOptions"] = {"adam_beta2": "0.95", "use_rslora": "true"}
        self.trained()
        told = yaml.safe_load(self.order().report.engine_config.read_text())
        self.assertEqual((told["adam_beta2"], told["use_rslora"], told["max_steps"]), (0.95, True, STEPS))
        config = json.loads((self.checkpoint(STEPS) / "adapter_config.json").read_text())
        self.assertTrue(config["use_rslora"])

    def test_learns_only_what_the_assistant_says(self) -> None:
        self.settings["data"]["format"] = "Messages"
        self.settings["sequence"]["lossOn"] = "AssistantMessages"
        turns = [{"role": "user", "content": "count to ten"}, {"role": "assistant", "content": "1 2 3"}]
        for name in ("train.jsonl", "test.jsonl"):
            (self.folder / name).write_text((json.dumps({"messages": turns}) + "\n") * 8)
        template = self.model / "chat_template.jinja"
        plain = template.read_text()
        template.write_text(MARKED)
        try:
            self.assertLess(finished(self.trained()).step, STEPS + 1)
        finally:
            template.write_text(plain)

    def trained(self) -> TrainerState:
        return train(self.order(), build_trainer)

    def order(self, resume_from: int | None = None) -> EngineOrder:
        (self.folder / "run.json").write_text(json.dumps(self.settings))
        (self.folder / "report/snapshots").mkdir(parents=True, exist_ok=True)
        changes: dict[str, Any] = {"resume_from": self.checkpoint(resume_from)} if resume_from is not None else {}
        order = EngineOrder(
            run_file=self.folder / "run.json",
            model_dir=self.model,
            train_file=self.folder / "train.jsonl",
            test_file=self.folder / "test.jsonl",
            output_dir=self.folder / "output",
            resume_from=None,
            micro_batch=2,
            report=EngineReport(folder=self.folder / "report"),
        )
        return order.model_copy(update=changes)

    def checkpoint(self, step: int) -> Path:
        return self.folder / f"output/checkpoint-{step}"

    def checkpoints(self) -> list[int]:
        return sorted(int(path.name.split("-")[1]) for path in (self.folder / "output").glob("checkpoint-*"))


MARKED = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}{% endfor %}"
)


if __name__ == "__main__":
    unittest.main()
