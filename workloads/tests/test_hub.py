"""The real huggingface_hub against a hub of our own."""

import logging
from pathlib import Path

import pytest
from fake_hub import TOKEN, FakeHub

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub import HubRepository, open_repository
from swe_workloads.model_files import ModelOrigin, fetch_model, fetch_tokenizer, model_origin
from swe_workloads.pod import Pod
from swe_workloads.run_file import HubModel
from swe_workloads.transfer import Patience
from swe_workloads.verdict import FrozenSource

REPO = "Qwen/Tiny"
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"words": 1}',
    "model.safetensors": b"weights" * 1000,
    "pytorch_model.bin": b"the same weights",
    "consolidated.safetensors": b"the same weights",
    "README.md": b"Read me.",
    "onnx/model.onnx": b"another export",
}


@pytest.fixture
def hub(hub: FakeHub) -> FakeHub:
    hub.commit("models", REPO, FILES)
    return hub


def named(hub: FakeHub, repo: str = REPO, revision: str = "main", credentials: str = "None") -> HubModel:
    fields = {"repo": repo, "revision": revision, "endpoint": hub.url, "credentials": credentials}
    return HubModel.model_validate({"kind": "Hub", **fields})


def opened(hub: FakeHub, tmp_path: Path, model: HubModel | None = None, seconds: float = 5) -> HubRepository:
    return open_repository(model or named(hub), "model", "model.hub", tmp_path / "secret", Patience(seconds))


def put_token(tmp_path: Path, token: str = TOKEN) -> None:
    (tmp_path / "secret").mkdir(exist_ok=True)
    (tmp_path / "secret" / "HF_TOKEN").write_text(f"{token}\n")


def origin_of(hub: FakeHub, tmp_path: Path, store: ArtifactStore, frozen: FrozenSource | None = None) -> ModelOrigin:
    fields = {"SWE_RUN_FILE": "x", "SWE_ARTIFACTS_URL": "x", "SWE_CA_FILE": "x", "SWE_TOKEN_FILE": "x"}
    pod = Pod.model_validate({**fields, "SWE_CREDENTIALS_DIR": str(tmp_path)})
    return model_origin(pod, store, named(hub), frozen)


def test_a_branch_becomes_a_commit_at_the_first_look(hub: FakeHub, tmp_path: Path) -> None:
    repository = opened(hub, tmp_path)
    before = hub.repositories["models", REPO].branches["main"]
    hub.commit("models", REPO, {**FILES, "config.json": b'{"newer": true}'})
    assert repository.uri == f"hf://{REPO}@{before}"
    repository.download("config.json", tmp_path / "config.json")
    assert (tmp_path / "config.json").read_bytes() == b"{}"
    assert all(before in request for request in hub.requests if "resolve" in request)


def test_a_commit_can_be_named_itself(hub: FakeHub, tmp_path: Path) -> None:
    before = hub.repositories["models", REPO].branches["main"]
    hub.commit("models", REPO, {"config.json": b"newer"})
    assert opened(hub, tmp_path, named(hub, revision=before)).commit == before


def test_listings_of_several_pages_are_read_whole(hub: FakeHub, tmp_path: Path) -> None:
    hub.page = 2
    assert set(opened(hub, tmp_path).files) == set(FILES)


