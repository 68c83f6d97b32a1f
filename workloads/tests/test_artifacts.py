import errno
import subprocess
import sys
import threading
import time
import urllib.error
from email.message import Message
from io import BytesIO
from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads import transfer
from swe_workloads.artifacts import ArtifactStore, Occupied, StoredObject
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import Missing, Patience, digest_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 1000)
    return path


def test_what_is_uploaded_can_be_listed_and_downloaded(store: ArtifactStore, file: Path, tmp_path: Path) -> None:
    assert store.upload("data/a b+ü.jsonl", file) == digest_file(file)
    assert store.list_keys("data/") == [StoredObject("data/a b+ü.jsonl", 7000)]
    assert store.download("data/a b+ü.jsonl", tmp_path / "back" / "copy") == digest_file(file)
    assert (tmp_path / "back" / "copy").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("result/a1/report.html", "text/html; charset=utf-8"),
        ("result/manifest.json", "application/json"),
        ("result/a1/metrics.jsonl", "application/x-ndjson"),
        ("data/pod/summary.md", "text/markdown; charset=utf-8"),
        ("result/a1/trl.yaml", "application/yaml"),
        ("result/a1/adapter/adapter_model.safetensors", "application/octet-stream"),
    ],
)
def test_what_is_meant_to_be_read_is_stored_as_what_it_is(
    store: ArtifactStore, endpoint: FakeEndpoint, file: Path, key: str, said: str
) -> None:
    store.upload(key, file)
    store.write(f"again/{key}", b"the same by another way")
    assert endpoint.content_types[key.rsplit("/", 1)[-1]] == said


def test_the_same_bytes_twice_are_no_error_other_bytes_are(store: ArtifactStore, file: Path) -> None:
    store.upload("a", file)
    assert store.upload("a", file) == digest_file(file)
    file.write_bytes(b"other")
    with pytest.raises(Occupied):
        store.upload("a", file)


def test_a_store_that_hangs_up_on_what_exists_is_understood(
    store: ArtifactStore, endpoint: FakeEndpoint, file: Path
) -> None:
    store.upload("a", file)
    endpoint.failures["PUT", 0] = 1
    assert store.upload("a", file) == digest_file(file)


