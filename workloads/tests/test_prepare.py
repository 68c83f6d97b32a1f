import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import WordTokenizer
from prepare_world import make_ready, prepare, row, stored, summary_of, write_rows

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
NO_EVALUATION = {"strategy": "No", "everySteps": None, "earlyStop": None}


@pytest.fixture(autouse=True)
def _model(endpoint: FakeEndpoint, run: dict[str, Any]) -> None:
    make_ready(run, endpoint)


def another_pod(pod: Pod) -> Pod:
    return pod.model_copy(update={"pod_uid": "pod-2"})


def test_real_instances_are_split_and_sealed(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["data"] |= {"kind": "Instances", "format": "SWEBench", "promptStyle": "Pro"}
    run["data"]["source"] = {"configMapFile": str(REAL_ROWS)}
    run["split"]["trainPercent"] = 70
    run["sequence"]["maxLength"] = 4096
    verdict = prepare(pod_of(run))
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
        "summary.md",
        "bad-rows.jsonl",
    }
    assert manifest["verdict"] == verdict.to_document()


def test_the_data_is_described_in_a_table(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    run["data"] |= {"kind": "Instances", "format": "SWEBench", "promptStyle": "Pro"}
    run["data"]["source"] = {"configMapFile": str(REAL_ROWS)}
    run["data"]["select"] |= {"idContains": "django"}
    run["sequence"]["maxLength"] = 4096
    verdict = prepare(pod_of(run))
    assert verdict.table is not None
    table = (endpoint.prefix / verdict.table).read_text()
    assert table in capsys.readouterr().out
    lines = {" ".join(line.replace("|", " ").split()) for line in table.splitlines()}
    assert {"read 10", "cannot be used 0", "left out by data.select 4", "to train on 5", "held out 1"} <= lines
    assert "rows whose prompt has a line of the gold patch 1 django__django-17029" in lines
    assert any(line.startswith("both 6 ") and line.endswith(" 0.0 %") for line in lines)
    assert "django/django 5 1" in lines
    assert summary_of(verdict).gold_in_prompt_examples == ["django__django-17029"]
    assert "1 prompts hold a line of their own patch." in verdict.message


def test_rows_that_cannot_be_used_are_counted_by_reason(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    long = [{"prompt": "long " * count, "completion": "x"} for count in (9, 10)]
    run["sequence"]["maxLength"] = 8
    write_rows(run, row(1), row(2), *long, {"prompt": "a | b"})
    verdict = prepare(pod_of(run))
    table = (endpoint.prefix / str(verdict.table)).read_text()
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert (
        "| 2 | its prompt alone is 9 tokens: sequence.maxLength 8 leaves nothing to learn from | row 3 of rows.jsonl |"
        in lines
    )
    assert "| 1 | completion is missing | row 5 of rows.jsonl |" in lines


def test_tests_are_counted_only_when_the_selection_asks(run: dict[str, Any], pod_of: PodMaker) -> None:
    instance = {"repo": "a/a", "problem_statement": "It breaks.", "patch": "--- a/x\n+++ b/x\n"}
    rows = [{**instance, "instance_id": f"a-{number}", "FAIL_TO_PASS": "[]"} for number in range(3)]
    write_rows(run, *rows, {**instance, "instance_id": "a-9", "FAIL_TO_PASS": "all"})
    run["data"] |= {"kind": "Instances", "format": "SWEBench", "promptStyle": "Pro"}
    run["data"]["select"] |= {"failToPass": {"max": 0}}
    summary = summary_of(prepare(pod_of(run)))
    assert (
        summary.bad_row_examples[0].reason == "FAIL_TO_PASS is no list of tests, and data.select.failToPass counts them"
    )
    assert summary.rows == 3


def test_what_the_engine_would_refuse_ends_the_preparation(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, *map(row, range(4)))
    run["batch"]["perDevice"] = 9
    with pytest.raises(Failure, match=r"batch\.perDevice 9 is more than the 3 rows"):
        prepare(pod_of(run))


def test_bad_rows_are_reported_the_others_used(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["sequence"]["maxLength"] = 8
    write_rows(run, row(1), {"prompt": "only"}, "{broken", row(2), {"prompt": "long " * 9, "completion": "x"})
    summary = summary_of(prepare(pod_of(run)))
    assert (summary.rows, summary.bad_rows) == (2, 3)
    assert summary.bad_row_examples[0].reason == "completion is missing"
    assert {bad["row"] for bad in stored(endpoint, "bad-rows.jsonl")} == {2, 3, 5}


def test_rows_of_which_none_can_be_used_end_with_the_first_reason(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, {"text": "x"}, {"text": "y"})
    verdict = prepare(pod_of(run))
    assert verdict.exit_code == 65
    assert "None of the 2 rows can be used. The first, row 1 of rows.jsonl: prompt is missing." in verdict.message
    assert "data.format" in verdict.message
    assert summary_of(verdict).bad_rows == 2
    assert len(stored(endpoint, "bad-rows.jsonl")) == 2
    assert not (endpoint.prefix / "data/manifest.json").exists()


def test_an_empty_source_says_so(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, "")
    verdict = prepare(pod_of(run))
    assert (verdict.exit_code, verdict.message.startswith("The data source has no rows.")) == (65, True)


def test_one_group_cannot_be_evaluated(run: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(run, row(1), row(1))
    assert "none is left to evaluate on" in prepare(pod_of(run)).message
    run["evaluation"] = NO_EVALUATION
    assert prepare(another_pod(pod_of(run))).exit_code == 0


def test_a_single_repository_cannot_be_split_by_repository(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["split"]["by"] = "Repository"
    write_rows(run, *({**row(number), "repo": "a/a"} for number in range(4)))
    verdict = prepare(pod_of(run))
    assert verdict.exit_code == 65
    assert "All 4 rows are of the repository a/a" in verdict.message
    assert "Set split.by to Instance" in verdict.message
    run["evaluation"] = NO_EVALUATION
    verdict = prepare(another_pod(pod_of(run)))
    assert (verdict.exit_code, summary_of(verdict).test) == (0, 0)
    assert "split.by Repository leaves none to test" in verdict.message


def test_a_row_without_valid_text_is_reported_not_a_crash(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, row(1), {**row(2), "instance_id": "\ud800"}, {**row(3), "prompt": "\udcff"}, row(4))
    assert summary_of(prepare(pod_of(run))).bad_rows == 2
    assert [bad["row"] for bad in stored(endpoint, "bad-rows.jsonl")] == [2, 3]


def test_an_object_that_vanishes_while_it_is_read_is_named(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    run["data"]["source"] = {"uri": "s3://swe-operator/team/rows", "credentials": "OwnPrefix"}
    endpoint.put("s3://swe-operator/team/rows/a.jsonl", json.dumps(row(1)).encode())
    endpoint.failures["GET /swe-operator/team/rows", 404] = 1
    with pytest.raises(Failure, match=r"rows/a\.jsonl vanished while it was read") as caught:
        prepare(pod_of(run))
    assert caught.value.code == ExitCode.INVALID_DATA


def test_a_split_by_repository_needs_one_in_each_row(run: dict[str, Any], pod_of: PodMaker) -> None:
    run["split"]["by"] = "Repository"
    write_rows(run, {**row(1), "repo": "a/a"}, {**row(2), "repo": "b/b"}, row(3))
    summary = summary_of(prepare(pod_of(run)))
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
    first = prepare(pod_of(run))
    write_rows(run, *map(row, range(9)))
    assert prepare(pod_of(run)) == first


def test_of_two_preparations_at_once_the_first_to_seal_stands(
    run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(run, *map(row, range(4)))
    others = {"kind": "Prepare", "exitCode": 0, "reason": "Completed", "message": "the other's"}
    manifest = json.dumps({"version": 1, "files": [], "verdict": others})
    endpoint.after_put = lambda what: (endpoint.prefix / "data/manifest.json").write_text(manifest)  # type: ignore[assignment]
    assert prepare(pod_of(run)).message == "the other's"


def test_a_folder_is_read_in_order_of_names(run: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    run["data"]["source"] = {"uri": "s3://swe-operator/team/rows", "credentials": "OwnPrefix"}
    endpoint.put("s3://swe-operator/team/rows/b.json", json.dumps([row(3), {}]).encode())
    endpoint.put("s3://swe-operator/team/rows/a.jsonl", json.dumps(row(1)).encode())
    endpoint.put("s3://swe-operator/team/rows/README.md", b"not data")
    endpoint.put("s3://swe-operator/team/rows-of-others/c.jsonl", json.dumps(row(9)).encode())
    summary = summary_of(prepare(pod_of(run)))
    assert (summary.rows, summary.bad_rows) == (2, 1)
    assert summary.bad_row_examples[0].reason == "b.json: prompt is missing"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"configMapFile": "/nowhere/rows.jsonl"}, "The ConfigMap has no key rows.jsonl"),
        (
            {"uri": "s3://swe-operator/team/none", "credentials": "OwnPrefix"},
            "There is no .jsonl, .json or .parquet object at",
        ),
        ({"uri": "s3://elsewhere/rows", "credentials": "Secret"}, "The referenced Secret has no key AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_source_that_is_not_there_is_named(
    run: dict[str, Any], pod_of: PodMaker, source: dict[str, str], message: str
) -> None:
    run["data"]["source"] = source
    with pytest.raises(Failure, match=message):
        prepare(pod_of(run))
