"""What a person gets to see of an evaluation, read back from the page."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from evaluation.eval_world import prediction, v5_row
from evaluation.report_world import END, ReportWorld, twelve, with_baselines
from swe_workloads.evaluation import failures_table
from swe_workloads.evaluation.log_tails import READ_BYTES, tail_of
from swe_workloads.evaluation.report_page import TIMES
from swe_workloads.report_histogram import histogram

NASTY = "<script>alert('x')</script>&\"]]>\x1b[31m\x00"


def page_of(world: ReportWorld) -> ElementTree.Element:
    """Also the proof that every element is closed and every text escaped."""
    world.report()
    page = world.text("report.html")
    assert page.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(page.split("\n", 1)[1])


def words(element: ElementTree.Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext()))


def rows(page: ElementTree.Element) -> list[str]:
    return [words(row).strip() for row in page.iter("tr")]


def test_the_page_begins_with_the_rate_and_its_interval(world: ReportWorld) -> None:
    twelve(world)
    told = words(page_of(world))
    for figure in ("41.7 %", "95 % interval 19.3 % to 68.0 % (Wilson)", "5 of 12", "verified-lite", "4 s"):
        assert figure in told, figure


def test_each_repository_has_a_bar_as_long_as_its_rate(world: ReportWorld) -> None:
    twelve(world)
    page = page_of(world)
    assert "psf/requests 3 of 8 37.5 %" in rows(page)
    assert "pallets/flask 2 of 4 50.0 %" in rows(page)
    bars = [bar.get("style") for bar in page.iter("span") if bar.get("class") == "bar"]
    assert bars[-2:] == ["width:37.5%", "width:50.0%"]


def test_the_page_loads_and_runs_nothing(world: ReportWorld) -> None:
    twelve(world)
    page = page_of(world)
    assert not list(page.iter("script"))
    loaded = [value for element in page.iter() for name, value in element.attrib.items() if name in ("src", "href")]
    assert loaded == ["gold.verified-lite.json", "results.jsonl", "resolved.jsonl"]
    assert not re.search(r"https?:|url\(|@import", world.text("report.html"))
    assert "default-src 'none'" in world.text("report.html")


def test_no_text_of_rows_predictions_verdicts_or_logs_becomes_markup(world: ReportWorld) -> None:
    spoken = NASTY.replace("\x00", "").replace("\x1b", "")
    instance = v5_row(1, instance_id=spoken, repo=spoken)
    world.prepare([instance], [{**prediction(1, "no diff", model=NASTY), "instance_id": spoken}])
    sign = {"reason": NASTY, "tier": "ambiguous"}
    world.graded(0, "Error", log=f"{NASTY}\n", reason="TimedOut", message=NASTY, infraFailure=sign)
    page = page_of(world)
    assert not list(page.iter("script"))
    assert words(page).count("<script>alert('x')</script>&\"]]>") >= 7


def test_a_failure_is_shown_with_the_end_of_its_log(world: ReportWorld) -> None:
    world.prepare([v5_row(1), v5_row(2)])
    log = "\n".join(["first line", *(f"line {number}" for number in range(100)), "1 failed", END, "git checkout"])
    world.graded(0, "Unresolved", log=log)
    world.graded(1, "Resolved", log="never shown")
    page = page_of(world)
    [tail] = [element.text for element in page.iter("pre")]
    assert tail is not None
    assert tail.splitlines()[-2:] == ["line 99", "1 failed"]
    assert "first line" not in tail
    assert "psf__requests-1 Unresolved 0 of 1 2 of 2 4 s" in rows(page)


def test_what_most_needs_a_look_comes_first(world: ReportWorld) -> None:
    world.prepare([v5_row(number) for number in (1, 2, 3)])
    world.graded(0, "Unresolved")
    world.graded(1, "Error", reason="PatchApplyFailed")
    world.rows.append({"ordinal": 2, "state": "Incomplete", "attempt": 1, "seconds": 1})
    world.infrastructure = [{"ordinal": 2, "reason": "Infrastructure", "message": "The sandbox was lost."}]
    told = [row for row in rows(page_of(world)) if row.startswith("psf__requests-")]
    assert [row.split(" ")[:2] for row in told] == [
        ["psf__requests-3", "Incomplete:"],
        ["psf__requests-2", "Error:"],
        ["psf__requests-1", "Unresolved"],
    ]


def test_the_log_of_a_patch_that_did_not_apply_is_the_one_with_git_s_words(world: ReportWorld) -> None:
    world.prepare([v5_row(1)])
    outputs = [{"name": name, "sha256": "0" * 64, "sizeBytes": 1} for name in ("test_output.txt", "run_instance.log")]
    world.graded(0, "Error", reason="PatchApplyFailed", outputs=outputs)
    world.put("outputs/0/1/test_output.txt", "nothing")
    world.put("outputs/0/1/run_instance.log", "error: patch failed: lib.py:1")
    [tail] = [element.text for element in page_of(world).iter("pre")]
    assert tail == "error: patch failed: lib.py:1"


def test_of_very_many_failures_the_first_are_shown_and_the_rest_counted(
    world: ReportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures_table, "MOST_FAILURES", 2)
    world.prepare([v5_row(number) for number in range(5)])
    for ordinal in range(5):
        world.graded(ordinal, "Unresolved", log="told")
    page = page_of(world)
    assert len([row for row in rows(page) if row.startswith("psf__requests-")]) == 2
    assert "And 3 more, in results.jsonl." in words(page)
    assert sum("test_output.txt" in request for request in world.endpoint.requests) == 2


def test_several_samples_are_told_apart_and_have_pass_at_k(world: ReportWorld) -> None:
    told = [prediction(1, f"{sample}\n") for sample in (1, 2, 3)]
    world.prepare([v5_row(1)], told)
    for ordinal, state in enumerate(("Resolved", "Unresolved", "Resolved")):
        world.graded(ordinal, state)
    page = page_of(world)
    assert {"1 0.6667 0.6667", "2 1.0000 0.3333", "3 1.0000 0.0000"} <= set(rows(page))
    assert any(row.startswith("psf__requests-1 · 2 Unresolved") for row in rows(page))
    assert "1 of 1 in at least one sample" in words(page)


def test_instances_that_cannot_be_graded_here_are_named_with_the_reason(world: ReportWorld) -> None:
    with_baselines(world)
    page = page_of(world)
    assert "Valid instances 1 of 4 0.0 % of the predictions for them are resolved" in words(page)
    named = [row for row in rows(page) if re.search(r"(here|proven)\. ", row) and row.startswith("psf")]
    assert [row[: row.index(".")] for row in named] == [
        "psf__requests-2 Its gold patch does not resolve it here",
        "psf__requests-3 A patch that does nothing resolves it here",
        "psf__requests-4 A baseline of it was lost to the cluster, so that nothing is proven",
    ]


def test_what_was_left_out_is_counted(world: ReportWorld) -> None:
    instances = [v5_row(1), v5_row(2), v5_row(3, image=None)]
    world.prepare(instances, [prediction(1), prediction(1), prediction(9), prediction(3)])
    world.graded(0, "Resolved")
    told = rows(page_of(world))
    for row in (
        "Instances whose rows could not be used 1",
        "Ids of predictions that no instance has 1",
        "Predictions that repeat another row 1",
        "Predictions that could not be used 1",
        "Instances without a prediction 1",
    ):
        assert row in told, row
    assert "no prediction 1" in told


def test_an_evaluation_of_empty_patches_alone_has_a_page(world: ReportWorld) -> None:
    world.prepare([v5_row(1)], [prediction(1, "")])
    page = page_of(world)
    assert "empty patch 1 of 1 100.0 %" in rows(page)
    assert not list(page.iter("svg"))


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        (b"a\nb\n", "a\nb"),
        (f"a\n{END}\nb\n".encode(), "a"),
        (f"{END}\nb\n".encode(), f"{END}\nb"),
        (f"{END}\na\n{END}\nb".encode(), f"{END}\na"),
        (b"caf\xe9\n", "caf\N{REPLACEMENT CHARACTER}"),
        (b"x" * 400, "x" * 300),
        (b"half a line\n" + b"y" * (READ_BYTES - 12), "y" * 300),
    ],
)
def test_the_end_of_a_log_is_the_last_lines_of_the_tests(end: bytes, shown: str) -> None:
    assert tail_of(end) == shown


@pytest.mark.parametrize("times", [[0.0], [3.5, 3.5], [0.001, 1800.0, 7.0], [float(number) for number in range(500)]])
def test_a_histogram_counts_every_time_once(times: list[float]) -> None:
    drawn = ElementTree.fromstring(histogram(times, [5.0], TIMES))
    counts = [re.search(r": (\d+) resolved, (\d+) not resolved$", title.text or "") for title in drawn.iter("title")]
    spans = {title.text for title in drawn.iter("title")}
    assert all(counts)
    found = [re.search(r": (\d+) resolved, (\d+) not resolved$", text or "") for text in spans]
    assert sum(int(one[1]) for one in found if one) == len(times)
    assert sum(int(one[2]) for one in found if one) == 1


def test_without_times_there_is_no_histogram() -> None:
    assert histogram([], [], TIMES) == ""
