import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluation.eval_world import DIFF, eval_document, prediction, pro_row, v5_row
from evaluation.report_world import ReportWorld, summary_of, twelve
from swe_workloads.evaluation import report
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message


def test_the_verdict_has_the_rate_with_its_interval_and_each_repository(world: ReportWorld) -> None:
    twelve(world)
    verdict = world.report()
    assert (verdict.kind, verdict.exit_code, verdict.reason) == ("ReportEval", 0, "Completed")
    assert summary_of(verdict).model_dump(by_alias=True, exclude_none=True) == {
        "resolvedRate": "0.4167",
        "low": "0.1933",
        "high": "0.6805",
        "method": "Wilson",
        "resolved": 5,
        "submitted": 12,
        "total": 12,
        "incomplete": 0,
        "auditedRate": "0.4167",
        "integrity": {"clean": 5, "suspicious": 0, "tampered": 0, "unknown": 0},
        "flakes": {"rerun": 0, "disagreeing": 0, "resolvedByVote": 0},
        "leaks": {"scanned": 0, "leaking": 0},
        "excluded": 0,
        "cached": 0,
        "validOnly": "0.4167",
        "invalid": 0,
        "passAtK": [{"k": 1, "value": "0.4167"}],
        "passHatK": [{"k": 1, "value": "0.4167"}],
        "repositories": [
            {"name": "psf/requests", "total": 8, "resolved": 3},
            {"name": "pallets/flask", "total": 4, "resolved": 2},
        ],
    }
    assert verdict.message == "5 of 12 instances are resolved (0.4167, 95 % interval 0.1933 to 0.6805)."


def test_what_the_logs_do_not_bear_out_changes_no_official_figure_and_is_named(world: ReportWorld) -> None:
    world.prepare([v5_row(0), v5_row(1), v5_row(2)])
    world.graded(0, "Resolved")
    world.graded(1, "Resolved", integrity={"verdict": "Tampered", "reasons": ["ForgedMarker: <the end> of the tests"]})
    world.graded(2, "Resolved", integrity={"verdict": "Suspicious", "reasons": ["NoSummary: pytest never came to it"]})
    verdict = world.report()
    summary = summary_of(verdict)
    assert (summary.resolved_rate, summary.audited_rate) == ("1.0000", "0.3333")
    assert summary.integrity.model_dump() == {"clean": 1, "suspicious": 1, "tampered": 1, "unknown": 0}
    assert "only those whose logs bear it out: 0.3333" in verdict.message
    assert json.loads(world.text("gold.verified-lite.json"))["resolved_instances"] == 3
    assert [line["integrity"]["verdict"] for line in world.lines()] == ["Clean", "Tampered", "Suspicious"]
    assert "ForgedMarker: &lt;the end&gt; of the tests" in world.text("report.html")


