import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import MODEL_URI
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import WordTokenizer, word_tokenizer

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod
from swe_workloads.prepare import prepare
from swe_workloads.verdict import PrepareSummary, PrepareVerdict

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
PodMaker = Callable[[dict[str, Any]], Pod]


@pytest.fixture(autouse=True)
def _model(endpoint: FakeEndpoint) -> None:
    endpoint.put(f"{MODEL_URI}/config.json", b"{}")
    endpoint.put(f"{MODEL_URI}/model.safetensors", b"weights")


def write_rows(run: dict[str, Any], *rows: object) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    Path(run["data"]["source"]["configMapFile"]).write_text("\n".join(lines))


def row(number: int) -> dict[str, str]:
    return {"prompt": f"question {number}", "completion": f" answer {number}"}


def summary_of(verdict: PrepareVerdict) -> PrepareSummary:
    assert verdict.summary is not None, verdict
    return verdict.summary


def stored(endpoint: FakeEndpoint, name: str) -> list[dict[str, Any]]:
    [path] = (endpoint.prefix / "data").glob(f"*/{name}")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_real_instances_are_split_and_sealed(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["data"] |= {"kind": "Instances", "format": "SWEBench", "promptStyle": "Pro"}
    run["data"]["source"] = {"configMapFile": str(REAL_ROWS)}
    run["split"]["trainPercent"] = 70
    run["sequence"]["maxLength"] = 4096
    verdict = prepare(pod_of(run), word_tokenizer)
    summary = summary_of(verdict)
    assert (verdict.exit_code, summary.rows, summary.train, summary.test, summary.bad_rows) == (0, 10, 7, 3, 0)
    assert sum(item.rows for item in summary.repositories) == 10
    train = stored(endpoint, "train.jsonl")
    assert train[0]["prompt"][0]["role"] == "user"
    assert train[0]["completion"][0]["content"].startswith("diff --git")
    manifest = json.loads((endpoint.prefix / "data/manifest.json").read_text())
    assert {Path(file["key"]).name for file in manifest["files"]} == {
        "train.jsonl",
        "test.jsonl",
        "summary.json",
        "bad-rows.jsonl",
    }
    assert manifest["verdict"] == verdict.to_document()


def test_no_weights_are_downloaded(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    write_rows(run, *map(row, range(4)))
    prepare(pod_of(run), word_tokenizer)
    assert any("config.json" in request for request in endpoint.requests)
    assert not any("safetensors" in request for request in endpoint.requests)


def test_bad_rows_are_reported_the_others_used(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["sequence"]["maxLength"] = 8
    write_rows(run, row(1), {"prompt": "only"}, "{broken", row(2), {"prompt": "long " * 9, "completion": "x"})
    summary = summary_of(prepare(pod_of(run), word_tokenizer))
    assert (summary.rows, summary.bad_rows) == (2, 3)
    assert summary.bad_row_examples[0].reason == "completion is missing"
    assert {bad["row"] for bad in stored(endpoint, "bad-rows.jsonl")} == {2, 3, 5}


def test_rows_of_which_none_can_be_used_end_with_the_first_reason(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, {"text": "x"}, {"text": "y"})
    verdict = prepare(pod_of(run), word_tokenizer)
    assert verdict.exit_code == 65
    assert "None of the 2 rows can be used. The first, row 1 of rows.jsonl: prompt is missing." in verdict.message
    assert "data.format" in verdict.message
    assert summary_of(verdict).bad_rows == 2
    assert len(stored(endpoint, "bad-rows.jsonl")) == 2
    assert not (endpoint.prefix / "data/manifest.json").exists()


def test_an_empty_source_says_so(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, "")
    verdict = prepare(pod_of(run), word_tokenizer)
    assert (verdict.exit_code, verdict.message.startswith("The data source has no rows.")) == (65, True)


def test_one_group_cannot_be_evaluated(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, row(1), row(1))
    assert "none is left to evaluate on" in prepare(pod_of(run), word_tokenizer).message
    run["evaluation"] = None
    assert prepare(pod_of(run), word_tokenizer).exit_code == 0


def test_a_single_repository_cannot_be_split_by_repository(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["split"]["by"] = "Repository"
    write_rows(run, *({**row(number), "repo": "a/a"} for number in range(4)))
    verdict = prepare(pod_of(run), word_tokenizer)
    assert verdict.exit_code == 65
    assert "All 4 rows are of the repository a/a" in verdict.message
    assert "Set split.by to Instance" in verdict.message
    run["evaluation"] = None
    verdict = prepare(pod_of(run), word_tokenizer)
    assert (verdict.exit_code, summary_of(verdict).test) == (0, 0)
    assert "split.by Repository leaves none to test" in verdict.message


def test_a_row_without_valid_text_is_reported_not_a_crash(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, row(1), {**row(2), "instance_id": "\ud800"}, {**row(3), "prompt": "\udcff"}, row(4))
    assert summary_of(prepare(pod_of(run), word_tokenizer)).bad_rows == 2
    assert [bad["row"] for bad in stored(endpoint, "bad-rows.jsonl")] == [2, 3]


def test_an_object_that_vanishes_while_it_is_read_is_named(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    run["data"]["source"] = {"uri": "s3://swe-operator/team/rows", "credentials": "OwnPrefix"}
    endpoint.put("s3://swe-operator/team/rows/a.jsonl", json.dumps(row(1)).encode())
    endpoint.failures["GET /swe-operator/team/rows", 404] = 1
    with pytest.raises(Failure, match=r"rows/a\.jsonl vanished while it was read") as caught:
        prepare(pod_of(run), word_tokenizer)
    assert caught.value.code == ExitCode.INVALID_DATA


def test_a_split_by_repository_needs_one_in_each_row(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["split"]["by"] = "Repository"
    write_rows(run, {**row(1), "repo": "a/a"}, {**row(2), "repo": "b/b"}, row(3))
    summary = summary_of(prepare(pod_of(run), word_tokenizer))
    assert summary.bad_row_examples[0].reason == "repo is missing, and split.by is Repository"
    assert (summary.train, summary.test) == (1, 1)


def test_messages_need_a_chat_template(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["data"]["format"] = "Messages"
    write_rows(run, {"messages": [{"role": "assistant", "content": "x"}]})
    with pytest.raises(Failure, match="no chat template"):
        prepare(pod_of(run), lambda *_: WordTokenizer(chat_template=None))


def test_instances_become_plain_text_without_a_chat_template(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    run["data"] |= {"kind": "Instances", "format": "SWEBench", "promptStyle": "Pro"}
    run["data"]["source"] = {"configMapFile": str(REAL_ROWS)}
    run["sequence"]["maxLength"] = 4096
    prepare(pod_of(run), lambda *_: WordTokenizer(chat_template=None))
    assert stored(endpoint, "train.jsonl")[0]["completion"].startswith("diff --git")


def test_data_is_prepared_once(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, *map(row, range(4)))
    first = prepare(pod_of(run), word_tokenizer)
    write_rows(run, *map(row, range(9)))
    assert prepare(pod_of(run), word_tokenizer) == first


def test_of_two_preparations_at_once_the_first_to_seal_stands(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, *map(row, range(4)))
    others = {"kind": "Prepare", "exitCode": 0, "reason": "Completed", "message": "the other's"}
    manifest = json.dumps({"version": 1, "files": [], "verdict": others})
    endpoint.after_put = lambda what: (endpoint.prefix / "data/manifest.json").write_text(manifest)  # type: ignore[assignment]
    assert prepare(pod_of(run), word_tokenizer).message == "the other's"


def test_a_folder_is_read_in_order_of_names(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["data"]["source"] = {"uri": "s3://swe-operator/team/rows", "credentials": "OwnPrefix"}
    endpoint.put("s3://swe-operator/team/rows/b.json", json.dumps([row(3), {}]).encode())
    endpoint.put("s3://swe-operator/team/rows/a.jsonl", json.dumps(row(1)).encode())
    endpoint.put("s3://swe-operator/team/rows/README.md", b"not data")
    endpoint.put("s3://swe-operator/team/rows-of-others/c.jsonl", json.dumps(row(9)).encode())
    summary = summary_of(prepare(pod_of(run), word_tokenizer))
    assert (summary.rows, summary.bad_rows) == (2, 1)
    assert summary.bad_row_examples[0].reason == "b.json: prompt is missing"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapFile": "/nowhere/rows.jsonl"}, "The ConfigMap has no key rows.jsonl"),
        ({"uri": "s3://swe-operator/team/none", "credentials": "OwnPrefix"}, "There is no .jsonl or .json object at"),
        ({"uri": "s3://elsewhere/rows", "credentials": "Secret"}, "The referenced Secret has no key AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_source_that_is_not_there_is_named(
    run: dict[str, Any], pod_of: PodMaker, source: dict[str, str], message: str
) -> None:
    run["data"]["source"] = source
    with pytest.raises(Failure, match=message):
        prepare(pod_of(run), word_tokenizer)


def test_a_model_that_is_not_there_is_named(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["model"]["uri"] = "s3://swe-operator/team/models/none"
    write_rows(run, row(1), row(2))
    with pytest.raises(Failure, match="There is no model at s3://swe-operator/team/models/none"):
        prepare(pod_of(run), word_tokenizer)
