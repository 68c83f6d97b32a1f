"""What is like the rows of an evaluation that the user names is left out, by the first rule that knows it."""

import json
import random
from typing import Any

import pytest
from evaluation.eval_world import smith_row, write_lines
from gen_world import GenWorld, diff, gen_row, sample
from trajectory_world import mini

from swe_workloads.evaluation.predictions import Prediction
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.preference_gen.issue_texts import IssueTexts, words_of
from swe_workloads.preference_gen.likeness import ALIKE, Likeness
from swe_workloads.preference_gen.named_tests import NamedTests
from swe_workloads.preference_gen.removal_words import ALLOW
from swe_workloads.preference_gen.traits import traits_of
from swe_workloads.trajectory_files import Attempt

BASE = "b6dfdaff33f19757b1cb9b3bf1d17f28b94859d4"
FIX = tuple(f"    total_{at} = price_of(order, {at}) * rate_of(order)" for at in range(10))
ISSUE = (
    "Totals of an order are wrong when its rate is not known. Calling total() of an order that was made before the "
    "rates came raises no error and counts each price twice, which is told nowhere and takes hours to find. It should "
    "raise LookupError and name the order."
)
# No 13 words of it in a row are the issue's.
CHANGED = " ".join(f"{word} oh" if at % 12 == 9 else word for at, word in enumerate(ISSUE.split()))


def evaluation_row(**changes: Any) -> dict[str, Any]:
    """A row as sets published them before version 5 of the harness, with nothing that anything here is like."""
    row = {
        "instance_id": "shop__orders-77",
        "repo": "shop/orders",
        "base_commit": BASE,
        "patch": diff(*FIX, path="orders/total.py"),
        "problem_statement": ISSUE,
        "FAIL_TO_PASS": json.dumps(["tests/test_total.py::test_unknown_rate[eur, usd]"]),
    }
    return {**row, **changes}


def against(gen: GenWorld, *rows: Any, format: str = "SWEBench") -> None:
    write_lines(gen.folder / "evaluation.jsonl", *rows)
    source = {"configMapFile": str(gen.folder / "evaluation.jsonl")}
    gen.document["decontamination"] = {"against": [{"source": source, "format": format}]}


def removed(gen: GenWorld) -> list[tuple[str, str, Any]]:
    """Instance, rule and sample of what is left out; instance 3 is like nothing."""
    gen.samples = gen.samples or [sample(number, diff(f"    return {number}")) for number in (1, 2, 3)]
    assert gen.prepare().exit_code == 0
    lines = gen.lines("data/pod-1/decontamination.jsonl")
    assert {(one["set"], one["like"]) for one in lines} <= {("configMap:evaluation.jsonl", "shop__orders-77")}
    return [(one["instance_id"], one["rule"], one["sample"]) for one in lines]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("InstanceId", {"instance_id": "Shop__Orders-77"}),
        ("PullRequest", {"instance_id": "mirror__orders-77"}),
        ("PullRequest", {"instance_id": "x__orders.1fd52536.pr_77"}),
        ("PullRequest", {"instance_id": "shop__orders-78", "issue_numbers": ["77"]}),
        ("PullRequest", {"repo": "somebody/Orders", "pull_number": 77}),
        ("BaseCommit", {"base_commit": BASE}),
        ("SamePatch", {"patch": diff(*FIX, path="orders/total.py", line=99)}),
        ("SimilarPatch", {"patch": diff(*FIX, path="elsewhere.py")}),
        ("SimilarPatch", {"patch": diff(*FIX[:9], "    total_9 = 0", path="orders/total.py")}),
        ("IssueText", {"problem_statement": ISSUE.upper().replace(" ", "\n")}),
        ("IssueText", {"problem_statement": f"Seen in production last week, on two machines.\n\n{ISSUE}\n\nThanks!"}),
        ("IssueText", {"problem_statement": CHANGED}),
    ],
)
def test_an_instance_is_known_by_the_first_rule_that_holds(gen: GenWorld, rule: str, changes: dict[str, Any]) -> None:
    gen.rows = [gen_row(1, **changes), gen_row(3)]
    gen.samples = [{**sample(1, diff("x")), "instance_id": gen.rows[0]["instance_id"]}, sample(3, diff("x"))]
    against(gen, evaluation_row())
    assert removed(gen) == [(gen.rows[0]["instance_id"], rule, None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"instance_id": "shop__orders-78", "repo": "shop/orders"},
        {"base_commit": "c" * 40},
        {"patch": diff(*FIX[:6], *(f"    other_{at} = compute_again({at})" for at in range(4)))},
        {"problem_statement": f"Like the other one ({' '.join(ISSUE.split()[:20])} …), but for taxes: " + "tax " * 40},
        {"problem_statement": "Totals of an order are wrong."},
    ],
)
def test_what_is_only_near_stays(gen: GenWorld, changes: dict[str, Any]) -> None:
    gen.rows = [gen_row(1, **changes), gen_row(3)]
    gen.samples = [{**sample(1, diff("x")), "instance_id": gen.rows[0]["instance_id"]}, sample(3, diff("x"))]
    against(gen, evaluation_row())
    assert removed(gen) == []


