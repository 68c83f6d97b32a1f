"""Comparisons on two ranks under torchrun, on CPU: stopped and gone on with exactly. Runs inside the image."""

import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from engine.shared_runs import prepare, undisturbed
from engine.test_dpo import comparing
from engine.test_resume import digests
from engine.world import World
from swe_workloads import tiny_model


class AComparisonOnTwoRanks(unittest.TestCase):
    model: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def test_of_an_adapter_goes_on_exactly_after_a_stop(self) -> None:
        self.assert_goes_on_exactly({})

    def test_of_a_whole_model_goes_on_exactly_with_figures_of_the_reference_computed_beforehand(self) -> None:
        rate = {"learningRate": "1e-3"}
        self.assert_goes_on_exactly({"lora": None, "optimizer": rate, "dpo": {"referenceLogProbs": "Precomputed"}})

    def assert_goes_on_exactly(self, changes: dict[str, Any]) -> None:
        whole = undisturbed(comparing_on_two_ranks(self.model, changes)).verdict
        self.assertAlmostEqual(float(whole["preferences"]["margin"]["first"]), 0, delta=1e-5)
        world = comparing_on_two_ranks(self.model, changes)
        self.addCleanup(world.stop)
        prepare(world)
        process = world.start(1)
        world.when_stored("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
        first = world.finish(process, 1)
        self.assertEqual(first["exitCode"], 75, world.output)
        second = world.train(2)
        self.assertEqual((second["exitCode"], second["fromStep"]), (0, first["lastStep"]), world.output)
        self.assertEqual(digests(second), digests(whole))
        self.assertEqual(weights(second), weights(whole))


def comparing_on_two_ranks(model: Path, changes: dict[str, Any]) -> World:
    world = comparing(model)
    for name, value in changes.items():
        world.run[name] = value if value is None else {**world.run[name], **value}
    world.run["compute"]["ranks"] = 2
    world.run["duration"] = {"maxSteps": 12}
    return world


def weights(verdict: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["sha256"] for item in verdict["artifacts"] if item["name"].endswith(".safetensors")}


if __name__ == "__main__":
    unittest.main()
