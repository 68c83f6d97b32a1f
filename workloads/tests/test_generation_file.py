"""What a generation is told, and what it refuses before it asks for much."""

import json
from pathlib import Path
from typing import Any

import pytest
from evaluation.eval_world import pro_row, smith_row, v5_row, write_lines
from fake_artifact_endpoint import FakeEndpoint
from fake_chat_api import FakeChatApi, document, status
from gen_world import gen_row
from generation_world import GenerationWorld, PodMaker

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.generation import asking
from swe_workloads.generation.generate_file import read_generate_file
from swe_workloads.instances import pro_prompt
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message

KEY = "sk-0123456789abcdef"


@pytest.fixture
def world(
    tmp_path: Path,
    endpoint: FakeEndpoint,
    pod_of: PodMaker,
    chat_api: FakeChatApi,
    monkeypatch: pytest.MonkeyPatch,
) -> GenerationWorld:
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.02)
    return GenerationWorld(tmp_path, endpoint, pod_of, chat_api)


def everything_written(world: GenerationWorld) -> str:
    paths = [path for path in (world.endpoint.objects, world.folder / "pod-1") for path in path.rglob("*")]
    return "\n".join(path.read_text() for path in paths if path.is_file())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.key", KEY, "model.key: Extra inputs are not permitted"),
        ("sampling.n", 4, "sampling.n: Extra inputs are not permitted"),
        ("sampling.temperature", 0.8, "sampling.temperature: must be a decimal string"),
        ("sampling.topP", "0", "sampling.topP: Input should be greater than 0"),
        ("sampling.topP", "1.5", "sampling.topP: Input should be less than or equal to 1"),
        ("sampling.samplesPerInstance", 0, "sampling.samplesPerInstance: Input should be greater"),
        ("concurrency", 0, "concurrency: Input should be greater"),
        ("limits.attempts", 0, "limits.attempts: Input should be greater"),
        ("prompt.style", "Style4", "prompt.style: Input should be 'Pro', 'Style2', 'Style3' or 'Custom'"),
        ("instances.format", "Messages", "instances.format: Input should be 'SWEBench'"),
        ("model.credentials", "Env", "model.credentials: Input should be 'None' or 'Secret'"),
        ("model.url", "ftp://example.com/v1", "model.url: must be an address such as"),
        ("model.url", "https://me:secret@example.com/v1", "model.url: must be an address such as"),
        ("model.url", "https://example.com/v1?key=secret", "model.url: must be an address such as"),
        ("model.url", "https://example.com:99999/v1", "model.url: Port out of range"),
        ("model.url", "https:///v1", "model.url: must be an address such as"),
        ("model.url", "https://exa mple.com/v1", "model.url: must be of printable ASCII"),
        ("version", 2, "version: Input should be 1"),
    ],
)
def test_a_wrong_field_is_named(world: GenerationWorld, path: str, value: object, message: str) -> None:
    *parents, last = path.split(".")
    section: dict[str, Any] = world.document
    for parent in parents:
        section = section[parent]
    section[last] = value
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert f"run.json: {message}" in failure.message
    assert "secret" not in failure.message and KEY not in failure.message


def test_what_the_operator_writes_is_what_the_program_reads(world: GenerationWorld) -> None:
    spec = read_generate_file(world.pod().run_file)
    assert (spec.sampling.temperature, spec.sampling.top_p, spec.limits.request_seconds) == (0.8, 0.95, 20)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "OPENAI_API_KEY of the Secret is empty."),
        (" \n", "OPENAI_API_KEY of the Secret is empty."),
        (f"{KEY}\nX-Evil: yes", "is not one line of printable ASCII without blanks."),
        (f"{KEY}\x7f", "is not one line of printable ASCII without blanks."),
        (f"{KEY}\u2019", "is not one line of printable ASCII without blanks."),
        (f"Bearer {KEY}", "is not one line of printable ASCII without blanks."),
    ],
)
def test_a_key_that_cannot_be_sent_is_refused_and_not_repeated(
    world: GenerationWorld, content: str, message: str
) -> None:
    world.with_key(content)
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert failure.message.startswith("spec.generation.model.endpoint.apiKeySecretRef: ") and message in failure.message
    assert KEY not in failure.message
    assert world.api.asked == []