def test_what_is_not_there_is_missing_or_nothing(store: ArtifactStore, tmp_path: Path) -> None:
    assert store.read("nothing") is None
    with pytest.raises(Missing):
        store.download("nothing", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("status", [0, 403, 429, 500, 503])
@pytest.mark.parametrize("call", ["POST /v1alpha1", "GET /v1alpha1", "PUT /swe", "GET /swe"])
def test_troubles_that_pass_are_waited_out(
    store: ArtifactStore, endpoint: FakeEndpoint, file: Path, status: int, call: str
) -> None:
    endpoint.failures[call, status] = 1
    store.upload("a", file)
    assert store.read("a") == file.read_bytes()
    assert [item.name for item in store.list_keys("a")] == ["a"]
    assert endpoint.failures[call, status] == 0


@pytest.mark.parametrize("call", ["POST /v1alpha1", "GET /v1alpha1"])
def test_an_answer_that_is_not_the_endpoint_s_is_asked_for_again(
    store: ArtifactStore, endpoint: FakeEndpoint, file: Path, call: str
) -> None:
    endpoint.failures[call, 200] = 1
    store.upload("a", file)
    assert [item.name for item in store.list_keys("a")] == ["a"]
    assert endpoint.failures[call, 200] == 0


def test_a_full_disk_is_not_the_store_s_fault(
    store: ArtifactStore, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.upload("a", file)
    monkeypatch.setattr(transfer, "_copy", full)
    with pytest.raises(OSError, match="No space left on device"):
        store.download("a", tmp_path / "copy")


def test_an_authority_that_cannot_be_read_is_named(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    (tmp_path / "empty.crt").touch()
    for path in (tmp_path / "none.crt", tmp_path / "empty.crt"):
        with pytest.raises(Failure, match=path.name) as caught:
            ArtifactStore(endpoint.url, endpoint.folder / "token", path, Patience(1))
        assert caught.value.code == ExitCode.INVALID_CONFIGURATION


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<Error><Code>AccessDenied</Code><Message>no</Message><StringToSign>s3cret</StringToSign></Error>", "no"),
        ("<html><a href='http://store/key?X-Amz-Signature=s3cret'>refused</a></html>", "HTTP 403"),
    ],
)
def test_of_a_store_s_refusal_only_its_words_are_repeated(body: str, words: str) -> None:
    error = urllib.error.HTTPError(
        "http://store/key?X-Amz-Signature=s3cret", 403, "", Message(), BytesIO(body.encode())
    )
    said = transfer.explain(error)
    assert (words in said, "s3cret" in said) == (True, False)


def test_a_signature_that_expired_is_asked_for_again(store: ArtifactStore, endpoint: FakeEndpoint, file: Path) -> None:
    endpoint.failures["PUT /swe", 403] = 1
    store.upload("a", file)
    assert sum("presign" in request for request in endpoint.requests) == 2


def test_the_token_is_read_again_for_every_call(store: ArtifactStore, endpoint: FakeEndpoint) -> None:
    token = (endpoint.folder / "token").read_text()
    (endpoint.folder / "token").write_text("expired")
    threading.Timer(0.2, lambda: (endpoint.folder / "token").write_text(token)).start()
    assert store.list_keys("") == []


def test_a_store_that_stays_away_is_a_failure_that_names_the_object(endpoint: FakeEndpoint, file: Path) -> None:
    store = ArtifactStore(endpoint.url, endpoint.folder / "token", endpoint.folder / "ca.crt", Patience(1))
    endpoint.failures["PUT", 503] = 1000
    with pytest.raises(Failure, match="Uploading a: HTTP 503 injected") as caught:
        store.upload("a", file)
    assert caught.value.code == ExitCode.STORE_UNAVAILABLE


def test_what_the_endpoint_refuses_for_good_is_the_configuration(store: ArtifactStore, endpoint: FakeEndpoint) -> None:
    endpoint.failures["objects?uri", 400] = 1
    with pytest.raises(Failure, match=r"^HTTP 400 injected$") as caught:
        store.list_uri("s3://other/x")
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION


def test_a_run_that_is_gone_ends_all_waiting_for_good(store: ArtifactStore, endpoint: FakeEndpoint, file: Path) -> None:
    endpoint.failures["POST", 410] = 1
    endpoint.failures["POST", 503] = 1000
    begun = time.monotonic()
    with pytest.raises(Failure, match="HTTP 410"):
        store.upload("a", file)
    store.patience.hurry(60)
    with pytest.raises(Failure, match="HTTP 503"):
        store.upload("b", file)
    assert time.monotonic() - begun < 30


def test_a_hurry_ends_waiting_at_once(store: ArtifactStore, endpoint: FakeEndpoint, file: Path) -> None:
    endpoint.failures["PUT", 503] = 1000
    threading.Timer(0.3, lambda: store.patience.hurry(0)).start()
    begun = time.monotonic()
    with pytest.raises(Failure):
        store.upload("a", file)
    assert time.monotonic() - begun < 30


HURRIED_BY_SIGNALS = """
import random, signal
from swe_workloads.transfer import Patience

signal.signal(signal.SIGALRM, lambda *_: patience.hurry(60))
for _ in range(1000):
    patience = Patience(1)
    signal.setitimer(signal.ITIMER_REAL, random.uniform(5e-6, 60e-6))
    patience.pause(0.0002)
"""


def test_a_signal_may_hurry_at_any_moment_of_a_pause() -> None:
    subprocess.run([sys.executable, "-c", HURRIED_BY_SIGNALS], check=True, timeout=30, cwd=Path(__file__).parents[1])


def test_a_certificate_of_another_authority_is_refused(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = FakeEndpoint(tmp_path / "other", authority="another CA")
    store = ArtifactStore(endpoint.url, endpoint.folder / "token", other.folder / "ca.crt", Patience(0.5))
    with pytest.raises(Failure, match="certificate verify failed"):
        store.list_keys("")
    other.stop()
