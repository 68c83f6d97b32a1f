"""The real datasets decides which files of a repository a split has."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from fake_hub import FakeHub

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_sources import FetchedData, fetch_data
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod
from swe_workloads.rows import Row, read_rows
from swe_workloads.run_file import Data

REPO = "team/rows"


def jsonl(*names: str) -> bytes:
    return b"".join(json.dumps({"name": name}).encode() + b"\n" for name in names)


def parquet(*names: str) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"name": list(names)}), out)
    return out.getvalue()


def card(configs: object) -> bytes:
    return f"---\n{json.dumps({'configs': configs})}\n---\n# Rows\n".encode()


def fetched(
    hub: FakeHub, store: ArtifactStore, tmp_path: Path, files: Mapping[str, bytes], **wanted: str | None
) -> FetchedData:
    hub.commit("datasets", REPO, files)
    source = {"repo": REPO, "revision": "main", "endpoint": hub.url, "credentials": "None"}
    document = {
        "kind": "Instances",
        "source": {"hub": {**source, "config": None, "split": "train", **wanted}},
        "format": "SWEBench",
        "promptStyle": "Pro",
        "select": {"seed": 1},
    }
    fields = {"SWE_RUN_FILE": "x", "SWE_ARTIFACTS_URL": "x", "SWE_CA_FILE": "x", "SWE_TOKEN_FILE": "x"}
    return fetch_data(Data.model_validate(document), Pod.model_validate(fields), store, tmp_path / "data")


def names(data: FetchedData) -> list[Any]:
    rows = [row for name, path in data.files.items() for row in read_rows(path, name)]
    return [row.fields["name"] for row in rows if isinstance(row, Row)]


def test_a_split_is_the_files_that_the_readme_says(hub: FakeHub, store: ArtifactStore, tmp_path: Path) -> None:
    paths = [{"split": "dev", "path": "data/dev-*"}, {"split": "test", "path": "data/test-*"}]
    files = {
        "README.md": card([{"config_name": "default", "data_files": paths}]),
        "data/dev-00000-of-00002.parquet": parquet("a"),
        "data/dev-00001-of-00002.parquet": parquet("b", "c"),
        "data/test-00000-of-00001.parquet": parquet("d"),
    }
    data = fetched(hub, store, tmp_path, files, split="dev")
    assert names(data) == ["a", "b", "c"]
    assert list(data.files) == ["data/dev-00000-of-00002.parquet", "data/dev-00001-of-00002.parquet"]
    assert not any("test-00000" in request for request in hub.requests)
    commit = hub.repositories["datasets", REPO].branches["main"]
    assert (data.uri, data.revision) == (f"hf://datasets/{REPO}@{commit}", commit)


def test_without_a_readme_the_names_of_files_say_it(hub: FakeHub, store: ArtifactStore, tmp_path: Path) -> None:
    files = {"train.jsonl": jsonl("a"), "test.jsonl": jsonl("b"), "LICENSE": b"MIT"}
    assert names(fetched(hub, store, tmp_path, files, split="test")) == ["b"]


def test_a_configuration_has_files_of_its_own(hub: FakeHub, store: ArtifactStore, tmp_path: Path) -> None:
    configs = [{"config_name": "easy", "data_dir": "e"}, {"config_name": "hard", "data_files": "h/*.jsonl"}]
    files = {"README.md": card(configs), "e/train.jsonl": jsonl("a"), "h/rows.jsonl": jsonl("b")}
    assert names(fetched(hub, store, tmp_path, files, config="hard")) == ["b"]
    assert names(fetched(hub, store, tmp_path / "easy", files, config="easy")) == ["a"]
    with pytest.raises(Failure, match=r"data\.instances\.hub\.config: .* has no default .* name one of easy, hard\."):
        fetched(hub, store, tmp_path / "none", files)
    with pytest.raises(
        Failure, match=r"data\.instances\.hub\.config: .* has no configuration odd; there is easy, hard\."
    ):
        fetched(hub, store, tmp_path / "odd", files, config="odd")


def test_a_split_that_is_not_there_names_those_that_are(hub: FakeHub, store: ArtifactStore, tmp_path: Path) -> None:
    files = {"train.jsonl": jsonl("a"), "test.jsonl": jsonl("b")}
    with pytest.raises(
        Failure, match=r"data\.instances\.hub\.split: .* no split dev .*; there is train, test\."
    ) as caught:
        fetched(hub, store, tmp_path, files, split="dev")
    assert caught.value.code == ExitCode.INVALID_DATA


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"script.py": b"print()"}, "cannot be read as a dataset"),
        ({"README.md": b"---\nconfigs: [}\n---\n", "a.jsonl": b""}, "cannot be read as a dataset"),
        ({"README.md": card([{"config_name": "default", "data_files": "x/*"}]), "a.jsonl": b""}, "cannot be read as"),
        ({"train.csv": b"a,b\n"}, r"train\.csv of split train is none of \.jsonl, \.json, \.parquet; convert it"),
    ],
)
def test_what_cannot_be_read_says_why(
    hub: FakeHub, store: ArtifactStore, tmp_path: Path, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(Failure, match=words) as caught:
        fetched(hub, store, tmp_path, files)
    assert caught.value.code == ExitCode.INVALID_DATA
    assert str(tmp_path) not in str(caught.value)


def test_a_dataset_that_is_not_there_is_named_with_its_field(
    hub: FakeHub, store: ArtifactStore, tmp_path: Path
) -> None:
    with pytest.raises(Failure, match=r"data\.instances\.hub\.repo: .* has no team/none") as caught:
        fetched(hub, store, tmp_path, {}, repo="team/none")
    assert caught.value.code == ExitCode.INVALID_DATA
