"""Preferences from their rows to what the engine reads."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import preferences_document
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import WordTokenizer
from prepare_world import make_ready, prepare, stored, summary_of, write_rows

from swe_workloads.exit_codes import ExitCode, Failure


@pytest.fixture
def comparison(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    run = preferences_document(tmp_path / "rows.jsonl")
    make_ready(run, endpoint)
    return run


def pair(number: int, **more: Any) -> dict[str, Any]:
    asked = f"question {number}"
    return {"prompt": asked, "chosen": " a good answer", "rejected": f" worse {number}", "id": number, **more}


def test_pairs_are_split_counted_and_sealed(
    comparison: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(comparison, *map(pair, range(10)), pair(10, rejected=" a good answer"), pair(11, chosen=None))
    verdict = prepare(pod_of(comparison))
    summary = summary_of(verdict)
    assert (verdict.exit_code, summary.train, summary.test, summary.bad_rows) == (0, 8, 2, 2)
    assert (summary.tokens.p50, summary.tokens.max) == (6, 6)
    train = stored(endpoint, "train.jsonl")
    assert {frozenset(line) for line in train} == {frozenset(("prompt", "chosen", "rejected"))}
    assert [bad["reason"] for bad in stored(endpoint, "bad-rows.jsonl")] == [
        "chosen and rejected are the same",
        "chosen is missing",
    ]


def test_the_table_tells_both_lengths_and_what_is_cut(
    comparison: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    comparison["sequence"]["maxLength"] = 8
    long = " ".join(["long"] * 9)
    write_rows(comparison, *map(pair, range(8)), *(pair(number, rejected=f" {long} {number}") for number in (8, 9)))
    verdict = prepare(pod_of(comparison))
    table = (endpoint.prefix / str(verdict.table)).read_text()
    lines = {" ".join(line.replace("|", " ").split()) for line in table.splitlines()}
    assert "both 10 6 13 13 20.0 %" in lines
    assert "prompt + chosen 10 6 6 6 0.0 %" in lines
    assert "prompt + rejected 10 5 13 13 20.0 %" in lines
    assert summary_of(verdict).truncated_percent == "20.0"


def test_pairs_of_which_none_can_be_used_say_what_a_row_needs(comparison: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(comparison, {"messages": []})
    verdict = prepare(pod_of(comparison))
    assert verdict.exit_code == 65
    assert "prompt is missing. Each row needs prompt, chosen and rejected: correct them." in verdict.message


def test_one_prompt_alone_cannot_be_evaluated(comparison: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(comparison, *(pair(1, rejected=f" worse {number}") for number in range(5)))
    assert "All 5 rows are pairs of one prompt, so none is left to evaluate on" in prepare(pod_of(comparison)).message


def test_messages_need_a_chat_template_and_text_does_not(comparison: dict[str, Any], pod_of: PodMaker) -> None:
    def speechless(folder: Path, uri: str) -> WordTokenizer:
        return WordTokenizer(chat_template=None)

    def turn(content: str) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": content}]

    asked = [{"role": "user", "content": "question"}]
    conversation = [*asked, *turn("answer"), *asked]
    write_rows(comparison, {"prompt": conversation, "chosen": turn("a"), "rejected": turn("b")})
    with pytest.raises(Failure, match="has no chat template, which conversations need") as caught:
        prepare(pod_of(comparison), speechless)
    assert caught.value.code == ExitCode.MODEL_UNUSABLE
    write_rows(comparison, *map(pair, range(4)))
    assert prepare(pod_of(comparison), speechless).exit_code == 0


def test_a_single_question_becomes_text_where_there_is_no_chat_template(
    comparison: dict[str, Any], pod_of: PodMaker
) -> None:
    def speechless(folder: Path, uri: str) -> WordTokenizer:
        return WordTokenizer(chat_template=None)

    def said(role: str, content: str) -> list[dict[str, str]]:
        return [{"role": role, "content": content}]

    def asked(number: int) -> dict[str, object]:
        answers = {"chosen": said("assistant", " a good answer"), "rejected": said("assistant", " worse")}
        return {"prompt": said("user", f"question {number}"), **answers}

    write_rows(comparison, *map(asked, range(4)))
    assert prepare(pod_of(comparison), speechless).exit_code == 0


def test_a_prompt_that_its_answers_do_not_continue_is_told(
    comparison: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    class Merging(WordTokenizer):
        def encode(self, text: str) -> list[int]:
            return [len(word) for word in text.split()]

    write_rows(comparison, *map(pair, range(3)), pair(3, chosen="rd good", rejected="rse"))
    verdict = prepare(pod_of(comparison), lambda folder, uri: Merging())
    assert "In 1 pairs the tokens of the prompt change when an answer follows: see the table." in verdict.message
    table = (endpoint.prefix / str(verdict.table)).read_text()
    assert "pairs whose prompt has other tokens when an answer follows" in table


def test_a_learning_rate_of_an_imitation_is_noted(comparison: dict[str, Any], pod_of: PodMaker) -> None:
    write_rows(comparison, *map(pair, range(4)))
    message = prepare(pod_of(comparison)).message
    assert "optimizer.learningRate 0.005 is one of supervised fine-tuning; with method DPO 5e-6 is usual." in message


def test_rows_are_left_as_they_are(comparison: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    rows = [pair(number, instance_id=f"a__a-{number}", repo="a/a") for number in range(4)]
    write_rows(comparison, *rows)
    prepare(pod_of(comparison))
    kept = [*stored(endpoint, "train.jsonl"), *stored(endpoint, "test.jsonl")]
    expected = [{name: value for name, value in row.items() if name != "id"} for row in rows]
    assert sorted(kept, key=lambda line: str(line["instance_id"])) == expected


@pytest.mark.parametrize("is_same", [True, False])
def test_pairs_that_were_frozen_are_read_as_they_were_and_no_others(
    is_same: bool, comparison: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    content = "".join(json.dumps(pair(number)) + "\n" for number in range(4)).encode()
    uri = "s3://swe-operator/team/gen-uid/report/p/preferences.jsonl"
    endpoint.put(uri, content if is_same else content + b"\n")
    sha256 = hashlib.sha256(content).hexdigest()
    comparison["data"]["source"] = {"uri": uri, "credentials": "OwnPrefix", "sha256": sha256}
    if is_same:
        assert prepare(pod_of(comparison)).exit_code == 0
        return
    with pytest.raises(Failure, match=r"preferences\.jsonl has other bytes than were left there"):
        prepare(pod_of(comparison))
