"""An endpoint that is slow, limits, breaks off, lies or dies: bounded tries, honest figures, and an end."""

import json
import time
from collections import Counter
from email.message import Message
from pathlib import Path

import pytest
from bad_chat_api import TROUBLES, make_bad
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import (
    FakeChatApi,
    Fault,
    break_off,
    break_off_chunk,
    break_off_document,
    dawdle,
    document,
    endless,
    events,
    hang_up,
    said_events,
    silent,
    status,
    trickle,
)
from generation_world import GenerationWorld, PodMaker, hurry, is_of, many_rows

from swe_workloads.exit_codes import ExitCode
from swe_workloads.generation import chat_client, pace
from swe_workloads.generation.refusals import TryAgain, refusal
from swe_workloads.split import rank

PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"
KEY = "sk-0123456789abcdef"
SPOKEN = [*events("some words", "stop")]


@pytest.fixture
def world(
    tmp_path: Path,
    endpoint: FakeEndpoint,
    pod_of: PodMaker,
    chat_api: FakeChatApi,
    monkeypatch: pytest.MonkeyPatch,
) -> GenerationWorld:
    hurry(monkeypatch)
    return GenerationWorld(tmp_path, endpoint, pod_of, chat_api)


def asked_first(world: GenerationWorld) -> str:
    return min((row["instance_id"] for row in world.rows), key=lambda name: rank(42, name))


RUBBISH = {
    "a page": document(PAGE, "text/html"),
    "a page called JSON": document(PAGE),
    "a page in a stream": document(PAGE, "text/event-stream"),
    "no JSON": document(b"{"),
    "no object": document([1, 2]),
    "no choices": document({"object": "chat.completion"}),
    "choices that are none": document({"choices": "many"}),
    "empty choices": document({"choices": []}),
    "a choice that is none": document({"choices": ["a"]}),
    "a message that is none": document({"choices": [{"message": "a"}]}),
    "content that is no text": document({"choices": [{"message": {"content": [{"text": "a"}]}}]}),
    "deep JSON": document(b"[" * 100_000),
    "no content": document(b"", "text/plain"),
    "204": lambda handler: handler.say(204, b""),
    "an event that is no JSON": said_events("{"),
    "an event without choices": said_events({"object": "chat.completion.chunk"}),
    "an error in the stream": said_events(SPOKEN[1], {"error": {"message": "CUDA error"}}),
    "an error as text": said_events(SPOKEN[1], {"error": "CUDA error"}),
    "a stream that only begins": said_events(*SPOKEN[:3]),
    "an empty stream": said_events(),
    "an answer that the server broke off": said_events(*SPOKEN[:3], *list(events("", "abort"))[3:], "[DONE]"),
    "a broken stream": break_off,
    "a broken chunk": break_off_chunk,
    "a broken document": break_off_document,
    "no answer": hang_up,
    "another protocol": lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "an endless answer": endless,
    "HTTP 500": status(500),
    "HTTP 503": status(503),
    "HTTP 408": status(408),
    "HTTP 529": status(529),
}


@pytest.mark.parametrize("fault", RUBBISH.values(), ids=RUBBISH)
def test_whatever_comes_instead_of_an_answer_is_tried_again(world: GenerationWorld, fault: Fault) -> None:
    world.document["sampling"]["maxTokens"] = 64
    world.api.faults = [fault]
    summary = world.summary()
    assert (summary.generated, summary.given_up, summary.retries) == (12, 0, 1)
    assert len(world.api.asked) == 13


