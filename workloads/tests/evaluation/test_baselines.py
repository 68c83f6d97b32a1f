"""Gold patches and no-ops: how they are prepared, and what the report makes of how they end."""

import json
import subprocess
from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint

from evaluation.eval_world import (
    DIFF,
    PodMaker,
    eval_document,
    predicted,
    prediction,
    prepared,
    stored,
    v5_row,
    write_lines,
)
from evaluation.eval_world import summary_of as summary_of_preparation
from evaluation.report_world import ReportWorld, summary_of, with_baselines
from swe_workloads.evaluation.grade_input import parse_grade_input
from swe_workloads.evaluation.no_op import NO_OP_PATCH


def test_baselines_come_before_predictions_two_for_each_instance_that_runs(
    rows: Path, tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    told = [prediction(3, "x\n"), prediction(1, ""), prediction(2, "y\n"), prediction(3, "z\n")]
    verdict = prepared(pod_of({**eval_document(rows, predicted(tmp_path, *told)), "baseline": "Required"}))
    assert (summary_of_preparation(verdict).to_run, summary_of_preparation(verdict).baselines) == (3, 4)
    assert "Baselines, gold and no-op of each of these instances: 4." in verdict.message
    assert stored(endpoint, "index.json") == {
        "version": 1,
        "instances": [{"id": v5_row(n)["instance_id"], "image": v5_row(n)["image"]} for n in (2, 3)],
        "predictions": [
            {"instance": 0, "sample": 1, "kind": "Gold"},
            {"instance": 0, "sample": 1, "kind": "NoOp"},
            {"instance": 1, "sample": 1, "kind": "Gold"},
            {"instance": 1, "sample": 1, "kind": "NoOp"},
            {"instance": 0, "sample": 1},
            {"instance": 1, "sample": 1},
            {"instance": 1, "sample": 2},
        ],
    }
    assert [one["ordinal"] for one in stored(endpoint, "catalog.json")["predictions"]] == [5, None, 4, 6]
    assert stored(endpoint, "catalog.json")["baselines"] == [
        {"instance": number, "kind": kind} for number in (1, 2) for kind in ("Gold", "NoOp")
    ]
    texts = [(endpoint.prefix / f"data/pod-1/inputs/{ordinal}.json").read_bytes() for ordinal in range(7)]
    taken = [parse_grade_input(text) for text in texts]
    assert [(one.instance.instance_id[-1], one.prediction.model_name_or_path) for one in taken[:4]] == [
        (number, model) for number in "23" for model in ("gold", "no-op")
    ]
    assert [one.prediction.model_patch for one in taken] == [DIFF, NO_OP_PATCH, DIFF, NO_OP_PATCH, "y\n", "x\n", "z\n"]


def test_a_no_op_is_a_patch_that_applies_to_any_tree_and_changes_no_file_of_it(tmp_path: Path) -> None:
    (tmp_path / "lib.py").write_text("code\n")
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=NO_OP_PATCH.encode(), check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"lib.py", ".swe-operator-no-op"}
    assert (tmp_path / "lib.py").read_text() == "code\n"


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (None, "patch is missing, and spec.predictions.gold and spec.baseline take the gold patch from there"),
        (" \n", "patch is empty, and spec.baseline Required grades it as the gold patch"),
    ],
)
def test_an_instance_without_a_gold_patch_cannot_be_used_where_baselines_are_required(
    tmp_path: Path, pod_of: PodMaker, patch: str | None, reason: str
) -> None:
    instances = write_lines(tmp_path / "rows.jsonl", v5_row(1), v5_row(2, patch=patch))
    document = eval_document(instances, predicted(tmp_path, prediction(1)))
    summary = summary_of_preparation(prepared(pod_of({**document, "baseline": "Required"})))
    assert [(bad.row, bad.reason) for bad in summary.bad_row_examples] == [(2, reason)]


