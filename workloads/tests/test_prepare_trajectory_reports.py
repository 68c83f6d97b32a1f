"""Folders of trajectories of which those are learnt that a report vouches for."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from fake_artifact_endpoint import FakeEndpoint
from fake_hub import FakeHub
from gen_world import diff
from prepare_world import prepare, summary_of
from trajectory_folder_world import RUN, attempts, imitation_in, lay, learnt, reasons, report_of
from trajectory_world import swe_agent

from swe_workloads.exit_codes import ExitCode, Failure


@pytest.fixture
def rejection(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    run = imitation_in(tmp_path, endpoint)
    run["data"]["folder"]["onlyResolved"] = True
    return run


@pytest.mark.parametrize(
    "told",
    [
        {"results.json": report_of(1, 3)},
        {"team__agent.run.json": report_of(1, 3)},
        {"results.json": {"resolved": ["team__lib-1", "team__lib-3"], "no_generation": []}},
        {"results.json": report_of(1, 2, 3), "again.json": report_of(1, 3, 4)},
    ],
)
def test_only_those_are_learnt_that_every_report_beside_them_vouches_for(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, told: dict[str, Any]
) -> None:
    lay(endpoint, {**attempts(1, 2, 3, 4), "preds.json": {"team__lib-2": {"model_patch": "x"}}, **told})
    verdict = prepare(pod_of(rejection))
    assert learnt(endpoint).keys() == {"team__lib-1", "team__lib-3"}
    assert summary_of(verdict).bad_rows == 0
    assert "2 more did not resolve." in str(verdict.message)
    table = (endpoint.prefix / str(verdict.table)).read_text()
    lines = {" ".join(line.replace("|", " ").split()) for line in table.splitlines()}
    assert {"read 4", "not resolved, by the reports beside them 2", "to train on 1", "held out 1"} <= lines


def test_each_run_is_told_by_the_report_that_is_nearest(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(endpoint, {**attempts(1, 2, folder="first/"), **attempts(1, 2, folder="second/"), **attempts(5, folder="x/")})
    lay(endpoint, {"first/results.json": report_of(1), "second/results.json": report_of(2)})
    prepare(pod_of(rejection))
    assert learnt(endpoint).keys() == {"team__lib-1", "team__lib-2"}
    assert reasons(endpoint) == {
        "x/team__lib-5/team__lib-5.traj": (
            "no report in its folder or above tells whether it resolved: put one there, or onlyResolved: false"
        )
    }


def test_a_report_does_not_say_which_of_several_attempts_resolved(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(endpoint, {**attempts(1, folder="a/"), **attempts(1, 2, 3, folder="b/"), "results.json": report_of(1, 2, 3)})
    # Of one patch it does not matter which attempt came to it.
    lay(endpoint, {"a/again.traj": swe_agent(2, f"{diff('b/2')}\n", "Another way.")})
    rejection["data"]["folder"]["maxPerInstance"] = 1
    prepare(pod_of(rejection))
    assert learnt(endpoint).keys() == {"team__lib-2", "team__lib-3"}
    wrong = (
        f"{RUN}/results.json is about one attempt at team__lib-1, and 2 with different patches lie below it: "
        "give each run a folder with its own report"
    )
    assert reasons(endpoint) == {f"{at}/team__lib-1/team__lib-1.traj": wrong for at in ("a", "b")}


def test_a_folder_that_does_not_tell_is_refused_with_what_would(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(endpoint, {**attempts(1, 2), "preds.json": {"team__lib-2": {"model_patch": "x"}}})
    with pytest.raises(Failure) as caught:
        prepare(pod_of(rejection))
    assert caught.value.code == ExitCode.INVALID_DATA
    assert caught.value.message == (
        f"data.trajectories.onlyResolved: nothing at {RUN} tells which attempts resolved. Put the report of their "
        "evaluation there (results.json of SWE-agent, <model>.<run>.json of the harness), set onlyResolved: false to "
        "learn from all, or have a SWEBenchEval grade them (predictions.s3) and name that in fromEval with a style."
    )


def test_a_report_that_is_cut_off_vouches_for_nothing(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(endpoint, {**attempts(1, 2), "results.json": json.dumps(report_of(1, 2))[:-20]})
    verdict = prepare(pod_of(rejection))
    assert verdict.exit_code == ExitCode.INVALID_DATA
    assert f"{RUN}/results.json is no JSON and may be the report: correct it, or take it away." in verdict.message


def test_none_that_resolved_is_said_with_the_remedy(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(endpoint, {**attempts(1, 2), "results.json": report_of(7)})
    verdict = prepare(pod_of(rejection))
    assert verdict.message == (
        "None of the 2 rows can be used. 2 did not resolve, as the reports beside them say. Correct them, bring "
        "trajectories of other instances, or set data.trajectories.onlyResolved: false."
    )


def test_a_folder_may_lie_on_a_hub(
    rejection: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, hub: FakeHub
) -> None:
    files = {**attempts(1, 2, 3, folder="runs/best/"), "runs/best/results.json": report_of(1, 2), **attempts(9)}
    commit = hub.commit("datasets", "team/runs", {name: json.dumps(one).encode() for name, one in files.items()})
    place = {"repo": "team/runs", "revision": "main", "endpoint": hub.url, "credentials": "None"}
    rejection["data"]["source"] = {"hub": {**place, "folder": "runs/best"}}
    verdict = prepare(pod_of(rejection))
    assert learnt(endpoint).keys() == {"team__lib-1", "team__lib-2"}
    assert verdict.sources is not None
    assert (verdict.sources.data.uri, verdict.sources.data.revision) == (
        f"hf://datasets/team/runs@{commit}/runs/best", commit,
    )  # fmt: skip
    rejection["data"]["source"]["hub"]["folder"] = "runs/worst"
    endpoint.uid = "another-run"
    with pytest.raises(Failure, match=r"data\.trajectories\.hub: There is no .* file at hf://.*/runs/worst\."):
        prepare(pod_of(rejection))
