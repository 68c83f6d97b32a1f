"""What a patch must have shown to be chosen: a second grading, or that it is the gold patch and resolves here."""

from typing import Any

from gen_world import FAILS, PASSES, GenWorld, became, diff, gen_row, graded, sample, sides

from swe_workloads.preference_gen.verdicts import ReportGenSummary

GOOD, BAD = diff("    return a + b"), diff("    return a * b")
Outcome = dict[str, Any]


def voted(resolved: int, gradings: int = 2) -> Outcome:
    return {**PASSES, "votes": {"gradings": gradings, "resolved": resolved}}


def test_a_patch_that_does_not_resolve_when_it_is_graded_again_is_not_chosen(gen: GenWorld) -> None:
    other = diff("    return b + a")
    summary = graded(gen, {GOOD: voted(1), other: voted(2), BAD: FAILS})
    assert (summary.pairs, summary.resolved, summary.sft_rows) == (1, 2, 1)
    assert sides(gen) == [(other, BAD)]
    assert became(gen) == {"1.1": "NotConfirmed", "1.2": None, "1.3": None}
    [line] = gen.exported("provenance.jsonl")
    assert line["chosen"]["verdict"]["votes"]["resolved"] == 2


def test_a_patch_whose_second_grading_was_lost_is_not_chosen(gen: GenWorld) -> None:
    graded(gen, {GOOD: {**PASSES, "votes": None}, BAD: FAILS})
    assert became(gen)["1.1"] == "NotConfirmed"


def gold_text(number: int = 1) -> str:
    return str(gen_row(number)["patch"])


def with_gold(gen: GenWorld, outcomes: dict[str, Outcome], **validity: str) -> ReportGenSummary:
    gen.document["pairs"]["chosen"] = "Gold"
    gen.samples = [sample(1, patch, at=at) for at, patch in enumerate(outcomes, 1)]
    gen.prepare()
    gen.grade(outcomes)
    gen.baselines(**validity)
    summary = gen.report().summary
    assert summary is not None
    return summary


def test_the_gold_patch_is_chosen_where_that_is_asked_for(gen: GenWorld) -> None:
    other = diff("    return b + a")
    summary = with_gold(gen, {other: PASSES, BAD: FAILS})
    assert sides(gen) == [(gold_text(), BAD)]
    assert became(gen) == {"1.1": "GoldIsChosen", "1.2": None}
    assert summary.sft_rows == 1
    [line] = gen.exported("provenance.jsonl")
    assert (line["chosen"]["kind"], line["chosen"]["verdict"]["state"]) == ("Gold", "Resolved")


def test_a_gold_patch_that_does_not_resolve_here_is_not_chosen(gen: GenWorld) -> None:
    assert with_gold(gen, {BAD: FAILS}, n1="GoldFails").pairs == 0
    assert became(gen) == {"1.1": "InstanceNotValid"}


def test_of_an_instance_whose_baseline_was_lost_the_gold_patch_is_not_chosen(gen: GenWorld) -> None:
    assert with_gold(gen, {BAD: FAILS}, n1="Unknown").pairs == 0
    assert became(gen) == {"1.1": "GoldNotResolved"}


def test_a_patch_that_fails_as_the_change_of_the_gold_patch_is_flaky(gen: GenWorld) -> None:
    moved = diff("    return a + b", line=3)
    assert with_gold(gen, {moved: FAILS}).pairs == 0
    assert became(gen) == {"1.1": "Flaky"}


def test_an_instance_that_a_patch_of_nothing_resolves_proves_no_patch(gen: GenWorld) -> None:
    gen.samples = [sample(1, GOOD, at=1), sample(1, BAD, at=2)]
    gen.prepare()
    gen.grade({GOOD: PASSES, BAD: FAILS})
    gen.baselines(n1="NoOpResolves")
    gen.report()
    assert became(gen) == {"1.1": "InstanceNotValid", "1.2": "InstanceNotValid"}
