"""The model card that goes with a result, as a hub shows it."""

from pathlib import Path
from typing import Any

import yaml
from conftest import PodMaker
from engine.run_document import preferences_document
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import FakeHub

from publishing.publish_world import ADAPTER, COMMIT, Spec, card_of, commits_of, leave, published, stored
from swe_workloads.publishing.publish import PUBLISH_MANIFEST
from swe_workloads.verdict import (
    BestCheckpoint,
    FirstAndLast,
    Perplexity,
    Preferences,
)

CARDS = Path(__file__).parents[1] / "cards"


def test_the_card_of_an_adapter(pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint) -> None:
    change = FirstAndLast(first="2.4", last="1.1")
    perplexity = Perplexity(value="3.004", low="2.71", high="3.3", rows=24, tokens=4800)
    leave(endpoint, ADAPTER, eval_loss=change, perplexity=perplexity)
    spec["training"]["adapter"] = {"run": "first", "uri": "s3://swe-operator/team/u/result/a1/adapter", "files": {}}
    published(pod_of, spec)
    assert card_of(hub) == (CARDS / "adapter.md").read_text()


def measured(**more: Any) -> Spec:
    """What the operator tells of the gate of a run."""
    source = {"uri": "hf://SWE-bench/Held_Out", "revision": COMMIT, "sha256": None}
    counts = {"instances": 40, "resolved": 12, "total": 40}
    rate = {"resolvedRate": "0.3000", "low": "0.1807", "high": "0.4543"}
    return {"name": "demo-gate", "source": source, **counts, **rate, "minResolvedRate": None, "baseline": None, **more}


def test_the_card_of_a_result_that_was_measured(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    spec["evaluation"] = measured(minResolvedRate="0.30")
    published(pod_of, spec)
    assert card_of(hub) == (CARDS / "measured.md").read_text()
    assert "how many instances it resolves" not in card_of(hub)


def test_a_card_says_what_the_result_was_compared_with(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    baseline = {"name": "base", "resolvedRate": "0.2500", "difference": "0.0500", "pValue": "0.7266"}
    spec["evaluation"] = measured(source=None, instances=None, low=None, high=None, baseline=baseline)
    published(pod_of, spec)
    section = card_of(hub).split("## Evaluation")[1].split("## Settings")[0]
    assert "| demo-gate    |           | 12 of 40 |       0.3000 |               | base, 0.2500  |" in section
    assert "not significantly worse than `base`: difference 0.0500 over the instances of both" in section


def test_a_measured_result_is_not_published_again(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint
) -> None:
    spec["evaluation"] = measured(minResolvedRate="0.30")
    first = published(pod_of, spec)
    stored(endpoint, PUBLISH_MANIFEST).unlink()  # the pod ended before it could say so
    assert (published(pod_of, spec).revision, len(commits_of(hub))) == (first.revision, 1)


def test_the_card_of_a_comparison(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    told = Preferences(
        accuracy=FirstAndLast(first="0", last="1"),
        margin=FirstAndLast(first="0", last="1.9"),
        eval_accuracy=FirstAndLast(first="0.5", last="0.875"),
        eval_margin=FirstAndLast(first="0.01", last="0.7"),
    )
    spec["training"] = preferences_document(tmp_path / "rows.jsonl") | {"lora": None}
    spec["training"]["data"]["source"] = {
        "hub": {
            "repo": "team/pairs",
            "revision": "main",
            "endpoint": hub.url,
            "credentials": "None",
            "config": None,
            "split": "train",
        }
    }
    spec["training"]["compute"] = {"gpus": 2, "ranks": 2, "gpuName": "NVIDIA A100 80 GB", "gpuMemoryGi": 80}
    spec["cost"] |= {"attempts": 1, "amount": None, "currency": None}
    best = BestCheckpoint(step=18, eval_loss="0.41")
    leave(endpoint, {"model/config.json": b"{}"}, preferences=told, best=best, stopped_early=True)
    published(pod_of, spec)
    assert card_of(hub) == (CARDS / "comparison.md").read_text()


def test_the_metadata_of_a_card_is_what_a_hub_reads(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    spec["training"]["model"]["repo"] = "2024/1e3"  # a name that YAML could take for a number
    published(pod_of, spec)
    metadata = yaml.safe_load(card_of(hub).split("---")[1])
    assert (metadata["base_model"], metadata["base_model_relation"]) == ("2024/1e3", "adapter")
    assert metadata["tags"] == ["trl", "sft", "lora"]
