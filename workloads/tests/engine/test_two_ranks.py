"""Two ranks under torchrun, on CPU: they stop together, save together, and go on exactly. Runs inside the image."""

import os
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar

from engine.run_document import TOTAL_STEPS
from engine.test_resume import digests
from engine.world import World
from swe_workloads import tiny_model
from swe_workloads.engine_process import descendants


class TwoRanks(unittest.TestCase):
    model: ClassVar[Path]
    whole_world: ClassVar[World]
    uninterrupted: ClassVar[dict[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)
        cls.whole_world = world = prepared(cls.model)
        verdict = world.train()
        assert verdict["exitCode"] == 0, (verdict, world.output)
        assert verdict["lastStep"] == TOTAL_STEPS
        cls.uninterrupted = digests(verdict)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.whole_world.stop()
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        self.world = prepared(self.model)

    def tearDown(self) -> None:
        self.world.stop()

    def test_a_stop_saves_the_same_step_on_both_and_the_next_attempt_goes_on_exactly(self) -> None:
        process = self.world.start(1)
        self.world.when_stored("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
        first = self.world.finish(process, 1)
        self.assertEqual((first["exitCode"], first["reason"]), (75, "Preempted"), (first, self.world.output))
        self.assertEqual(first["checkpointStep"], first["lastStep"])
        kept = {path.name for path in self.world.stored(f"checkpoints/a1/step-{first['lastStep']}").iterdir()}
        self.assertLessEqual({"rng_state_0.pth", "rng_state_1.pth", "manifest.json"}, kept)
        self.assert_goes_on_exactly(first["lastStep"])

    def test_a_rank_that_was_killed_is_a_lost_peer_and_costs_the_steps_since_the_last_checkpoint(self) -> None:
        process = self.world.start(1)
        self.world.when_stored("a1/step-8/manifest.json", lambda: os.kill(ranks_of(process.pid)[1], signal.SIGKILL))
        first = self.world.finish(process, 1)
        self.assertEqual((first["exitCode"], first["reason"]), (69, "PeerLost"), (first, self.world.output))
        self.assertGreaterEqual(first["checkpointStep"], 8)
        self.assert_goes_on_exactly(first["checkpointStep"])

    def test_what_one_rank_says_about_its_end_is_the_end_of_the_attempt(self) -> None:
        self.world.run["optimizer"]["learningRate"] = "1e30"
        verdict = self.world.train()
        self.assertEqual((verdict["exitCode"], verdict["reason"]), (68, "Diverged"), (verdict, self.world.output))

    def test_a_rank_that_hangs_holds_the_other_up_until_both_are_ended(self) -> None:
        # Longer than two ranks take to load on a machine that does other things too.
        self.world.run["stallAfterSeconds"] = 60
        process = self.world.start(1)
        self.world.when_stored("a1/step-8/manifest.json", lambda: os.kill(ranks_of(process.pid)[1], signal.SIGSTOP))
        verdict = self.world.finish(process, 1)
        self.assertEqual((verdict["exitCode"], verdict["reason"]), (73, "EngineStalled"), (verdict, self.world.output))
        self.assertIn("Fatal Python error: Aborted", self.world.output)
        self.assertIn("engine_sft.py", self.world.output)

    def assert_goes_on_exactly(self, step: int) -> None:
        second = self.world.train(2)
        self.assertEqual((second["exitCode"], second["fromStep"]), (0, step), (second, self.world.output))
        self.assertEqual(digests(second), self.uninterrupted)


def prepared(model: Path) -> World:
    world = World(model)
    world.run["compute"]["ranks"] = 2
    verdict = world.prepare()
    assert verdict["exitCode"] == 0, verdict
    return world


def ranks_of(wrapper: int) -> list[int]:
    """The processes of the two ranks, rank 0 first."""
    found: dict[str, int] = {}
    for pid in descendants(wrapper):
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
        rank = next((variable for variable in variables if variable.startswith("RANK=")), None)
        if rank is not None:
            found.setdefault(rank, pid)
    return [found[rank] for rank in sorted(found)]


if __name__ == "__main__":
    unittest.main()