def test_a_sample_that_fails_ever_again_is_given_up_and_counted(world: GenerationWorld) -> None:
    world.rows[1]["problem_statement"] = "cursed"
    world.document["sampling"]["samplesPerInstance"] = 2
    world.api.fault_of = lambda body: status(500, "CUDA error") if is_of(body, "cursed") else None
    summary = world.summary()
    assert (summary.samples, summary.generated, summary.given_up, summary.retries) == (6, 4, 2, 6)
    assert [one.instance for one in summary.given_up_examples] == ["team__lib-2"] * 2
    assert {one.reason for one in summary.given_up_examples} == {"HTTP 500 CUDA error"}
    assert Counter(body["seed"] for body in world.api.asked if is_of(body, "cursed")).most_common(1)[0][1] == 4
    assert [(line["instance_id"], line["sample"], line["tries"]) for line in world.lines("given-up.jsonl")] == [
        ("team__lib-2", 1, 4), ("team__lib-2", 2, 4),
    ]  # fmt: skip
    assert {line["instance_id"] for line in world.lines("predictions.jsonl")} == {"team__lib-1", "team__lib-3"}


def test_a_prompt_that_is_too_long_is_asked_once_and_counted_for_all_its_samples(world: GenerationWorld) -> None:
    world.document["concurrency"] = 1
    world.rows[0]["problem_statement"] = "cursed"
    words = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
    world.api.fault_of = lambda body: status(400, words) if is_of(body, "cursed") else None
    summary = world.summary()
    assert (summary.generated, summary.given_up, summary.retries) == (8, 4, 0)
    assert len([body for body in world.api.asked if is_of(body, "cursed")]) == 1
    assert summary.given_up_examples[0].reason == f"HTTP 400 {words}"


def test_a_refusal_of_one_sample_is_not_tried_again(world: GenerationWorld) -> None:
    assert asked_first(world) != "team__lib-1"
    world.rows[0]["problem_statement"] = "cursed"
    world.api.fault_of = lambda body: status(422, "bad characters") if is_of(body, "cursed") else None
    summary = world.summary()
    assert (summary.generated, summary.given_up, len(world.api.asked)) == (8, 4, 12)


def test_what_a_filter_refuses_is_the_sample_s_even_if_it_is_the_first(world: GenerationWorld) -> None:
    world.api.faults = [status(400, "The response was filtered", code="content_filter")]
    summary = world.summary()
    assert (summary.generated, summary.given_up) == (11, 1)


@pytest.mark.parametrize("most", [1, 3])
def test_an_api_that_limits_gets_no_more_than_it_takes(world: GenerationWorld, most: int) -> None:
    world.document["concurrency"] = 16
    world.document["limits"]["attempts"] = 12
    world.document["sampling"]["samplesPerInstance"] = 12
    world.api.most, world.api.delay_seconds = most, 0.02
    summary = world.summary()
    assert (summary.generated, summary.given_up) == (36, 0)
    assert summary.retries == len(world.api.asked) - 36
    late = len(world.api.asked) // 2
    assert len(world.api.asked) - late < 60, "half of the requests are in vain at the end"


def test_everybody_waits_as_long_as_the_api_asks_for(world: GenerationWorld) -> None:
    world.api.retry_after = "1"
    world.api.faults = [status(429)]
    assert world.summary().generated == 12
    assert min(world.api.times[1:]) - world.api.times[0] >= 1


def test_a_busy_server_s_wait_is_everybody_s_too(world: GenerationWorld) -> None:
    world.api.retry_after = "1"
    world.api.faults = [status(503)]
    assert world.summary().generated == 12
    assert min(world.api.times[1:]) - world.api.times[0] >= 1


def test_a_server_that_falls_silent_is_given_up_long_before_the_whole_time(
    world: GenerationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_client, "SILENT_SECONDS", 0.5)
    world.document["limits"]["requestSeconds"] = 600
    world.api.faults = [silent(8)]
    began = time.monotonic()
    assert world.summary().retries == 1
    assert time.monotonic() - began < 8


def test_nobody_waits_for_the_end_of_the_first_answer(world: GenerationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_client, "SILENT_SECONDS", 3.0)
    world.document["concurrency"] = 12
    world.api.faults = [silent(8)]
    assert world.summary().generated == 12
    assert world.api.times[11] - world.api.times[0] < 2


@pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 60, b"HTTP/1.1 100 Continue\r\n\r\n" * 20])
def test_an_answer_that_trickles_is_over_with_its_time(world: GenerationWorld, drip: bytes) -> None:
    world.document["limits"]["requestSeconds"] = 1
    world.api.faults = [trickle(drip)]
    began = time.monotonic()
    assert world.summary().retries >= 1
    assert time.monotonic() - began < 6


def test_an_answer_that_never_comes_to_its_end_is_over_with_its_time(world: GenerationWorld) -> None:
    world.document["limits"]["requestSeconds"] = 1
    world.api.faults = [dawdle(8)]
    began = time.monotonic()
    summary = world.summary()
    assert (summary.generated, summary.given_up, summary.retries) == (12, 0, 1)
    assert time.monotonic() - began < 6


def test_an_api_that_never_lets_anybody_in_is_the_endpoint_s_end_and_no_sample_s(
    world: GenerationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LONGEST_HOLD_SECONDS", 0.1)
    world.rows = many_rows()
    world.api.fault_of = lambda _: status(429)
    failure = world.failure()
    assert failure.code == ExitCode.ENDPOINT_UNAVAILABLE
    # Five instances in a row, each tried four times, by four threads that may each be at one more.
    assert len(world.api.asked) <= (5 + 4) * 4 * 4
    assert world.stored() == []


def test_no_api_is_waited_for_longer_than_five_minutes() -> None:
    headers = Message()
    headers["Retry-After"] = "86400"
    limited = refusal(429, headers, b"")
    assert isinstance(limited, TryAgain) and limited.wait_seconds == 300


def test_all_troubles_at_once_end_with_honest_figures_and_without_the_key(
    world: GenerationWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    world.rows[1]["problem_statement"] = "cursed"
    world.with_key(KEY)
    world.api.key = KEY
    make_bad(world.api, "cursed")
    verdict = world.generate()
    summary = verdict.summary
    assert summary is not None and (summary.samples, summary.generated, summary.given_up) == (12, 8, 4)
    # Nobody was asked but for what is counted: each sample once, and each retry.
    assert len(world.api.asked) == 12 + summary.retries
    assert 4 * 3 <= summary.retries <= 4 * 3 + len(TROUBLES)
    assert summary.without_patch == 8
    assert "I was sent [key]" in everything_stored(world)
    told = capfd.readouterr()
    assert KEY not in everything_stored(world) + told.out + told.err + verdict.model_dump_json()


def everything_stored(world: GenerationWorld) -> str:
    return "\n".join(path.read_text() for path in sorted(world.endpoint.objects.rglob("*")) if path.is_file())


def test_answers_without_patches_and_cut_off_ones_are_counted(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 1
    answers = iter(["I cannot.", "", "```diff\n--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\n-a\n+b\n```"])
    world.api.answer = lambda _: next(answers)
    world.api.finish_reason = "length"
    summary = world.summary()
    assert (summary.generated, summary.without_patch, summary.truncated, summary.repaired) == (3, 2, 3, 1)
    lines = world.lines("predictions.jsonl")
    assert sorted(line["model_patch"] for line in lines) == ["", "", "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n"]


def test_answers_that_a_filter_kept_back_are_counted_as_refused(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 1
    world.api.answer = lambda _: ""
    world.api.finish_reason = "content_filter"
    verdict = world.generate()
    assert verdict.summary is not None and (verdict.summary.without_patch, verdict.summary.refused) == (3, 3)
    assert "Answers that the model refused to give: 3." in verdict.message


def test_half_a_character_in_an_answer_breaks_nothing(world: GenerationWorld) -> None:
    body = {"choices": [{"message": {"content": "half \ud83d"}, "finish_reason": "stop"}]}
    world.api.faults = [document(json.dumps(body).encode())]
    assert world.summary().generated == 12
    assert "half ?" in {line["answer"] for line in world.lines("answers.jsonl")}
