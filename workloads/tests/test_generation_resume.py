"""Every sample is stored soon, and a later pod asks for what is missing and for nothing else."""

import json
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from evaluation.eval_world import HARNESS, eval_document
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import FakeChatApi
from generation_world import GenerationWorld, PodMaker, kept_signals

from swe_workloads.evaluation.prepare import prepare
from swe_workloads.generation import progress, stored_samples
from swe_workloads.generation.generate import generate
from swe_workloads.generation.questions import seed_of


@pytest.fixture
def world(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker, chat_api: FakeChatApi) -> GenerationWorld:
    return GenerationWorld(tmp_path, endpoint, pod_of, chat_api)


def wanted(world: GenerationWorld) -> set[tuple[str, int, int]]:
    most = world.document["sampling"]["samplesPerInstance"]
    ids = [row["instance_id"] for row in world.rows]
    return {(name, number, seed_of(42, name, number)) for name in ids for number in range(1, most + 1)}


def had(world: GenerationWorld) -> list[tuple[str, int, int]]:
    return [(line["instance_id"], line["sample"], line["seed"]) for line in world.stored()]


def wait_for(world: GenerationWorld, answers: int) -> None:
    """Until so many samples are in the store."""
    for _ in range(600):
        if len(world.stored()) >= answers:
            return
        time.sleep(0.05)
    raise AssertionError(f"{len(world.stored())} samples are stored, and {answers} were to be")


def test_what_was_asked_is_sealed_with_figures_that_say_so(world: GenerationWorld) -> None:
    verdict = world.generate()
    assert (verdict.exit_code, verdict.predictions) == (0, "samples/pod-1/predictions.jsonl")
    assert verdict.to_document()["summary"] == {
        "instances": 3, "samples": 12, "generated": 12, "givenUp": 0, "withoutPatch": 0, "refused": 0, "truncated": 0,
        "repaired": 0, "codeFilesCut": 0, "evaluationSets": 0, "contaminated": 0, "badRows": 0, "retries": 0,
        "promptTokens": 1200, "completionTokens": 120, "givenUpExamples": [],
    }  # fmt: skip
    assert verdict.sources is not None and verdict.sources.instances.uri == "configMap:rows.jsonl"
    manifest = json.loads((world.endpoint.prefix / "samples/manifest.json").read_text())
    assert manifest["verdict"] == verdict.to_document()
    names = ("answers", "bad-rows", "given-up", "predictions", "prompts")
    assert [file["key"] for file in manifest["files"]] == [f"samples/pod-1/{name}.jsonl" for name in names]
    assert set(had(world)) == wanted(world) and len(had(world)) == 12


def test_predictions_are_what_an_evaluation_reads_in_an_order_that_no_speed_decides(
    world: GenerationWorld, pod_of: PodMaker
) -> None:
    world.generate()
    lines = world.lines("predictions.jsonl")
    assert [(line["instance_id"], line["sample"]) for line in lines] == sorted(
        (name, number) for name, number, _ in wanted(world)
    )
    assert set(lines[0]) == {"instance_id", "model_name_or_path", "model_patch", "sample"}
    left = world.endpoint.prefix / "samples/pod-1/predictions.jsonl"
    summary = prepare(pod_of(eval_document(world.folder / "rows.jsonl", left)), HARNESS).summary
    assert summary is not None
    assert (summary.predictions, summary.to_run, summary.bad_predictions, summary.malformed) == (12, 12, 0, [])


def test_answers_are_kept_with_all_that_tells_where_a_patch_is_from(world: GenerationWorld) -> None:
    world.generate()
    line = world.lines("answers.jsonl")[0]
    assert line.pop("answer").startswith("diff --git")
    assert len(line.pop("prompt_sha256")) == 64
    assert line == {
        "instance_id": "team__lib-1", "sample": 1, "seed": seed_of(42, "team__lib-1", 1),
        "model_name_or_path": "team/model", "finish_reason": "stop", "refusal": None,
        "prompt_tokens": 100, "completion_tokens": 10, "tries": 1,
        "extraction": {"found": "RawDiff", "repaired_hunks": 0, "lack": None},
    }  # fmt: skip


def test_sealed_work_is_adopted_without_a_request(world: GenerationWorld) -> None:
    first = world.generate()
    world.api.asked.clear()
    world.api.die()
    assert world.generate("pod-2") == first
    world.api.come_back()
    assert world.api.asked == []


