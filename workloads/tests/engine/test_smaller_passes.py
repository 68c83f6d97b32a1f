"""After a shortage of GPU memory the run goes on in smaller passes: the same rows, the same steps. Inside the image."""

import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any

from engine.run_document import TOTAL_STEPS
from engine.shared_runs import prepare
from engine.world import World
from swe_workloads import tiny_model

TESTS = Path(__file__).parents[1]
# Sums of the same numbers in another order.
ROUNDING = 1e-3


class SmallerPasses(unittest.TestCase):
    def setUp(self) -> None:
        self.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(self.model, seed=1)
        self.worlds = [self.prepared(), self.prepared()]

    def tearDown(self) -> None:
        for world in self.worlds:
            world.stop()
        shutil.rmtree(self.model.parent)

    def prepared(self) -> World:
        world = World(self.model)
        world.run["lora"]["dropout"] = "0"  # its masks depend on the shape of a pass
        prepare(world)
        return world

    def test_see_the_same_rows_in_the_same_order_and_learn_the_same(self) -> None:
        whole, scarce = self.worlds
        self.assertEqual(train(whole, 1)["exitCode"], 0, whole.output)
        first = train(scarce, 1, SWE_TEST_ROOM_UNTIL="9")
        self.assertEqual(
            (first["exitCode"], first["reason"], first["microBatch"]), (67, "CUDAOutOfMemory", 2), scarce.output
        )
        self.assertIn("Tried to allocate 2.00 GiB", first["message"])
        self.assertEqual((first["lastStep"], first["checkpointStep"]), (9, 8))
        second = train(scarce, 2, SWE_TEST_ROOM_UNTIL="9", SWE_MICRO_BATCH="1")
        self.assertEqual((second["exitCode"], second["fromStep"], second["microBatch"]), (0, 8, 1), scarce.output)

        self.assertEqual(rows(scarce, 2), [row for row in rows(whole, 1) if int(row.split()[0]) > 8])
        expected, found = losses(whole), losses(scarce)
        self.assertEqual(len(found), TOTAL_STEPS)
        for step, loss in expected.items():
            self.assertAlmostEqual(found[step], loss, delta=ROUNDING, msg=f"step {step}")


def train(world: World, attempt: int, **environment: str) -> dict[str, Any]:
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    noted = str(world.work(attempt) / "rows")
    process = world._start("engine.scarce_memory", attempt, PYTHONPATH=paths, SWE_TEST_ROWS=noted, **environment)
    return world.finish(process, attempt)


def rows(world: World, attempt: int) -> list[str]:
    return (world.work(attempt) / "rows").read_text().splitlines()


def losses(world: World) -> dict[int, float]:
    [metrics] = world.stored("result").glob("*/metrics.jsonl")
    entries = [json.loads(line) for line in metrics.read_text().splitlines()]
    return {entry["step"]: entry["loss"] for entry in entries if "loss" in entry}


if __name__ == "__main__":
    unittest.main()
