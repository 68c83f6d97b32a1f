"""The preparation learns the digest of every image that runs, within bounds, and tells no password to anybody else."""

import base64
import json
import ssl
import threading
import time
from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint, certificates

from evaluation.eval_world import PodMaker, eval_document, prepared, refusal, stored, summary_of, v5_row, write_lines
from evaluation.fake_registry import FakeRegistry
from swe_workloads.evaluation import registries, registry_client
from swe_workloads.evaluation.image_digests import ImagePins, pin_images
from swe_workloads.exit_codes import ExitCode

HOUR = "3600"


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "IMAGE_SECONDS", 3.0)
    monkeypatch.setattr(registries, "SILENT_SECONDS", 1.0)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "work/credentials/images"
    folder.mkdir(parents=True)
    return folder


def secret(folder: Path, name: str, **auths: dict[str, str]) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"auths": auths}))


def pins(secrets: Path, *images: str) -> ImagePins:
    return pin_images(images, "BestEffort", secrets)


def test_a_tag_becomes_the_digest_that_the_registry_has_for_it(registry: FakeRegistry, secrets: Path) -> None:
    digest = registry.push("team/app:v1")
    latest = registry.push("app:latest")
    names = [f"{registry.host}/team/app:v1", f"{registry.host}/app"]
    assert pins(secrets, *names, *names).pinned == {
        names[0]: f"{registry.host}/team/app@{digest}",
        names[1]: f"{registry.host}/app@{latest}",
    }
    assert registry.asked == {"HEAD /v2/team/app/manifests/v1": 1, "HEAD /v2/app/manifests/latest": 1}


def test_an_image_with_a_digest_needs_no_registry(secrets: Path) -> None:
    name = f"registry.invalid/app:v1@sha256:{'0' * 64}"
    assert pins(secrets, name) == ImagePins(pinned={name: name})


def test_where_a_registry_names_no_digest_its_manifest_is_hashed(registry: FakeRegistry, secrets: Path) -> None:
    digest = registry.push("app:1")
    registry.without_header.add("app")
    assert pins(secrets, f"{registry.host}/app:1").pulled(f"{registry.host}/app:1").endswith(digest)
    registry.failures = {("HEAD ", 405): 1}
    assert pins(secrets, f"{registry.host}/app:1").pulled(f"{registry.host}/app:1").endswith(digest)


def test_what_is_no_manifest_is_not_hashed(registry: FakeRegistry, secrets: Path) -> None:
    registry.push("app:1")
    registry.without_header.add("app")
    registry.kind = "text/html"
    [reason] = pins(secrets, f"{registry.host}/app:1").by_name.values()
    assert reason == "the registry answers with text/html, which is no manifest"


def test_a_registry_that_gives_tokens_to_anybody_is_asked_for_one(registry: FakeRegistry, secrets: Path) -> None:
    digest = registry.push("team/app:1")
    registry.auth, registry.anonymous = "Bearer", True
    assert pins(secrets, f"{registry.host}/team/app:1").pinned[f"{registry.host}/team/app:1"].endswith(digest)
    assert (registry.scopes, registry.authorizations) == (["repository:team/app:pull"], ["", "Bearer a-pull-token"])


@pytest.mark.parametrize("auth", ["Bearer", "Basic"])
def test_of_the_secrets_that_fit_the_one_that_is_accepted_counts(
    auth: str, registry: FakeRegistry, secrets: Path
) -> None:
    digest = registry.push("team/app:1")
    registry.auth, registry.users = auth, {"puller": "pull-password"}  # type: ignore[assignment]
    stale = base64.b64encode(b"puller:yesterday").decode()
    secret(secrets, "a", **{f"http://{registry.host}/team": {"auth": stale}, "quay.io": {"auth": stale}})
    secret(secrets, "b", **{registry.host: {"username": "puller", "password": "pull-password"}})
    assert pins(secrets, f"{registry.host}/team/app:1").pinned[f"{registry.host}/team/app:1"].endswith(digest)


