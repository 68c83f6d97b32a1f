"""The run summary beside the one that the official package makes of the same outcomes."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swe_workloads.evaluation.grade_verdict import GradeVerdict, InfraFailure
from swe_workloads.evaluation.judged import Judged, State
from swe_workloads.evaluation.run_summary import run_summaries

TESTS = Path(__file__).parents[1]
STATES: tuple[State | None, ...] = ("Resolved", "Unresolved", "Error", "Incomplete", "EmptyPatch", None)
LOGS = (
    "all is well",
    "fatal: Cannot allocate memory",
    "Killed",
    "ModuleNotFoundError: No module named 'x'",
    "collected 0 items",
    "\n\nTimeout error: 1800 seconds exceeded.",
    "Temporary failure in name resolution\nno tests ran",
)


def a_case(number: int) -> dict[str, Any]:
    """Outcomes of every kind, drawn by the number; None is an instance without a prediction."""
    draw = random.Random(number)
    ids = [f"repo__name-{at}" for at in draw.sample(range(1000), 30)] + ["ünï__code-1", "A__b-2"]
    draw.shuffle(ids)
    return {
        "run": f"run-{number}",
        "model": draw.choice(["team/model", "gpt-4", "a/b/c", "naïve"]),
        "instances": ids,
        "states": {name: draw.choice(STATES) for name in ids},
        "said": {name: (draw.choice(LOGS), draw.choice(LOGS)) for name in ids},
    }


def officially(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the official package says of logs with these outcomes."""
    asked = []
    for case in cases:
        told = {name: state for name, state in case["states"].items() if state is not None}
        predictions = [
            {"instance_id": name, "model_name_or_path": case["model"], "model_patch": patch_of(state)}
            for name, state in told.items()
        ]
        logs = {name: logs_of(name, state, case) for name, state in told.items() if state != "EmptyPatch"}
        asked.append({"run": case["run"], "instances": case["instances"], "predictions": predictions, "logs": logs})
    command = [sys.executable, str(TESTS / "evaluation/official_summary.py")]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1", "HOME": "/tmp"}
    ran = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    answered: list[dict[str, Any]] = json.loads(ran.stdout)
    return answered


def patch_of(state: State) -> str:
    return "" if state == "EmptyPatch" else "diff"


def logs_of(name: str, state: State, case: dict[str, Any]) -> dict[str, str]:
    """A report.json comes from an instance that was judged, and from no other."""
    output, run = case["said"][name]
    report = {name: {"resolved": state == "Resolved"}}
    made = {"report.json": json.dumps(report)} if state in ("Resolved", "Unresolved") else {}
    return {**made, "test_output.txt": output, "run_instance.log": run}


def ours(case: dict[str, Any], signs: dict[str, Any]) -> tuple[str, str]:
    judged = []
    for name, state in case["states"].items():
        if state is not None:
            one = Judged(name, "r", 1, case["model"], state, "x")
            judged.append(replace(one, verdict=verdict(signs.get(name))))
    [summary] = run_summaries(case["instances"], judged, case["run"])
    return summary.file, summary.content.decode()


def verdict(sign: list[Any] | None) -> GradeVerdict:
    infra = None if sign is None else InfraFailure(reason=sign[0], tier=sign[1])
    return GradeVerdict(
        ordinal=0, attempt=1, exit_code=0, outcome="Error", reason="Completed", message="", infra_failure=infra
    )


@pytest.fixture(scope="module")
def answers() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    cases = [a_case(number) for number in range(12)]
    return list(zip(cases, officially(cases), strict=True))


def test_the_summary_is_the_official_one_to_the_byte(answers: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for case, official in answers:
        assert ours(case, official["signs"]) == (official["file"], official["text"])


def test_the_cases_have_every_list_of_the_summary(answers: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    documents = [json.loads(official["text"]) for _, official in answers]
    for key, value in documents[0].items():
        if isinstance(value, list | dict):
            assert any(document[key] for document in documents), key


def test_each_sample_is_a_run_of_its_own() -> None:
    told = [
        Judged("b", "r", 1, "one/model", "Resolved", "Completed"),
        Judged("a", "r", 1, "another", "Error", "TimedOut"),
        Judged("b", "r", 2, "another", "EmptyPatch", "EmptyPatch"),
    ]
    first, second = run_summaries(["a", "b", "c"], told, "lite")
    assert [(one.sample, one.file) for one in (first, second)] == [
        (1, "one__model.lite.json"),
        (2, "another.lite.2.json"),
    ]
    document = json.loads(second.content)
    assert (document["total_instances"], document["submitted_ids"], document["empty_patch_ids"]) == (3, ["b"], ["b"])
    assert document["incomplete_ids"] == ["a", "c"]


@pytest.mark.parametrize("model", ["a\nb\x00c", "m" * 5000, "模" * 500, "..", ""])
def test_a_file_is_named_so_that_the_store_takes_it(model: str) -> None:
    [summary] = run_summaries(["a"], [Judged("a", "r", 1, model, "Resolved", "Completed")], "run")
    assert len(summary.file.encode()) < 500
    assert summary.file.isprintable()
    assert summary.file.endswith(".run.json")
