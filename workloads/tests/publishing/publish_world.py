"""A finished run whose result is to be published, and what a hub has of it afterwards."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import run_document
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import TOKEN, FakeHub

from swe_workloads.data_files import DATA_MANIFEST
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.manifest import manifest_of
from swe_workloads.publishing.publish import PublishVerdict, publish
from swe_workloads.results import MANIFEST_KEY
from swe_workloads.transfer import Digest
from swe_workloads.verdict import (
    Artifact,
    FirstAndLast,
    FrozenSource,
    PrepareSummary,
    PrepareVerdict,
    Sources,
    TokenSummary,
    TrainVerdict,
    outcome,
)

REPO = "team/tuned"
COMMIT = "c" * 40
ADAPTER = {
    "adapter/adapter_config.json": b'{"base_model_name_or_path": "Qwen/Tiny"}',
    "adapter/adapter_model.safetensors": b"weights" * 1000,
}
TOLD = {"report.html": b"<p>figures</p>", "trl.yaml": b"learning_rate: 5e-3"}

Spec = dict[str, Any]


def publication(hub: FakeHub, endpoint: FakeEndpoint, tmp_path: Path) -> Spec:
    """A publication of an adapter that lies in the store, by a pod that has the token."""
    training = run_document(tmp_path / "rows.jsonl")
    training["model"] = {
        "kind": "Hub",
        "repo": "Qwen/Tiny",
        "revision": "main",
        "endpoint": hub.url,
        "credentials": "None",
    }
    leave(endpoint, ADAPTER)
    put_token(tmp_path, TOKEN)
    return {
        "version": 1,
        "hub": {"repo": REPO, "endpoint": hub.url, "private": True},
        "training": training,
        "cost": {"attempts": 2, "seconds": 5400, "gpuSeconds": 5400, "amount": "4.85", "currency": "USD"},
    }


def leave(endpoint: FakeEndpoint, files: dict[str, bytes], **more: Any) -> None:
    """What a finished training leaves in the store."""
    digests = {f"result/a2/{name}": digest(content) for name, content in {**files, **TOLD}.items()}
    artifacts = [
        Artifact(name=key.removeprefix("result/a2/"), key=key, sha256=one.sha256, size_bytes=one.size_bytes)
        for key, one in digests.items()
    ]
    told = {"loss": FirstAndLast(first="2.31", last="1.02"), **more}
    verdict = TrainVerdict(
        **outcome(ExitCode.COMPLETED, "Trained."),
        attempt=2,
        last_step=24,
        total_steps=24,
        artifacts=artifacts,
        **told,
    )
    for name, content in {**files, **TOLD}.items():
        stored(endpoint, f"result/a2/{name}").write_bytes(content)
    stored(endpoint, MANIFEST_KEY).write_bytes(manifest_of(digests, verdict.to_document()).to_json())
    stored(endpoint, DATA_MANIFEST).write_bytes(manifest_of({}, prepared().to_document()).to_json())


def prepared() -> PrepareVerdict:
    summary = PrepareSummary(
        rows=120,
        train=96,
        test=24,
        bad_rows=3,
        bad_row_examples=[],
        tokens=TokenSummary(p50=300, p90=900, max=1800),
        truncated_percent="0",
        duplicates_across_split=0,
        leaked_across_split=0,
        gold_in_prompt=0,
        gold_in_prompt_examples=[],
        repositories=[],
    )
    sources = Sources(
        model=FrozenSource(uri=f"hf://Qwen/Tiny@{COMMIT}", revision=COMMIT, sha256="d" * 64),
        data=FrozenSource(uri="s3://swe-operator/team/data/rows.jsonl", sha256="e" * 64),
    )
    return PrepareVerdict(**outcome(ExitCode.COMPLETED, "Prepared."), summary=summary, sources=sources)


def stored(endpoint: FakeEndpoint, key: str) -> Path:
    path = endpoint.prefix / key
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest(), len(content))


def put_token(tmp_path: Path, token: str) -> None:
    folder = tmp_path / "work" / "credentials" / "publish"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "HF_TOKEN").write_text(f"{token}\n")


def published(pod_of: PodMaker, spec: Spec) -> PublishVerdict:
    verdict = publish(pod_of(spec))
    assert (verdict.kind, verdict.exit_code) == ("Publish", 0)
    return verdict


def refusal(pod_of: PodMaker, spec: Spec) -> Failure:
    with pytest.raises(Failure) as caught:
        publish(pod_of(spec))
    assert TOKEN not in caught.value.message and "Signature" not in caught.value.message
    return caught.value


def files_on(hub: FakeHub, repo: str = REPO) -> dict[str, bytes]:
    repository = hub.repositories["models", repo]
    return repository.commits[repository.branches["main"]]


def commits_of(hub: FakeHub) -> list[str]:
    return [request for request in hub.requests if "/commit/" in request]


def card_of(hub: FakeHub) -> str:
    return files_on(hub)["README.md"].decode()