def test_instances_of_swe_smith_are_compared_by_what_solves_them_and_not_by_their_common_commit(gen: GenWorld) -> None:
    bug = smith_row(problem_statement=ISSUE[:30], base_commit=BASE)
    gen.document["instances"]["format"] = "SWESmith"
    gen.rows = [bug]
    gen.samples = [{**sample(1, diff("x")), "instance_id": bug["instance_id"]}]
    against(gen, evaluation_row())
    assert removed(gen) == []
    solved = traits_of(bug, "SWESmith")
    assert solved is not None and solved.patch is not None and solved.patch != bug["patch"]


def test_a_short_patch_is_like_another_only_as_the_same_change(gen: GenWorld) -> None:
    gen.rows = [gen_row(1, patch=diff("x = 1", path="a.py")), gen_row(2, patch=diff("x = 1", path="b.py")), gen_row(3)]
    against(gen, evaluation_row(patch=diff("x = 1", path="a.py")))
    assert removed(gen) == [("team__lib-1", "SamePatch", None)]


def test_a_sample_that_is_the_evaluations_patch_goes_alone(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff("    return 1"), at=4), sample(1, diff(*FIX), at=7), sample(2, "")]
    against(gen, evaluation_row())
    assert removed(gen) == [("team__lib-1", "SimilarPatch", 7)]
    assert [one["model_patch"] for one in gen.lines("data/pod-1/predictions.jsonl")] == [diff("    return 1")]
    assert [one["dropped"] for one in gen.lines("data/pod-1/samples.jsonl")] == [None, "Contaminated", "EmptyPatch"]


def test_an_instance_whose_samples_all_go_was_not_without_one(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff(*FIX)), sample(2, diff("    return 2"))]
    against(gen, evaluation_row())
    verdict = gen.prepare()
    assert verdict.summary is not None and verdict.summary.without_sample == 1
    assert "Instances without a sample: team__lib-3." in verdict.message
    assert json.loads(gen.text("data/pod-1/excluded.json"))["withoutPrediction"] == ["team__lib-3"]


