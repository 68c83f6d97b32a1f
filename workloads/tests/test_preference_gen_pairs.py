"""Which graded patches stand side by side, and which are on neither side."""

from typing import Any

import pytest
from gen_world import (
    BREAKS_OTHERS,
    DOES_NOT_APPLY,
    FAILS,
    IS_LOST,
    IS_SUSPICIOUS,
    MENDS_SOME,
    PASSES,
    TIMES_OUT,
    GenWorld,
    became,
    diff,
    graded,
    sample,
    sides,
)

GOOD, BAD = diff("    return a + b"), diff("    return a * b")
Outcome = dict[str, Any]


def test_what_passes_is_chosen_and_what_fails_is_rejected(gen: GenWorld) -> None:
    summary = graded(gen, {GOOD: PASSES, BAD: FAILS})
    assert sides(gen) == [(GOOD, BAD)]
    assert (summary.pairs, summary.with_pairs, summary.pair_yield) == (1, 1, "0.5000")
    assert became(gen) == {"1.1": None, "1.2": None}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (IS_LOST, "Infrastructure"),
        ({**IS_LOST, "reason": "InstanceInvalid"}, "InstanceInvalid"),
        (TIMES_OUT, "TimedOut"),
        ({**TIMES_OUT, "reason": "LogTooLarge"}, "LogTooLarge"),
        ({**TIMES_OUT, "reason": "OutOfMemory"}, "OutOfMemory"),
        ({**FAILS, "reason": "OutOfMemory", "integrity": None}, "OutOfMemory"),
        ({**FAILS, "integrity": {"verdict": "Suspicious", "reasons": []}}, "IntegritySuspicious"),
        ({**FAILS, "integrity": None}, "IntegrityUnknown"),
        ({**FAILS, "votes": {"gradings": 3, "resolved": 1, "flaky": "0.6667"}}, "Flaky"),
        ({**FAILS, "infraFailure": {"reason": "network", "tier": "ambiguous"}}, "InfrastructureSigns"),
        ({**FAILS, "tests": {"seen": 0, "skipped": 0, "expectedFailures": 0}}, "NoTestResults"),
        ({**FAILS, "state": "Checked", "reason": "Ok"}, "Ok"),
        (DOES_NOT_APPLY, "PatchDoesNotApply"),
    ],
)
def test_what_says_nothing_about_a_patch_makes_it_rejected_in_no_pair(
    gen: GenWorld, outcome: Outcome, reason: str
) -> None:
    summary = graded(gen, {GOOD: PASSES, BAD: outcome})
    assert (summary.pairs, summary.all_pass) == (0, 1)
    assert became(gen) == {"1.1": "AllPass", "1.2": reason}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (IS_SUSPICIOUS, "IntegritySuspicious"),
        ({**PASSES, "integrity": {"verdict": "Tampered", "reasons": ["ForgedMarker"]}}, "IntegrityTampered"),
        ({**PASSES, "integrity": None}, "IntegrityUnknown"),
        ({**PASSES, "votes": {"gradings": 2, "resolved": 1, "flaky": "1.0000"}}, "NotConfirmed"),
        (IS_LOST, "Infrastructure"),
    ],
)
def test_what_speaks_against_a_verdict_makes_a_patch_chosen_in_no_pair(
    gen: GenWorld, outcome: Outcome, reason: str
) -> None:
    summary = graded(gen, {GOOD: outcome, BAD: FAILS})
    assert (summary.pairs, summary.all_fail, summary.sft_rows) == (0, 1, 0)
    assert became(gen) == {"1.1": reason, "1.2": "AllFail"}


def test_a_patch_that_was_not_graded_is_in_no_pair(gen: GenWorld) -> None:
    gen.samples = [sample(1, GOOD, at=1), sample(1, BAD, at=2)]
    gen.prepare()
    gen.grade({GOOD: PASSES})
    gen.report()
    assert became(gen) == {"1.1": "AllPass", "1.2": "NotGraded"}


def test_what_nearly_passes_is_rejected_first(gen: GenWorld) -> None:
    gen.document["pairs"]["maxPerInstance"] = 2
    far, some, others = diff("    return a ^ b"), diff("    pass  # some"), diff("    pass  # others" + " " * 90 + "x")
    graded(gen, {GOOD: PASSES, far: FAILS, some: MENDS_SOME, others: BREAKS_OTHERS})
    assert sides(gen) == [(GOOD, some), (GOOD, others)]
    assert became(gen) == {"1.1": None, "1.2": "OverLimit", "1.3": None, "1.4": None}


