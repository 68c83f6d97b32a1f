"""A volume that keeps models: fetched once, whole or not at all, by however many pods."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import ADAPTER_URI, MODEL_URI
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import FakeHub
from test_serving_fetch import ADAPTER, MODEL, adapter, put

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.serving import model_cache
from swe_workloads.serving.fetch import FetchVerdict, fetch
from swe_workloads.serving.servable import GENERATION_CONFIG

WEIGHTS = "model.safetensors"
WAIT_SECONDS = 60


class Cached:
    """Pods of one namespace with one volume; each has a folder of its own."""

    def __init__(self, folder: Path, endpoint: FakeEndpoint, pod_of: PodMaker) -> None:
        self.folder, self.endpoint, self._pod_of = folder, endpoint, pod_of
        self.volume = folder / "volume"
        self.volume.mkdir()
        self.model: dict[str, Any] = {"kind": "S3", "uri": MODEL_URI, "credentials": "OwnPrefix"}
        self.more: dict[str, Any] = {}
        put(endpoint, MODEL_URI, MODEL)

    def document(self, pod: str) -> dict[str, Any]:
        owner = {"namespace": "team", "name": "demo", "uid": "0b5e7c1a-run"}
        place = {"folder": str(self.at(pod)), "cache": str(self.volume)}
        return {"version": 1, "owner": owner, "model": self.model, **place, **self.more}

    def at(self, pod: str) -> Path:
        return self.folder / pod / "models" / "tiny"

    def fetch(self, pod: str) -> FetchVerdict:
        self.endpoint.requests.clear()
        verdict = fetch(self._pod_of(self.document(pod)).model_copy(update={"pod_uid": pod}))
        assert verdict.exit_code == 0
        return verdict

    def start(self, pod: str) -> subprocess.Popen[str]:
        """As a process, which can be killed."""
        work = self.folder / pod / "work"
        work.mkdir(parents=True)
        (work.parent / "run.json").write_text(json.dumps(self.document(pod)))
        told = self.endpoint.environment(work, work.parent / "run.json") | {"SWE_POD_UID": pod}
        command = [sys.executable, "-m", "swe_workloads.serving.fetch"]
        environment = {**os.environ, **told, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def fetched(self) -> set[str]:
        """Names of the objects whose bytes went over the wire since the last fetch began."""
        gets = [one for one in self.endpoint.requests if one.startswith("GET ") and "signature=" in one]
        return {one.split("?")[0].rpartition("/")[2] for one in gets}

    def kept(self, what: str = "files") -> set[str]:
        return {path.name for path in self.volume.glob(f"*/{what}/*")}

    def is_whole(self, pod: str) -> bool:
        files = {path.name: path.read_bytes() for path in self.at(pod).iterdir()}
        return {name: files[name] for name in MODEL if name != "README.md"} == {
            name: content for name, content in MODEL.items() if name != "README.md"
        } and GENERATION_CONFIG in files


@pytest.fixture
def cached(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker) -> Cached:
    return Cached(tmp_path, endpoint, pod_of)


def the_one(folder: Path, pattern: str) -> Path:
    """As soon as it is there."""
    until = time.monotonic() + WAIT_SECONDS
    while not (found := list(folder.glob(pattern))):
        assert time.monotonic() < until, f"there is no {pattern}"
        time.sleep(0.01)
    [one] = found
    return one


LOADED = set(MODEL) - {"README.md"}


def test_a_second_pod_fetches_no_byte_and_has_the_same(cached: Cached) -> None:
    first = cached.fetch("pod-1")
    assert cached.fetched() == LOADED == cached.kept()
    second = cached.fetch("pod-2")
    assert cached.fetched() == set()
    assert (second.sources, second.message.replace("pod-2", "pod-1")) == (first.sources, first.message)
    assert cached.is_whole("pod-1") and cached.is_whole("pod-2")
    # What a server is told anew is the pod's own, and weights lie on the disk once.
    assert GENERATION_CONFIG not in cached.kept()
    assert (cached.at("pod-2") / WEIGHTS).resolve().is_relative_to(cached.volume.resolve())
    assert not (cached.at("pod-2") / "config.json").is_symlink()


def test_a_model_of_a_hub_is_kept_by_its_commit(cached: Cached, hub: FakeHub) -> None:
    hub.commit("models", "Qwen/Tiny", MODEL)
    cached.model = {"kind": "Hub", "repo": "Qwen/Tiny", "revision": "main", "endpoint": hub.url, "credentials": "None"}
    cached.fetch("pod-1")
    asked = len(hub.requests)
    cached.fetch("pod-2")
    assert not [one for one in hub.requests[asked:] if "/resolve/" in str(one)]
    hub.commit("models", "Qwen/Tiny", MODEL | {WEIGHTS: b"trained" * 100})
    cached.fetch("pod-3")
    assert (cached.at("pod-3") / WEIGHTS).read_bytes() == b"trained" * 100
    assert cached.is_whole("pod-2") and len(list(cached.volume.iterdir())) == 2


def test_what_is_written_anew_in_the_same_place_is_another_model(cached: Cached) -> None:
    cached.fetch("pod-1")
    path = cached.endpoint.objects / MODEL_URI.removeprefix("s3://") / WEIGHTS
    path.write_bytes(b"WEIGHTS" * 100)  # of the same size
    os.utime(path, (1, 1))
    cached.fetch("pod-2")
    assert (cached.at("pod-2") / WEIGHTS).read_bytes() == b"WEIGHTS" * 100
    assert (cached.at("pod-1") / WEIGHTS).read_bytes() == MODEL[WEIGHTS]


def test_what_a_run_left_is_known_by_its_bytes_and_its_adapter_lies_beside_it(cached: Cached) -> None:
    put(cached.endpoint, ADAPTER_URI, ADAPTER)
    cached.model["files"] = adapter(MODEL)["files"]
    cached.more = {"adapter": adapter(ADAPTER)}
    cached.fetch("pod-1")
    for name in MODEL:  # uploaded once more, with the same bytes
        os.utime(cached.endpoint.objects / MODEL_URI.removeprefix("s3://") / name, (1, 1))
    cached.fetch("pod-2")
    assert cached.fetched() == set(ADAPTER)
    assert {name: (cached.at("pod-2") / name).read_bytes() for name in ADAPTER} == ADAPTER
    assert not cached.kept() & set(ADAPTER)


def test_two_pods_at_once_both_have_the_model_and_keep_one(cached: Cached) -> None:
    both = threading.Barrier(2)

    def halfway(what: str) -> None:
        if WEIGHTS in what:
            both.wait(WAIT_SECONDS)

    cached.endpoint.halfway = halfway
    pods = [cached.start("pod-1"), cached.start("pod-2")]
    said = [pod.communicate(timeout=WAIT_SECONDS)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0, 0], said
    assert cached.is_whole("pod-1") and cached.is_whole("pod-2")
    assert len(list(cached.volume.iterdir())) == 1 and cached.kept() == cached.kept("digests") == LOADED
    cached.endpoint.halfway = lambda _: None
    cached.fetch("pod-3")
    assert cached.fetched() == set()


def test_a_pod_that_is_killed_in_the_middle_leaves_nothing_half(cached: Cached) -> None:
    begun, over = threading.Event(), threading.Event()

    def halfway(what: str) -> None:
        if WEIGHTS in what:
            begun.set()
            over.wait(WAIT_SECONDS)

    cached.endpoint.halfway = halfway
    pod = cached.start("pod-1")
    assert begun.wait(WAIT_SECONDS)
    part = the_one(cached.volume, f"*/parts/pod-1/{WEIGHTS}.part")
    pod.send_signal(signal.SIGKILL)
    pod.communicate(timeout=WAIT_SECONDS)
    over.set()
    cached.endpoint.halfway = lambda _: None
    assert WEIGHTS not in cached.kept() | cached.kept("digests") and part.exists()
    cached.fetch("pod-2")
    assert cached.is_whole("pod-2") and WEIGHTS in cached.fetched()
    # The first one is started again in its pod; of another pod nobody knows before long whether it lives.
    assert part.exists()
    cached.fetch("pod-1")
    assert cached.is_whole("pod-1") and not part.exists() and cached.fetched() == set()


def test_what_a_pod_left_long_ago_goes(cached: Cached) -> None:
    cached.fetch("pod-1")
    [folder] = cached.volume.iterdir()
    for pod, hours in (("pod-old", 7), ("pod-new", 5)):
        left = folder / "parts" / pod / "model.safetensors.part"
        left.parent.mkdir()
        left.write_bytes(b"half")
        at = time.time() - 3600 * hours
        os.utime(left, (at, at))
        os.utime(left.parent, (at, at))
    cached.fetch("pod-2")
    assert {path.name for path in (folder / "parts").iterdir()} & {"pod-old", "pod-new"} == {"pod-new"}


@pytest.mark.parametrize(("name", "content"), [("tokenizer.json", b"[]"), (WEIGHTS, b"cut off"), ("config.json", b"")])
def test_what_is_no_longer_as_it_was_kept_is_fetched_again(cached: Cached, name: str, content: bytes) -> None:
    cached.fetch("pod-1")
    [file] = cached.volume.glob(f"*/files/{name}")
    file.write_bytes(content)
    cached.fetch("pod-2")
    assert cached.fetched() == {name} and cached.is_whole("pod-2")
    cached.fetch("pod-3")
    assert cached.fetched() == set()


def test_without_room_a_model_is_fetched_as_if_there_were_no_cache(
    cached: Cached, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1000, 500, 500))
    cached.fetch("pod-1")
    assert cached.is_whole("pod-1") and cached.kept() == LOADED - {WEIGHTS}
    assert (
        "model.safetensors has 700 bytes, for which the cache has no room: it is not kept." in capsys.readouterr().out
    )


def test_neither_does_one_that_refuses_cost_more_than_a_fetch(
    cached: Cached, capsys: pytest.CaptureFixture[str]
) -> None:
    cached.volume.rmdir()
    cached.volume.write_text("no folder")
    cached.fetch("pod-1")
    assert cached.is_whole("pod-1") and "is not kept in the cache: " in capsys.readouterr().out


def test_objects_that_nothing_tells_from_later_ones_are_not_kept(
    cached: Cached, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = ArtifactStore.list_uri
    monkeypatch.setattr(
        ArtifactStore, "list_uri", lambda store, uri: [replace(one, version=None) for one in listed(store, uri)]
    )
    cached.fetch("pod-1")
    assert cached.is_whole("pod-1") and not list(cached.volume.iterdir())


def test_a_folder_of_the_volume_says_which_model_it_is() -> None:
    name = model_cache.folder_name("hf://Qwen/Tiny@abc", "0123456789abcdef" * 4)
    assert name == "Qwen-Tiny-abc-0123456789abcdef"
    assert len(model_cache.folder_name("s3://" + "a/" * 400, "0" * 64)) <= 97
