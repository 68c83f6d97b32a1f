"""What an attempt leaves beside the weights, with a scripted engine and a scripted measurement."""

import json
import math
import signal
import threading
import time
from typing import Any

import pytest
from engine.run_document import TOTAL_STEPS
from engine.world import kill_engine
from scripted_engine import BEST_STEP

from swe_workloads.data_files import DATA_MANIFEST
from swe_workloads.manifest import manifest_of
from swe_workloads.transfer import digest_file
from training.train_world import Wrapper

Run = dict[str, Any]


@pytest.fixture
def measured(wrapper: Wrapper) -> Wrapper:
    """With a row that is held out."""
    keys = ("data/pod/train.jsonl", "data/pod/test.jsonl")
    wrapper.stored(keys[1]).write_bytes(wrapper.stored(keys[0]).read_bytes())
    wrapper.stored(DATA_MANIFEST).write_bytes(
        manifest_of({key: digest_file(wrapper.stored(key)) for key in keys}).to_json()
    )
    return wrapper


def test_the_result_lies_beside_what_is_told_about_it(measured: Wrapper) -> None:
    verdict = measured.train()
    names = [artifact["name"] for artifact in verdict["artifacts"]]
    first = ["adapter/adapter_model.safetensors", "adapter/adapter_config.json"]
    assert names[:6] == [*first, "report.html", "summary.json", "metrics.jsonl", "held_out.jsonl"]
    assert measured.endpoint.content_types["report.html"].startswith("text/html")
    summary = json.loads(measured.stored("result/a1/summary.json").read_text())
    assert summary["history"]["eval_loss"]["minStep"] == BEST_STEP
    assert summary["verdict"]["perplexity"] == verdict["perplexity"]


def test_the_perplexity_of_the_measured_rows_is_part_of_the_verdict(measured: Wrapper) -> None:
    found = measured.train()["perplexity"]
    assert (found["rows"], found["tokens"]) == (30, 300)
    assert float(found["value"]) == pytest.approx(math.exp(1.1), rel=1e-3)
    assert float(found["low"]) < float(found["value"]) < float(found["high"])
    assert found["value"] in measured.stored("result/a1/report.html").read_text()


@pytest.mark.parametrize(
    ("how", "why"),
    [("run out of memory", "CUDA out of memory"), ("die", "killed by SIGKILL"), ("hang", "no progress for 10 s")],
)
def test_a_measurement_that_fails_costs_no_result(measured: Wrapper, run: Run, how: str, why: str) -> None:
    measured.change(run, stallAfterSeconds=10)
    verdict = measured.train(1, SWE_TEST_MEASUREMENT=how)
    assert verdict["exitCode"] == 0
    assert why in verdict["perplexity"]["reason"]
    assert why in measured.stored("result/a1/report.html").read_text()


def test_a_pod_stopped_while_it_measures_leaves_the_result_to_the_next_attempt(measured: Wrapper) -> None:
    process = measured.start(1, SWE_TEST_MEASUREMENT="hang")
    last = f"a1/step-{TOTAL_STEPS}/manifest.json"
    measured.at(last, lambda: threading.Timer(2, process.send_signal, [signal.SIGTERM]).start())
    begun = time.monotonic()
    first = measured.finish(process, 1)
    assert (first["exitCode"], first["checkpointStep"]) == (75, TOTAL_STEPS)
    assert time.monotonic() - begun < 30
    second = measured.train(2)
    assert (second["exitCode"], second["fromStep"], second["perplexity"]["rows"]) == (0, TOTAL_STEPS, 30)


def test_without_held_out_rows_there_is_nothing_to_measure(wrapper: Wrapper) -> None:
    assert wrapper.train()["perplexity"] == {"reason": "no rows were held out"}


def test_the_report_tells_of_the_attempts_before(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT="9")
    wrapper.at("a1/step-8/manifest.json", lambda: kill_engine(process))
    wrapper.finish(process, 1)
    wrapper.train(2)
    page = wrapper.stored("result/a2/report.html").read_text()
    assert "resumed from step 8" in page
    assert "EngineFailed" in page


def test_the_best_checkpoint_is_named_where_it_lies(wrapper: Wrapper) -> None:
    process = wrapper.start(1, SWE_TEST_HOLD_AT=str(BEST_STEP + 1))
    wrapper.at(f"a1/step-{BEST_STEP}/manifest.json", lambda: kill_engine(process))
    wrapper.finish(process, 1)
    assert wrapper.train(2)["best"]["key"] == f"checkpoints/a1/step-{BEST_STEP}"


def test_the_best_checkpoint_is_the_result_where_that_was_asked_for(wrapper: Wrapper, run: Run) -> None:
    wrapper.change(run, checkpoint={**run["checkpoint"], "result": "Best"})
    assert wrapper.train()["best"]["key"] == "result/a1"