def test_a_kill_at_any_moment_costs_no_stored_sample(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 30
    world.api.delay_seconds = 0.05
    for number, stored in ((1, 20), (2, 60)):
        process = world.start(f"pod-{number}")
        wait_for(world, stored)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before, asked = {line["seed"] for line in world.stored()}, len(world.api.asked)
    process = world.start("pod-3")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert sorted(had(world)) == sorted(wanted(world))
    assert not before & {body["seed"] for body in world.api.asked[asked:]}
    summary = world.termination("pod-3")["summary"]
    assert (summary["samples"], summary["generated"], summary["promptTokens"]) == (90, 90, 9000)
    assert len(world.lines("predictions.jsonl", "pod-3")) == 90


def test_a_stop_stores_what_is_there_and_what_is_under_way(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 100
    world.api.delay_seconds = 0.5
    process = world.start()
    wait_for(world, 20)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 75, output
    verdict = world.termination()
    stored = len(world.stored())
    assert verdict["reason"] == "Preempted"
    assert verdict["message"] == f"Stopped from outside after {stored} of 300 samples; a later pod asks for the rest."
    assert stored == len(world.api.answered) == len(world.api.asked)


def test_a_stop_does_not_wait_for_an_endpoint_that_does_not_answer(world: GenerationWorld) -> None:
    world.api.delay_seconds = 60
    world.document["limits"]["requestSeconds"] = 120
    process = world.start()
    for _ in range(400):
        if world.api.asked:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.communicate(timeout=60)
    assert process.returncode == 75
    assert time.monotonic() - began < 25


def test_the_end_of_the_budget_stops_it_like_a_stop_from_outside(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 1000
    world.api.delay_seconds = 0.2
    process = world.start(SWE_BUDGET_SECONDS="7")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 76, output
    message = world.termination()["message"]
    stored = len(world.stored())
    assert (
        message
        == f"The 7 s that spec.budget left are spent after {stored} of 3000 samples; raise it to ask for the rest."
    )
    assert 0 < stored == len(world.api.asked)


def test_answers_wait_no_longer_than_their_batch(world: GenerationWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_samples, "BATCH_SECONDS", 0.2)
    monkeypatch.setattr(stored_samples, "BATCH_SAMPLES", 5)
    world.api.delay_seconds = 0.15
    world.document["concurrency"] = 1
    world.generate()
    batches = [path for path in (world.endpoint.prefix / "samples/pod-1").glob("*.jsonl") if path.stem.isdigit()]
    sizes = [len(path.read_text().splitlines()) for path in batches]
    assert len(sizes) > 4 and sum(sizes) == 12


def test_damaged_and_foreign_lines_are_named_and_asked_for_again(
    world: GenerationWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.generate()
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    batch = world.endpoint.prefix / "samples/pod-1/1.jsonl"
    lines = [json.loads(line) for line in batch.read_text().splitlines()]
    lines[1]["seed"] += 1
    lines[2]["prompt_sha256"] = "0" * 64
    lines[3]["instance_id"] = "team__other-1"
    lines[4]["model_name_or_path"] = "team/other"
    lines[5]["tries"] = "one"
    damaged = [json.dumps(line) for line in lines]
    damaged[0] = damaged[0][:-20]
    batch.write_text("\n".join(damaged) + "\n")
    (batch.parent / "2.jsonl").write_bytes(b"\xff\xfe\n")
    world.api.asked.clear()
    summary = world.generate("pod-2").summary
    assert summary is not None and (summary.generated, len(world.api.asked)) == (12, 6)
    out = capsys.readouterr().out
    assert "Earlier pods have left 6 samples" in out
    places = ", ".join(f"line {number} of samples/pod-1/1.jsonl" for number in (1, 2, 3, 4, 5))
    assert f"Passed over as no samples of this run: {places} and 2 more." in out
    assert Counter(line["sample"] for line in world.lines("predictions.jsonl", "pod-2")) == Counter((1, 2, 3, 4) * 3)


def test_two_pods_at_once_leave_one_answer_for_each_sample(world: GenerationWorld) -> None:
    first = world.generate()
    manifest = world.endpoint.prefix / "samples/manifest.json"
    sealed = manifest.read_bytes()
    batch = world.endpoint.prefix / "samples/pod-1/1.jsonl"
    other = world.endpoint.prefix / "samples/pod-0/1.jsonl"
    other.parent.mkdir()
    other.write_text("".join(f"{line}\n" for line in batch.read_text().splitlines()[:3]))
    manifest.unlink()
    again = world.generate("pod-2")
    assert again.summary == first.summary
    manifest.write_bytes(sealed)
    assert world.generate("pod-3") == first


def test_a_store_that_is_away_for_a_while_costs_no_sample(world: GenerationWorld) -> None:
    world.endpoint.failures[("PUT", 503)] = 2
    assert world.summary().generated == 12
    assert len(world.api.asked) == 12


@pytest.mark.parametrize("failures", [{}, {("/status", 503): 1000}])
def test_how_far_it_is_is_told_to_the_operator_and_costs_nothing_while_that_is_away(
    world: GenerationWorld, monkeypatch: pytest.MonkeyPatch, failures: dict[tuple[str, int], int]
) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    world.endpoint.failures = failures
    pod = world.pod().model_copy(update={"progress_url": f"{world.endpoint.url}/attempts/1/status"})
    with kept_signals():
        assert generate(pod, HARNESS).exit_code == 0
    told = [{one["name"]: one["value"] for one in each["trainerStatus"]["metrics"]} for each in world.endpoint.progress]
    assert (told != []) == (failures == {})
    assert all(one["total_steps"] == "12" and 0 <= int(one["current_step"]) <= 12 for one in told)
