"""The folder that a server takes: from a store, a hub, and with an adapter."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import ADAPTER_URI, MODEL_URI
from engine.serving_pod import server_command
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import FakeHub

from swe_workloads.adapter_files import CONFIG, WEIGHTS
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.serving.fetch import FetchVerdict, fetch
from swe_workloads.serving.servable import CHAT_TEMPLATE, GENERATION_CONFIG, TOKENIZER_CONFIG, WITHOUT_TURNS
from swe_workloads.serving.serve_file import read_serve_file

MODEL = {
    "config.json": json.dumps({"eos_token_id": 2, "pad_token_id": 0, "bos_token_id": None}).encode(),
    "tokenizer.json": b"{}",
    TOKENIZER_CONFIG: b'{"chat_template": "{{ messages }}"}',
    "model.safetensors": b"weights" * 100,
    "README.md": b"for readers",
}
ADAPTER = {CONFIG: b'{"r": 8, "lora_alpha": 16, "target_modules": ["q_proj"]}', WEIGHTS: b"a little more"}
GOLDEN = Path(__file__).parents[2] / "controllers/generation/resources/golden"


@pytest.fixture
def served(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    """A run file whose model lies in the store."""
    put(endpoint, MODEL_URI, MODEL)
    return {
        "version": 1,
        "owner": {"namespace": "team", "name": "demo", "uid": "0b5e7c1a-run"},
        "model": {"kind": "S3", "uri": MODEL_URI, "credentials": "OwnPrefix"},
        "folder": str(tmp_path / "models" / "tiny"),
    }


@pytest.fixture
def hub(hub: FakeHub) -> FakeHub:
    hub.commit("models", "Qwen/Tiny", MODEL)
    return hub


def put(endpoint: FakeEndpoint, uri: str, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        endpoint.put(f"{uri}/{name}", content)


def adapter(files: dict[str, bytes]) -> dict[str, Any]:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {"run": "sft", "uri": ADAPTER_URI, "files": digests}


def in_folder(served: dict[str, Any], name: str) -> Any:
    return json.loads((Path(served["folder"]) / name).read_text())


def refusal(pod_of: PodMaker, served: dict[str, Any]) -> Failure:
    with pytest.raises(Failure) as caught:
        fetch(pod_of(served))
    return caught.value


def fetched(pod_of: PodMaker, served: dict[str, Any]) -> FetchVerdict:
    verdict = fetch(pod_of(served))
    assert verdict.exit_code == 0 and verdict.sources is not None
    return verdict


def test_a_model_lies_where_the_server_looks_and_is_frozen(pod_of: PodMaker, served: dict[str, Any]) -> None:
    verdict = fetched(pod_of, served)
    assert {path.name for path in Path(served["folder"]).iterdir()} == {*MODEL, GENERATION_CONFIG} - {"README.md"}
    assert verdict.kind == "Fetch" and verdict.sources is not None
    assert verdict.sources.model.uri == MODEL_URI
    served["model"]["sha256"] = verdict.sources.model.sha256
    assert fetched(pod_of, served).sources == verdict.sources


def test_another_tokenizer_than_the_first_one_is_refused(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    verdict = fetched(pod_of, served)
    assert verdict.sources is not None
    served["model"]["sha256"] = verdict.sources.model.sha256
    endpoint.put(f"{MODEL_URI}/tokenizer.json", b'{"another": 1}')
    assert refusal(pod_of, served).code == ExitCode.MODEL_UNUSABLE


def test_a_hub_s_branch_becomes_a_commit(pod_of: PodMaker, served: dict[str, Any], hub: FakeHub) -> None:
    served["model"] = {
        "kind": "Hub",
        "repo": "Qwen/Tiny",
        "revision": "main",
        "endpoint": hub.url,
        "credentials": "None",
    }
    sources = fetched(pod_of, served).sources
    assert sources is not None and sources.model.revision not in (None, "main")


def test_an_adapter_lies_beside_the_model_that_it_was_trained_on(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    put(endpoint, ADAPTER_URI, ADAPTER)
    served["adapter"] = adapter(ADAPTER)
    fetched(pod_of, served)
    folder = Path(served["folder"])
    assert {name: (folder / name).read_bytes() for name in ADAPTER} == ADAPTER
    assert (folder / "model.safetensors").exists()


def test_an_adapter_lies_apart_where_a_server_would_take_its_weights_for_the_model_s(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    put(endpoint, ADAPTER_URI, ADAPTER)
    served |= {"adapter": adapter(ADAPTER), "adapterFolder": served["folder"] + "-adapter"}
    fetched(pod_of, served)
    folder, beside = Path(served["folder"]), Path(served["adapterFolder"])
    assert {path.name: path.read_bytes() for path in beside.iterdir()} == ADAPTER
    assert {path.name for path in folder.iterdir()} == {*MODEL, GENERATION_CONFIG} - {"README.md"}


def test_an_adapter_that_is_not_as_it_was_left_is_refused(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    put(endpoint, ADAPTER_URI, ADAPTER)
    served["adapter"] = adapter(ADAPTER | {WEIGHTS: b"other bytes"})
    failure = refusal(pod_of, served)
    assert (
        failure.code == ExitCode.MODEL_UNUSABLE and "has other bytes than TrainingRun sft left there" in failure.message
    )


def test_somebody_else_s_adapter_beside_the_model_is_left_out(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    endpoint.put(f"{MODEL_URI}/{CONFIG}", b"{}")
    fetched(pod_of, served)
    assert not (Path(served["folder"]) / CONFIG).exists()


def test_answers_are_drawn_and_end_where_the_model_ends_them(pod_of: PodMaker, served: dict[str, Any]) -> None:
    fetched(pod_of, served)
    assert in_folder(served, GENERATION_CONFIG) == {"do_sample": True, "top_k": 0, "eos_token_id": 2, "pad_token_id": 0}


def test_what_the_model_says_of_its_answers_stays(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    told = {
        "do_sample": False,
        "top_k": 20,
        "eos_token_id": [2, 7],
        "repetition_penalty": 1.05,
        "_from_model_config": True,
    }
    endpoint.put(f"{MODEL_URI}/{GENERATION_CONFIG}", json.dumps(told).encode())
    fetched(pod_of, served)
    kept = {"top_k": 20, "eos_token_id": [2, 7], "repetition_penalty": 1.05}
    assert in_folder(served, GENERATION_CONFIG) == {**kept, "do_sample": True, "pad_token_id": 0}


def test_the_end_of_an_answer_may_be_said_of_the_text_alone(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    endpoint.put(f"{MODEL_URI}/config.json", b'{"text_config": {"eos_token_id": 9}, "vision_config": {}}')
    fetched(pod_of, served)
    assert in_folder(served, GENERATION_CONFIG)["eos_token_id"] == 9


def test_a_model_without_turns_is_asked_without_turns(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint
) -> None:
    fetched(pod_of, served)
    assert not (Path(served["folder"]) / CHAT_TEMPLATE).exists()
    endpoint.put(f"{MODEL_URI}/{TOKENIZER_CONFIG}", b'{"chat_template": null}')
    fetched(pod_of, served)
    assert (Path(served["folder"]) / CHAT_TEMPLATE).read_text() == WITHOUT_TURNS


def test_a_template_of_its_own_file_stays(pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint) -> None:
    endpoint.put(f"{MODEL_URI}/{TOKENIZER_CONFIG}", b"{}")
    endpoint.put(f"{MODEL_URI}/{CHAT_TEMPLATE}", b"its own")
    fetched(pod_of, served)
    assert (Path(served["folder"]) / CHAT_TEMPLATE).read_text() == "its own"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", b"{", "config.json of the model is no JSON"),
        (GENERATION_CONFIG, b"[]", "generation_config.json of the model is no JSON object"),
    ],
)
def test_files_that_no_server_reads_are_named(
    pod_of: PodMaker, served: dict[str, Any], endpoint: FakeEndpoint, name: str, content: bytes, says: str
) -> None:
    endpoint.put(f"{MODEL_URI}/{name}", content)
    failure = refusal(pod_of, served)
    assert failure.code == ExitCode.MODEL_UNUSABLE and says in failure.message


def test_a_folder_without_a_model_is_refused(pod_of: PodMaker, served: dict[str, Any]) -> None:
    served["model"]["uri"] = "s3://swe-operator/team/models/nothing"
    failure = refusal(pod_of, served)
    assert failure.code == ExitCode.MODEL_UNUSABLE and "There is no model at" in failure.message


def test_a_wrong_field_is_named(pod_of: PodMaker, served: dict[str, Any]) -> None:
    served["folder"] = "models"
    failure = refusal(pod_of, served)
    assert failure.code == ExitCode.INVALID_CONFIGURATION and "run.json: folder:" in failure.message


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("serving-inputs-*.yaml")), ids=lambda path: path.stem)
def test_what_the_operator_writes_is_what_the_program_reads(golden: Path, tmp_path: Path) -> None:
    text = golden.read_text().split("run.json: |")[1].strip()
    document, _ = json.JSONDecoder().raw_decode(text)
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert read_serve_file(tmp_path / "run.json").owner.namespace == "team"


def test_the_server_is_tried_as_the_operator_starts_it() -> None:
    lines = (GOLDEN / "server-of-run.yaml").read_text().split("- name: serve\n")[1].split("env:")[0].splitlines()
    words = [line.strip().removeprefix("- ").strip("'") for line in lines[lines.index("          command:") + 1 :]]
    assert [word for word in words if word] == server_command("/models/sft", 8000)
