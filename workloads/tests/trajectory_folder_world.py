"""Folders of trajectories: what lies in them, and what is learnt from them."""

import json
from pathlib import Path
from typing import Any

from engine.run_document import run_document
from fake_artifact_endpoint import BUCKET, NAMESPACE, FakeEndpoint
from gen_world import diff
from prepare_world import make_ready, stored
from trajectory_world import swe_agent

RUN = f"s3://{BUCKET}/{NAMESPACE}/agent"


def imitation_in(folder: Path, endpoint: FakeEndpoint) -> dict[str, Any]:
    """A run that learns every conversation below RUN."""
    run = run_document(folder / "rows.jsonl")
    run["sequence"] |= {"lossOn": "AssistantMessages", "maxLength": 100_000}
    wanted = {"maxPerInstance": 3, "style": "XML", "allowEvaluationSets": False, "onlyResolved": False}
    source = {"uri": RUN, "credentials": "OwnPrefix"}
    run["data"] |= {"kind": "Trajectories", "format": "Trajectory", "source": source, "folder": wanted}
    make_ready(run, endpoint)
    return run


def lay(endpoint: FakeEndpoint, files: dict[str, Any]) -> None:
    for name, content in files.items():
        endpoint.put(f"{RUN}/{name}", (content if isinstance(content, str) else json.dumps(content)).encode())


def attempts(*numbers: int, folder: str = "") -> dict[str, Any]:
    """As SWE-agent lays them, each with a patch of its own."""
    return {
        f"{folder}team__lib-{number}/team__lib-{number}.traj": swe_agent(number, diff(f"{folder}{number}"))
        for number in numbers
    }


def report_of(*numbers: int) -> dict[str, Any]:
    resolved = [f"team__lib-{number}" for number in numbers]
    return {"total_instances": 9, "resolved_ids": resolved, "unresolved_ids": [], "schema_version": 2}


def learnt(endpoint: FakeEndpoint) -> dict[str, list[dict[str, Any]]]:
    """Messages by instance."""
    lines = [*stored(endpoint, "train.jsonl"), *stored(endpoint, "test.jsonl")]
    assert all(set(line) <= {"instance_id", "repo", "messages"} for line in lines)
    assert len({line["instance_id"] for line in lines}) == len(lines)
    return {line["instance_id"]: line["messages"] for line in lines}


def reasons(endpoint: FakeEndpoint) -> dict[str, str]:
    return {line["file"].removeprefix(f"{RUN}/"): line["reason"] for line in stored(endpoint, "bad-rows.jsonl")}
