"""What a person gets to see, read back from the page."""

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from swe_workloads.exit_codes import ExitCode
from swe_workloads.report import Facts, render_report
from swe_workloads.report_text import duration, figure, labels, size, ticks
from swe_workloads.verdict import (
    BadRowExample,
    BestCheckpoint,
    FirstAndLast,
    FrozenSource,
    Perplexity,
    PrepareSummary,
    PrepareVerdict,
    RepositoryCount,
    TokenSummary,
    TrainVerdict,
    outcome,
)

NASTY = "<script>alert('x')</script>&\"]]>"


def verdict(attempt: int = 2, **more: Any) -> TrainVerdict:
    known: dict[str, Any] = {
        **outcome(ExitCode.COMPLETED, "All 120 steps are done."),
        "from_step": 40,
        "last_step": 120,
        "total_steps": 120,
        "loss": FirstAndLast(first="2.31", last="0.87"),
        "eval_loss": FirstAndLast(first="1.9", last="1.4"),
        "perplexity": Perplexity(value="3.21", low="3.04", high="3.40", rows=230, tokens=51233),
        "best": BestCheckpoint(step=80, eval_loss="1.31"),
        "seconds": 3700,
    }
    return TrainVerdict(attempt=attempt, **known | more)


def summary(**more: Any) -> PrepareSummary:
    known: dict[str, Any] = {
        "rows": 2294,
        "train": 2064,
        "test": 230,
        "bad_rows": 3,
        "bad_row_examples": [BadRowExample(row=7, reason="patch is empty")],
        "tokens": TokenSummary(p50=1432, p90=3801, max=18213),
        "truncated_percent": "12.1",
        "duplicates_across_split": 0,
        "leaked_across_split": 4,
        "gold_in_prompt": 0,
        "gold_in_prompt_examples": [],
        "repositories": [RepositoryCount(name="django/django", rows=850)],
    }
    return PrepareSummary(**known | more)


def a_history(steps: int = 120) -> list[dict[str, float]]:
    trained = [{"step": n, "epoch": n / 60, "loss": 2 - n / steps, "learning_rate": 1e-4} for n in range(1, steps + 1)]
    return [*trained, *({"step": n, "eval_loss": 1.3 + abs(80 - n) / 100} for n in range(20, steps + 1, 20))]


def facts(**more: Any) -> Facts:
    first = TrainVerdict(**outcome(ExitCode.PREEMPTED, "Stopped."), attempt=1, last_step=40, seconds=500)
    known = Facts(
        settings={
            "version": 1,
            "run": {"namespace": "team", "name": "demo", "uid": "0b5e7c1a"},
            "method": "SFT",
            "seed": 42,
            "optimizer": {"learningRate": "2e-4"},
            "lora": {"rank": 16, "targetModules": ["q_proj", "v_proj"]},
            "checkpoint": {"result": "Best"},
            "compute": {"gpus": 2, "gpuName": "A100"},
        },
        verdict=verdict(),
        history=a_history(),
        attempts=[first, verdict()],
        prepared=PrepareVerdict(**outcome(ExitCode.COMPLETED, "Prepared."), summary=summary()),
        sources={"Model": FrozenSource(uri="s3://bucket/model", sha256="a" * 64)},
        engine_config="learning_rate: 0.0002\n",
        beside=["metrics.jsonl"],
    )
    return replace(known, **more)


def parsed(page: str) -> ElementTree.Element:
    """Also the proof that every element is closed and every text escaped."""
    assert page.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(page.split("\n", 1)[1])


def words(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(parsed(page).itertext()))


def test_the_page_tells_what_came_out() -> None:
    page = words(render_report(facts()))
    for told in (
        "demo",
        "Completed",
        "2.31 → 0.87",
        "1.9 → 1.4",
        "3.21",
        "95 % interval 3.04 to 3.40",
        "All 120 steps",
    ):
        assert told in page
    assert "lowest 1.300 at step 80: the result" in page
    assert "resumed from step 40" in page
    assert "1 h 10 min" in page
    assert "2 A100s" in page


def test_the_page_tells_what_it_was_made_of() -> None:
    page = words(render_report(facts()))
    for told in ("2,294", "18,213", "12.1 %", "patch is empty", "django/django", "q_proj, v_proj", "2e-4", "a" * 64):
        assert told in page
    assert "learning_rate: 0.0002" in page


def test_leaks_are_marked_and_their_absence_is_not() -> None:
    marked = [element.text for element in parsed(render_report(facts())).iter("span") if element.get("class") == "warn"]
    assert marked == ["3", "4"]


def test_the_page_needs_nothing_but_itself() -> None:
    page = render_report(facts())
    root = parsed(page)
    assert not list(root.iter("script"))
    loaded = [value for element in root.iter() for name, value in element.attrib.items() if name in ("src", "href")]
    assert loaded == ["metrics.jsonl"]
    assert not re.search(r"https?:|url\(|@import", page)


