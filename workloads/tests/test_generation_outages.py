"""An endpoint that is away, dies or comes back: the program is run again, and nothing that was stored is lost."""

import re
from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import (
    FakeChatApi,
    break_off,
    hang_up,
    status,
)
from generation_world import GenerationWorld, PodMaker, hurry, is_of, many_rows

from swe_workloads.exit_codes import ExitCode


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


def test_a_prompt_that_breaks_the_server_is_not_the_endpoint_s_end(world: GenerationWorld) -> None:
    world.rows = many_rows()
    for row in world.rows[:3]:
        row["problem_statement"] = "cursed"
    world.document["sampling"]["samplesPerInstance"] = 8
    world.api.fault_of = lambda body: status(500) if is_of(body, "cursed") else None
    summary = world.summary()
    assert (summary.generated, summary.given_up, summary.retries) == (136, 24, 72)


def test_an_endpoint_that_never_answers_ends_the_program_to_be_run_again(world: GenerationWorld) -> None:
    world.rows = many_rows()
    world.api.die()
    failure = world.failure()
    world.api.come_back()
    assert failure.code == ExitCode.ENDPOINT_UNAVAILABLE
    assert re.search(r"no answer to the last [0-9]+ samples, each tried 4 times: ", failure.message)
    assert world.generate("pod-2").exit_code == 0


def test_an_endpoint_that_dies_costs_nothing_that_was_stored_and_gives_up_nothing(world: GenerationWorld) -> None:
    world.rows = many_rows()
    world.api.fault_of = lambda _: status(502) if len(world.api.answered) >= 17 else None
    failure = world.failure()
    assert failure.code == ExitCode.ENDPOINT_UNAVAILABLE
    stored = len(world.stored())
    assert stored >= 17 and f"{stored} samples are stored; a later pod asks for the rest." in failure.message
    world.api.fault_of = lambda _: None
    before = {body["seed"] for body in world.api.answered}
    summary = world.generate("pod-2").summary
    assert summary is not None and (summary.generated, summary.given_up) == (80, 0)
    assert len(before) + len({body["seed"] for body in world.api.answered} - before) == len(world.api.answered) == 80


def test_an_endpoint_that_dies_and_comes_back_in_time_costs_tries_only(world: GenerationWorld) -> None:
    world.document["limits"]["attempts"] = 10
    world.api.faults = [*[status(502)] * 3, hang_up, break_off, *[status(503)] * 4]
    summary = world.summary()
    assert (summary.generated, summary.given_up, summary.retries) == (12, 0, 9)


def test_one_sample_that_is_left_and_fails_is_given_up_and_not_the_endpoint(world: GenerationWorld) -> None:
    world.document["concurrency"] = 1
    world.rows[2]["problem_statement"] = "cursed"
    world.document["sampling"]["samplesPerInstance"] = 1
    world.api.fault_of = lambda body: status(500) if is_of(body, "cursed") else None
    summary = world.summary()
    assert (summary.generated, summary.given_up) == (2, 1)


def test_nothing_at_all_is_no_result_even_if_there_are_few_samples(world: GenerationWorld) -> None:
    world.document["sampling"]["samplesPerInstance"] = 1
    world.api.fault_of = lambda _: status(500)
    assert world.failure().code == ExitCode.ENDPOINT_UNAVAILABLE
    assert not (world.endpoint.prefix / "samples/manifest.json").exists()


def test_prompts_that_are_all_too_long_are_a_matter_of_the_settings(world: GenerationWorld) -> None:
    world.api.fault_of = lambda _: status(400, "maximum context length is 10 tokens")
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "maximum context length is 10 tokens. Choose a model that takes such prompts" in failure.message


def test_an_api_that_stops_to_take_the_key_is_run_again_and_not_given_up(world: GenerationWorld) -> None:
    world.rows = many_rows()
    world.api.fault_of = lambda _: status(401) if len(world.api.answered) >= 10 else None
    assert world.failure().code == ExitCode.ENDPOINT_UNAVAILABLE
    again = world.failure("pod-2")
    assert (again.code, "apiKeySecretRef" in again.message) == (ExitCode.INVALID_CONFIGURATION, True)