def test_a_secret_without_the_key_is_named(world: GenerationWorld) -> None:
    world.document["model"]["credentials"] = "Secret"
    assert "the Secret has no key OPENAI_API_KEY" in world.failure().message


def test_the_key_is_in_nothing_that_the_program_writes(world: GenerationWorld) -> None:
    world.with_key(f"{KEY}\n")
    secret = world.folder / "pod-1/credentials"
    (world.folder / "pod-1").mkdir()
    (world.folder / "work/credentials").rename(secret)
    world.api.key = KEY
    world.api.answer = lambda _: f"You are {KEY}."
    world.api.faults = [status(500, f"{KEY} broke it"), document(f"<html>{KEY}</html>".encode())]
    process = world.start()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    (secret / "model/OPENAI_API_KEY").unlink()
    assert "You are [key]." in everything_written(world)
    assert KEY not in output + everything_written(world)


def test_the_first_answer_tells_a_wrong_key_and_no_second_request_is_made(world: GenerationWorld) -> None:
    world.api.key = KEY
    world.with_key("sk-not-the-right-one")
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert failure.message == (
        "spec.generation.model.endpoint.apiKeySecretRef: the API refuses the key, or the lack of one (HTTP 401). "
        "Correct it."
    )
    assert len(world.api.asked) == 1


def test_the_first_answer_tells_a_wrong_model(world: GenerationWorld) -> None:
    world.document["model"]["name"] = "team/other"
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "(HTTP 404 The model team/other does not exist (model_not_found))" in failure.message
    assert len(world.api.asked) == 1


def test_the_first_answer_tells_a_wrong_address(world: GenerationWorld) -> None:
    world.document["model"]["url"] = world.api.url.replace("/v1", "/v2")
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "spec.generation.model.endpoint.url" in failure.message and "HTTP 404" in failure.message


def test_an_address_where_pages_are_is_no_api(world: GenerationWorld) -> None:
    world.api.fault_of = lambda _: document(b"<html>Welcome</html>", "text/html")
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "spec.generation.model.endpoint.url: what answers there is no chat API" in failure.message


def test_the_first_answer_tells_settings_that_the_api_does_not_take(world: GenerationWorld) -> None:
    world.api.faults = [status(400, "temperature: only 1 is supported")]
    failure = world.failure()
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "spec.generation.sampling" in failure.message and "only 1 is supported" in failure.message


@pytest.mark.parametrize(
    ("row_format", "row", "repository"),
    [
        ("SWEBench", gen_row(1), "team/lib"),
        ("SWEBenchPro", pro_row(problem_statement="add subtracts"), "ansible/ansible"),
        ("SWESmith", smith_row(problem_statement="add subtracts"), "oauthlib/oauthlib"),
    ],
)
def test_a_prompt_is_that_of_the_training(
    world: GenerationWorld, row_format: str, row: dict[str, Any], repository: str
) -> None:
    world.rows = [row]
    world.document["instances"]["format"] = row_format
    world.document["allowEvaluationSets"] = True
    world.generate()
    assert {len(body["messages"]) for body in world.api.asked} == {1}
    assert {body["messages"][0]["content"] for body in world.api.asked} == {pro_prompt(repository, "add subtracts")}


def test_rows_and_samples_are_what_decides_on_seeds_and_not_their_order(world: GenerationWorld) -> None:
    world.generate()
    first = {(body["messages"][0]["content"], body["seed"]) for body in world.api.asked}
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    for path in (world.endpoint.prefix / "samples/pod-1").iterdir():
        path.unlink()
    world.api.asked.clear()
    world.rows.reverse()
    world.generate()
    assert {(body["messages"][0]["content"], body["seed"]) for body in world.api.asked} == first