def test_instances_that_no_patch_can_resolve_here_are_left_out_of_the_valid_only_rate_and_of_nothing_else(
    world: ReportWorld,
) -> None:
    with_baselines(world)
    verdict = world.report()
    summary = summary_of(verdict)
    assert (summary.resolved_rate, summary.valid_only, summary.invalid) == ("0.7500", "0.0000", 2)
    assert (summary.submitted, summary.total, summary.incomplete) == (4, 4, 0)
    assert "show that they cannot be graded here: 2;" in verdict.message
    assert "among the predictions graded for valid instances is 0.0000." in verdict.message


def test_predictions_that_were_not_run_are_named_with_what_is_the_matter_with_their_instance(
    world: ReportWorld,
) -> None:
    with_baselines(world)
    excluded = {9: "InstanceInvalid", 10: "InstanceInvalid", 11: "InstanceUnproven"}
    world.rows = [row for row in world.rows if row["ordinal"] not in excluded]
    for ordinal, reason in excluded.items():
        world.rows.append({"ordinal": ordinal, "state": "Incomplete", "attempt": 1, "seconds": 0, "reason": reason})
    verdict = world.report()
    assert (summary_of(verdict).incomplete, summary_of(verdict).excluded, summary_of(verdict).total) == (3, 3, 4)
    assert "not run, because their instance is not proven: 3." in verdict.message
    assert "could not be graded and count" not in verdict.message
    assert [(line["reason"], line["message"]) for line in world.lines()[1:]] == [
        ("InstanceInvalid", "It was not run. Of its instance: Its gold patch does not resolve it here."),
        ("InstanceInvalid", "It was not run. Of its instance: A patch that does nothing resolves it here."),
        (
            "InstanceUnproven",
            "It was not run. Of its instance: A baseline of it was lost to the cluster, so that nothing is proven.",
        ),
    ]
    document = json.loads(world.text("team__model.verified-lite.json"))
    assert (document["total_instances"], document["submitted_instances"], len(document["error_ids"])) == (4, 4, 3)
    assert "not run: the instance is not proven to be valid here" in world.text("report.html")
    assert not any("verdicts/9/" in request for request in world.endpoint.requests if request.startswith("GET"))


def test_every_baseline_has_a_line_of_its_own_and_is_in_no_official_summary(world: ReportWorld) -> None:
    with_baselines(world)
    names = [one.name for one in world.report().artifacts or []]
    assert names == [
        *("team__model.verified-lite.json", "report.html", "results.jsonl", "baselines.jsonl", "resolved.jsonl"),
    ]
    lines = world.lines("baselines.jsonl")
    assert [(line["instance"][-1], line["model"], line["state"], line["validity"]) for line in lines] == [
        ("1", "gold", "Resolved", "Valid"),
        ("1", "no-op", "Unresolved", "Valid"),
        ("2", "gold", "Error", "GoldFails"),
        ("2", "no-op", "Unresolved", "GoldFails"),
        ("3", "gold", "Resolved", "NoOpResolves"),
        ("3", "no-op", "Resolved", "NoOpResolves"),
        ("4", "gold", "Incomplete", "Unknown"),
        ("4", "no-op", "Unresolved", "Unknown"),
    ]
    assert [line["ordinal"] for line in world.lines()] == [8, 9, 10, 11]
    document = json.loads(world.text("team__model.verified-lite.json"))
    assert (document["submitted_instances"], document["resolved_instances"], document["error_ids"]) == (4, 3, [])


def test_images_that_hold_later_commits_are_counted_and_named(world: ReportWorld) -> None:
    world.prepare([v5_row(1), v5_row(2)], [prediction(1), prediction(2)], baseline="Required")
    for ordinal, commits in ((0, None), (1, 2), (2, None), (3, 0), (4, None), (5, None)):
        leaks = {} if commits is None else {"leaks": {"commits": commits, "examples": ["c0ffee"] * commits}}
        world.graded(ordinal, "Unresolved" if ordinal % 2 else "Resolved", **leaks)
    verdict = world.report()
    assert summary_of(verdict).leaks.model_dump() == {"scanned": 2, "leaking": 1}
    assert "hold commits beyond their own: 1" in verdict.message
    assert [line.get("leaks", {}).get("commits") for line in world.lines("baselines.jsonl")] == [None, 2, None, 0]
    assert "hold commits that their own does not come from" in world.text("report.html")
