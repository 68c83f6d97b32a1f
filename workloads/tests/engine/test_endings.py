"""Every way an attempt can end, with the code and the words for it. Runs inside the image, as test_resume does."""

import hashlib
import json
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import load_file, save_file

from engine.run_document import MODEL_URI, TOTAL_STEPS
from engine.shared_runs import prepare, undisturbed
from engine.world import World, kill_engine, wait_for
from swe_workloads import tiny_model

PREFIX = "swe-operator/team/models/tiny"


class AnAttempt(unittest.TestCase):
    model: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        self.world = World(self.model)
        prepare(self.world)

    def tearDown(self) -> None:
        self.world.stop()

    def test_refuses_modules_that_the_model_does_not_have(self) -> None:
        self.world.run["lora"]["targetModules"] = ["no_such_proj"]
        self.assert_ends(self.world.train(), 64, "no_such_proj")

    def test_refuses_a_model_with_missing_weights(self) -> None:
        path = self.world.endpoint.objects / PREFIX / "model.safetensors"
        weights = load_file(path)
        del weights["model.layers.0.mlp.up_proj.weight"]
        save_file(weights, path, metadata={"format": "pt"})
        self.assert_ends(self.world.train(), 66, "model.layers.0.mlp.up_proj.weight")

    def test_refuses_a_model_that_is_no_model(self) -> None:
        (self.world.endpoint.objects / PREFIX / "model.safetensors").write_bytes(b"not a tensor")
        self.assert_ends(self.world.train(), 66, MODEL_URI)

    def test_refuses_prepared_data_that_is_no_data(self) -> None:
        [train] = self.world.stored("data").glob("*/train.jsonl")
        train.write_text("{broken\n")
        path = self.world.stored("data/manifest.json")
        document = json.loads(path.read_text())
        for file in document["files"]:
            if file["key"].endswith("train.jsonl"):
                content = train.read_bytes()
                file |= {"sha256": hashlib.sha256(content).hexdigest(), "sizeBytes": len(content)}
        path.write_text(json.dumps(document))
        self.assert_ends(self.world.train(), 65, "The prepared data cannot be read")

    def test_ends_when_the_loss_is_no_number(self) -> None:
        self.world.run["optimizer"]["learningRate"] = "1e30"
        verdict = self.world.train()
        self.assert_ends(verdict, 68, "optimizer.learningRate")
        self.assertTrue(verdict["logTail"])

    def test_reports_progress_over_https_with_strict_certificates(self) -> None:
        whole = undisturbed(World(self.model))
        self.assertIn(f"All {TOTAL_STEPS} steps", whole.verdict["message"])
        reports = whole.world.endpoint.progress
        self.assertEqual(reports[-1]["trainerStatus"]["progressPercentage"], 100)
        last_metrics = {item["name"]: item["value"] for item in reports[-1]["trainerStatus"]["metrics"]}
        self.assertGreater(float(last_metrics["loss"]), 0)
        self.assertIn({"name": "total_steps", "value": str(TOTAL_STEPS)}, reports[0]["trainerStatus"]["metrics"])
        self.assertTrue(reports[0]["path"].endswith("/attempts/1/status"))

    def test_counts_steps_of_whole_epochs(self) -> None:
        self.world.run["duration"] = {"epochs": "0.5"}
        verdict = self.world.train()
        self.assert_ends(verdict, 0, "steps are done")
        self.assertEqual(verdict["lastStep"], verdict["totalSteps"])

    def test_learns_conversations(self) -> None:
        rows = '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'
        self.world.rows.write_text(rows + rows.replace("Hi", "Bye"))
        self.world.run["data"]["format"] = "Messages"
        self.world.run["sequence"]["lossOn"] = "All"
        self.world.run["batch"]["perDevice"] = 1
        self.world.run["duration"] = {"maxSteps": 2}
        self.world.run["evaluation"]["everySteps"] = self.world.run["checkpoint"]["everySteps"] = 2
        shutil.rmtree(self.world.stored("data"))
        self.assertEqual(self.world.prepare()["summary"]["rows"], 2)
        self.assert_ends(self.world.train(), 0, "All 2 steps")

    def test_is_over_within_the_grace_period_even_when_the_engine_hangs(self) -> None:
        process = self.world.start(1, SWE_GRACE_SECONDS="10")
        stopped_at: list[float] = []

        def hang_and_stop() -> None:
            kill_engine(process, signal.SIGSTOP)
            stopped_at.append(time.monotonic())
            process.send_signal(signal.SIGTERM)

        self.world.when_stored("a1/step-4/manifest.json", hang_and_stop)
        verdict = self.world.finish(process, 1)
        self.assertLess(time.monotonic() - stopped_at[0], 10)
        self.assert_ends(verdict, 75, "continues from step")
        self.assertGreaterEqual(verdict["checkpointStep"], 4)

    def test_stops_at_once_when_it_has_not_begun_to_train(self) -> None:
        self.world.endpoint.failures["GET /swe-operator/team/models", 503] = 10_000
        process = self.world.start(1)
        wait_for(lambda: any("team/models" in request for request in self.world.endpoint.requests))
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        self.assert_ends(self.world.finish(process, 1), 75, "Stopped")
        self.assertLess(time.monotonic() - begun, 100)  # a store that is away is otherwise waited for 300 s

    def assert_ends(self, verdict: dict[str, Any], code: int, words: str) -> None:
        self.assertEqual(verdict["exitCode"], code, (verdict, self.world.output))
        self.assertIn(words, verdict["message"])


if __name__ == "__main__":
    unittest.main()