def test_bad_rows_are_counted_and_stored(world: GenerationWorld) -> None:
    world.rows += ["{", gen_row(4, problem_statement=None), gen_row(5, FAIL_TO_PASS=None)]
    summary = world.summary()
    assert (summary.instances, summary.bad_rows) == (3, 3)
    assert [line["row"] for line in world.lines("bad-rows.jsonl")] == [4, 6, 5]


def test_instances_of_evaluation_sets_are_not_asked_unless_it_is_allowed(world: GenerationWorld) -> None:
    world.rows += [v5_row(1)]
    summary = world.summary()
    assert (summary.instances, summary.samples, summary.evaluation_sets) == (3, 12, 1)
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    world.document["allowEvaluationSets"] = True
    again = world.generate("pod-2").summary
    assert again is not None and (again.instances, again.samples, again.evaluation_sets) == (4, 16, 0)
    assert len(world.api.asked) == 16


def test_instances_like_the_rows_of_a_named_evaluation_are_not_asked(world: GenerationWorld) -> None:
    write_lines(world.folder / "evaluation.jsonl", {"instance_id": "team__lib-2"})
    source = {"configMapFile": str(world.folder / "evaluation.jsonl")}
    world.document["decontamination"] = {"against": [{"source": source, "format": "SWEBench"}]}
    verdict = world.generate()
    assert verdict.summary is not None
    assert (verdict.summary.instances, verdict.summary.samples, verdict.summary.contaminated) == (2, 8, 1)
    assert "Instances like rows of spec.decontamination.against, not asked: 1." in verdict.message
    assert len(world.api.asked) == 8
    (world.endpoint.prefix / "samples/manifest.json").unlink()
    world.rows = [gen_row(2)]
    assert "spec.decontamination.against: no selected instance is left" in world.generate("pod-2").message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "spec.instances: the source has no rows."),
        (["{"], "spec.instances: none of the 1 rows can be used. The first, row 1 of rows.jsonl: not valid JSON"),
        ([v5_row(1)], "spec.allowEvaluationSets is false, and all 1 selected instance are of evaluation sets"),
    ],
)
def test_nothing_to_ask_is_said_with_a_remedy(world: GenerationWorld, rows: list[Any], message: str) -> None:
    world.rows = rows
    verdict = world.generate()
    assert (verdict.exit_code, message in verdict.message) == (65, True), verdict.message
    assert world.api.asked == []


def test_a_selection_that_matches_nothing_is_named(world: GenerationWorld) -> None:
    world.document["instances"]["select"] |= {"instanceIds": ["team__lib-9"]}
    assert "spec.instances.select.instanceIds: no usable row has team__lib-9" in world.failure().message


def test_another_harness_than_this_image_s_is_refused(world: GenerationWorld) -> None:
    world.document["harnessVersion"] = "4.1.0"
    assert "run.json: harnessVersion is 4.1.0" in world.failure().message


def test_a_termination_message_fits_whatever_was_given_up(world: GenerationWorld, tmp_path: Path) -> None:
    world.rows[1]["problem_statement"] = "cursed"
    world.api.fault_of = lambda body: status(422, "no" * 600) if "cursed" in body["messages"][0]["content"] else None
    write_termination_message(world.generate(), tmp_path / "message")
    assert (tmp_path / "message").stat().st_size <= TERMINATION_MESSAGE_BYTES
    document_told = json.loads((tmp_path / "message").read_text())
    assert len(document_told["summary"]["givenUpExamples"]) == 4


def test_what_an_earlier_version_sealed_is_not_this_program_s_to_judge(world: GenerationWorld) -> None:
    world.generate()
    world.document["version"] = 2
    with pytest.raises(Failure, match="version"):
        world.generate("pod-2")
