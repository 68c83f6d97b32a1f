"""Trajectories as predictions: what is read of a file, and what a folder of them comes to."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import BUCKET, NAMESPACE, FakeEndpoint
from trajectory_world import REAL, REAL_ID, mini, swe_agent

from evaluation.eval_world import (
    DIFF,
    PodMaker,
    eval_document,
    instances_file,
    prediction,
    prepared,
    refusal,
    stored,
    summary_of,
)
from swe_workloads import trajectory_files
from swe_workloads.data_sources import FetchedData
from swe_workloads.evaluation.prediction_files import read_prediction_rows
from swe_workloads.evaluation.predictions import Predictions, Said, collect, read_prediction
from swe_workloads.evaluation.reading import prediction_rows
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.rows import NOT_TEXT, BadRow, Row

RUN = f"s3://{BUCKET}/{NAMESPACE}/agent"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path / "shelf") as opened:
        yield opened


def read(folder: Path, content: object, name: str = "team__lib-1.traj") -> Row | BadRow:
    path = folder / "file"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    [row] = read_prediction_rows(path, name)
    return row


def told(folder: Path, content: object, name: str = "team__lib-1.traj") -> Said:
    row = read(folder, content, name)
    assert isinstance(row, Row), row
    return read_prediction(row)


def reason(folder: Path, content: object) -> str:
    bad = read(folder, content, "run/a.traj")
    assert isinstance(bad, BadRow) and (bad.file, bad.number) == ("run/a.traj", 1)
    return bad.reason


def folder_of(folder: Path, files: dict[str, Any]) -> FetchedData:
    """As a source is fetched: files of their own, by the names that the user knows them by."""
    local = {}
    for number, (name, content) in enumerate(sorted(files.items())):
        local[name] = folder / str(number)
        local[name].write_text(content if isinstance(content, str) else json.dumps(content))
    return FetchedData(local, "s3://b/run")


def collected(folder: Path, shelf: Shelf, files: dict[str, Any]) -> Predictions:
    return collect(prediction_rows(folder_of(folder, files)), shelf)


def test_a_real_trajectory_is_the_patch_that_its_agent_submitted() -> None:
    [row] = read_prediction_rows(REAL, f"run/{REAL.name}")
    assert isinstance(row, Row)
    said = read_prediction(row)
    assert (said.instance, said.model) == (REAL_ID, "gpt-4o")
    assert said.patch == json.loads(REAL.read_text())["info"]["submission"]
    assert row.fields["trajectory_sha256"] == hashlib.sha256(REAL.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (swe_agent(1, DIFF), "run/x/x.traj", Said("team__lib-1", "team/agent", DIFF)),
        (mini(2, DIFF), "run/x/x.traj.json", Said("team__lib-2", "team/mini", DIFF)),
        (swe_agent(1, DIFF, replay_config=None), "run/x/a__a-1.traj", Said("a__a-1", "None", DIFF)),
        (swe_agent(1, DIFF, replay_config="{"), "a__a-1.traj", Said("a__a-1", "None", DIFF)),
        (mini(1, DIFF, instance_id=None), "run/a__a-1.traj.json", Said("a__a-1", "team/mini", DIFF)),
        (swe_agent(1, None), "x.traj", Said("team__lib-1", "team/agent", "")),
        ({"info": {}, "trajectory": []}, "run/a__a-1.traj", Said("a__a-1", "None", "")),
    ],
)
def test_instance_model_and_patch_are_where_each_agent_puts_them(
    content: object, name: str, said: Said, tmp_path: Path
) -> None:
    assert told(tmp_path, content, name) == said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not valid JSON: "),
        (json.dumps(swe_agent())[:-9], "not valid JSON: "),
        ("[" * 100_000, "not valid JSON: "),
        ([], "no trajectory of SWE-agent or mini-swe-agent: it has no object info"),
        ({"instance_id": "a", "model_patch": "p"}, "it has no object info"),
        ({"info": {"submission": "p"}}, "it has no list history, messages, trajectory"),
        (swe_agent(1, "\ud800"), NOT_TEXT),
    ],
)
def test_a_file_that_is_damaged_or_foreign_is_named_with_the_reason(
    content: object, words: str, tmp_path: Path
) -> None:
    assert words in reason(tmp_path, content)


def test_a_trajectory_that_would_fill_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trajectory_files, "MOST_BYTES", 1 << 20)
    assert (
        reason(tmp_path, {**swe_agent(1, DIFF), "attempts": "x" * (2 << 20)})
        == "the trajectory has 2 MiB, 1 MiB can be read"
    )


def test_what_was_said_may_hold_what_is_no_text(tmp_path: Path) -> None:
    assert told(tmp_path, swe_agent(1, DIFF, "\udcff")).patch == DIFF


def test_samples_of_an_instance_are_in_the_order_of_names(tmp_path: Path, shelf: Shelf) -> None:
    files = {f"s3://b/run/{name}/i.traj": swe_agent(1, f"{name}\n") for name in ("b", "a", "c")}
    found = collected(tmp_path, shelf, files)
    assert [(one.sample, one.file) for one in found.usable] == [
        (1, "s3://b/run/a/i.traj"), (2, "s3://b/run/b/i.traj"), (3, "s3://b/run/c/i.traj"),
    ]  # fmt: skip


def test_attempts_that_come_to_one_patch_are_samples_each_and_copies_of_a_file_are_not(
    tmp_path: Path, shelf: Shelf
) -> None:
    files = {
        "s3://b/run/1/i.traj": swe_agent(1, DIFF, "One way."),
        "s3://b/run/2/i.traj": swe_agent(1, DIFF, "Another."),
        "s3://b/run/3/i.traj": swe_agent(1, DIFF, "One way."),
    }
    found = collected(tmp_path, shelf, files)
    assert [one.file for one in found.usable] == ["s3://b/run/1/i.traj", "s3://b/run/2/i.traj"]
    assert [(one.file, one.first_file) for one in found.duplicates] == [("s3://b/run/3/i.traj", "s3://b/run/1/i.traj")]


def test_what_the_agent_lists_of_its_trajectories_is_the_same_sample(tmp_path: Path, shelf: Shelf) -> None:
    listed = {
        "team__lib-1": {"model_name_or_path": "run", "instance_id": "team__lib-1", "model_patch": DIFF},
        "team__lib-2": {"model_name_or_path": "run", "instance_id": "team__lib-2", "model_patch": None},
        "team__lib-3": {"model_name_or_path": "run", "instance_id": "team__lib-3", "model_patch": DIFF},
    }
    files = {
        "s3://b/run/preds.json": listed,
        "s3://b/run/team__lib-1/team__lib-1.traj": swe_agent(1, f"\n{DIFF}"),
        "s3://b/run/team__lib-2/team__lib-2.traj.json": mini(2, ""),
    }
    found = collected(tmp_path, shelf, files)
    assert [(one.instance, one.model) for one in found.usable] == [
        ("team__lib-1", "team/agent"), ("team__lib-2", "team/mini"), ("team__lib-3", "run"),
    ]  # fmt: skip
    assert [(one.row, one.first_file.rpartition("/")[2]) for one in found.duplicates] == [
        (1, "team__lib-1.traj"), (2, "team__lib-2.traj.json"),
    ]  # fmt: skip
    assert found.read == 5


def test_predictions_of_another_run_or_with_a_column_of_their_own_are_samples(tmp_path: Path, shelf: Shelf) -> None:
    plain = {"instance_id": "team__lib-1", "model_name_or_path": "m", "model_patch": DIFF}
    files = {
        "s3://b/one/team__lib-1.traj": swe_agent(1, DIFF),
        "s3://b/one/more.jsonl": json.dumps({**plain, "sample": 2}),
        "s3://b/other/preds.jsonl": json.dumps(plain),
        "s3://b/one/other.jsonl": json.dumps({**plain, "model_patch": f"{DIFF}+"}),
    }
    assert len(collected(tmp_path, shelf, files).usable) == 4


def test_an_evaluation_takes_a_folder_of_trajectories(endpoint: FakeEndpoint, pod_of: PodMaker, tmp_path: Path) -> None:
    at = "psf__requests-"
    for name, content in {
        f"{at}1/{at}1.traj": swe_agent(1, DIFF, replay_config=None),
        f"{at}2/{at}2.traj.json": mini(2, f"{DIFF}\n", instance_id=f"{at}2"),
        f"{at}3/{at}3.traj": {"history": []},
        f"{at}3/{at}3.debug.log": "nothing of ours",
        "preds.json": {f"{at}1": prediction(1, DIFF, "run")},
    }.items():
        endpoint.put(f"{RUN}/{name}", json.dumps(content).encode())
    document = eval_document(instances_file(tmp_path))
    document["predictions"] = {"kind": "Files", "source": {"uri": RUN, "credentials": "OwnPrefix"}}
    summary = summary_of(prepared(pod_of(document)))
    assert (summary.predictions, summary.to_run, summary.duplicates, summary.bad_predictions) == (4, 2, 1, 1)
    [bad] = stored(endpoint, "excluded.json")["badPredictions"]
    assert (bad["file"], bad["row"]) == (f"{RUN}/{at}3/{at}3.traj", 1)
    said = [stored(endpoint, f"inputs/{ordinal}.json")["prediction"] for ordinal in (0, 1)]
    assert [one["model_patch"] for one in said] == [DIFF, f"{DIFF}\n"]
    assert "history" not in json.dumps(said) and "messages" not in json.dumps(said)


def test_a_folder_without_predictions_is_named_with_what_it_may_hold(
    endpoint: FakeEndpoint, pod_of: PodMaker, tmp_path: Path
) -> None:
    endpoint.put(f"{RUN}/run_batch.log", b"nothing")
    document = eval_document(instances_file(tmp_path))
    document["predictions"] = {"kind": "Files", "source": {"uri": RUN, "credentials": "OwnPrefix"}}
    said = f"spec.predictions.s3: There is no .jsonl, .json, .parquet or .traj object at {RUN}."
    assert refusal(pod_of(document)).message == said