def test_a_trajectory_that_names_a_test_of_the_evaluation_goes_with_its_sample(gen: GenWorld) -> None:
    named = "cd /testbed && pytest '/testbed/tests/test_total.py::test_unknown_rate[eur, usd]' -q"
    turns = {"role": "assistant", "content": f"THOUGHT: Run it.\n\n```bash\n{named}\n```"}
    folder = gen.folder / "traces"
    folder.mkdir()
    told = {"a": mini(1, diff("    return 1"), turns), "b": mini(2, diff("    return 2"))}
    for name, document in told.items():
        (folder / f"{name}.traj.json").write_text(json.dumps(document))
        gen.endpoint.put(f"s3://swe-operator/team/runs/{name}.traj.json", json.dumps(document).encode())
    gen.document["predictions"]["source"] = {"uri": "s3://swe-operator/team/runs", "credentials": "OwnPrefix"}
    against(gen, evaluation_row())
    assert removed(gen) == [("team__lib-1", "TestIds", 1)]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("FAILED tests/test_total.py::test_rate - ValueError", True),
        ("see tests/test_total.py::test_rate.", True),
        ("/app/tests/test_total.py::test_rate PASSED", True),
        ("pytest ./tests/test_total.py::test_rate", True),
        ("pytest '/shop__orders/tests/test_total.py::test_rate'", True),
        ("cd /workspace/shop__orders__1.2 && pytest /workspace/shop__orders__1.2/tests/test_total.py::test_rate", True),
        ("../tests/test_total.py::test_rate", False),
        ("PASS src/app/cart/test/total.test.ts | adds rates", True),
        ("PASS /app/src/app/cart/test/total.test.ts | adds rates", True),
        ("PASS src/cart/test/total.test.ts | adds rates", False),
        ("PASS test/load.test.ts | reads /app/rates.json", True),
        ("tests/test_total.py::test_rates PASSED", False),
        ("tests/test_total.py::test_rate[eur] PASSED", False),
        ("other/tests/test_total.py::test_rate", False),
        ("test_it (shop.tests.RateTests) ... ok", True),
        ("test_it (shop.tests.OtherTests) ... ok", False),
        ("a.py::test", False),
    ],
)
def test_names_of_tests_are_found_as_whole_names(said: str, names: bool) -> None:
    names_of_tests = [
        *("tests/test_total.py::test_rate", "test_it (shop.tests.RateTests)", "a.py::test"),
        *("src/app/cart/test/total.test.ts | adds rates", "test/load.test.ts | reads /app/rates.json"),
    ]
    tests = NamedTests(dict.fromkeys(names_of_tests, 0))
    attempt = Attempt("a.traj", 1, {}, "0", [{"role": "tool", "content": [{"type": "text", "text": said}]}])
    assert list(tests.heard([attempt])) == [attempt]
    assert (tests.of(Prediction("a.traj", 1, "x", 1, "m")) == 0) is names


def test_counts_by_rule_come_with_what_was_compared_and_all_of_it_is_in_the_report(gen: GenWorld) -> None:
    gen.rows = [gen_row(1, base_commit=BASE), gen_row(2, problem_statement=ISSUE), gen_row(3), gen_row(4)]
    gen.samples = [sample(n, diff(f"    return {at}"), at=at) for n in (1, 2, 3, 4) for at in (1, 2)]
    gen.samples.append(sample(3, diff(*FIX), at=3))
    against(gen, evaluation_row(), {"repo": "no/id"}, evaluation_row(instance_id="shop__orders-3", base_commit="x"))
    verdict = gen.prepare()
    assert verdict.summary is not None and verdict.summary.decontamination is not None
    counts = [(one.rule, one.instances, one.samples) for one in verdict.summary.removed]
    assert counts == [("BaseCommit", 1, 2), ("SimilarPatch", 0, 1), ("IssueText", 1, 2)]
    assert (verdict.summary.not_selected, len(gen.lines("data/pod-1/samples.jsonl"))) == (0, 9)
    compared = verdict.summary.decontamination
    assert (compared.rows, compared.bad_rows, [one.uri for one in compared.sources]) == (
        2, 1, ["configMap:evaluation.jsonl"],
    )  # fmt: skip
    assert (
        "Instances like rows of spec.decontamination.against: 2, such as team__lib-1 (BaseCommit of" in verdict.message
    )
    gen.grade({})
    report = gen.report()
    assert "decontamination.jsonl" in [one.name for one in report.artifacts or []]
    assert gen.exported("decontamination.jsonl") == gen.lines("data/pod-1/decontamination.jsonl")
    page, card = gen.text("report/pod-9/report.html"), gen.text("report/pod-9/README.md")
    assert "like an evaluation&#x27;s row: its base commit" in page and "1 instance, 2 samples" in page
    assert "| rows compared with" in card and "decontamination.jsonl" in card


