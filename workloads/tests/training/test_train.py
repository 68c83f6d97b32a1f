"""The wrapper as a process of its own, with a scripted engine: what it does around the training."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from engine.run_document import ADAPTER_URI, MODEL_URI, TOTAL_STEPS, continuing
from engine.world import kill_engine
from scripted_engine import BEST_STEP

from swe_workloads.adapter_files import CONFIG, WEIGHTS
from training.train_world import Wrapper, uninterrupted


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


def test_a_smaller_pass_is_ordered_and_told(wrapper: Wrapper) -> None:
    verdict = wrapper.train(1, SWE_MICRO_BATCH="1")
    order = json.loads((wrapper.folder / "pod-1" / "attempt-1" / "order.json").read_text())
    assert (verdict["microBatch"], order["micro_batch"]) == (1, 1)


def test_a_pass_that_does_not_divide_the_batch_is_refused(wrapper: Wrapper) -> None:
    verdict = wrapper.train(1, SWE_MICRO_BATCH="3")
    assert (verdict["exitCode"], "SWE_MICRO_BATCH: 3 does not divide" in verdict["message"]) == (64, True)


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
