"""An interrupted run ends with the very bytes of an uninterrupted one.

Needs torch and trl, so it runs inside the image:
    cd /opt/swe-workloads && python -m unittest discover -s tests/engine -t tests
"""

import hashlib
import json
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from engine.run_document import CHECKPOINT_EVERY, TOTAL_STEPS
from engine.shared_runs import Undisturbed, prepare, undisturbed
from engine.world import World, checkpoint_after, kill_engine
from swe_workloads import tiny_model

SAME_BYTES = ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "metrics.jsonl")
IMPATIENT = {"SWE_STORE_PATIENCE_SECONDS": "3"}


class AnInterruptedRun(unittest.TestCase):
    """One run to which everything happens, an attempt after the other, beside one to which nothing does."""

    model: ClassVar[Path]
    whole: ClassVar[Undisturbed]
    world: ClassVar[World]
    # The verdicts of its attempts, by what came in between or was there when they began.
    stopped: ClassVar[dict[str, Any]]
    killed: ClassVar[dict[str, Any]]
    unstored: ClassVar[dict[str, Any]]
    damaged: ClassVar[dict[str, Any]]
    finished: ClassVar[dict[str, Any]]
    percents_until_stopped: ClassVar[list[float]]
    said_of_damage: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)
        cls.whole = undisturbed(World(cls.model))
        cls.world = World(cls.model)
        prepare(cls.world)
        cls.stop_and_kill()
        cls.lose_the_result_and_a_checkpoint()
        cls.finished = cls.world.train(5)

    @classmethod
    def stop_and_kill(cls) -> None:
        process = cls.world.start(1)
        cls.world.when_stored("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
        cls.stopped = cls.world.finish(process, 1)
        reports = cls.world.endpoint.progress
        cls.percents_until_stopped = [report["trainerStatus"]["progressPercentage"] for report in reports]
        process = cls.world.start(2)
        some_more = checkpoint_after(cls.stopped["lastStep"])
        cls.world.when_stored(f"a2/step-{some_more}/manifest.json", lambda: kill_engine(process))
        cls.killed = cls.world.finish(process, 2)

    @classmethod
    def lose_the_result_and_a_checkpoint(cls) -> None:
        cls.world.endpoint.failures["PUT /swe-operator/team/0b5e7c1a-run/result", 503] = 10_000
        cls.unstored = cls.world.train(3, **IMPATIENT)
        weights = cls.world.stored(f"checkpoints/a3/step-{TOTAL_STEPS}/adapter_model.safetensors")
        weights.write_bytes(weights.read_bytes()[:-1] + b"x")
        cls.damaged = cls.world.train(4, **IMPATIENT)
        cls.said_of_damage = cls.world.output
        cls.world.endpoint.failures.clear()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.world.stop()
        shutil.rmtree(cls.model.parent)

    def test_ends_with_the_bytes_of_one_that_nobody_disturbed(self) -> None:
        self.assertEqual(digests(self.finished), digests(self.whole.verdict))
        for artifact in self.finished["artifacts"]:
            content = self.world.stored(artifact["key"]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), artifact["sha256"])

    def test_continues_after_the_pod_was_stopped(self) -> None:
        first = self.stopped
        self.assertEqual((first["exitCode"], first["reason"]), (75, "Preempted"))
        self.assertLess(first["lastStep"], TOTAL_STEPS)
        self.assertEqual(first["checkpointStep"], first["lastStep"])
        self.assertTrue(self.world.stored(f"checkpoints/a1/step-{first['lastStep']}/manifest.json").exists())
        self.assertEqual(json.loads(self.world.stored("attempts/1/verdict.json").read_text()), first)
        self.assertEqual(self.killed["fromStep"], first["lastStep"])

    def test_does_not_report_the_whole_way_when_it_is_stopped(self) -> None:
        self.assertIn("Stopped at step", self.stopped["message"])
        self.assertLess(max(self.percents_until_stopped), 100)

    def test_continues_after_the_engine_was_killed(self) -> None:
        self.assertEqual((self.killed["exitCode"], self.killed["reason"]), (70, "EngineFailed"))
        self.assertIn("SIGKILL", self.killed["message"])
        self.assertGreaterEqual(self.killed["checkpointStep"], 8)
        self.assertEqual(self.unstored["fromStep"], self.killed["checkpointStep"])

    def test_passes_over_a_damaged_checkpoint(self) -> None:
        self.assertIn("has other bytes than its manifest says", self.said_of_damage)
        self.assertEqual(self.damaged["fromStep"], TOTAL_STEPS - CHECKPOINT_EVERY)

    def test_finishes_when_only_the_upload_of_the_result_was_missing(self) -> None:
        for verdict in (self.unstored, self.damaged):
            self.assertEqual((verdict["exitCode"], verdict["reason"]), (72, "StoreUnavailable"))
            self.assertEqual(verdict["checkpointStep"], TOTAL_STEPS)
        self.assertEqual((self.finished["exitCode"], self.finished["fromStep"]), (0, TOTAL_STEPS))

    def test_is_not_trained_again_once_its_result_is_sealed(self) -> None:
        self.assertEqual(self.world.train(6), self.finished)
        self.assertNotIn("Training from step", self.world.output)


def digests(verdict: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item["sha256"] for item in verdict["artifacts"] if item["name"] in SAME_BYTES}


if __name__ == "__main__":
    unittest.main()
