"""An adapter that another run left: read as it was left, and compared with what the run says of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import ADAPTER_URI, continuing
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads.adapter_files import (
    CONFIG,
    WEIGHTS,
    AdapterSettings,
    disagreements,
    fetch_adapter,
    fetch_settings,
    read_settings,
)
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Adapter, RunFile

FILES = {
    CONFIG: json.dumps(
        {"r": 8, "lora_alpha": 16, "target_modules": ["v_proj", "q_proj"], "peft_type": "LORA"}
    ).encode(),
    WEIGHTS: b"weights",
}
LINEAR = ["q_proj", "k_proj", "v_proj"]
WHOSE = "the adapter of TrainingRun sft"


@pytest.fixture
def adapter(endpoint: FakeEndpoint) -> Adapter:
    for name, content in FILES.items():
        endpoint.put(f"{ADAPTER_URI}/{name}", content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    return Adapter(run="sft", uri=ADAPTER_URI, files=digests)


def test_it_is_read_from_the_folder_of_the_run_that_left_it(
    store: ArtifactStore, adapter: Adapter, tmp_path: Path
) -> None:
    assert set(fetch_adapter(store, adapter, tmp_path)) == set(FILES)
    assert (tmp_path / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert read_settings(tmp_path, adapter) == AdapterSettings(r=8, lora_alpha=16, target_modules=["v_proj", "q_proj"])


def test_no_weights_are_read_to_prepare(
    store: ArtifactStore, adapter: Adapter, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    fetch_settings(store, adapter, tmp_path)
    assert not any(WEIGHTS in request for request in endpoint.requests)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_what_is_not_as_it_was_left_is_refused(
    store: ArtifactStore, adapter: Adapter, endpoint: FakeEndpoint, tmp_path: Path, name: str
) -> None:
    endpoint.put(f"{ADAPTER_URI}/{name}", b"{}")
    with pytest.raises(Failure, match="has other bytes than TrainingRun sft left there") as caught:
        fetch_adapter(store, adapter, tmp_path)
    assert (caught.value.code, caught.value.message.split()[0]) == (ExitCode.MODEL_UNUSABLE, f"{ADAPTER_URI}/{name}")


def test_what_is_gone_is_named(store: ArtifactStore, adapter: Adapter, tmp_path: Path) -> None:
    gone = adapter.model_copy(update={"uri": f"{ADAPTER_URI}-2"})
    with pytest.raises(Failure, match=f"{ADAPTER_URI}-2/{CONFIG} is gone, which TrainingRun sft left") as caught:
        fetch_settings(store, gone, tmp_path)
    assert caught.value.code == ExitCode.MODEL_UNUSABLE


def test_a_configuration_that_is_none_of_an_adapter_is_refused(tmp_path: Path, adapter: Adapter) -> None:
    (tmp_path / CONFIG).write_text('{"peft_type": "PREFIX_TUNING"}')
    with pytest.raises(Failure, match="is not one of a LoRA adapter"):
        read_settings(tmp_path, adapter)


@pytest.mark.parametrize(
    ("lora", "modules", "problem"),
    [
        ({}, ["v_proj", "q_proj"], None),
        ({"targetModules": ["all-linear"]}, LINEAR, None),
        ({"dropout": "0.5"}, ["q_proj", "v_proj"], None),
        ({"rank": 64}, ["q_proj", "v_proj"], f"lora.rank 64 is not that of {WHOSE}, which has 8: leave it out"),
        ({"alpha": 8}, ["q_proj", "v_proj"], f"lora.alpha 8 is not that of {WHOSE}, which has 16: leave it out"),
        ({}, LINEAR, f"lora.targetModules: {WHOSE} is one of k_proj, q_proj, v_proj: leave it out"),
        ({"targetModules": ["all-linear"]}, ["q_proj"], f"lora.targetModules: {WHOSE} is one of q_proj: leave it out"),
    ],
)
def test_settings_of_another_adapter_are_refused_by_name(
    run: dict[str, Any], lora: dict[str, Any], modules: list[str], problem: str | None
) -> None:
    run["lora"] |= {"targetModules": ["q_proj", "v_proj"], **lora}
    read = RunFile.model_validate_json(json.dumps(continuing(run)))
    found = disagreements(read, AdapterSettings(r=8, lora_alpha=16, target_modules=modules), LINEAR)
    assert found == ([] if problem is None else [problem])


def test_options_that_shape_an_adapter_are_its_own(run: dict[str, Any]) -> None:
    run["engineOptions"] = {"use_dora": "true", "average_tokens_across_devices": "true"}
    read = RunFile.model_validate_json(json.dumps(continuing(run)))
    assert disagreements(read, AdapterSettings(r=8, lora_alpha=16, target_modules=LINEAR), LINEAR) == [
        "engineOptions.use_dora: the adapter of TrainingRun sft has its own: leave it out"
    ]
