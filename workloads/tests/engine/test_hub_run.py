"""A run whose model and rows come from a hub, with the real client in both programs. Runs inside the image."""

import io
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import ClassVar
from unittest import mock

import pyarrow
import pyarrow.parquet
from fake_hub import TOKEN, FakeHub

from engine.world import World, some_rows
from swe_workloads import tiny_model

MODEL = "team/tiny"
ROWS = "team/rows"


class ARunFromAHub(unittest.TestCase):
    model: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.model, seed=1)

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.model.parent)

    def setUp(self) -> None:
        # The host of large files is another one, which refuses every request that brings the token.
        self.hub = FakeHub(cdn="127.0.0.1").start()
        self.files = {path.name: path.read_bytes() for path in self.model.iterdir()}
        self.commits = [
            self.hub.commit("models", MODEL, self.files | {"pytorch_model.bin": b"not needed"}),
            self.hub.commit("datasets", ROWS, {"data/train-00000-of-00001.parquet": as_parquet(some_rows())}),
        ]
        for repository in self.hub.repositories.values():
            repository.gated = True
        self.world = World(self.model)
        place = {"revision": "main", "endpoint": self.hub.url, "credentials": "Secret"}
        run = self.world.run
        run["model"] = {"kind": "Hub", "repo": MODEL, **place}
        run["data"]["source"] = {"hub": {"repo": ROWS, "config": None, "split": "train", **place}}
        run["duration"] = {"maxSteps": 2}
        run["evaluation"]["everySteps"] = run["checkpoint"]["everySteps"] = 2
        for purpose in ("model", "data"):
            secret = self.world.work(1) / "credentials" / purpose
            secret.mkdir(parents=True)
            (secret / "HF_TOKEN").write_text(TOKEN)
        # Pods do not set it; whoever runs the tests may have.
        self.environment = mock.patch.dict(os.environ, {"HF_HUB_OFFLINE": "0"})
        self.environment.start()

    def tearDown(self) -> None:
        self.environment.stop()
        self.world.stop()
        self.hub.stop()

    def test_trains_what_was_prepared_although_the_hub_has_something_newer(self) -> None:
        prepared = self.world.prepare()
        self.assertEqual(prepared["exitCode"], 0, prepared)
        self.assertEqual([prepared["sources"][name]["revision"] for name in ("model", "data")], self.commits)
        self.assertEqual(prepared["summary"]["rows"], len(some_rows()))
        self.assertFalse(any("safetensors" in request for request in self.hub.requests))

        self.hub.commit("models", MODEL, {**self.files, "tokenizer.json": b"{}", "model.safetensors": b"newer"})
        trained = self.world.train()
        self.assertEqual((trained["exitCode"], trained["lastStep"]), (0, 2), self.world.output)
        summary = json.loads(self.world.stored("result/a1/summary.json").read_text())
        self.assertEqual(summary["model"]["uri"], f"hf://{MODEL}@{self.commits[0]}")
        self.assertFalse(any("pytorch_model.bin" in request for request in self.hub.requests))
        self.assertNotIn(TOKEN, self.world.output + json.dumps([prepared, trained]))


def as_parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), out)
    return out.getvalue()


if __name__ == "__main__":
    unittest.main()