def test_a_wrong_password_is_said_and_never_shown(
    registry: FakeRegistry, secrets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.push("app:1")
    registry.auth, registry.users = "Bearer", {"puller": "other"}
    secret(secrets, "a", **{registry.host: {"username": "puller", "password": "pull-password"}})
    (secrets / "broken.json").write_text('{"auths": "pull-password"}')
    [reason] = pins(secrets, f"{registry.host}/app:1").by_name.values()
    assert reason == "the registry lets nobody pull it with what spec.images.pullSecrets holds (HTTP 401)"
    said = capsys.readouterr().out
    assert "pull-password" not in said and "Secret broken is no document of auths" in said


def test_a_password_goes_to_its_own_registry_alone(registry: FakeRegistry, secrets: Path) -> None:
    other = FakeRegistry()
    digest = other.push("app:1")
    registry.auth, registry.users = "Basic", {"puller": "pull-password"}
    registry.locations["app"] = f"http://{other.host}"
    secret(secrets, "a", **{registry.host: {"username": "puller", "password": "pull-password"}})
    assert pins(secrets, f"{registry.host}/app:1").pinned[f"{registry.host}/app:1"].endswith(digest)
    assert (len(registry.authorizations), other.authorizations) == (2, [""])
    other.stop()


def test_a_password_is_not_for_whom_a_registry_leads_to(registry: FakeRegistry, secrets: Path) -> None:
    other = FakeRegistry()
    other.push("app:1")
    other.auth, other.users = "Basic", {"puller": "pull-password"}
    registry.locations["app"] = f"http://{other.host}"
    secret(secrets, "a", **{registry.host: {"username": "puller", "password": "pull-password"}})
    assert pins(secrets, f"{registry.host}/app:1").pinned == {}
    assert set(other.authorizations) == {""}
    other.stop()


@pytest.mark.parametrize("name", ["a..b/x:1", f"{'a' * 64}.example/x:1"])
def test_a_name_that_no_registry_can_have_costs_its_own_image_alone(name: str, secrets: Path) -> None:
    found = pins(secrets, name)
    assert (found.pinned, "cannot be read" in found.by_name[name]) == ({}, True)


def test_an_image_that_is_not_there_runs_by_its_name(registry: FakeRegistry, secrets: Path) -> None:
    name = f"{registry.host}/app:1"
    found = pins(secrets, name)
    assert (found.pulled(name), found.by_name) == (name, {name: "the registry has no such image (HTTP 404)"})
    assert registry.asked.total() == 1


def test_a_registry_that_asks_for_patience_gets_it_from_all(registry: FakeRegistry, secrets: Path) -> None:
    names = [f"{registry.host}/app:{number}" for number in range(8)]
    for number in range(8):
        registry.push(f"app:{number}")
    registry.failures, registry.retry_after = {("HEAD ", 429): 3}, "1"
    begun = time.monotonic()
    assert len(pins(secrets, *names).pinned) == 8
    assert 1.0 <= time.monotonic() - begun < 8.0


def test_a_registry_that_asks_for_an_hour_is_not_waited_for(registry: FakeRegistry, secrets: Path) -> None:
    names = [f"{registry.host}/app:{number}" for number in range(40)]
    registry.failures, registry.retry_after = {("HEAD ", 429): 1000}, HOUR
    begun = time.monotonic()
    found = pins(secrets, *names)
    assert (len(found.by_name), found.pinned) == (40, {})
    assert time.monotonic() - begun < 20.0
    assert all("HTTP 429" in reason for reason in found.by_name.values())
    assert registry.asked.total() < 20


def test_of_what_a_registry_says_the_status_alone_is_repeated(registry: FakeRegistry, secrets: Path) -> None:
    registry.auth, registry.failures = "Bearer", {("/token", 503): 1000}
    [reason] = pins(secrets, f"{registry.host}/app:1").by_name.values()
    assert reason == f"{registry.host}: HTTP 503"


def test_an_image_that_only_its_node_has_is_asked_for_nowhere(secrets: Path) -> None:
    [reason] = pins(secrets, "localhost/swe-operator/app:1").by_name.values()
    assert reason == "it names no registry, but an image that its node was given"


def test_a_registry_that_does_not_answer_costs_its_time_once(registry: FakeRegistry, secrets: Path) -> None:
    host = registry.host
    registry.stop()
    begun = time.monotonic()
    found = pins(secrets, *(f"{host}/app:{number}" for number in range(60)))
    assert (len(found.by_name), found.pinned) == (60, {})
    assert time.monotonic() - begun < 20.0


def test_a_registry_elsewhere_is_asked_over_tls_alone(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither with a certificate that nobody signed, nor by a challenge or a redirection that leads to plain HTTP."""
    for name, content in certificates("registry CA").items():
        (tmp_path / name).write_bytes(content)
    served, plain = FakeRegistry(auth="Bearer", anonymous=True), FakeRegistry(anonymous=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.crt", tmp_path / "leaf.key")
    served.server.socket = context.wrap_socket(served.server.socket, server_side=True)
    monkeypatch.setattr(registry_client, "is_local", lambda host: False)
    name = f"{served.host}/app:1"
    assert "CERTIFICATE_VERIFY_FAILED" in pins(secrets, name).by_name[name]
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
    assert "unknown url type: http" in pins(secrets, name).by_name[name]
    served.auth, served.locations["app"] = "None", f"http://{plain.host}"
    assert "unknown url type: http" in pins(secrets, name).by_name[name]
    del served.locations["app"]
    assert pins(secrets, name).by_name[name].endswith("(HTTP 404)")
    assert plain.asked.total() == 0
    for one in (served, plain):
        threading.Thread(target=one.stop, daemon=True).start()


def test_instances_run_by_digest_and_the_rest_is_counted_with_its_reason(
    tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint, registry: FakeRegistry
) -> None:
    digest = registry.push("app:1")
    images = [f"{registry.host}/app:1", f"{registry.host}/app:1", f"{registry.host}/gone:1"]
    instances = write_lines(tmp_path / "rows.jsonl", *(v5_row(n, image=image) for n, image in enumerate(images)))
    verdict = prepared(pod_of({**eval_document(instances), "images": {"pinDigests": "BestEffort"}}))
    named = [instance["image"] for instance in stored(endpoint, "index.json")["instances"]]
    assert sorted(named) == sorted([*[f"{registry.host}/app@{digest}"] * 2, images[2]])
    summary = summary_of(verdict)
    assert (summary.images, summary.pinned_images) == (2, 1)
    [example] = summary.unpinned_image_examples
    assert (example.name, example.reason) == (images[2], "the registry has no such image (HTTP 404)")
    assert f"Images that have no digest to run by: 1. The first, {images[2]}: the registry has" in verdict.message
    assert "## Images that run by name" in (endpoint.prefix / str(verdict.table)).read_text()


def test_where_all_must_have_one_nothing_is_prepared_without(
    tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint, registry: FakeRegistry
) -> None:
    instances = write_lines(tmp_path / "rows.jsonl", v5_row(1, image=f"{registry.host}/gone:1"))
    document = {**eval_document(instances), "images": {"pinDigests": "Required"}}
    verdict = prepared(pod_of(document))
    assert (verdict.reason, verdict.data) == ("InvalidData", None)
    assert verdict.message == (
        f"spec.images.pinDigests is Required. Images that have no digest to run by: 1. The first, "
        f"{registry.host}/gone:1: the registry has no such image (HTTP 404). "
        "Correct that, or set BestEffort to run them by name."
    )
    registry.stop()
    assert refusal(pod_of(document)).code == ExitCode.STORE_UNAVAILABLE
    assert not (endpoint.prefix / "data/manifest.json").exists()