def test_nothing_that_is_shown_can_become_markup() -> None:
    hostile = facts(
        settings={"run": {"name": NASTY, "namespace": NASTY}, NASTY: {NASTY: NASTY}, "lora": {"x": [NASTY]}},
        verdict=verdict(message=NASTY, reason=NASTY, perplexity=Perplexity(reason=NASTY)),
        prepared=PrepareVerdict(
            **outcome(ExitCode.COMPLETED, ""),
            summary=summary(
                bad_row_examples=[BadRowExample(row=1, reason=NASTY)],
                repositories=[RepositoryCount(name=NASTY, rows=1)],
                truncated_percent=NASTY,
            ),
        ),
        attempts=[verdict(1, message=NASTY), verdict(2, reason=NASTY)],
        sources={NASTY: FrozenSource(uri=NASTY, revision=NASTY)},
        engine_config=NASTY,
        beside=[NASTY],
    )
    page = render_report(hostile)
    assert "<script" not in page
    assert words(page).count(NASTY) >= 12


def test_characters_that_no_document_may_hold_are_replaced() -> None:
    page = render_report(facts(verdict=verdict(message="a\x00b\x1b[31mc\ud800d")))
    page.encode()
    assert "a�b�[31mc�d" in words(page)


@pytest.mark.parametrize("history", [[], [{"step": 1, "loss": math.nan}]])
def test_without_a_history_the_page_says_so(history: list[dict[str, float]]) -> None:
    page = render_report(facts(history=history))
    assert "The metric history is empty." in words(page)
    assert "<svg" not in page


def test_what_is_not_known_is_not_shown() -> None:
    bare = Facts(settings={}, verdict=TrainVerdict(**outcome(ExitCode.COMPLETED, "Done."), attempt=1))
    page = words(render_report(bare))
    assert "Done." in page
    for absent in ("Perplexity", "Data", "None", "null"):
        assert absent not in page


def test_an_absent_perplexity_says_why() -> None:
    page = words(render_report(facts(verdict=verdict(perplexity=Perplexity(reason="3 held-out rows are too few")))))
    assert "3 held-out rows are too few" in page
    assert "bootstrap" not in page


def test_every_curve_stays_within_its_picture() -> None:
    spiky = [*a_history(), {"step": 50.0, "grad_norm": 1e9}, {"step": 51.0, "grad_norm": 0.1}]
    for svg in parsed(render_report(facts(history=spiky))).iter("svg"):
        _, _, width, height = map(float, svg.attrib["viewBox"].split())
        for x, y in coordinates(svg):
            assert -0.1 <= x <= width + 0.1
            assert -0.1 <= y <= height + 0.1


def coordinates(svg: ElementTree.Element) -> list[tuple[float, float]]:
    paths = [path.attrib["d"] for path in svg.iter("path") if "curve" in path.attrib["class"]]
    curves = [(float(x), float(y)) for path in paths for x, y in re.findall(r"[ML](\S+?) ([^ML]+)", path)]
    texts = [(float(text.attrib["x"]), float(text.attrib["y"])) for text in svg.iter("text")]
    return curves + texts


def test_the_best_step_is_marked_where_it_is() -> None:
    [loss, *_] = parsed(render_report(facts())).iter("svg")
    [mark] = [line for line in loss.iter("line") if line.attrib["class"] == "best"]
    axis = {
        text.text: float(text.attrib["x"]) for text in loss.iter("text") if text.attrib.get("text-anchor") == "middle"
    }
    assert float(mark.attrib["x1"]) == pytest.approx(axis["80"], abs=0.1)
    assert "best: 1.300 at step 80" in "".join(loss.itertext())


def test_a_very_long_history_stays_a_page_of_reasonable_size() -> None:
    page = render_report(facts(history=a_history(200_000)))
    assert len(page) < 400_000


def test_one_step_is_drawn_too() -> None:
    page = render_report(facts(history=[{"step": 1, "loss": 2.0}], verdict=verdict(last_step=1)))
    [svg] = parsed(page).iter("svg")
    assert len(list(svg.iter("circle"))) == 1


class Balanced(HTMLParser):
    """As a browser sees it: no element left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_browser_finds_every_element_closed() -> None:
    reader = Balanced()
    reader.feed(render_report(facts()))
    assert reader.open == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.3711, "2.371"),
        (0.00021, "2.1e-4"),
        (2e-5, "2e-5"),
        (1234.5, "1,234"),
        (51233, "51,233"),
        (1.3, "1.300"),
    ],
)
def test_figures_have_as_many_digits_as_say_something(value: float, text: str) -> None:
    assert figure(value) == text


def test_an_axis_has_round_numbers_written_alike() -> None:
    assert labels(ticks(0, 2.5, 5)) == ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]
    assert labels(ticks(0, 2e-4, 4)) == ["0", "5e-5", "1e-4", "1.5e-4", "2e-4"]
    assert labels(ticks(0, 12_000, 4)) == ["0", "2,500", "5,000", "7,500", "10,000"]
    assert labels(ticks(7, 7, 4)) == ["7"]


def test_times_and_sizes_are_in_the_unit_that_fits() -> None:
    assert [duration(seconds) for seconds in (5, 60, 200, 3600, 7500)] == [
        "5 s",
        "1 min",
        "3 min 20 s",
        "1 h",
        "2 h 5 min",
    ]
    assert [size(number) for number in (7, 4200, 3_100_000)] == ["7 bytes", "4.2 kB", "3.1 MB"]