def test_of_rows_that_are_equal_the_first_is_named_whatever_knows_it(gen: GenWorld) -> None:
    other = evaluation_row(instance_id="a__b-1", base_commit="", patch="", problem_statement="", FAIL_TO_PASS="[]")
    again = evaluation_row(instance_id="shop__orders-9")
    gen.rows = [
        gen_row(1, base_commit=BASE),
        gen_row(2, patch=diff(*FIX, path="orders/total.py")),
        gen_row(3, patch=diff(*FIX, path="b.py")),
        gen_row(4, problem_statement=ISSUE),
        gen_row(5, instance_id="x__b-1"),
        gen_row(6),
    ]
    gen.samples = [sample(6, diff("x")), sample(6, diff(*FIX), at=2)]
    against(gen, other, evaluation_row(), again)
    gen.prepare()
    named = [(one["instance_id"], one["like"]) for one in gen.lines("data/pod-1/decontamination.jsonl")]
    assert named == [
        *((f"team__lib-{number}", "shop__orders-77") for number in (1, 2, 3, 4)),
        ("x__b-1", "a__b-1"),
        ("team__lib-6", "shop__orders-77"),
    ]


def test_where_nothing_is_left_the_field_is_named(gen: GenWorld) -> None:
    gen.rows = [gen_row(1, base_commit=BASE)]
    gen.samples = [sample(1, diff("x"))]
    against(gen, evaluation_row())
    verdict = gen.prepare()
    assert verdict.exit_code == ExitCode.INVALID_DATA
    assert verdict.message == (
        "spec.decontamination.against: no selected instance is left: 1 are like its rows, such as team__lib-1 "
        "(BaseCommit of shop__orders-77). Take other instances."
    )
    assert len(gen.lines("data/pod-1/decontamination.jsonl")) == 1
    assert ALLOW not in verdict.message


def test_where_every_sample_is_the_evaluations_the_field_is_named(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff(*FIX))]
    against(gen, evaluation_row())
    verdict = gen.prepare()
    assert verdict.exit_code == ExitCode.INVALID_DATA
    assert verdict.message.startswith("spec.decontamination.against: all samples of the instances are like its rows.")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "spec.decontamination.against[0]: configMap:evaluation.jsonl has no row to compare with. Correct it."),
        (
            [{"repo": "a/b"}],
            "spec.decontamination.against[0]: configMap:evaluation.jsonl has no row to compare with. The first, row 1 "
            "of evaluation.jsonl: instance_id is missing. Correct it.",
        ),
    ],
)
def test_a_source_without_rows_is_refused_by_name(gen: GenWorld, rows: list[Any], said: str) -> None:
    gen.samples = [sample(1, diff("x"))]
    against(gen, *rows)
    with pytest.raises(Failure) as caught:
        gen.prepare()
    assert str(caught.value) == said


def test_the_index_finds_exactly_the_sets_that_share_enough() -> None:
    chance = random.Random(7)
    letters = [chr(97 + at) for at in range(14)]

    def some() -> frozenset[str]:
        return frozenset(chance.sample(letters, chance.randint(1, 12)))

    sets = {number: some() for number in range(200)}
    likeness = Likeness(sets)
    for members in (some() for _ in range(500)):
        alike = [number for number, one in sets.items() if len(one & members) / len(one | members) >= ALIKE]
        assert likeness.of(members) == (alike[0] if alike else None)
    assert Likeness({}).of(frozenset()) is None


def test_the_form_of_an_issue_says_nothing() -> None:
    form = "<!-- Please read the guide before you write. --> " + " ".join(
        f"Question {at} of the form:" for at in range(9)
    )
    texts = {at: words_of(f"{form} {word} breaks when {word} is {word}ed twice") for at, word in enumerate("abcdef")}
    assert IssueTexts(texts).of(words_of(f"{form} g leaks")) is None
    assert IssueTexts(texts).of(words_of(f"{form} c breaks when c is ced twice")) == 2


def test_an_issue_of_several_sets_is_one_issue() -> None:
    others = " ".join(f"other{at}" for at in range(100))
    assert IssueTexts(dict.fromkeys(range(5), words_of(ISSUE))).of(words_of(f"{ISSUE} {others}")) == 0
