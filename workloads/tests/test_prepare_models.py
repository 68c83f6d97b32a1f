"""The model that a preparation reads: as much of it as it needs, and the same as before."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import ADAPTER_URI, MODEL_URI, continuing
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import word_tokenizer
from prepare_world import make_ready, prepare, row, write_rows

import swe_workloads.prepare
from swe_workloads.adapter_files import ADAPTER_FOLDER, CONFIG, read_settings
from swe_workloads.data_files import prepared_model
from swe_workloads.exit_codes import Failure
from swe_workloads.model_files import fetch_model, model_origin
from swe_workloads.preflight_look import Seen
from swe_workloads.run_file import RunFile, read_run_file


@pytest.fixture(autouse=True)
def _model(endpoint: FakeEndpoint, run: dict[str, Any]) -> None:
    make_ready(run, endpoint)


def test_the_model_and_the_data_that_were_read_are_in_the_verdict(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, *map(row, range(4)))
    verdict = prepare(pod_of(run))
    assert verdict.sources is not None
    assert (verdict.sources.model.uri, verdict.sources.data.uri) == (MODEL_URI, "configMap:rows.jsonl")
    store = pod_of(run).store()
    assert prepared_model(store) == verdict.sources.model
    again = prepare(pod_of(run))
    assert again.sources == verdict.sources
    endpoint.put(f"{MODEL_URI}/config.json", b'{"changed": true}')
    with pytest.raises(Failure, match="not the one that was read first"):
        pod = pod_of(run)
        origin = model_origin(pod, store, read_run_file(pod.run_file).model, prepared_model(store))
        fetch_model(origin, pod.work_dir / "model")


def test_no_weights_are_downloaded(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    write_rows(run, *map(row, range(4)))
    prepare(pod_of(run))
    assert any("config.json" in request for request in endpoint.requests)
    assert not any("safetensors" in request for request in endpoint.requests)


def test_a_model_that_is_not_there_is_named(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["model"]["uri"] = "s3://swe-operator/team/models/none"
    write_rows(run, row(1), row(2))
    with pytest.raises(Failure, match="There is no model at s3://swe-operator/team/models/none"):
        prepare(pod_of(run))


def test_an_adapter_is_looked_at_beside_its_model(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, *map(row, range(4)))
    settings = json.dumps({"r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]}).encode()
    endpoint.put(f"{ADAPTER_URI}/{CONFIG}", settings)
    run |= continuing(run, **{CONFIG: hashlib.sha256(settings).hexdigest()})

    def sees_the_adapter(read: RunFile, folder: Path) -> Seen:
        assert read.adapter is not None
        return Seen([f"rank {read_settings(folder / ADAPTER_FOLDER, read.adapter).r}"], None, False, False)

    with pytest.raises(Failure, match="rank 8"):
        swe_workloads.prepare.prepare(pod_of(run), word_tokenizer, sees_the_adapter)
    endpoint.put(f"{ADAPTER_URI}/{CONFIG}", b"{}")
    with pytest.raises(Failure, match="has other bytes than TrainingRun sft left there"):
        prepare(pod_of(run))


def test_a_model_that_changed_since_an_earlier_run_read_it_is_refused(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, *map(row, range(4)))
    run["model"]["sha256"] = "0" * 64
    with pytest.raises(Failure, match="not the one that was read first, by this run or by the one that it continues"):
        prepare(pod_of(run))
    run["model"] |= {"sha256": None, "files": {"config.json": "0" * 64}}
    with pytest.raises(Failure, match=r"config\.json has other bytes than the run left there that this one continues"):
        prepare(pod_of(run))