def test_the_trainer_gets_what_the_engine_loads_and_the_preparation_no_weights(
    hub: FakeHub, tmp_path: Path, store: ArtifactStore
) -> None:
    origin = origin_of(hub, tmp_path, store)
    assert set(fetch_tokenizer(origin, tmp_path / "prepare")) == {"config.json", "tokenizer.json"}
    assert not any("safetensors" in request for request in hub.requests)
    fetched = fetch_model(origin, tmp_path / "train")
    assert set(fetched) == {"config.json", "tokenizer.json", "model.safetensors"}
    assert {path.name for path in (tmp_path / "train").iterdir()} == set(fetched)
    assert (tmp_path / "train" / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_every_attempt_reads_the_revision_of_the_preparation(
    hub: FakeHub, tmp_path: Path, store: ArtifactStore
) -> None:
    prepared = origin_of(hub, tmp_path, store)
    frozen = prepared.frozen(fetch_tokenizer(prepared, tmp_path / "prepare"))
    hub.commit("models", REPO, {**FILES, "tokenizer.json": b'{"words": 2}'})
    origin = origin_of(hub, tmp_path, store, frozen)
    fetch_model(origin, tmp_path / "train")
    assert origin.uri == prepared.uri == frozen.uri
    assert (tmp_path / "train" / "tokenizer.json").read_bytes() == FILES["tokenizer.json"]


def test_files_that_are_not_the_prepared_ones_are_refused(hub: FakeHub, tmp_path: Path, store: ArtifactStore) -> None:
    origin = origin_of(hub, tmp_path, store, FrozenSource(uri="x", revision=None, sha256="0" * 64))
    with pytest.raises(Failure, match="not the one that was read first") as caught:
        fetch_model(origin, tmp_path / "train")
    assert caught.value.code == ExitCode.MODEL_UNUSABLE


def test_a_part_of_the_weights_that_is_missing_is_found_by_the_preparation(
    hub: FakeHub, tmp_path: Path, store: ArtifactStore
) -> None:
    parts = {f"model-0000{number}-of-00002.safetensors": b"part" for number in (1, 2)}
    index = b'{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}'
    files = {"config.json": b"{}", "model.safetensors.index.json": index, **parts}
    hub.commit("models", REPO, files)
    assert set(fetch_model(origin_of(hub, tmp_path, store), tmp_path / "whole")) == set(files)
    del files["model-00002-of-00002.safetensors"]
    hub.commit("models", REPO, files)
    with pytest.raises(Failure, match="lacks model-00002-of-00002"):
        fetch_tokenizer(origin_of(hub, tmp_path, store), tmp_path / "broken")


def test_a_repository_without_safetensors_is_refused(hub: FakeHub, tmp_path: Path, store: ArtifactStore) -> None:
    hub.commit("models", REPO, {"config.json": b"{}", "pytorch_model.bin": b"weights"})
    with pytest.raises(Failure, match=r"has no model\*\.safetensors file"):
        origin_of(hub, tmp_path, store)


def test_a_large_file_comes_from_another_host_which_never_sees_the_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.cdn = "127.0.0.1"
    put_token(tmp_path)
    repository = opened(hub, tmp_path, named(hub, credentials="Secret"))
    assert repository.download("model.safetensors", tmp_path / "weights").size_bytes == 7000
    assert any("/cdn/" in request for request in hub.requests)


def test_a_download_that_breaks_off_goes_on_where_it_was(hub: FakeHub, tmp_path: Path) -> None:
    repository = opened(hub, tmp_path)
    hub.failures["GET /Qwen/Tiny/resolve", 1] = 1
    repository.download("model.safetensors", tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == FILES["model.safetensors"]


@pytest.mark.parametrize("status", [0, 429, 500, 503])
@pytest.mark.parametrize("where", ["GET /api/models", "HEAD /Qwen/Tiny/resolve", "GET /Qwen/Tiny/resolve"])
def test_what_may_pass_is_tried_again(hub: FakeHub, tmp_path: Path, where: str, status: int) -> None:
    hub.failures[where, status] = 1
    opened(hub, tmp_path).download("config.json", tmp_path / "config.json")
    assert (tmp_path / "config.json").read_bytes() == b"{}"


def test_a_file_that_is_not_the_listed_one_is_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    repository = opened(hub, tmp_path, seconds=1)
    hub.repositories["models", REPO].commits[repository.commit]["model.safetensors"] = b"WEIGHTS" * 1000
    with pytest.raises(Failure, match="not the file that is listed") as caught:
        repository.download("model.safetensors", tmp_path / "weights")
    assert caught.value.code == ExitCode.STORE_UNAVAILABLE


def test_a_hub_that_does_not_answer_is_asked_until_patience_ends(hub: FakeHub, tmp_path: Path) -> None:
    hub.stop()
    with pytest.raises(Failure, match=rf"Looking for {REPO}: {hub.url} did not answer") as caught:
        opened(hub, tmp_path, seconds=1)
    assert caught.value.code == ExitCode.STORE_UNAVAILABLE


@pytest.mark.parametrize(
    ("repo", "revision", "code", "words"),
    [
        ("Qwen/None", "main", ExitCode.MODEL_UNUSABLE, r"model\.hub\.repo: .* has no Qwen/None, or it is private and"),
        (REPO, "v2", ExitCode.MODEL_UNUSABLE, r"model\.hub\.revision: Qwen/Tiny has no branch, tag or commit v2"),
        (REPO, "0" * 40, ExitCode.MODEL_UNUSABLE, r"model\.hub\.revision: Qwen/Tiny has no branch, tag or commit 000"),
        ("Qwen/a..b", "main", ExitCode.MODEL_UNUSABLE, r"model\.hub\.repo: Qwen/a\.\.b is no name of a repository"),
    ],
)
def test_what_is_not_there_is_named_with_its_field(
    hub: FakeHub, tmp_path: Path, repo: str, revision: str, code: ExitCode, words: str
) -> None:
    with pytest.raises(Failure, match=words) as caught:
        opened(hub, tmp_path, named(hub, repo, revision))
    assert caught.value.code == code


def test_an_endpoint_that_is_no_hub_is_named(hub: FakeHub, tmp_path: Path) -> None:
    model = named(hub).model_copy(update={"endpoint": f"{hub.url}/somewhere"})
    with pytest.raises(Failure, match=r"model\.hub\.endpoint: .*/somewhere does not answer like a hub \(HTTP 404"):
        opened(hub, tmp_path, model)


def test_a_gated_repository_needs_a_token_of_somebody_with_access(
    hub: FakeHub, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.repositories["models", REPO].gated = True
    target = tmp_path / "config.json"
    with pytest.raises(Failure, match=rf"accept its terms at {hub.url}/{REPO} and set model\.hub\.tokenSecretRef"):
        opened(hub, tmp_path).download("config.json", target)
    hub.tokens.add("hf_nobody")
    put_token(tmp_path, "hf_nobody")
    model = named(hub, credentials="Secret")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Failure, match=rf"has no access to it\. Ask for it at {hub.url}/{REPO}") as caught:
        opened(hub, tmp_path, model).download("config.json", target)
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION
    said = capfd.readouterr()
    assert "hf_nobody" not in f"{caught.value}{caplog.text}{said.out}{said.err}"
    hub.granted.add("hf_nobody")
    assert opened(hub, tmp_path, model).download("config.json", target).size_bytes == 2


def test_a_private_repository_is_read_with_a_token(hub: FakeHub, tmp_path: Path) -> None:
    hub.repositories["models", REPO].private = True
    with pytest.raises(Failure, match="it is private and needs tokenSecretRef"):
        opened(hub, tmp_path)
    put_token(tmp_path)
    assert opened(hub, tmp_path, named(hub, credentials="Secret")).files


def test_a_token_that_the_hub_does_not_know_is_the_configuration(hub: FakeHub, tmp_path: Path) -> None:
    put_token(tmp_path, "hf_expired")
    with pytest.raises(Failure, match=r"Is the token in the Secret of model\.hub\.tokenSecretRef valid") as caught:
        opened(hub, tmp_path, named(hub, credentials="Secret"))
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION
    assert "hf_expired" not in str(caught.value)


def test_a_secret_without_a_token_says_which_key_is_missing(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="The referenced Secret has no key HF_TOKEN"):
        opened(hub, tmp_path, named(hub, credentials="Secret"))


def test_no_token_of_the_pod_s_own_is_sent(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    assert opened(hub, tmp_path).files
