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
from engine.test_dpo import margin
from engine.test_resume import digests
from engine.world import World, kill_engine, some_pairs
from swe_workloads import tiny_model
from swe_workloads.adapter_files import CONFIG, WEIGHTS

TARGETS = ["q_proj", "v_proj"]


class ARunThatContinues(unittest.TestCase):
    """As pods do it: the adapter of the first run is what the other ones begin with."""

    model: ClassVar[Path]
    first: ClassVar[World]
    # The first run's own.
    adapter: ClassVar[Path]
    verdict: ClassVar[dict[str, Any]]
    # Comparisons that nobody disturbed, by how their reference is asked.
    undisturbed: ClassVar[dict[str, tuple[World, dict[str, Any]]]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)
        cls.first = World(cls.model)
        cls.first.run["lora"]["targetModules"] = TARGETS
        cls.first.run["duration"] = {"maxSteps": 12}
        assert cls.first.prepare()["exitCode"] == 0
        cls.verdict = cls.first.train()
        assert cls.verdict["exitCode"] == 0, (cls.verdict, cls.first.output)
        cls.adapter = stored(cls.first, cls.verdict, f"adapter/{WEIGHTS}").parent
        cls.undisturbed = {}

    @classmethod
    def tearDownClass(cls) -> None:
        for world in (cls.first, *(world for world, _ in cls.undisturbed.values())):
            world.stop()
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        self.worlds: list[World] = []

    def tearDown(self) -> None:
        for world in self.worlds:
            world.stop()

    def test_by_imitation_begins_with_the_loss_that_the_first_ended_with(self) -> None:
        world = self.another()
        world.run["optimizer"]["learningRate"] = "1e-9"
        verdict = self.trained(world)
        ended, began = evaluations(self.first, self.verdict)[-1], evaluations(world, verdict)
        self.assertTrue(all(abs(loss - ended) < 1e-3 for loss in began), (ended, began))
        self.assert_one_adapter_of_the_first_base(world, verdict)

    def test_by_imitation_keeps_its_own_dropout(self) -> None:
        world = self.another()
        world.run["lora"]["dropout"] = "0.5"
        world.run["duration"] = {"maxSteps": 6}
        verdict = self.trained(world)
        self.assertEqual(config(stored(world, verdict, f"adapter/{CONFIG}"))["lora_dropout"], 0.5)
        # Not an adapter beside the other one, and not one that was made anew.
        before, after = load_file(self.adapter / WEIGHTS), load_file(stored(world, verdict, f"adapter/{WEIGHTS}"))
        self.assertEqual(before.keys(), after.keys())
        self.assertTrue(all(nearer(after[name], before[name]) for name in before if "lora_A" in name))

    def test_by_comparison_has_what_the_first_learned_as_its_reference(self) -> None:
        for when in ("EveryStep", "Precomputed"):
            with self.subTest(when):
                world, verdict = self.compared(when)
                trained = [entry for entry in history(world, verdict) if "loss" in entry]
                self.assertAlmostEqual(trained[0]["loss"], math.log(2), delta=1e-6)
                self.assertAlmostEqual(trained[0]["rewards/margins"], 0, delta=1e-6)
                self.assertGreater(trained[-1]["rewards/margins"], 0.1)
                # What the answers are worth before the first step is what the adapted model says, not the bare one.
                self.assertNotAlmostEqual(trained[0]["logps/chosen"], self.bare_logps(), delta=1)
                self.assert_one_adapter_of_the_first_base(world, verdict)

    def test_by_comparison_goes_on_exactly_after_its_engine_was_killed(self) -> None:
        for when in ("EveryStep", "Precomputed"):
            with self.subTest(when):
                _, whole = self.compared(when)
                self.assertEqual(digests(self.killed(self.comparing(when))), digests(whole))

    def test_by_comparison_on_two_ranks_goes_on_exactly_too(self) -> None:
        whole, interrupted = (self.comparing("EveryStep") for _ in range(2))
        for world in (whole, interrupted):
            world.run["compute"]["ranks"] = 2
        undisturbed = self.trained(whole)
        self.assertAlmostEqual(float(undisturbed["preferences"]["margin"]["first"]), 0, delta=1e-6)
        self.assertEqual(digests(self.killed(interrupted)), digests(undisturbed))

    def test_by_comparison_moves_the_adapter_towards_what_is_chosen(self) -> None:
        adapter = stored(*self.compared("EveryStep"), f"adapter/{WEIGHTS}").parent
        pair = some_pairs()[0]
        before = margin(adapted(self.model, self.adapter), self.model, pair)
        self.assertGreater(margin(adapted(self.model, adapter), self.model, pair), before)

    def test_is_refused_where_its_settings_are_not_the_adapter_s(self) -> None:
        world = self.another()
        world.run["lora"] |= {"rank": 16, "targetModules": ["all-linear"]}
        verdict = world.prepare()
        self.assertEqual(verdict["exitCode"], 64)
        self.assertIn("lora.rank 16 is not that of the adapter of TrainingRun sft, which has 8", verdict["message"])
        self.assertIn("is one of q_proj, v_proj: leave it out", verdict["message"])

    def test_is_refused_on_another_adapter_than_its_checkpoint_was_made_of(self) -> None:
        world = self.another()
        world.run["duration"] = {"maxSteps": 12}
        self.assertEqual(world.prepare()["exitCode"], 0)
        process = world.start(1)
        world.when_stored("a1/step-4/manifest.json", lambda: kill_engine(process))
        world.finish(process, 1)
        content = (self.adapter / CONFIG).read_bytes() + b"\n"
        world.endpoint.put(f"{ADAPTER_URI}/{CONFIG}", content)
        self.assertIn("has other bytes than TrainingRun sft left", world.train(2)["message"])
        world.run["adapter"]["files"][CONFIG] = hashlib.sha256(content).hexdigest()
        self.assertEqual(world.train(3)["exitCode"], 66)

    def assert_one_adapter_of_the_first_base(self, world: World, verdict: dict[str, Any]) -> None:
        names = [artifact["name"] for artifact in verdict["artifacts"]]
        self.assertEqual([name for name in names if name.endswith("safetensors")], [f"adapter/{WEIGHTS}"])
        self.assertFalse(any("ref/" in name for name in names), names)
        found = config(stored(world, verdict, f"adapter/{CONFIG}"))
        self.assertEqual((found["base_model_name_or_path"], found["r"], found["lora_alpha"]), (MODEL_URI, 8, 16))
        self.assertEqual(found["target_modules"], TARGETS)
        adapted(self.model, stored(world, verdict, f"adapter/{WEIGHTS}").parent)

    def another(self) -> World:
        """A run that is told of the first one as the operator tells it."""
        world = World(self.model)
        self.worlds.append(world)
        return self.told(world)

    def compared(self, when: str) -> tuple[World, dict[str, Any]]:
        if when not in self.undisturbed:
            world = self.comparing(when)
            self.worlds.remove(world)
            self.undisturbed[when] = world, self.trained(world)
        return self.undisturbed[when]

    def comparing(self, when: str) -> World:
        world = World(self.model)
        self.worlds.append(world)
        world.compare()
        world.run["dpo"]["referenceLogProbs"] = when
        world.run["duration"] = {"maxSteps": 12}
        return self.told(world)

    def told(self, world: World) -> World:
        files = {name: (self.adapter / name).read_bytes() for name in (CONFIG, WEIGHTS)}
        for name, content in files.items():
            world.endpoint.put(f"{ADAPTER_URI}/{name}", content)
        world.run["lora"]["targetModules"] = TARGETS
        world.run = continuing(world.run, **{name: hashlib.sha256(files[name]).hexdigest() for name in files})
        return world

    def trained(self, world: World) -> dict[str, Any]:
        prepared = world.prepare()
        self.assertEqual(prepared["exitCode"], 0, prepared)
        verdict = world.train()
        self.assertEqual(verdict["exitCode"], 0, (verdict, world.output))
        return verdict

    def killed(self, world: World) -> dict[str, Any]:
        """The verdict of the attempt that went on."""
        self.assertEqual(world.prepare()["exitCode"], 0)
        process = world.start(1)
        world.when_stored("a1/step-8/manifest.json", lambda: kill_engine(process))
        first = world.finish(process, 1)
        self.assertIn(first["exitCode"], (69, 70), world.output)
        second = world.train(2)
        self.assertEqual((second["exitCode"], second["fromStep"]), (0, first["checkpointStep"]), world.output)
        return second

    def bare_logps(self) -> float:
        world = World(self.model)
        self.worlds.append(world)
        world.compare()
        world.run["lora"]["targetModules"] = TARGETS
        world.run["duration"] = {"maxSteps": 12}
        return history(world, self.trained(world))[0]["logps/chosen"]


def stored(world: World, verdict: dict[str, Any], name: str) -> Path:
    [key] = [artifact["key"] for artifact in verdict["artifacts"] if artifact["name"] == name]
    return world.stored(key)


def history(world: World, verdict: dict[str, Any]) -> list[dict[str, float]]:
    return [json.loads(line) for line in stored(world, verdict, "metrics.jsonl").read_text().splitlines()]


def evaluations(world: World, verdict: dict[str, Any]) -> list[float]:
    return [entry["eval_loss"] for entry in history(world, verdict) if "eval_loss" in entry]


def config(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def adapted(model: Path, adapter: Path) -> Any:
    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), str(adapter)).eval()


def nearer(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Two random matrices are as far from each other as both are long."""
    return bool((one - other).norm() < 0.5 * other.norm())


if __name__ == "__main__":
    unittest.main()
