"""A preparation without the engine's libraries, and what it is given and leaves."""

import json
from pathlib import Path
from typing import Any

from engine.run_document import MODEL_URI
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import word_tokenizer

import swe_workloads.prepare
from swe_workloads.pod import Pod
from swe_workloads.preflight_look import Seen
from swe_workloads.prepare import TokenizerLoader
from swe_workloads.run_file import RunFile
from swe_workloads.verdict import PrepareSummary, PrepareVerdict


def prepare(pod: Pod, tokenizer_of: TokenizerLoader = word_tokenizer) -> PrepareVerdict:
    """Without the engine's libraries, which are in the image only."""
    return swe_workloads.prepare.prepare(pod, tokenizer_of, sees_nothing_wrong)


def sees_nothing_wrong(run: RunFile, folder: Path) -> Seen:
    assert (folder / "config.json").is_file()
    return Seen([], None, float32_weights=True, plain_loss=False)


def make_ready(run: dict[str, Any], endpoint: FakeEndpoint) -> None:
    """Its model is there, as much of it as a preparation may look at, and few rows are enough."""
    run["batch"]["perDevice"] = 1
    endpoint.put(f"{MODEL_URI}/config.json", b"{}")
    endpoint.put(f"{MODEL_URI}/model.safetensors", b"weights")


def write_rows(run: dict[str, Any], *rows: object) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path(run["data"]["source"]["configMapFile"]).write_text("\n".join(lines))


def row(number: int) -> dict[str, str]:
    return {"prompt": f"question {number}", "completion": f" answer {number}"}


def summary_of(verdict: PrepareVerdict) -> PrepareSummary:
    assert verdict.summary is not None, verdict
    return verdict.summary


def stored(endpoint: FakeEndpoint, name: str) -> list[dict[str, Any]]:
    [path] = (endpoint.prefix / "data").glob(f"*/{name}")
    return [json.loads(line) for line in path.read_text().splitlines()]
