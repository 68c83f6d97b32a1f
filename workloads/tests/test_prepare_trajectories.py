"""Predictions that an evaluation resolved, from its resolved.jsonl to what the engine reads."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import run_document
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import WordTokenizer
from gen_world import diff
from prepare_world import make_ready, prepare, stored, summary_of, write_rows
from trajectory_world import mini

from swe_workloads.exit_codes import ExitCode, Failure


@pytest.fixture
def rejection(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    run = run_document(tmp_path / "rows.jsonl")
    resolved = {"maxPerInstance": 3, "allowEvaluationSets": False}
    run["data"] |= {"kind": "Trajectories", "format": "Resolved", "resolved": resolved}
    make_ready(run, endpoint)
    return run


def resolved(number: int, patch: str, **more: Any) -> dict[str, Any]:
    known = {"instance_id": f"team__lib-{number}", "repo": "team/lib", "model_name_or_path": "team/model", "sample": 1}
    return {**known, "prompt": f"Solve {number}.", "completion": patch, **more}


def learnt(endpoint: FakeEndpoint) -> list[dict[str, Any]]:
    return [*stored(endpoint, "train.jsonl"), *stored(endpoint, "test.jsonl")]


def test_a_resolved_patch_is_the_answer_to_what_was_asked(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(rejection, *(resolved(number, diff(f"    return {number}")) for number in range(5)))
    summary = summary_of(prepare(pod_of(rejection)))
    assert (summary.rows, summary.train, summary.test, summary.bad_rows) == (5, 4, 1, 0)
    [one] = [line for line in learnt(endpoint) if line["instance_id"] == "team__lib-3"]
    assert one == {
        "instance_id": "team__lib-3",
        "repo": "team/lib",
        "prompt": [{"role": "user", "content": "Solve 3."}],
        "completion": [{"role": "assistant", "content": diff("    return 3")}],
    }


def test_of_an_instance_each_change_is_learnt_once_and_so_many_at_most_as_the_seed_decides(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    rows = [resolved(1, diff(f"    return {at}", line=line)) for at in range(6) for line in (1, 9)]
    other = resolved(2, diff("    return 77"))
    runs = count()

    def chosen(seed: int, *told: dict[str, Any]) -> set[str]:
        rejection["data"]["select"]["seed"] = seed
        endpoint.uid = f"run-{next(runs)}"
        write_rows(rejection, *told)
        prepare(pod_of(rejection))
        lines = learnt(endpoint)
        assert sorted(line["instance_id"] for line in lines) == ["team__lib-1"] * 3 + ["team__lib-2"]
        return {line["completion"][0]["content"] for line in lines}

    first = chosen(1, *rows, other)
    assert len({patch.partition("+    ")[2] for patch in first}) == 4
    assert chosen(1, other, *reversed(rows)) == first
    assert any(chosen(seed, *rows, other) != first for seed in (2, 3, 4))
    rejection["data"]["resolved"]["maxPerInstance"] = 10
    endpoint.uid = "all"
    write_rows(rejection, *rows, other)
    prepare(pod_of(rejection))
    assert len(learnt(endpoint)) == 7


def test_instances_of_evaluation_sets_are_not_learnt_unless_it_is_allowed(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    judged = resolved(1, diff("x"), instance_id="django__django-11099", repo="django/django")
    write_rows(rejection, judged)
    verdict = prepare(pod_of(rejection))
    assert verdict.exit_code == ExitCode.INVALID_DATA
    assert verdict.message == (
        "None of the 1 rows can be used. The first, row 1 of rows.jsonl: it is of SWE-bench, by which models are "
        "judged, and allowEvaluationSets is false. Learn from an evaluation of other instances."
    )
    rejection["data"]["resolved"]["allowEvaluationSets"] = True
    endpoint.uid = "another-run"
    write_rows(rejection, judged, resolved(2, diff("x")))
    assert summary_of(prepare(pod_of(rejection))).rows == 2


@pytest.mark.parametrize(
    ("style", "told"), [("XML", "THOUGHT: Look.\n\n```bash\nls\n```"), ("Ticks", "THOUGHT: Look.\n\n```bash\nls\n```")]
)
def test_with_a_style_conversations_are_learnt_and_bare_patches_as_such(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, style: str, told: str
) -> None:
    rejection["data"]["resolved"]["style"] = style
    rejection["sequence"]["lossOn"] = "AssistantMessages"
    conversation = mini(1, diff("x"))["messages"]
    write_rows(rejection, resolved(1, diff("x"), conversation=conversation), resolved(2, diff("x")))
    assert prepare(pod_of(rejection)).exit_code == 0
    by_name = {line["instance_id"]: line["messages"] for line in learnt(endpoint)}
    assert [turn["role"] for turn in by_name["team__lib-1"]] == ["system", "user", "assistant", "user", "assistant"]
    assert by_name["team__lib-1"][2]["content"] == told
    assert by_name["team__lib-2"] == [
        {"role": "user", "content": "Solve 2."},
        {"role": "assistant", "content": diff("x")},
    ]


def test_without_a_style_what_came_as_a_trajectory_is_learnt_as_its_patch(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    said = mini(1, diff("x"))["messages"]
    write_rows(rejection, *(resolved(number, diff("x"), conversation=said) for number in (1, 2)))
    prepare(pod_of(rejection))
    assert all(set(line) == {"instance_id", "repo", "prompt", "completion"} for line in learnt(endpoint))


def test_a_model_without_a_chat_template_learns_patches_as_text_and_no_conversations(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    def speechless(folder: Path, uri: str) -> WordTokenizer:
        return WordTokenizer(chat_template=None)

    write_rows(rejection, resolved(1, diff("x")), resolved(2, diff("x")))
    prepare(pod_of(rejection), speechless)
    assert {line["prompt"] for line in learnt(endpoint)} == {"Solve 1.", "Solve 2."}
    rejection["data"]["resolved"]["style"] = "XML"
    rejection["sequence"]["lossOn"] = "All"
    endpoint.uid = "another-run"
    with pytest.raises(Failure, match=r"conversations need; leave out data.trajectories.style\.") as caught:
        prepare(pod_of(rejection), speechless)
    assert caught.value.code == ExitCode.MODEL_UNUSABLE


def test_the_table_says_what_is_over_the_limits(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    write_rows(rejection, *(resolved(n, diff(f"    return {at}")) for n in (1, 2) for at in range(5)))
    verdict = prepare(pod_of(rejection))
    table = (endpoint.prefix / str(verdict.table)).read_text()
    lines = {" ".join(line.replace("|", " ").split()) for line in table.splitlines()}
    assert {"read 10", "repeated, or over the limits 4", "to train on 3", "held out 3"} <= lines
