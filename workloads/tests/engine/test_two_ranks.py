"""Two ranks under torchrun, on CPU: they stop together, save together, and go on exactly. Runs inside the image."""

import os
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from engine.run_document import TOTAL_STEPS
from engine.shared_runs import prepare, undisturbed
from engine.test_resume import digests
from engine.world import World, checkpoint_after
from swe_workloads import tiny_model
from swe_workloads.engine_process import descendants


class TwoRanks(unittest.TestCase):
    model: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        self.world = on_two_ranks(self.model)
        prepare(self.world)

    def tearDown(self) -> None:
        self.world.stop()

    def test_that_were_stopped_and_lost_one_another_end_with_the_bytes_of_an_undisturbed_run(self) -> None:
        whole = undisturbed(on_two_ranks(self.model)).verdict
        self.assertEqual(whole["lastStep"], TOTAL_STEPS)
        stopped = self.stop_both_at_the_same_step()
        killed = self.kill_one(2, checkpoint_after(stopped["lastStep"]))
        self.assertEqual(killed["fromStep"], stopped["lastStep"])
        last = self.world.train(3)
        self.assertEqual((last["exitCode"], last["fromStep"]), (0, killed["checkpointStep"]), (last, self.world.output))
        self.assertEqual(digests(last), digests(whole))

    def stop_both_at_the_same_step(self) -> dict[str, Any]:
        """The verdict of the attempt; what both ranks need to go on is in the store."""
        process = self.world.start(1)
        self.world.when_stored("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
        verdict = self.world.finish(process, 1)
        self.assertEqual((verdict["exitCode"], verdict["reason"]), (75, "Preempted"), (verdict, self.world.output))
        self.assertEqual(verdict["checkpointStep"], verdict["lastStep"])
        kept = {path.name for path in self.world.stored(f"checkpoints/a1/step-{verdict['lastStep']}").iterdir()}
        self.assertLessEqual({"rng_state_0.pth", "rng_state_1.pth", "manifest.json"}, kept)
        return verdict

    def kill_one(self, attempt: int, after: int) -> dict[str, Any]:
        """The verdict: a lost peer, which costs the steps since the last checkpoint."""
        process = self.world.start(attempt)
        stored = f"a{attempt}/step-{after}/manifest.json"
        self.world.when_stored(stored, lambda: os.kill(ranks_of(process.pid)[1], signal.SIGKILL))
        verdict = self.world.finish(process, attempt)
        self.assertEqual((verdict["exitCode"], verdict["reason"]), (69, "PeerLost"), (verdict, self.world.output))
        self.assertGreaterEqual(verdict["checkpointStep"], after)
        return verdict

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


def on_two_ranks(model: Path) -> World:
    world = World(model)
    world.run["compute"]["ranks"] = 2
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
