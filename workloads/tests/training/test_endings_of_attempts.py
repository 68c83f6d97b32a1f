"""How an attempt ends: stopped, killed, hanging, out of time or out of budget."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import TOTAL_STEPS
from engine.world import kill_engine

from training.train_world import TESTS, WITH_SCRIPTED_ENGINE, Wrapper, uninterrupted


def test_a_killed_engine_costs_an_attempt_and_nothing_else(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="9")
    wrapper.at("a1/step-8/manifest.json", lambda: kill_engine(process))
    first = wrapper.finish(process, 1)
    assert (first["exitCode"], first["lastStep"], first["checkpointStep"]) == (70, 9, 8)
    assert first["logTail"][-1].startswith("step ")
    second = wrapper.train(2)
    assert (second["exitCode"], second["fromStep"]) == (0, first["checkpointStep"])
    assert wrapper.result(second) == uninterrupted()


def test_a_stopped_pod_saves_the_step_in_hand(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="5")
    wrapper.at("a1/step-4/manifest.json", lambda: process.send_signal(signal.SIGTERM))
    first = wrapper.finish(process, 1)
    assert (first["exitCode"], first["reason"]) == (75, "Preempted")
    assert (first["checkpointStep"], first["lastStep"]) == (6, 6)
    second = wrapper.train(2)
    assert (second["fromStep"], wrapper.result(second)) == (first["lastStep"], uninterrupted())


def test_an_engine_that_ignores_the_signal_is_killed_in_time(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_GRACE_SECONDS="6", SWE_TEST_HOLD_AT="5")
    begun: list[float] = []

    def freeze_and_stop() -> None:
        kill_engine(process, signal.SIGSTOP)
        begun.append(time.monotonic())
        process.send_signal(signal.SIGTERM)

    wrapper.at("a1/step-4/manifest.json", freeze_and_stop)
    verdict = wrapper.finish(process, 1)
    assert time.monotonic() - begun[0] < 15
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, 4)


def test_a_store_that_is_away_at_the_end_of_a_stop_does_not_hold_the_pod(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_GRACE_SECONDS="6", SWE_TEST_HOLD_AT="5")

    def cut_off_and_stop() -> None:
        wrapper.endpoint.failures["PUT", 0] = 10_000
        process.send_signal(signal.SIGTERM)

    wrapper.at("a1/step-4/manifest.json", cut_off_and_stop)
    begun = time.monotonic()
    verdict = wrapper.finish(process, 1)
    assert time.monotonic() - begun < 60
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, 4)


def test_a_store_that_falls_silent_in_the_middle_of_an_upload_does_not_hold_the_pod(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_GRACE_SECONDS="4")
    begun: list[float] = []

    def stop_and_fall_silent() -> None:
        begun.append(time.monotonic())
        process.send_signal(signal.SIGTERM)
        time.sleep(20)

    wrapper.at("result/a1/metrics.jsonl", stop_and_fall_silent)
    verdict = wrapper.finish(process, 1)
    assert time.monotonic() - begun[0] < 15
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, TOTAL_STEPS)


def test_the_budget_ends_the_attempt_after_a_checkpoint(wrapper: Wrapper) -> None:
    first = wrapper.train(1, SWE_TEST_HOLD_AT="9", SWE_BUDGET_SECONDS="20")
    assert first["seconds"] < 20
    assert (first["exitCode"], first["reason"], first["checkpointStep"]) == (76, "BudgetExceeded", 10)
    assert "The 20 s that spec.budget left for this attempt are spent at step 10 of 24" in first["message"]
    assert "raise spec.budget to continue from step 10" in first["message"]
    second = wrapper.train(2)
    assert (second["fromStep"], wrapper.result(second)) == (10, uninterrupted())


def test_the_budget_holds_while_the_pod_is_still_fetching(wrapper: Wrapper) -> None:
    wrapper.endpoint.failures["GET /swe-operator/team/models", 503] = 10_000
    verdict = wrapper.train(1, SWE_BUDGET_SECONDS="7")
    assert verdict["seconds"] < 7
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (76, 0)


def test_the_budget_does_not_cut_off_the_upload_of_what_is_trained(wrapper: Wrapper) -> None:
    wrapper.at("result/a1/metrics.jsonl", lambda: time.sleep(12))
    begun = time.monotonic()
    verdict = wrapper.train(1, SWE_BUDGET_SECONDS="12")
    assert time.monotonic() - begun > 12
    assert (verdict["exitCode"], verdict["lastStep"]) == (0, TOTAL_STEPS)


def test_an_engine_that_hangs_is_ended_and_says_where(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, stallAfterSeconds=8)
    verdict = wrapper.train(1, SWE_TEST_HOLD_AT="9")
    assert (verdict["exitCode"], verdict["reason"], verdict["checkpointStep"]) == (73, "EngineStalled", 8)
    assert "made no progress for 8 s at step 9 of 24" in verdict["message"]
    assert any("in hold" in line for line in verdict["logTail"])


def test_an_engine_that_cannot_even_be_aborted_is_killed(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, stallAfterSeconds=8)
    process = wrapper.start(1, SWE_TEST_HOLD_AT="9")
    wrapper.at("a1/step-8/manifest.json", lambda: kill_engine(process, signal.SIGSTOP))
    assert wrapper.finish(process, 1)["exitCode"] == 73


def test_a_long_evaluation_is_no_stall(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, stallAfterSeconds=5)
    assert wrapper.train(1, SWE_TEST_HOLD_AT="9", SWE_TEST_ENGINE="evaluate for long")["exitCode"] == 0


def test_a_stop_while_the_program_is_still_loading_is_not_lost(wrapper: Wrapper) -> None:
    early = "import os, signal; from swe_workloads import train; os.kill(os.getpid(), signal.SIGTERM); train.main()"
    verdict = wrapper.finish(wrapper.start(1, early), 1)
    assert (verdict["exitCode"], "Stopped" in verdict["message"]) == (75, True)


@pytest.mark.parametrize("trouble", ["OSError(28, 'No space left on device')", "ValueError('unknown url type')"])
def test_a_verdict_that_cannot_be_stored_is_still_told(wrapper: Wrapper, trouble: str) -> None:
    broken = f"from swe_workloads.artifacts import ArtifactStore\ndef broken(*_): raise {trouble}\n"
    script = f"{broken}ArtifactStore.list_keys = ArtifactStore.write = broken\n{WITH_SCRIPTED_ENGINE}"
    verdict = wrapper.finish(wrapper.start(1, script), 1)
    assert (verdict["exitCode"], verdict["message"].startswith("The wrapper broke")) == (70, True)


@pytest.mark.parametrize(("name", "value"), [("SWE_CA_FILE", "/nowhere/ca.crt"), ("TMPDIR", "/proc/nowhere")])
def test_a_pod_that_lacks_something_says_so(wrapper: Wrapper, name: str, value: str) -> None:
    verdict = wrapper.train(1, **{name: value})
    assert (verdict["exitCode"], value in verdict["message"]) == (64, True)


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("refuse", 66, "no such model"),
        ("crash", 70, "The engine ended with code 1"),
        ("leave early", 70, "The engine ended with code 0 before its first step"),
    ],
)
def test_the_engine_s_own_ending_decides(wrapper: Wrapper, how: str, code: int, words: str) -> None:
    verdict = wrapper.train(1, SWE_TEST_ENGINE=how)
    assert (verdict["exitCode"], words in verdict["message"]) == (code, True)
    if how == "crash":
        assert verdict["logTail"][-1] == "RuntimeError: a driver went away"


def test_a_missing_variable_is_named(wrapper: Wrapper, tmp_path: Path) -> None:
    termination = tmp_path / "termination"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWE_")}
    environment["SWE_TERMINATION_FILE"] = str(termination)
    environment["PYTHONPATH"] = str(TESTS.parent)
    done = subprocess.run([sys.executable, "-m", "swe_workloads.train"], env=environment, check=False)
    assert done.returncode == 64
    assert "SWE_RUN_FILE" in json.loads(termination.read_text())["message"]
