"""The wrapper as a process of its own, with a scripted engine: what it does around the training."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkpoint_maker import read_weights
from engine.run_document import ADAPTER_URI, CHECKPOINT_EVERY, MODEL_URI, TOTAL_STEPS, continuing
from fake_artifact_endpoint import FakeEndpoint
from scripted_engine import BEST_STEP

from swe_workloads.adapter_files import CONFIG, WEIGHTS
from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_files import DATA_MANIFEST
from swe_workloads.manifest import manifest_of

HERE = Path(__file__).parent
WITH_SCRIPTED_ENGINE = (
    "from swe_workloads import engine_run, held_out, train; engine_run.ENGINES['SFT'] = 'scripted_engine'; "
    "held_out.MEASURES['SFT'] = 'scripted_measurement'; train.main()"
)


class Wrapper:
    """Attempts at one prepared run."""

    def __init__(self, endpoint: FakeEndpoint, folder: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder

    def start(self, attempt: int, script: str = WITH_SCRIPTED_ENGINE, **environment: str) -> "subprocess.Popen[str]":
        work = self.folder / f"pod-{attempt}"
        work.mkdir(exist_ok=True)
        pod = self.endpoint.environment(work, self.folder / "run.json", attempt)
        paths = os.pathsep.join([str(HERE), str(HERE.parent)])
        return subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, **pod, "PYTHONPATH": paths, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: "subprocess.Popen[str]", attempt: int) -> dict[str, Any]:
        self.output, _ = process.communicate(timeout=240)
        verdict: dict[str, Any] = json.loads((self.folder / f"pod-{attempt}" / "termination").read_text())
        assert process.returncode == verdict["exitCode"], self.output
        return verdict

    def train(self, attempt: int = 1, **environment: str) -> dict[str, Any]:
        return self.finish(self.start(attempt, **environment), attempt)

    def at(self, stored: str, action: Callable[[], object]) -> None:
        """Acts once, when this object has been stored."""
        waiting = [stored]

        def look(what: str) -> None:
            if waiting and waiting[0] in what:
                waiting.clear()
                action()

        self.endpoint.after_put = look

    def change(self, run: dict[str, Any], **fields: Any) -> None:
        (self.folder / "run.json").write_text(json.dumps(run | fields))

    def stored(self, key: str) -> Path:
        return self.endpoint.prefix / key

    def result(self, verdict: dict[str, Any], kind: str = "adapter") -> str:
        [weights] = [
            item["key"] for item in verdict["artifacts"] if item["name"] == f"{kind}/adapter_model.safetensors"
        ]
        return read_weights(self.stored(weights).parent)


@pytest.fixture
def wrapper(run: dict[str, Any], endpoint: FakeEndpoint, store: ArtifactStore, tmp_path: Path) -> Wrapper:
    for name in ("config.json", "model.safetensors"):
        endpoint.put(f"{MODEL_URI}/{name}", b"{}")
    rows = b'{"prompt": "question", "completion": " answer"}\n'
    data = {"data/pod/train.jsonl": rows, "data/pod/test.jsonl": b""}
    digests = {key: store.write(key, content) for key, content in data.items()}
    store.write(DATA_MANIFEST, manifest_of(digests).to_json())
    (tmp_path / "run.json").write_text(json.dumps(run))
    return Wrapper(endpoint, tmp_path)


def kill_engine(wrapper: "subprocess.Popen[str]", number: signal.Signals = signal.SIGKILL) -> None:
    for child in Path(f"/proc/{wrapper.pid}/task/{wrapper.pid}/children").read_text().split():
        os.kill(int(child), number)


def test_a_whole_run_ends_sealed_and_listed(wrapper: Wrapper) -> None:
    verdict = wrapper.train()
    assert (verdict["exitCode"], verdict["lastStep"], verdict["totalSteps"]) == (0, TOTAL_STEPS, TOTAL_STEPS)
    assert (verdict["microBatch"], verdict["podUid"], verdict["stoppedEarly"]) == (2, "pod-1", False)
    assert 0 <= verdict["seconds"] < 60
    assert verdict["loss"] == {"first": "9", "last": str(10 - TOTAL_STEPS)}
    assert verdict["artifacts"][0]["key"] == "result/a1/adapter/adapter_model.safetensors"
    assert json.loads(wrapper.stored("result/manifest.json").read_text())["verdict"] == verdict
    assert json.loads(wrapper.stored("attempts/1/verdict.json").read_text()) == verdict
    summary = json.loads(wrapper.stored("result/a1/summary.json").read_text())
    assert {file["name"] for file in summary["model"]["files"]} == {"config.json", "model.safetensors"}
    assert summary["run"]["optimizer"]["learningRate"] == "5e-3"


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
    assert time.monotonic() - begun[0] < 6
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, 4)


def test_a_store_that_is_away_at_the_end_of_a_stop_does_not_hold_the_pod(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_GRACE_SECONDS="6", SWE_TEST_HOLD_AT="5")

    def cut_off_and_stop() -> None:
        wrapper.endpoint.failures["PUT", 0] = 10_000
        process.send_signal(signal.SIGTERM)

    wrapper.at("a1/step-4/manifest.json", cut_off_and_stop)
    begun = time.monotonic()
    verdict = wrapper.finish(process, 1)
    assert time.monotonic() - begun < 20
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, 4)


def test_a_store_that_falls_silent_in_the_middle_of_an_upload_does_not_hold_the_pod(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_GRACE_SECONDS="4")
    begun: list[float] = []

    def stop_and_fall_silent() -> None:
        begun.append(time.monotonic())
        process.send_signal(signal.SIGTERM)
        time.sleep(8)

    wrapper.at("result/a1/metrics.jsonl", stop_and_fall_silent)
    verdict = wrapper.finish(process, 1)
    assert time.monotonic() - begun[0] < 4
    assert (verdict["exitCode"], verdict["checkpointStep"]) == (75, TOTAL_STEPS)


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


def test_the_result_is_the_checkpoint_with_the_lowest_held_out_loss(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, checkpoint={**run["checkpoint"], "result": "Best"})
    verdict = wrapper.train()
    assert (verdict["exitCode"], wrapper.result(verdict)) == (0, uninterrupted(BEST_STEP))
    assert verdict["best"] == {"step": BEST_STEP, "evalLoss": "0.5", "key": "result/a1"}
    assert "The result is the checkpoint of step 12." in verdict["message"]


def test_the_best_checkpoint_of_an_earlier_attempt_is_fetched_for_the_result(
    wrapper: Wrapper, run: dict[str, Any]
) -> None:
    wrapper.change(run, checkpoint={**run["checkpoint"], "result": "Best"})
    process = wrapper.start(1, SWE_TEST_HOLD_AT="17")
    wrapper.at("a1/step-16/manifest.json", lambda: kill_engine(process))
    assert wrapper.finish(process, 1)["checkpointStep"] == 16
    second = wrapper.train(2)
    assert (second["exitCode"], wrapper.result(second)) == (0, uninterrupted(BEST_STEP))


def test_the_next_best_stands_in_for_a_checkpoint_that_is_lost(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, checkpoint={**run["checkpoint"], "result": "Best"})
    process = wrapper.start(1, SWE_TEST_HOLD_AT="17")
    wrapper.at("a1/step-16/manifest.json", lambda: kill_engine(process))
    wrapper.finish(process, 1)
    shutil.rmtree(wrapper.stored("checkpoints/a1/step-12"))
    second = wrapper.train(2)
    assert (second["exitCode"], wrapper.result(second)) == (0, uninterrupted(8))
    assert "The checkpoint of step 12 is nowhere to be found." in wrapper.output


def test_a_training_that_ended_early_on_purpose_is_complete(wrapper: Wrapper) -> None:
    verdict = wrapper.train(1, SWE_TEST_ENGINE="stop early")
    assert (verdict["exitCode"], verdict["stoppedEarly"], verdict["lastStep"]) == (0, True, BEST_STEP)
    assert wrapper.result(verdict) == uninterrupted(BEST_STEP)


def test_an_adapter_names_the_model_of_the_run_and_no_path_of_the_pod(wrapper: Wrapper) -> None:
    verdict = wrapper.train()
    config = json.loads(wrapper.stored("result/a1/adapter/adapter_config.json").read_text())
    assert config == {"base_model_name_or_path": MODEL_URI, "revision": None, "target_modules": ["a", "b"]}
    names = {item["name"] for item in verdict["artifacts"]}
    assert names >= {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}
    assert not [name for name in names if name.endswith((".pt", ".pth", "trainer_state.json"))]


def test_full_fine_tuning_publishes_a_model(wrapper: Wrapper, run: dict[str, Any]) -> None:
    wrapper.change(run, lora=None)
    verdict = wrapper.train()
    assert (verdict["exitCode"], wrapper.result(verdict, "model")) == (0, uninterrupted())


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


def test_a_smaller_pass_is_ordered_and_told(wrapper: Wrapper) -> None:
    verdict = wrapper.train(1, SWE_MICRO_BATCH="1")
    order = json.loads((wrapper.folder / "pod-1" / "attempt-1" / "order.json").read_text())
    assert (verdict["microBatch"], order["micro_batch"]) == (1, 1)


def test_a_pass_that_does_not_divide_the_batch_is_refused(wrapper: Wrapper) -> None:
    verdict = wrapper.train(1, SWE_MICRO_BATCH="3")
    assert (verdict["exitCode"], "SWE_MICRO_BATCH: 3 does not divide" in verdict["message"]) == (64, True)


def test_a_result_manifest_that_cannot_be_read_is_no_completion(wrapper: Wrapper) -> None:
    manifest = wrapper.stored("result/manifest.json")
    manifest.parent.mkdir(parents=True)
    manifest.write_text("not a manifest")
    verdict = wrapper.train(1)
    assert (verdict["exitCode"], "result/manifest.json" in verdict["message"]) == (70, True)


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


def test_a_sealed_run_is_not_trained_again(wrapper: Wrapper) -> None:
    first = wrapper.train(1)
    assert wrapper.train(2) == first
    assert "step 1" not in wrapper.output


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


def test_changed_data_is_not_trained_on(wrapper: Wrapper) -> None:
    [train] = wrapper.stored("data").glob("*/train.jsonl")
    train.write_text(train.read_text().replace("answer", "ANSWER"))
    verdict = wrapper.train()
    assert (verdict["exitCode"], "has been changed" in verdict["message"]) == (65, True)


def test_data_that_was_never_prepared_is_said(wrapper: Wrapper) -> None:
    shutil.rmtree(wrapper.stored("data"))
    assert "never prepared" in wrapper.train()["message"]


def test_a_missing_variable_is_named(wrapper: Wrapper, tmp_path: Path) -> None:
    termination = tmp_path / "termination"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWE_")}
    environment["SWE_TERMINATION_FILE"] = str(termination)
    environment["PYTHONPATH"] = str(HERE.parent)
    done = subprocess.run([sys.executable, "-m", "swe_workloads.train"], env=environment, check=False)
    assert done.returncode == 64
    assert "SWE_RUN_FILE" in json.loads(termination.read_text())["message"]


def test_an_adapter_that_is_continued_is_brought_to_the_engine_and_is_part_of_what_a_checkpoint_was_made_of(
    wrapper: Wrapper, run: dict[str, Any]
) -> None:
    files = {name: f"of {name}".encode() for name in (CONFIG, WEIGHTS)}
    for name, content in files.items():
        wrapper.endpoint.put(f"{ADAPTER_URI}/{name}", content)
    run = continuing(run, **{name: hashlib.sha256(content).hexdigest() for name, content in files.items()})
    (wrapper.folder / "run.json").write_text(json.dumps(run))
    wrapper.train(SWE_TEST_ENGINE="crash")
    order = json.loads((wrapper.folder / "pod-1/attempt-1/order.json").read_text())
    assert {path.name: path.read_bytes() for path in Path(order["adapter_dir"]).iterdir()} == files
    verdict = wrapper.train(2)
    summary = json.loads(wrapper.stored("result/a2/summary.json").read_text())
    named = {f"adapter/{name}" for name in files} | {"config.json", "model.safetensors"}
    assert {file["name"] for file in summary["model"]["files"]} == named
    assert verdict["exitCode"] == 0
    assert "Adapter of sft</" in wrapper.stored("result/a2/report.html").read_text()


def uninterrupted(steps: int = TOTAL_STEPS) -> str:
    weights = ""
    for step in range(1, steps + 1):
        weights = hashlib.sha256(f"{weights}{step}".encode()).hexdigest()
    return weights