def test_the_official_summary_the_page_and_every_outcome_are_in_the_store_and_sealed(world: ReportWorld) -> None:
    twelve(world)
    verdict = world.report()
    assert [one.name for one in verdict.artifacts or []] == [
        *("gold.verified-lite.json", "report.html", "results.jsonl", "resolved.jsonl"),
    ]
    for one in verdict.artifacts or []:
        content = (world.endpoint.prefix / one.key).read_bytes()
        assert (one.sha256, one.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    manifest = json.loads((world.endpoint.prefix / "report/manifest.json").read_text())
    assert manifest["verdict"] == verdict.to_document()
    document = json.loads(world.text("gold.verified-lite.json"))
    assert (document["total_instances"], document["resolved_instances"], document["schema_version"]) == (12, 5, 2)
    assert document["resolved_ids"] == sorted(line["instance"] for line in world.lines() if line["state"] == "Resolved")


def test_a_line_says_all_that_is_known_of_a_prediction_and_where_its_files_are(world: ReportWorld) -> None:
    world.prepare([v5_row(1)])
    world.graded(
        0, "Error", log="words", attempt=3, reason="TimedOut", infraFailure={"reason": "r", "tier": "ambiguous"}
    )
    world.report()
    stored = (world.endpoint.prefix / "verdicts/0/3.json").read_bytes()
    assert world.lines() == [
        {
            "instance": "psf__requests-1",
            "sample": 1,
            "model": "gold",
            "repository": "psf/requests",
            "state": "Error",
            "reason": "TimedOut",
            "message": "said of 0",
            "failToPass": {"passed": 0, "total": 1},
            "passToPass": {"passed": 2, "total": 2},
            "integrity": {"verdict": "Clean", "reasons": []},
            "infraFailure": {"reason": "r", "tier": "ambiguous"},
            "harness": "5.0.2",
            "seconds": 3.5,
            "podSeconds": 12.0,
            "ordinal": 0,
            "attempt": 3,
            "digest": hashlib.sha256(stored).hexdigest(),
            "keys": {"verdict.json": "verdicts/0/3.json", "test_output.txt": "outputs/0/3/test_output.txt"},
        }
    ]


def test_what_the_operator_saw_counts_more_than_the_verdict_of_a_pod_that_was_killed(world: ReportWorld) -> None:
    world.prepare([v5_row(1), v5_row(2)])
    world.verdict(0, "Unresolved")
    world.rows = [
        {"ordinal": 0, "state": "Error", "attempt": 1, "seconds": 5, "reason": "OutOfMemory"},
        {"ordinal": 1, "state": "Error", "attempt": 2, "seconds": 5},
    ]
    world.report()
    assert [(line["state"], line["reason"]) for line in world.lines()] == [
        ("Error", "OutOfMemory"),
        ("Error", "PodEnded"),
    ]
    assert json.loads(world.text("gold.verified-lite.json"))["error_instances"] == 2


def test_what_the_cluster_lost_is_told_apart_and_not_resolved(world: ReportWorld) -> None:
    world.prepare([v5_row(1), v5_row(2)])
    world.graded(0, "Resolved")
    world.rows.append({"ordinal": 1, "state": "Incomplete", "attempt": 4, "seconds": 0})
    world.infrastructure = [{"ordinal": 1, "reason": "ImageNotFound", "message": "The registry has no such image."}]
    verdict = world.report()
    assert (summary_of(verdict).resolved_rate, summary_of(verdict).incomplete) == ("0.5000", 1)
    assert "Predictions that could not be graded and count as not resolved: 1." in verdict.message
    assert (world.lines()[1]["reason"], world.lines()[1]["message"], world.lines()[1]["keys"]) == (
        "ImageNotFound",
        "The registry has no such image.",
        {},
    )
    assert json.loads(world.text("gold.verified-lite.json"))["error_ids"] == ["psf__requests-2"]


def test_a_prediction_that_the_operator_has_no_result_of_is_incomplete(world: ReportWorld) -> None:
    world.prepare([v5_row(1)])
    assert summary_of(world.report()).incomplete == 1
    assert world.lines()[0]["reason"] == "NoResult"


def test_empty_patches_and_instances_without_a_prediction_count_as_not_resolved(world: ReportWorld) -> None:
    world.prepare([v5_row(number) for number in (1, 2, 3, 4)], [prediction(1), prediction(2, "")])
    world.graded(0, "Resolved")
    verdict = world.report()
    assert (summary_of(verdict).resolved_rate, summary_of(verdict).submitted) == ("0.2500", 2)
    document = json.loads(world.text("team__model.verified-lite.json"))
    assert document["empty_patch_ids"] == ["psf__requests-2"]
    assert document["incomplete_ids"] == ["psf__requests-3", "psf__requests-4"]
    assert [line["state"] for line in world.lines()] == ["Resolved", "EmptyPatch"]


def test_several_samples_have_a_summary_each_and_pass_at_k(world: ReportWorld) -> None:
    told = [prediction(number, f"{sample}\n", sample=sample) for number in (1, 2) for sample in (1, 2)]
    world.prepare([v5_row(1), v5_row(2)], told)
    for ordinal, state in enumerate(("Resolved", "Unresolved", "Resolved", "Resolved")):
        world.graded(ordinal, state)
    verdict = world.report()
    summary = summary_of(verdict)
    assert (summary.resolved_rate, summary.method, summary.resolved, summary.total) == ("0.7500", "Bootstrap", 3, 2)
    assert [(one.k, one.value) for one in summary.pass_at_k] == [(1, "0.7500"), (2, "1.0000")]
    assert [(one.k, one.value) for one in summary.pass_hat_k] == [(1, "0.7500"), (2, "0.5000")]
    assert summary.repositories[0].model_dump() == {"name": "psf/requests", "total": 4, "resolved": 3}
    first, second = (json.loads(world.text(f"team__model.verified-lite{end}.json")) for end in ("", ".2"))
    assert (first["resolved_instances"], second["resolved_instances"]) == (2, 1)
    assert "3 of 4 predictions for 2 instances are resolved" in verdict.message


def test_an_evaluation_is_reported_once(world: ReportWorld) -> None:
    twelve(world)
    first = world.report()
    world.rows.clear()
    assert report.report(world.pod("pod-10")) == first
    assert not (world.endpoint.prefix / "report/pod-10").exists()


def test_of_two_reports_at_once_the_first_to_seal_stands(world: ReportWorld) -> None:
    twelve(world)
    others = {"kind": "ReportEval", "exitCode": 0, "reason": "Completed", "message": "the other's"}
    manifest = json.dumps({"version": 1, "files": [], "verdict": others})
    world.endpoint.after_put = lambda what: world.put("report/manifest.json", manifest)
    assert world.report().message == "the other's"


def test_an_evaluation_that_was_never_prepared_is_refused(world: ReportWorld) -> None:
    twelve(world)
    (world.endpoint.prefix / "data/manifest.json").unlink()
    with pytest.raises(Failure, match=r"There is no data/manifest\.json: this evaluation was never prepared") as caught:
        world.report()
    assert caught.value.code == ExitCode.INVALID_DATA


@pytest.mark.parametrize("content", [b"", b"{}", b'{"version": 1, "rows": [{"ordinal": 0, "state": "Fine"}]}'])
def test_results_that_cannot_be_read_are_named(world: ReportWorld, content: bytes) -> None:
    twelve(world)
    pod = world.pod()
    pod.results_file.write_bytes(content)
    with pytest.raises(Failure, match=r"results\.json cannot be read") as caught:
        report.report(pod)
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION


def test_a_page_that_cannot_be_drawn_is_left_out(world: ReportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError

    twelve(world)
    monkeypatch.setattr(report, "render_report", broken)
    assert [one.name for one in world.report().artifacts or []] == [
        *("gold.verified-lite.json", "results.jsonl", "resolved.jsonl"),
    ]


def test_a_verdict_of_many_repositories_fits_into_the_termination_message(world: ReportWorld, tmp_path: Path) -> None:
    world.prepare([v5_row(number, repo=f"owner/{'r' * 60}-{number}") for number in range(60)])
    verdict = world.report()
    write_termination_message(verdict, tmp_path / "said")
    said: dict[str, Any] = json.loads((tmp_path / "said").read_bytes())
    assert (tmp_path / "said").stat().st_size <= TERMINATION_MESSAGE_BYTES
    assert (said["summary"]["total"], len(said["artifacts"]), len(verdict.summary.repositories)) == (60, 3, 60)  # type: ignore[union-attr]


def test_the_program_ends_with_a_verdict(world: ReportWorld) -> None:
    twelve(world)
    pod = world.pod()
    environment = world.endpoint.environment(pod.work_dir, pod.run_file)
    ran = subprocess.run(
        [sys.executable, "-m", "swe_workloads.evaluation.report"],
        env={**environment, "SWE_RESULTS_FILE": str(pod.results_file), "PATH": os.environ["PATH"]},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(pod.termination_file.read_bytes())["summary"]["resolvedRate"] == "0.4167"


def test_swe_bench_pro_has_the_file_of_its_harness_too(world: ReportWorld, tmp_path: Path) -> None:
    """For each sample; what could not be graded is neither true nor false, and an empty patch is false."""
    names = [f"instance_a__b-{number}" for number in range(4)]
    rows = [pro_row(instance_id=name) for name in names]
    patches = [*((name, DIFF) for name in names[:3]), (names[3], ""), (names[0], DIFF + "\n")]
    listed = tmp_path / "preds.json"
    listed.write_text(json.dumps([{"instance_id": name, "patch": patch, "prefix": "gpt"} for name, patch in patches]))
    world.document = eval_document(tmp_path / "rows.jsonl", listed)
    world.document["instances"]["format"] = "SWEBenchPro"
    world.prepare(rows)
    # The samples of an instance are neighbours.
    for ordinal, outcome in enumerate(["Resolved", "Error", "Unresolved"]):
        world.graded(ordinal, outcome)
    world.rows.append({"ordinal": 3, "state": "Incomplete"})
    verdict = world.report()
    assert [one.name for one in verdict.artifacts or []] == [
        "gpt.verified-lite.json", "report.html", "results.jsonl",
        "gpt.verified-lite.2.json", "eval_results.json", "eval_results.2.json",
    ]  # fmt: skip
    assert json.loads(world.text("eval_results.json")) == {names[0]: True, names[1]: False, names[3]: False}
    assert json.loads(world.text("eval_results.2.json")) == {names[0]: False}
    assert "SWE-bench_Pro-os" in world.text("report.html")


def test_looks_at_a_verdict_are_told_beside_it_and_change_no_official_figure(world: ReportWorld) -> None:
    world.prepare([v5_row(0), v5_row(1), v5_row(2)])
    doubt = {"verdict": "Suspicious", "reasons": ["SupportFiles: the patch changes conftest.py"]}
    audits = [{"purpose": "WithoutSupport", "attempt": 2}, {"purpose": "SupportAlone", "attempt": 3}]
    for ordinal, without in enumerate(("Unresolved", "Resolved")):
        world.graded(ordinal, "Resolved", integrity=doubt, support="Part")
        world.rows[-1]["looks"] = audits
        world.verdict(ordinal, without, attempt=2)
        world.verdict(ordinal, "Unresolved", attempt=3, failToPass={"passed": 1 - ordinal, "total": 1})
    world.graded(2, "Unresolved")
    world.rows[-1]["looks"] = [{"purpose": "Rerun", "attempt": 2}, {"purpose": "Rerun", "attempt": 3}]
    world.verdict(2, "Resolved", attempt=2)
    world.verdict(2, "Resolved", attempt=3)
    verdict = world.report()
    summary = summary_of(verdict)
    assert (summary.resolved_rate, summary.audited_rate) == ("0.6667", "0.3333")
    assert summary.flakes.model_dump() == {"rerun": 1, "disagreeing": 1, "resolved_by_vote": 1}
    lines = world.lines()
    assert [line["integrity"]["verdict"] for line in lines] == ["Tampered", "Clean", "Clean"]
    assert lines[2]["votes"] == {"gradings": 3, "resolved": 2, "flaky": "0.6667"}
    assert [look["outcome"] for look in lines[0]["looks"]] == ["Unresolved", "Unresolved"]
    assert "gradings do not all end the same way: 1" in verdict.message
    assert "2 of 3 gradings" in world.text("report.html")
