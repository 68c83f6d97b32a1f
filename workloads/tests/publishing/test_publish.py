"""The result of a run on a hub: the real huggingface_hub against a hub of our own."""

import json
from pathlib import Path

import pytest
from conftest import PodMaker
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import TOKEN, FakeHub

from publishing.publish_world import (
    ADAPTER,
    REPO,
    Spec,
    card_of,
    commits_of,
    files_on,
    leave,
    published,
    put_token,
    refusal,
    stored,
)
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.publishing.publish import PUBLISH_MANIFEST, publish
from swe_workloads.publishing.publish_file import read_publish_file

GOLDEN = Path(__file__).parents[3] / "controllers/training-run/resources/golden"


def test_adapter_and_card_are_one_commit_of_a_private_repository(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    verdict = published(pod_of, spec)
    repository = hub.repositories["models", REPO]
    assert repository.private
    assert (verdict.url, verdict.revision) == (f"{hub.url}/{REPO}", repository.branches["main"])
    names = {name.removeprefix("adapter/"): content for name, content in ADAPTER.items()}
    assert {name: content for name, content in files_on(hub).items() if name in names} == names
    assert set(files_on(hub)) == {*names, "README.md", ".gitattributes"}
    assert len(commits_of(hub)) == 1


def test_a_whole_model_is_published_likewise(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint
) -> None:
    spec["training"]["lora"] = None
    spec["hub"]["private"] = False
    leave(endpoint, {"model/config.json": b"{}", "model/model.safetensors": b"all weights"})
    published(pod_of, spec)
    assert not hub.repositories["models", REPO].private
    assert files_on(hub)["model.safetensors"] == b"all weights"


def test_what_is_published_is_not_published_again(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint
) -> None:
    first = published(pod_of, spec)
    assert published(pod_of, spec) == first
    stored(endpoint, PUBLISH_MANIFEST).unlink()  # the pod ended before it could say so
    again = published(pod_of, spec)
    assert (again.revision, len(commits_of(hub))) == (first.revision, 1)


def test_a_commit_whose_answer_was_lost_is_found_again(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    hub.failures["/commit/", 2] = 1
    verdict = published(pod_of, spec)
    assert (verdict.revision, len(commits_of(hub))) == (hub.repositories["models", REPO].branches["main"], 1)


def test_other_files_of_the_repository_stay(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    hub.commit("models", REPO, {"eval.md": b"theirs", "README.md": b"an older card"})
    hub.repositories["models", REPO].private = True
    published(pod_of, spec)
    assert files_on(hub)["eval.md"] == b"theirs"
    assert b"an older card" not in files_on(hub)["README.md"]


@pytest.mark.parametrize("status", [429, 503, 0])
@pytest.mark.parametrize("part", ["repos/create", "preupload", "objects/batch", "lfs-upload", "/commit/"])
def test_what_may_pass_is_tried_again(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, monkeypatch: pytest.MonkeyPatch, part: str, status: int
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    hub.failures[part, status] = 2
    assert published(pod_of, spec).revision == hub.repositories["models", REPO].branches["main"]


def test_a_commit_of_somebody_else_in_between_is_no_refusal(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    hub.failures["/commit/", 412] = 1
    assert published(pod_of, spec).revision == hub.repositories["models", REPO].branches["main"]


@pytest.mark.parametrize("status", [400, 413])
def test_what_the_hub_does_not_take_is_said_in_its_words(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, status: int
) -> None:
    hub.failures["/commit/", status] = 1
    hub.words = f"{TOKEN} may store 10 GB. {'x' * 1000}"
    failure = refusal(pod_of, spec)
    assert failure.code == ExitCode.INVALID_CONFIGURATION and len(failure.message) < 500
    assert failure.message.startswith(f"publish.hub.repo: {hub.url} does not take the result for {REPO}.")
    assert f"Mend what it says (HTTP {status} … may store 10 GB. xxx" in failure.message


def test_a_hub_that_stays_away_can_be_asked_later(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    hub.failures["repos/create", 503] = 1000
    pod = pod_of(spec).model_copy(update={"store_patience_seconds": 1.0})
    with pytest.raises(Failure) as caught:
        publish(pod)
    assert (caught.value.code, "HTTP 503" in caught.value.message) == (ExitCode.ENDPOINT_UNAVAILABLE, True)


def test_a_public_repository_is_not_written_by_who_asks_for_a_private_one(
    pod_of: PodMaker, spec: Spec, hub: FakeHub
) -> None:
    hub.commit("models", REPO, {})
    failure = refusal(pod_of, spec)
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert failure.message.startswith(f"publish.hub.private: {REPO} exists and everybody can read it.")
    assert "README.md" not in files_on(hub)


def test_a_token_that_the_hub_does_not_know_is_named_by_its_field(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, tmp_path: Path
) -> None:
    put_token(tmp_path, "hf_of_yesterday")
    failure = refusal(pod_of, spec)
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert failure.message.startswith(f"publish.hub.tokenSecretRef: {hub.url} does not accept the token (HTTP 401")
    assert "hf_of_yesterday" not in failure.message


@pytest.mark.parametrize("exists", [True, False])
def test_a_repository_of_somebody_else_is_named_by_its_field(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, exists: bool
) -> None:
    spec["hub"]["repo"] = "others/tuned"
    if exists:
        hub.commit("models", "others/tuned", {})
        hub.repositories["models", "others/tuned"].private = True
    failure = refusal(pod_of, spec)
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "publish.hub.repo: the token of publish.hub.tokenSecretRef may not write others/tuned" in failure.message
    assert "HTTP 403" in failure.message


def test_a_secret_without_a_token_is_said(pod_of: PodMaker, spec: Spec, tmp_path: Path) -> None:
    put_token(tmp_path, "")
    assert refusal(pod_of, spec).message == "publish.hub.tokenSecretRef: The referenced Secret has no key HF_TOKEN."


def test_an_endpoint_that_is_no_hub_is_named_by_its_field(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    hub.failures["repos/create", 405] = 1
    assert refusal(pod_of, spec).message.startswith(f"publish.hub.endpoint: {hub.url} does not answer like a hub")


def test_files_that_changed_since_are_not_published(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint
) -> None:
    stored(endpoint, "result/a2/adapter/adapter_model.safetensors").write_bytes(b"others")
    assert refusal(pod_of, spec).code == ExitCode.MODEL_UNUSABLE
    assert hub.requests == []


def test_a_result_without_weights_is_not_published(
    pod_of: PodMaker, spec: Spec, hub: FakeHub, endpoint: FakeEndpoint
) -> None:
    leave(endpoint, {})
    assert "nothing below adapter/" in refusal(pod_of, spec).message
    assert hub.requests == []


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("publish-inputs*.yaml")), ids=lambda path: path.stem)
def test_what_the_operator_writes_is_what_the_program_reads(golden: Path, tmp_path: Path) -> None:
    document, _ = json.JSONDecoder().raw_decode(golden.read_text().split("run.json: |")[1].strip())
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert read_publish_file(tmp_path / "run.json").hub.repo == REPO


def test_what_nobody_knows_the_cost_of_is_published_without(pod_of: PodMaker, spec: Spec, hub: FakeHub) -> None:
    del spec["cost"]
    published(pod_of, spec)
    assert "## Compute and cost\n\n- **Trained on**: CPU\n\n" in card_of(hub)


def test_every_wrong_field_of_the_settings_is_named(pod_of: PodMaker, spec: Spec) -> None:
    spec["hub"]["owner"] = "team"
    assert "run.json: hub.owner: Extra inputs are not permitted" in refusal(pod_of, spec).message


def test_the_verdict_fits_what_the_controllers_read(pod_of: PodMaker, spec: Spec) -> None:
    document = json.loads(published(pod_of, spec).to_json())
    assert set(document) == {"kind", "exitCode", "reason", "message", "url", "revision"}
