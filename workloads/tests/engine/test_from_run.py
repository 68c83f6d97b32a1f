"""A run goes on with the adapter of another one, and leaves one adapter on the original base. Runs inside the image."""

import hashlib
import json
import math
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from engine.run_document import ADAPTER_URI, MODEL_URI, continuing
from engine.shared_runs import Undisturbed, prepare, undisturbed
from engine.test_dpo import comparing, margin
from engine.test_resume import digests
from engine.world import World, kill_engine, some_pairs
from swe_workloads import tiny_model
from swe_workloads.adapter_files import CONFIG, WEIGHTS

TARGETS = ["q_proj", "v_proj"]
# Beforehand rows are padded to other lengths: where a processor rounds that otherwise, the last bit of a sum of two
# hundred nats in float32 is 1.5e-5, a tenth of which (beta) is seen here.
ROUNDING = {"EveryStep": 1e-6, "Precomputed": 4e-6}


class ARunThatContinues(unittest.TestCase):
    """As pods do it: the adapter of the first run is what the other ones begin with."""

    model: ClassVar[Path]
    first: ClassVar[Undisturbed]
    # The first run's own.
    adapter: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)
        world = World(cls.model)
        world.run["lora"]["targetModules"] = TARGETS
        world.run["duration"] = {"maxSteps": 12}
        cls.first = undisturbed(world)
        cls.adapter = stored(cls.first, f"adapter/{WEIGHTS}").parent

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def test_by_imitation_begins_with_the_loss_that_the_first_ended_with(self) -> None:
        run = undisturbed(self.imitating())
        ended, began = evaluations(self.first)[-1], evaluations(run)
        self.assertTrue(began and all(abs(loss - ended) < 1e-3 for loss in began), (ended, began))
        self.assert_one_adapter_of_the_first_base(run)

    def test_by_imitation_keeps_its_own_dropout(self) -> None:
        run = undisturbed(self.imitating())
        self.assertEqual(config(stored(run, f"adapter/{CONFIG}"))["lora_dropout"], 0.5)
        # Not an adapter beside the other one, and not one that was made anew.
        before, after = load_file(self.adapter / WEIGHTS), load_file(stored(run, f"adapter/{WEIGHTS}"))
        self.assertEqual(before.keys(), after.keys())
        self.assertTrue(all(nearer(after[name], before[name]) for name in before if "lora_A" in name))

    def test_by_comparison_has_what_the_first_learned_as_its_reference(self) -> None:
        # What the answers are worth before the first step is what the adapted model says, not the bare one.
        bare = history(undisturbed(comparing(self.model)))[0]["logps/chosen"]
        for when in ("EveryStep", "Precomputed"):
            with self.subTest(when):
                run = undisturbed(self.comparing(when))
                trained = [entry for entry in history(run) if "loss" in entry]
                self.assertAlmostEqual(trained[0]["loss"], math.log(2), delta=ROUNDING[when])
                self.assertAlmostEqual(trained[0]["rewards/margins"], 0, delta=ROUNDING[when])
                self.assertGreater(trained[-1]["rewards/margins"], 0.1)
                self.assertNotAlmostEqual(trained[0]["logps/chosen"], bare, delta=1)
                self.assert_one_adapter_of_the_first_base(run)

    def test_by_comparison_goes_on_exactly_after_its_engine_was_killed(self) -> None:
        for when in ("EveryStep", "Precomputed"):
            with self.subTest(when):
                whole = undisturbed(self.comparing(when))
                self.assertEqual(digests(self.killed(self.comparing(when))), digests(whole.verdict))

    def test_by_comparison_on_two_ranks_goes_on_exactly_too(self) -> None:
        whole = undisturbed(self.comparing("EveryStep", ranks=2)).verdict
        self.assertAlmostEqual(float(whole["preferences"]["margin"]["first"]), 0, delta=1e-6)
        self.assertEqual(digests(self.killed(self.comparing("EveryStep", ranks=2))), digests(whole))

    def test_by_comparison_moves_the_adapter_towards_what_is_chosen(self) -> None:
        adapter = stored(undisturbed(self.comparing("EveryStep")), f"adapter/{WEIGHTS}").parent
        pair = some_pairs()[0]
        before = margin(adapted(self.model, self.adapter), self.model, pair)
        self.assertGreater(margin(adapted(self.model, adapter), self.model, pair), before)

    def test_is_refused_where_its_settings_are_not_the_adapter_s(self) -> None:
        world = self.told(World(self.model))
        self.addCleanup(world.stop)
        world.run["lora"] |= {"rank": 16, "targetModules": ["all-linear"]}
        verdict = world.prepare()
        self.assertEqual(verdict["exitCode"], 64)
        self.assertIn("lora.rank 16 is not that of the adapter of TrainingRun sft, which has 8", verdict["message"])
        self.assertIn("is one of q_proj, v_proj: leave it out", verdict["message"])

    def test_is_refused_on_another_adapter_than_its_checkpoint_was_made_of(self) -> None:
        world = self.imitating()
        self.addCleanup(world.stop)
        prepare(world)
        process = world.start(1)
        world.when_stored("a1/step-4/manifest.json", lambda: kill_engine(process))
        world.finish(process, 1)
        content = (self.adapter / CONFIG).read_bytes() + b"\n"
        world.endpoint.put(f"{ADAPTER_URI}/{CONFIG}", content)
        self.assertIn("has other bytes than TrainingRun sft left", world.train(2)["message"])
        world.run["adapter"]["files"][CONFIG] = hashlib.sha256(content).hexdigest()
        self.assertEqual(world.train(3)["exitCode"], 66)

    def assert_one_adapter_of_the_first_base(self, run: Undisturbed) -> None:
        names = [artifact["name"] for artifact in run.verdict["artifacts"]]
        self.assertEqual([name for name in names if name.endswith("safetensors")], [f"adapter/{WEIGHTS}"])
        self.assertFalse(any("ref/" in name for name in names), names)
        found = config(stored(run, f"adapter/{CONFIG}"))
        self.assertEqual((found["base_model_name_or_path"], found["r"], found["lora_alpha"]), (MODEL_URI, 8, 16))
        self.assertEqual(found["target_modules"], TARGETS)
        adapted(self.model, stored(run, f"adapter/{WEIGHTS}").parent)

    def imitating(self) -> World:
        """It learns next to nothing, and drops half of that."""
        world = self.told(World(self.model))
        world.run["optimizer"]["learningRate"] = "1e-9"
        world.run["lora"]["dropout"] = "0.5"
        world.run["duration"] = {"maxSteps": 12}
        return world

    def comparing(self, when: str, ranks: int = 1) -> World:
        world = self.told(comparing(self.model))
        world.run["dpo"]["referenceLogProbs"] = when
        world.run["duration"] = {"maxSteps": 12}
        world.run["compute"]["ranks"] = ranks
        return world

    def told(self, world: World) -> World:
        """Of the first run as the operator tells it."""
        files = {name: (self.adapter / name).read_bytes() for name in (CONFIG, WEIGHTS)}
        for name, content in files.items():
            world.endpoint.put(f"{ADAPTER_URI}/{name}", content)
        world.run["lora"]["targetModules"] = TARGETS
        world.run = continuing(world.run, **{name: hashlib.sha256(files[name]).hexdigest() for name in files})
        return world

    def killed(self, world: World) -> dict[str, Any]:
        """The verdict of the attempt that went on."""
        self.addCleanup(world.stop)
        prepare(world)
        process = world.start(1)
        world.when_stored("a1/step-8/manifest.json", lambda: kill_engine(process))
        first = world.finish(process, 1)
        self.assertIn(first["exitCode"], (69, 70), world.output)
        second = world.train(2)
        self.assertEqual((second["exitCode"], second["fromStep"]), (0, first["checkpointStep"]), world.output)
        return second


def stored(run: Undisturbed, name: str) -> Path:
    [key] = [artifact["key"] for artifact in run.verdict["artifacts"] if artifact["name"] == name]
    return run.world.stored(key)


def history(run: Undisturbed) -> list[dict[str, float]]:
    return [json.loads(line) for line in stored(run, "metrics.jsonl").read_text().splitlines()]


def evaluations(run: Undisturbed) -> list[float]:
    return [entry["eval_loss"] for entry in history(run) if "eval_loss" in entry]


def config(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def adapted(model: Path, adapter: Path) -> Any:
    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), str(adapter)).eval()


def nearer(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Two random matrices are as far from each other as both are long."""
    return bool((one - other).norm() < 0.5 * other.norm())


if __name__ == "__main__":
    unittest.main()
