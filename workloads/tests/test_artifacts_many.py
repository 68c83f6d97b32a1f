"""Several objects at once: few requests for signatures, and the end of a large one."""

from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads import artifacts
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import Digest, Missing, Patience, digest_file


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {f"data/{number}": tmp_path / str(number) for number in range(7)}
    for key, path in paths.items():
        path.write_text(f"content of {key}")
    return paths


def asked(endpoint: FakeEndpoint) -> int:
    return sum("presign" in request for request in endpoint.requests)


def test_signatures_of_many_objects_are_asked_for_together(
    store: ArtifactStore, endpoint: FakeEndpoint, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "SIGNED_AT_ONCE", 3)
    assert store.upload_all(files) == {key: digest_file(path) for key, path in files.items()}
    assert asked(endpoint) == 3
    assert (endpoint.prefix / "data/6").read_text() == "content of data/6"
    assert store.read_all(["data/0", "data/9", "data/6"]) == {
        "data/0": b"content of data/0",
        "data/9": None,
        "data/6": b"content of data/6",
    }
    assert asked(endpoint) == 4


def test_nothing_to_upload_asks_for_nothing(store: ArtifactStore, endpoint: FakeEndpoint) -> None:
    assert store.upload_all({}) == {}
    assert endpoint.requests == []


def test_one_of_many_that_is_refused_gets_a_signature_of_its_own(
    store: ArtifactStore, endpoint: FakeEndpoint, files: dict[str, Path]
) -> None:
    endpoint.failures["PUT /swe-operator/team/0b5e7c1a-run/data/3", 403] = 1
    store.upload_all(files)
    assert (asked(endpoint), (endpoint.prefix / "data/3").is_file()) == (2, True)


def test_one_of_many_that_is_missing_is_named(store: ArtifactStore, files: dict[str, Path], tmp_path: Path) -> None:
    store.upload_all(files)
    targets = {key: tmp_path / "back" / key for key in [*files, "data/none"]}
    with pytest.raises(Missing, match="data/none"):
        store.download_all(targets)
    assert targets["data/6"].read_text() == "content of data/6"


def test_an_answer_with_too_few_signatures_is_asked_for_again(
    store: ArtifactStore, endpoint: FakeEndpoint, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign, answers = artifacts.ArtifactStore._call, [b'{"urls":[]}']
    monkeypatch.setattr(artifacts.ArtifactStore, "_call", lambda *told: answers.pop() if answers else sign(*told))
    assert len(store.upload_all(files)) == 7


def test_an_endpoint_that_signs_nothing_is_a_failure(endpoint: FakeEndpoint, files: dict[str, Path]) -> None:
    store = ArtifactStore(endpoint.url, endpoint.folder / "token", endpoint.folder / "ca.crt", Patience(1))
    endpoint.failures["presign", 503] = 1000
    with pytest.raises(Failure, match="Asking for signatures: HTTP 503") as caught:
        store.upload_all(files)
    assert caught.value.code == ExitCode.STORE_UNAVAILABLE


@pytest.mark.parametrize(
    ("content", "end"), [(b"", b""), (b"short", b"short"), (b"0123456789" * 10, b"0123456789" * 2)]
)
def test_of_a_large_object_the_end_can_be_had_alone(store: ArtifactStore, content: bytes, end: bytes) -> None:
    assert isinstance(store.write("log", content), Digest)
    assert store.read_ends(["log", "none"], 20) == {"log": end, "none": None}
