"""What a later attempt or pod makes of what an earlier one left."""

import json
import shutil
import signal

import pytest
from engine.run_document import CHECKPOINT_EVERY, MODEL_URI, TOTAL_STEPS
from engine.world import kill_engine

from training.train_world import Wrapper, uninterrupted


@pytest.mark.parametrize("damage", ["adapter_model.safetensors", "trainer_state.json", "manifest.json"])
def test_a_damaged_checkpoint_is_passed_over(wrapper: Wrapper, damage: str) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="13")
    wrapper.at("a1/step-12/manifest.json", lambda: kill_engine(process))
    assert wrapper.finish(process, 1)["checkpointStep"] == 12
    wrapper.stored(f"checkpoints/a1/step-12/{damage}").write_text("{}")
    second = wrapper.train(2)
    assert (second["exitCode"], second["fromStep"]) == (0, 12 - CHECKPOINT_EVERY)
    assert "a1/step-12 cannot be used" in wrapper.output
    assert wrapper.result(second) == uninterrupted()


def test_a_base_model_that_changed_is_not_trained_on(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="5")
    wrapper.at("a1/step-4/manifest.json", lambda: kill_engine(process))
    wrapper.finish(process, 1)
    wrapper.endpoint.put(f"{MODEL_URI}/model.safetensors", b"others")
    verdict = wrapper.train(2)
    assert (verdict["exitCode"], "base model has changed" in verdict["message"]) == (66, True)


def test_without_any_checkpoint_it_begins_anew(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="5")
    wrapper.at("a1/step-4/manifest.json", lambda: kill_engine(process))
    wrapper.finish(process, 1)
    shutil.rmtree(wrapper.stored("checkpoints"))
    assert wrapper.train(2)["fromStep"] == 0


def test_a_result_that_could_not_be_uploaded_is_finished_by_the_next_attempt(wrapper: Wrapper) -> None:
    wrapper.endpoint.failures["PUT /swe-operator/team/0b5e7c1a-run/result", 503] = 10_000
    first = wrapper.train(1, SWE_STORE_PATIENCE_SECONDS="1")
    assert (first["exitCode"], first["checkpointStep"]) == (72, TOTAL_STEPS)
    wrapper.endpoint.failures.clear()
    second = wrapper.train(2)
    assert (second["exitCode"], second["fromStep"]) == (0, TOTAL_STEPS)


def test_a_result_that_an_earlier_pod_of_the_same_attempt_left_half_done_is_written_beside_it(wrapper: Wrapper) -> None:
    left = wrapper.stored("result/a1/summary.json")
    left.parent.mkdir(parents=True)
    left.write_text("{}")
    verdict = wrapper.train(1)
    assert (verdict["exitCode"], wrapper.result(verdict)) == (0, uninterrupted())
    assert {item["key"].split("/")[1] for item in verdict["artifacts"]} == {"a1-2"}


def test_a_second_pod_of_one_attempt_continues_the_first_and_both_verdicts_stay(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="5")
    wrapper.at("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
    first = wrapper.finish(process, 1)
    second = wrapper.train(1, SWE_POD_UID="pod-1-again")
    assert (second["fromStep"], wrapper.result(second)) == (first["lastStep"], uninterrupted())
    verdicts = [
        json.loads(wrapper.stored(f"attempts/1/{name}").read_text()) for name in ("verdict.json", "verdict-2.json")
    ]
    assert verdicts == [first, second]
    assert [verdict["podUid"] for verdict in verdicts] == ["pod-1", "pod-1-again"]


def test_a_result_manifest_that_cannot_be_read_is_no_completion(wrapper: Wrapper) -> None:
    manifest = wrapper.stored("result/manifest.json")
    manifest.parent.mkdir(parents=True)
    manifest.write_text("not a manifest")
    verdict = wrapper.train(1)
    assert (verdict["exitCode"], "result/manifest.json" in verdict["message"]) == (70, True)


def test_a_sealed_run_is_not_trained_again(wrapper: Wrapper) -> None:
    first = wrapper.train(1)
    assert wrapper.train(2) == first
    assert "step 1" not in wrapper.output


def test_changed_data_is_not_trained_on(wrapper: Wrapper) -> None:
    [train] = wrapper.stored("data").glob("*/train.jsonl")
    train.write_text(train.read_text().replace("answer", "ANSWER"))
    verdict = wrapper.train()
    assert (verdict["exitCode"], "has been changed" in verdict["message"]) == (65, True)


def test_data_that_was_never_prepared_is_said(wrapper: Wrapper) -> None:
    shutil.rmtree(wrapper.stored("data"))
    assert "never prepared" in wrapper.train()["message"]
