"""What the wrapper, the upload of checkpoints and the reports cost: the same training with and without them, in turns.

    python tests/engine/overhead.py --pairs 5 --steps 150

With: `swe_workloads.train` as in a pod, before the stand-in for the operator's endpoint and the store. Without: TRL's
own `trl.scripts.sft` with the file of settings that the engine gets, on the same rows, from local files to local
files. Prints one line of JSON for each training: seconds by the clock, and how many of them went into the perplexity of
the held-out rows, which plain TRL does not measure.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.world import World
from swe_workloads import tiny_model
from swe_workloads.data_files import TEST_FILE, TRAIN_FILE
from swe_workloads.run_file import read_run_file
from swe_workloads.trl_config import Paths, render, write

# Half a second to a second for a step on one core: as long as on a GPU with a model that is worth training.
HIDDEN = 320
LAYERS = 4
ROWS = 80
ROW_CHARACTERS = 1600
CHECKPOINTS = 3
# What the wrapper says before and after it has the held-out rows measured.
MEASURES, MEASURED = "The perplexity of the held-out rows is being measured.", "Uploading the result."
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Training:
    """One whole program, from the start of its process to its end."""

    kind: str
    wall_seconds: float
    held_out_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        tiny_model.make(model, seed=42, hidden=HIDDEN, layers=LAYERS)
        world = prepared_world(model, options.steps)
        try:
            measure_pairs(world, model, options.pairs)
        finally:
            world.stop()


def prepared_world(model: Path, steps: int) -> World:
    world = World(model)
    world.rows.write_text("".join(json.dumps(row) + "\n" for row in source_code_rows()))
    every = max(1, steps // CHECKPOINTS)
    world.run |= {
        "duration": {"maxSteps": steps},
        "batch": {**world.run["batch"], "perDevice": 2, "gradientAccumulation": 1},
        "split": {**world.run["split"], "trainPercent": 90},
        "evaluation": {"strategy": "Steps", "everySteps": every, "earlyStop": None},
        "checkpoint": {**world.run["checkpoint"], "strategy": "Steps", "everySteps": every},
        "logging": {"everySteps": 5},
    }
    verdict = world.prepare()
    assert verdict["exitCode"] == 0, verdict
    return world


def measure_pairs(world: World, model: Path, pairs: int) -> None:
    """The one that comes first changes from pair to pair, so that a machine that gets slower slows both."""
    for pair in range(pairs):
        kinds = [lambda: train_plainly(world, model), lambda: train_wrapped(world)]
        for train in kinds if pair % 2 == 0 else reversed(kinds):
            print(json.dumps(asdict(train())), flush=True)


def train_wrapped(world: World) -> Training:
    for name in ("checkpoints", "attempts", "result"):  # a run that finished would not train again
        shutil.rmtree(world.stored(name), ignore_errors=True)
    (world.work(1) / "termination").unlink(missing_ok=True)
    environment = {**ONE_CORE, **world.endpoint.environment(world.work(1), world.folder / "run.json")}
    said = run([sys.executable, "-m", "swe_workloads.train"], environment)
    verdict = world.verdict(1)
    assert verdict["lastStep"] == world.run["duration"]["maxSteps"], verdict
    return Training("wrapped", said.wall_seconds, round(said.at(MEASURED) - said.at(MEASURES), 3))


def train_plainly(world: World, model: Path) -> Training:
    folder = world.folder / "plain"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    for name in (TRAIN_FILE, TEST_FILE):
        [prepared] = world.stored("data").rglob(name)
        shutil.copy(prepared, folder / "data" / name)
    paths = Paths(model=model, data=folder / "data", output=folder / "output")
    settings = render(read_run_file(world.folder / "run.json"), on_gpu=False, micro_batch=2, paths=paths)
    write(settings, folder / "trl.yaml")
    environment = {**ONE_CORE, "HF_HOME": str(folder / "huggingface"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "trl.scripts.sft", "--config", str(folder / "trl.yaml")]
    said = run(command, environment)
    steps = world.run["duration"]["maxSteps"]
    assert (folder / "output" / f"checkpoint-{steps}").is_dir(), "plain TRL left no last checkpoint"
    return Training("plain", said.wall_seconds, 0.0)


@dataclass(frozen=True)
class Said:
    """What a program printed, each line with the seconds from its start."""

    wall_seconds: float
    lines: list[tuple[float, str]]

    def at(self, words: str) -> float:
        return next(seconds for seconds, line in self.lines if words in line)


def run(command: list[str], environment: dict[str, str]) -> Said:
    """From the start of the program's process to its end."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        lines = [(time.monotonic() - began, line) for line in process.stdout or []]
    wall = time.monotonic() - began
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{''.join(line for _, line in lines)[-4000:]}")
    return Said(round(wall, 3), lines)


def source_code_rows() -> list[dict[str, Any]]:
    """Python source that every image has, cut into pieces."""
    text = "\n".join(tiny_model.training_text())
    pieces = [text[start : start + ROW_CHARACTERS] for start in range(0, len(text), ROW_CHARACTERS)]
    return [
        {"prompt": f"Part {number} of the source:\n", "completion": piece} for number, piece in enumerate(pieces[:ROWS])
    ]


if __name__ == "__main__":
    main()
