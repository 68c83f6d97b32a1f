"""The report of a dry run: what is the matter with each prediction, and nothing that could be taken for a score."""

import json

import pytest

from evaluation.eval_world import prediction, v5_row
from evaluation.report_world import ReportWorld
from swe_workloads.evaluation.verdicts import DryRunSummary, ReportEvalVerdict

FINE = {"parses": True, "applies": True, "compiles": True, "pythonFiles": 1, "otherFiles": 0, "errors": []}


def dry(ordinal: int, reason: str, world: ReportWorld, **found: object) -> None:
    told = {"failToPass": None, "passToPass": None, "integrity": None, "testSeconds": None, "purpose": "DryRun"}
    more = {"reason": reason, "dryRun": {**FINE, **found}, "message": f"{reason} & <more>"}
    world.graded(ordinal, "Checked", **told, **more)
    world.rows[-1]["reason"] = reason


@pytest.fixture
def checked(world: ReportWorld) -> ReportEvalVerdict:
    """One of each fate: six that ran, and an empty one."""
    told = [*(prediction(number) for number in range(1, 7)), prediction(7, "")]
    world.prepare([v5_row(number) for number in range(1, 8)], told, dryRun=True)
    dry(0, "Ok", world)
    dry(1, "DoesNotParse", world, parses=False, applies=False, compiles=None, parseProblem="it is no unified diff")
    dry(2, "DoesNotApply", world, applies=False, compiles=None)
    dry(3, "DoesNotCompile", world, compiles=False, errors=["a.py: line 1: x", "b.py: line 2: y"])
    world.verdict(4, "Error", reason="TimedOut", message="too slow")
    world.rows.append({"ordinal": 4, "state": "Error", "attempt": 1, "seconds": 300, "reason": "TimedOut"})
    world.rows.append({"ordinal": 5, "state": "Incomplete", "attempt": 4, "seconds": 0, "reason": "Infrastructure"})
    world.infrastructure = [{"ordinal": 5, "reason": "Infrastructure", "message": "The sandbox was lost."}]
    return world.report()


def test_it_counts_and_gives_no_rate(checked: ReportEvalVerdict) -> None:
    counts = {"does_not_parse": 1, "does_not_apply": 1, "does_not_compile": 1, "over_limits": 1, "unchecked": 1}
    assert checked.dry_run == DryRunSummary(submitted=7, checked=4, ok=1, empty_patches=1, **counts)
    assert checked.summary is None
    assert checked.message.startswith(
        "Dry run: 1 of 7 predictions apply, and the Python that they change compiles. No test was run. "
    )


def test_there_is_no_official_file(checked: ReportEvalVerdict, world: ReportWorld) -> None:
    assert [artifact.name for artifact in checked.artifacts or []] == ["report.html", "results.jsonl"]
    folder = world.endpoint.prefix / "report/pod-9"
    assert {path.name for path in folder.iterdir()} == {"report.html", "results.jsonl"}


def test_each_prediction_has_a_line_that_says_what_is_the_matter(
    checked: ReportEvalVerdict, world: ReportWorld
) -> None:
    lines = {line["instance"][-1]: line for line in world.lines()}
    assert [lines[str(number)]["state"] for number in range(1, 8)] == [
        *["Checked"] * 4, "Error", "Incomplete", "EmptyPatch",
    ]  # fmt: skip
    assert lines["2"]["reason"] == "DoesNotParse"
    assert lines["2"]["dryRun"]["parseProblem"] == "it is no unified diff"
    assert lines["4"]["dryRun"]["errors"] == ["a.py: line 1: x", "b.py: line 2: y"]
    assert not {"failToPass", "passToPass", "integrity", "votes"} & lines["1"].keys()
    assert "esolved" not in json.dumps(list(lines.values()))


def test_the_page_says_it_to_people(checked: ReportEvalVerdict, world: ReportWorld) -> None:
    text = world.text("report.html")
    assert "No test was run" in text
    assert "DoesNotParse: DoesNotParse &amp; &lt;more&gt;" in text
    assert "b.py: line 2: y" in text
    assert "esolve" not in text


def test_what_was_reported_stays(checked: ReportEvalVerdict, world: ReportWorld) -> None:
    world.rows.clear()
    assert world.report() == checked
