"""What an earlier evaluation of the namespace ran is not run again, and whatever differs is."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import FakeEndpoint

from evaluation.eval_world import DIFF, PodMaker, prediction
from evaluation.report_world import summary_of
from evaluation.verdict_cache_world import ENVIRONMENT, OUTCOMES, Namespace, grade
from swe_workloads.evaluation.report import report
from swe_workloads.exit_codes import Failure


@pytest.fixture
def namespace(tmp_path: Path, endpoint: FakeEndpoint, pod_of: PodMaker) -> Namespace:
    return Namespace(tmp_path, endpoint, pod_of)


def test_the_same_is_not_run_again_and_comes_to_the_same(namespace: Namespace) -> None:
    first = namespace.ran("first")
    official = first.text("team__model.eval-first.json")
    second = namespace.prepare("second")
    assert namespace.cached() == ["Resolved", "Unresolved", "PatchApplyFailed"]
    table = (namespace.endpoint.prefix / "data/pod-1/summary.md").read_text()
    assert "of all these with the verdict of an earlier evaluation" in table
    second.rows = [{"ordinal": n, "state": state, "cached": True} for n, state in enumerate(OUTCOMES)]
    verdict = second.report()
    assert second.text("team__model.eval-second.json") == official
    assert (summary_of(verdict).cached, summary_of(verdict).resolved) == (3, 1)
    assert "Verdicts of earlier evaluations, which ran the same: 3." in verdict.message
    lines = second.lines()
    assert [line["cached"] for line in lines] == [
        {"name": "eval-first", "uid": "first", "ordinal": n, "attempt": 1} for n in range(3)
    ]
    home = "s3://swe-operator/team/first/"
    assert lines[1]["keys"] == {
        "verdict.json": f"{home}verdicts/1/1.json",
        "test_output.txt": f"{home}outputs/1/1/test_output.txt",
    }
    assert [line["seconds"] for line in lines] == [3.5] * 3 and "podSeconds" not in lines[0]
    assert "log of 1" in second.text("report.html")
    assert "3 predictions did not run: an earlier evaluation" in second.text("report.html")


def test_what_was_taken_over_is_kept_by_nobody_else(namespace: Namespace) -> None:
    namespace.ran("first")
    second = namespace.prepare("second")
    second.rows = [{"ordinal": n, "state": state, "cached": True} for n, state in enumerate(OUTCOMES)]
    entries = namespace.entries()
    second.report()
    assert (len(entries), namespace.entries()) == (3, entries)


@pytest.mark.parametrize(
    "change",
    [
        {"sandbox": {"timeoutSeconds": 1801}},
        {"image": f"swebench/app:1@sha256:{'2' * 64}"},
        *({"cache": {"environment": {**ENVIRONMENT, name: "other"}}} for name in ENVIRONMENT if name != "nodeSelector"),
        {"cache": {"environment": {**ENVIRONMENT, "nodeSelector": {}}}},
    ],
)
def test_what_ran_otherwise_is_run_again(change: dict[str, Any], namespace: Namespace) -> None:
    namespace.ran("first")
    namespace.prepare("second", **change)
    assert namespace.cached() == [None, None, None]


def test_another_patch_is_run_and_another_model_is_not(namespace: Namespace) -> None:
    namespace.ran("first")
    told = [prediction(1, DIFF + "\n"), prediction(2, model="another"), prediction(3)]
    namespace.prepare("second", *told)
    assert namespace.cached() == [None, "Unresolved", "PatchApplyFailed"]


def test_the_same_bytes_under_another_name_are_the_same(namespace: Namespace) -> None:
    namespace.ran("first")
    namespace.prepare("second", image=f"mirror.example.com/app@sha256:{'1' * 64}")
    assert namespace.cached() == ["Resolved", "Unresolved", "PatchApplyFailed"]


def test_without_a_digest_nothing_is_kept_or_taken(namespace: Namespace) -> None:
    namespace.ran("first", image="swebench/app:1")
    assert namespace.entries() == []
    namespace.prepare("second", image="swebench/app:1")
    assert namespace.cached() == [None, None, None]


@pytest.mark.parametrize(
    ("outcome", "more"),
    [
        ("Error", {"reason": "TimedOut"}),
        ("Error", {"reason": "NoTestOutput"}),
        ("Resolved", {"integrity": {"verdict": "Suspicious", "reasons": ["SupportFiles: conftest.py"]}}),
        ("Unresolved", {"integrity": {"verdict": "Tampered", "reasons": ["ForgedMarker: one"]}}),
        ("Resolved", {"support": "Part"}),
        ("Unresolved", {"reason": "LogTooLarge"}),
        ("Unresolved", {"infraFailure": {"reason": "out of memory", "tier": "environment"}}),
        ("Resolved", {"integrity": None}),
    ],
)
def test_what_another_run_may_not_come_to_is_not_kept(outcome: str, more: dict[str, Any], namespace: Namespace) -> None:
    world = namespace.prepare("first")
    grade(world, 0, outcome, **more)
    world.report()
    assert namespace.entries() == []


def test_what_the_operator_saw_run_out_of_memory_is_not_kept(namespace: Namespace) -> None:
    world = namespace.prepare("first")
    grade(world, 0, "Unresolved")
    world.rows[0]["reason"] = "OutOfMemory"
    world.report()
    assert namespace.entries() == []


@pytest.mark.parametrize(("again", "kept"), [("Unresolved", 1), ("Resolved", 0)])
def test_gradings_that_agree_are_kept_and_others_are_not(again: str, kept: int, namespace: Namespace) -> None:
    world = namespace.prepare("first")
    grade(world, 0, "Unresolved")
    world.verdict(0, again, attempt=2, purpose="Rerun", instance="psf__requests-1")
    world.rows[0]["looks"] = [{"purpose": "Rerun", "attempt": 2}]
    world.report()
    assert len(namespace.entries()) == kept


@pytest.mark.parametrize(("other", "kept"), [("Unresolved", 1), ("Resolved", 0)])
def test_samples_of_one_patch_are_kept_where_they_agree(other: str, kept: int, namespace: Namespace) -> None:
    world = namespace.prepare("first", prediction(1), {**prediction(1), "sample": 2})
    grade(world, 0, "Unresolved")
    grade(world, 1, other, instance="psf__requests-1")
    world.report()
    assert len(namespace.entries()) == kept


def test_where_flaky_tests_are_looked_for_what_failed_is_run_again(namespace: Namespace) -> None:
    namespace.ran("first")
    namespace.prepare("second", flakeReruns=2)
    assert namespace.cached() == ["Resolved", None, "PatchApplyFailed"]


def test_what_is_to_be_confirmed_is_run_again_where_it_resolved(namespace: Namespace) -> None:
    namespace.ran("first")
    namespace.prepare("second", confirmResolved=True)
    assert namespace.cached() == [None, "Unresolved", "PatchApplyFailed"]


def test_what_ignores_the_cache_runs_and_leaves_its_verdicts_there(namespace: Namespace) -> None:
    namespace.ran("first", cache={"predictions": "Ignore"})
    assert len(namespace.entries()) == 3
    namespace.prepare("second", cache={"predictions": "Ignore"})
    assert namespace.cached() == [None, None, None]


def test_baselines_are_taken_over_where_they_may_be_and_run_where_they_are_required(namespace: Namespace) -> None:
    world = namespace.prepare("first", prediction(1, "other\n"), baseline="Required")
    for ordinal, outcome in enumerate(("Resolved", "Unresolved", "Unresolved")):
        grade(world, ordinal, outcome, instance="psf__requests-1")
    world.report()
    namespace.prepare("second", prediction(1), baseline="Required")
    assert namespace.cached() == [None, None, "Resolved"]  # the prediction is the gold patch
    third = namespace.prepare("third", prediction(1, "another\n"), baseline="Cached")
    assert namespace.cached() == ["Resolved", "Unresolved", None]
    third.rows = [{"ordinal": 0, "state": "Resolved", "cached": True}]
    third.rows += [{"ordinal": 1, "state": "Unresolved", "cached": True}]
    grade(third, 2, "Resolved", instance="psf__requests-1")
    assert summary_of(third.report()).cached == 0
    assert [line["cached"]["uid"] for line in third.lines("baselines.jsonl")] == ["first", "first"]


def corrupt(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def replaced(verdict: Path, entry: Path, content: bytes) -> None:
    verdict.write_bytes(content)
    corrupt(entry, sha256=hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("damage", ["garbage", "elsewhere", "digest", "gone", "forged", "of another", "doubtful"])
def test_an_entry_that_leads_to_no_verdict_is_passed_over_and_the_next_place_counts(
    damage: str, namespace: Namespace, endpoint: FakeEndpoint
) -> None:
    namespace.ran("first")
    entries = {json.loads(path.read_text())["instance"]: path for path in namespace.entries()}
    entry, verdict = entries["psf__requests-1"], endpoint.prefix / "verdicts/0/1.json"
    if damage == "garbage":
        entry.write_bytes(b"\x00{")
    elif damage == "elsewhere":
        corrupt(entry, origin={"name": "x", "uid": "../other", "ordinal": 0, "attempt": 1})
    elif damage == "digest":
        corrupt(entry, sha256="0" * 64)
    elif damage == "gone":
        verdict.unlink()
    elif damage == "forged":
        corrupt(verdict, message="another")
    elif damage == "of another":
        replaced(verdict, entry, (endpoint.prefix / "verdicts/1/1.json").read_bytes())
    else:
        doubtful = {"integrity": {"verdict": "Suspicious", "reasons": ["SupportFiles: conftest.py"]}}
        replaced(verdict, entry, json.dumps({**json.loads(verdict.read_text()), **doubtful}).encode())
    second = namespace.prepare("second")
    assert namespace.cached() == [None, "Unresolved", "PatchApplyFailed"]
    table = (endpoint.prefix / "data/pod-1/summary.md").read_text()
    assert f"{entry.name} of instance psf__requests-1" in table
    grade(second, 0, "Resolved")
    second.rows += [{"ordinal": n, "state": OUTCOMES[n], "cached": True} for n in (1, 2)]
    second.report()
    assert [path.name for path in namespace.entries() if path.stem.endswith("-2")] == [f"{entry.stem}-2.json"]
    namespace.prepare("third")
    assert namespace.cached() == ["Resolved", "Unresolved", "PatchApplyFailed"]


def test_a_verdict_that_was_taken_over_is_reported_as_it_was_found_or_not_at_all(
    namespace: Namespace, endpoint: FakeEndpoint
) -> None:
    namespace.ran("first")
    second = namespace.prepare("second")
    second.rows = [{"ordinal": 0, "state": "Resolved", "cached": True}]
    corrupt(endpoint.prefix / "data/pod-1/cached/0.json", message="another")
    with pytest.raises(Failure, match="took over for prediction 0 is gone, or is another one"):
        second.report()


def test_verdicts_of_a_harness_that_changed_meanwhile_are_not_kept(namespace: Namespace) -> None:
    world = namespace.prepare("first")
    grade(world, 0, "Resolved")
    world.document["cache"]["environment"]["harnessImage"] = "ghcr.io/swe-operator/harness:0.2.0"
    world.report()
    assert namespace.entries() == []


def test_a_report_is_not_lost_for_a_cache_that_takes_nothing(namespace: Namespace, endpoint: FakeEndpoint) -> None:
    world = namespace.prepare("first")
    grade(world, 0, "Resolved")
    endpoint.failures = {("/verdict-cache/", 403): 1000}
    pod = world.pod().model_copy(update={"store_patience_seconds": 1.0})
    assert report(pod).reason == "Completed"
