"""Folders of trajectories, from what agents leave to what the engine reads."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from engine.run_document import MODEL_URI, run_document
from fake_artifact_endpoint import BUCKET, NAMESPACE, FakeEndpoint
from fake_hub import FakeHub
from fake_tokenizer import WordTokenizer
from gen_world import diff
from test_prepare import prepare, stored, summary_of
from trajectory_world import FOLDER, REAL, REAL_ID, mini, swe_agent

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import read_run_file

RUN = f"s3://{BUCKET}/{NAMESPACE}/agent"


@pytest.fixture
def imitation(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    """Of every conversation below RUN."""
    run = run_document(tmp_path / "rows.jsonl")
    run["batch"]["perDevice"] = 1
    run["sequence"] |= {"lossOn": "AssistantMessages", "maxLength": 100_000}
    wanted = {"maxPerInstance": 3, "style": "XML", "allowEvaluationSets": False, "onlyResolved": False}
    source = {"uri": RUN, "credentials": "OwnPrefix"}
    run["data"] |= {"kind": "Trajectories", "format": "Trajectory", "source": source, "folder": wanted}
    for name in ("config.json", "model.safetensors"):
        endpoint.put(f"{MODEL_URI}/{name}", b"{}")
    return run


@pytest.fixture
def rejection(imitation: dict[str, Any]) -> dict[str, Any]:
    """Of those that a report vouches for."""
    imitation["data"]["folder"]["onlyResolved"] = True
    return imitation


def lay(endpoint: FakeEndpoint, files: dict[str, Any]) -> None:
    for name, content in files.items():
        endpoint.put(f"{RUN}/{name}", (content if isinstance(content, str) else json.dumps(content)).encode())


def attempts(*numbers: int, folder: str = "") -> dict[str, Any]:
    """As SWE-agent lays them, each with a patch of its own."""
    return {
        f"{folder}team__lib-{number}/team__lib-{number}.traj": swe_agent(number, diff(f"{folder}{number}"))
        for number in numbers
    }


def report_of(*numbers: int) -> dict[str, Any]:
    resolved = [f"team__lib-{number}" for number in numbers]
    return {"total_instances": 9, "resolved_ids": resolved, "unresolved_ids": [], "schema_version": 2}


def learnt(endpoint: FakeEndpoint) -> dict[str, list[dict[str, Any]]]:
    """Messages by instance."""
    lines = [*stored(endpoint, "train.jsonl"), *stored(endpoint, "test.jsonl")]
    assert all(set(line) <= {"instance_id", "repo", "messages"} for line in lines)
    assert len({line["instance_id"] for line in lines}) == len(lines)
    return {line["instance_id"]: line["messages"] for line in lines}


def reasons(endpoint: FakeEndpoint) -> dict[str, str]:
    return {line["file"].removeprefix(f"{RUN}/"): line["reason"] for line in stored(endpoint, "bad-rows.jsonl")}


@pytest.mark.parametrize("style", ["XML", "Ticks"])
def test_a_real_trajectory_is_learnt_as_the_export_writes_it(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, style: str
) -> None:
    imitation["data"]["folder"]["style"] = style
    lay(endpoint, {f"{REAL_ID}/{REAL.name}": REAL.read_text(), **attempts(2)})
    assert summary_of(prepare(pod_of(imitation))).rows == 2
    [exported] = [json.loads(line) for line in (FOLDER / f"{style}.jsonl").read_text().splitlines()]
    assert learnt(endpoint)[REAL_ID] == exported["messages"]


def test_what_both_agents_leave_is_learnt_whole_turn_by_turn(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    lay(
        endpoint,
        {
            **attempts(1),
            "team__lib-1/team__lib-1.config.yaml": "agent: {}",
            "preds.json": {"team__lib-1": {"model_patch": "x"}},
            "team__lib-2/team__lib-2.traj.json": mini(2, diff("two")),
        },
    )
    verdict = prepare(pod_of(imitation))
    assert (summary_of(verdict).rows, summary_of(verdict).bad_rows) == (2, 0)
    said = learnt(endpoint)
    assert [turn["role"] for turn in said["team__lib-1"]] == ["system", "user", "assistant", "user", "assistant"]
    assert said["team__lib-1"][2]["content"].endswith("<parameter=command>ls -F</parameter>\n</function>")
    assert said["team__lib-2"][2]["content"] == "THOUGHT: Look.\n\n```bash\nls\n```"
    assert {line["repo"] for line in stored(endpoint, "train.jsonl")} == {"team/lib"}


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


def test_every_file_that_cannot_be_used_is_named_with_its_reason(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    files = {
        **attempts(1, 2),
        "cut.traj": json.dumps(swe_agent(3))[:-9],
        "judged.traj": swe_agent(4, replay_config={"problem_statement": {"id": "django__django-11099"}}),
        "fork.traj.json": mini(5, "x", instance_id="team__django-7"),
        "silent.traj": {"info": {}, "trajectory": []},
        "bytes.traj": swe_agent(6, "x", "\udcff"),
        "picture.traj": swe_agent(7, "x", history=[{"role": "user", "content": [{"image_url": "x"}]}]),
    }
    lay(endpoint, files)
    assert (summary_of(prepare(pod_of(imitation))).rows, summary_of(prepare(pod_of(imitation))).bad_rows) == (2, 6)
    found = reasons(endpoint)
    judged = "it is of SWE-bench, by which models are judged, and allowEvaluationSets is false"
    assert found.pop("cut.traj").startswith("not valid JSON: ")
    assert found.pop("bytes.traj").startswith("not UTF-8 text")
    assert found == {
        "judged.traj": judged,
        "fork.traj.json": judged,
        "silent.traj": "the model says nothing in it",
        "picture.traj": "message 1: content holds something else than text",
    }


def test_instances_of_evaluation_sets_are_learnt_where_that_is_allowed(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    imitation["data"]["folder"]["allowEvaluationSets"] = True
    lay(endpoint, {**attempts(1), "fork.traj.json": mini(5, "x", instance_id="team__django-7")})
    assert summary_of(prepare(pod_of(imitation))).bad_rows == 0


def test_of_an_instance_each_conversation_is_learnt_once_and_so_many_at_most_as_the_seed_decides(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    imitation["data"]["folder"]["maxPerInstance"] = 2
    for at in range(6):
        for copy in ("a", "b"):
            lay(endpoint, {f"{copy}{at}/i.traj": swe_agent(1, f"{at}", f"Way {at}.")})
    lay(endpoint, attempts(2))

    def chosen(seed: int) -> set[str]:
        imitation["data"]["select"]["seed"] = seed
        endpoint.uid = f"run-{seed}"
        prepare(pod_of(imitation))
        lines = [*stored(endpoint, "train.jsonl"), *stored(endpoint, "test.jsonl")]
        said = [line["messages"][2]["content"] for line in lines if line["instance_id"] == "team__lib-1"]
        assert len(said) == len(set(said)) == 2 and len(lines) == 3
        return set(said)

    assert len({frozenset(chosen(seed)) for seed in range(1, 6)}) > 1


def test_a_split_by_repository_goes_by_what_the_id_spells_out(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    imitation["split"]["by"] = "Repository"
    lay(
        endpoint,
        {
            **attempts(1, 2),
            "o.traj.json": mini(3, instance_id="other__lib-1"),
            "n.traj.json": mini(4, instance_id="nameless"),
        },
    )
    summary = summary_of(prepare(pod_of(imitation)))
    assert {(one.name, one.rows) for one in summary.repositories} == {("team/lib", 2), ("other/lib", 1)}
    assert reasons(endpoint) == {"n.traj.json": "its instance_id spells out no repository, and split.by is Repository"}


def test_a_place_without_trajectories_is_named(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    lay(endpoint, {"run_batch.log": "nothing"})
    with pytest.raises(Failure, match=rf"There is no \.traj\.json or \.traj object at {RUN}\."):
        prepare(pod_of(imitation))
    (tmp_path / "rows.jsonl").write_text("{}")
    imitation["data"]["source"] = {"configMapFile": str(tmp_path / "rows.jsonl")}
    said = r"data\.trajectories: There is no \.traj\.json or \.traj file at configMap:rows\.jsonl: name the folder"
    with pytest.raises(Failure, match=said) as caught:
        prepare(pod_of(imitation))
    assert caught.value.code == ExitCode.INVALID_DATA


def test_one_trajectory_may_lie_in_a_config_map(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    (tmp_path / REAL.name).write_bytes(REAL.read_bytes())
    imitation["data"]["source"] = {"configMapFile": str(tmp_path / REAL.name)}
    imitation["evaluation"] = {"strategy": "No", "everySteps": None, "earlyStop": None}
    prepare(pod_of(imitation))
    assert learnt(endpoint).keys() == {REAL_ID}


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


def test_a_model_without_a_chat_template_is_told_what_learns_patches(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    def speechless(folder: Path, uri: str) -> WordTokenizer:
        return WordTokenizer(chat_template=None)

    imitation["sequence"]["lossOn"] = "All"
    lay(endpoint, attempts(1, 2))
    with pytest.raises(Failure, match="has no chat template, which conversations need; choose a model") as caught:
        prepare(pod_of(imitation), speechless)
    assert caught.value.code == ExitCode.MODEL_UNUSABLE


def test_what_the_completion_of_a_conversation_would_be_is_asked_before_a_gpu(
    imitation: dict[str, Any], pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    imitation["sequence"]["lossOn"] = "Completion"
    lay(endpoint, attempts(1, 2))
    with pytest.raises(Failure, match=r"sequence\.lossOn Completion is not for Messages"):
        prepare(pod_of(imitation))


def test_its_section_belongs_to_its_format(imitation: dict[str, Any], pod_of: PodMaker) -> None:
    del imitation["data"]["folder"]["onlyResolved"]
    with pytest.raises(Failure, match=r"data\.folder\.onlyResolved: Field required"):
        read_run_file(pod_of(imitation).run_file)
    del imitation["data"]["folder"]
    with pytest.raises(Failure, match="data: folder belongs to format Trajectory, which needs it"):
        read_run_file(pod_of(imitation).run_file)