def test_a_patch_that_does_not_apply_is_rejected_where_that_is_asked_for_and_last(gen: GenWorld) -> None:
    gen.document["pairs"]["rejected"] = ["PatchDoesNotApply", "Failing"]
    unlike = diff("    return None  # and a good deal more than that")
    graded(gen, {GOOD: PASSES, BAD: DOES_NOT_APPLY, unlike: FAILS})
    assert sides(gen) == [(GOOD, unlike), (GOOD, BAD)]


def test_of_pro_what_does_not_apply_is_unresolved_and_still_no_failing_patch(gen: GenWorld) -> None:
    graded(gen, {GOOD: PASSES, BAD: {**FAILS, "reason": "PatchApplyFailed"}})
    assert became(gen)["1.2"] == "PatchDoesNotApply"


def test_of_equally_close_ones_the_rejected_is_of_the_length_of_the_chosen(gen: GenWorld) -> None:
    gen.document["pairs"]["maxPerInstance"] = 1
    longer = {diff("    return a * b" + " + 0" * times): FAILS for times in (30, 20, 10)}
    near = diff("    return a - a")
    graded(gen, {GOOD: PASSES, **longer, near: FAILS})
    assert sides(gen) == [(GOOD, near)]


def test_an_instance_has_as_many_pairs_as_the_limit_over_all_its_patches(gen: GenWorld) -> None:
    good = {diff(f"    return {at} or a + b"): PASSES for at in range(3)}
    bad = {diff(f"    return {at}"): FAILS for at in range(5)}
    gen.document["pairs"]["maxPerInstance"] = 4
    summary = graded(gen, {**good, **bad})
    pairs = sides(gen)
    assert (summary.pairs, len(set(pairs))) == (4, 4)
    assert {chosen for chosen, _ in pairs} == set(good)
    assert len({rejected for _, rejected in pairs}) == 4


def test_fewer_patches_than_pairs_are_used_again_but_never_as_the_same_pair(gen: GenWorld) -> None:
    good = {diff(f"    return {at} or a + b"): PASSES for at in range(2)}
    assert graded(gen, {**good, BAD: FAILS}).pairs == 2
    assert {rejected for _, rejected in sides(gen)} == {BAD}


def test_instances_with_one_kind_alone_are_counted(gen: GenWorld) -> None:
    other = diff("    return b + a")
    summary = graded(gen, {GOOD: PASSES, other: PASSES}, {BAD: FAILS}, {diff("z"): TIMES_OUT}, {diff("y"): IS_LOST})
    assert (summary.pairs, summary.all_pass, summary.all_fail, summary.with_pairs) == (0, 1, 1, 0)
    assert [one.model_dump() for one in summary.dropped] == [
        {"reason": "AllPass", "count": 2},
        {"reason": "AllFail", "count": 1},
        {"reason": "Infrastructure", "count": 1},
        {"reason": "TimedOut", "count": 1},
    ]
    verdict = gen.report()
    assert (verdict.exit_code, verdict.reason) == (0, "Completed")
    assert verdict.message == (
        "No pair can be made of 5 samples of 4 instances (5 different patches): of 1 instance all usable patches pass; "
        "of 1 instance all fail; 2 instances have none that can be used. Samples by the reason: AllPass 2, AllFail 1, "
        "Infrastructure 1, TimedOut 1."
    )


def test_samples_that_are_one_change_share_its_fate_and_count_each(gen: GenWorld) -> None:
    gen.samples = [sample(1, GOOD, at=at) for at in (1, 2, 3)] + [sample(1, BAD, at=4), sample(1, "", at=5)]
    gen.prepare()
    gen.grade({GOOD: PASSES, BAD: FAILS})
    summary = gen.report().summary
    assert summary is not None
    assert (summary.samples, summary.unique_patches, summary.resolved, summary.pairs) == (5, 2, 3, 1)
    assert {one.k: one.value for one in summary.pass_at_k} == {
        1: "0.6000", 2: "0.9000", 3: "1.0000", 4: "1.0000", 5: "1.0000",
    }  # fmt: skip
    used = [(one["sample"], one["used_as"], one["dropped"]) for one in gen.exported("samples.jsonl")]
    assert used == [
        (1, "Chosen", None), (2, "Chosen", None), (3, "Chosen", None), (4, "Rejected", None), (5, None, "EmptyPatch"),
    ]  # fmt: skip
    [line] = gen.exported("provenance.jsonl")
    assert [one["sample"] for one in line["chosen"]["samples"]] == [1, 2, 3]
