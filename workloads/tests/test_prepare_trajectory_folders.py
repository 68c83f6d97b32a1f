"""Folders of trajectories, from what agents leave to what the engine reads."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import PodMaker
from fake_artifact_endpoint import FakeEndpoint
from fake_tokenizer import WordTokenizer
from gen_world import diff
from prepare_world import prepare, stored, summary_of
from trajectory_folder_world import RUN, attempts, imitation_in, lay, learnt, reasons
from trajectory_world import FOLDER, REAL, REAL_ID, mini, swe_agent

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import read_run_file


@pytest.fixture
def imitation(endpoint: FakeEndpoint, tmp_path: Path) -> dict[str, Any]:
    return imitation_in(tmp_path, endpoint)


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
