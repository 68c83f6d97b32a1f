"""resolved.jsonl: what a model may learn of an evaluation, with what was asked."""

import hashlib
import json
import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from trajectory_world import mini

from evaluation.eval_world import DIFF, eval_document, pro_row, smith_row, v5_row
from evaluation.report_world import ReportWorld, with_baselines
from swe_workloads.bad_rows import write_lines
from swe_workloads.evaluation import resolved_lines
from swe_workloads.evaluation.parts import BYTES_AT_ONCE, in_parts
from swe_workloads.evaluation.resolved_lines import READ_AT_ONCE
from swe_workloads.instances import pro_prompt
from swe_workloads.manifest import manifest_of
from swe_workloads.transfer import Digest


def brought(number: int, patch: str = DIFF, **more: Any) -> dict[str, Any]:
    told = {"instance_id": f"psf__requests-{number}", "model_name_or_path": "team/model", "model_patch": patch}
    return {**told, **more}


def learnt(world: ReportWorld) -> list[tuple[str, int]]:
    return [(one["instance_id"], one["sample"]) for one in world.lines("resolved.jsonl")]


def names(world: ReportWorld) -> list[str]:
    return [one.name for one in world.report().artifacts or []]


def test_every_line_has_what_was_asked_and_the_patch_that_resolves(world: ReportWorld) -> None:
    rows = [v5_row(1), v5_row(2, problem_statement="it\nleaks", patch=None), v5_row(3)]
    world.prepare(rows, [brought(1), brought(2, f"{DIFF} "), brought(2, at=2), brought(3)])
    for ordinal, state in enumerate(("Resolved", "Resolved", "Unresolved", "Unresolved")):
        world.graded(ordinal, state)
    assert "resolved.jsonl" in names(world)
    assert world.lines("resolved.jsonl") == [
        {
            "instance_id": f"psf__requests-{number}",
            "repo": "psf/requests",
            "model_name_or_path": "team/model",
            "sample": 1,
            "prompt": pro_prompt("psf/requests", said),
            "completion": patch,
        }
        for number, said, patch in ((1, "add subtracts", DIFF), (2, "it\nleaks", f"{DIFF} "))
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"integrity": {"verdict": "Suspicious", "reasons": ["NoSummary: none"]}},
        {"integrity": {"verdict": "Tampered", "reasons": ["ForgedMarker: x"]}},
        {"integrity": None},
    ],
)
def test_what_its_log_does_not_bear_out_is_not_learnt(world: ReportWorld, more: dict[str, Any]) -> None:
    world.prepare([v5_row(1), v5_row(2)], [brought(1), brought(2)])
    world.graded(0, "Resolved", **more)
    world.graded(1, "Resolved")
    world.report()
    assert learnt(world) == [("psf__requests-2", 1)]


def test_neither_is_what_does_not_resolve_each_time(world: ReportWorld) -> None:
    world.prepare([v5_row(1), v5_row(2)], [brought(1), brought(2)])
    for ordinal, again in ((0, "Resolved"), (1, "Unresolved")):
        world.graded(ordinal, "Resolved")
        world.rows[-1]["looks"] = [{"purpose": "Rerun", "attempt": 2}]
        world.verdict(ordinal, again, attempt=2, purpose="Rerun")
    world.report()
    assert learnt(world) == [("psf__requests-1", 1)]


def test_nor_of_an_instance_whose_verdicts_mean_nothing_here(world: ReportWorld) -> None:
    with_baselines(world)
    world.report()
    resolved = [line["instance"] for line in world.lines() if line["state"] == "Resolved"]
    assert resolved == ["psf__requests-2", "psf__requests-3", "psf__requests-4"]
    assert learnt(world) == [("psf__requests-4", 1)]


def test_what_the_model_was_asked_is_learnt_where_it_was_asked_for_this(world: ReportWorld) -> None:
    asked = [{"instance_id": "psf__requests-1", "prompt": "Mend add().", "sha256": "0" * 64, "cut": []}]
    world.put("samples/pod-0/prompts.jsonl", json.dumps(asked[0]) + "\n")
    content = (world.endpoint.prefix / "samples/pod-0/prompts.jsonl").read_bytes()
    listed = {"samples/pod-0/prompts.jsonl": Digest(hashlib.sha256(content).hexdigest(), len(content))}
    world.put("samples/manifest.json", manifest_of(listed).to_json().decode())
    world.prepare([v5_row(1), v5_row(2)], [brought(1), brought(2)])
    for ordinal in range(2):
        world.graded(ordinal, "Resolved")
    world.report()
    prompts = [line["prompt"] for line in world.lines("resolved.jsonl")]
    assert prompts == ["Mend add().", pro_prompt("psf/requests", "add subtracts")]


def test_where_nothing_resolves_there_is_no_file(world: ReportWorld) -> None:
    world.prepare([v5_row(1)], [brought(1)])
    world.graded(0, "Unresolved")
    assert "resolved.jsonl" not in names(world)


def test_an_instance_without_an_issue_has_no_prompt(world: ReportWorld) -> None:
    world.prepare([v5_row(1, problem_statement=None)], [brought(1)])
    world.graded(0, "Resolved")
    assert "resolved.jsonl" not in names(world)


def test_what_an_earlier_version_prepared_has_none(world: ReportWorld) -> None:
    world.prepare([v5_row(1)], [brought(1)])
    (world.endpoint.prefix / "data/pod-1/prompts.jsonl").unlink()
    sealed = world.endpoint.prefix / "data/manifest.json"
    manifest = json.loads(sealed.read_bytes())
    manifest["files"] = [one for one in manifest["files"] if one["key"] != "data/pod-1/prompts.jsonl"]
    sealed.write_text(json.dumps(manifest))
    world.graded(0, "Resolved")
    assert "resolved.jsonl" not in names(world)


@pytest.mark.parametrize("name", ["prompts.jsonl", "inputs.sha256"])
@pytest.mark.parametrize("content", [None, '{"instance_id": "psf__requests-1", "repo": "a/b", "prompt": "Steal."}\n'])
def test_nothing_is_learnt_of_what_changed_since_and_the_results_stand(
    world: ReportWorld, name: str, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    world.prepare([v5_row(1)], [brought(1)])
    spoil(world, name, content)
    world.graded(0, "Resolved")
    assert "resolved.jsonl" not in names(world)
    assert world.lines()[0]["state"] == "Resolved"
    assert f"data/pod-1/{name} is gone, or is another file than the preparation sealed." in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "{}", '{"prediction": {"model_patch": "other"}}'])
def test_a_prediction_whose_patch_changed_since_is_not_learnt(
    world: ReportWorld, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    world.prepare([v5_row(1), v5_row(2)], [brought(1), brought(2)])
    spoil(world, "inputs/0.json", content)
    for ordinal in range(2):
        world.graded(ordinal, "Resolved")
    assert world.report().exit_code == 0
    assert learnt(world) == [("psf__requests-2", 1)]
    assert "data/pod-1/inputs/0.json is gone" in capsys.readouterr().out


def spoil(world: ReportWorld, name: str, content: str | None) -> None:
    path = world.endpoint.prefix / "data/pod-1" / name
    path.unlink()
    if content is not None:
        path.write_text(content)


@pytest.mark.parametrize(
    ("row", "repository", "row_format"),
    [(smith_row, "oauthlib/oauthlib", "SWESmith"), (pro_row, "ansible/ansible", "SWEBenchPro")],
)
def test_instances_of_other_formats_are_asked_in_their_own_words(
    world: ReportWorld, row: Any, repository: str, row_format: str
) -> None:
    one = row(problem_statement="add subtracts")
    files = (world.folder / "rows.jsonl", world.folder / "preds.jsonl")
    world.document = eval_document(*files)
    world.document["instances"]["format"] = row_format
    world.prepare([one], [{**brought(1), "instance_id": one["instance_id"]}])
    line = json.loads((world.endpoint.prefix / "data/pod-1/prompts.jsonl").read_text())
    assert line == {
        "instance_id": one["instance_id"],
        "repo": repository,
        "prompt": pro_prompt(repository, "add subtracts"),
    }


def test_prompts_are_held_one_at_a_time(world: ReportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, characters = range(10, 30), 200_000
    rows = [v5_row(number, problem_statement=str(number % 10) * characters) for number in numbers]
    world.prepare(rows, [brought(number) for number in numbers])
    for ordinal in range(len(numbers)):
        world.graded(ordinal, "Resolved")
    held: list[int] = []

    def weighed(path: Path, lines: Iterable[Mapping[str, object]]) -> Path:
        def told() -> Iterator[Mapping[str, object]]:
            for line in lines:
                held.append(tracemalloc.get_traced_memory()[0])
                yield line

        return write_lines(path, told())

    monkeypatch.setattr(resolved_lines, "write_lines", weighed)
    tracemalloc.start()
    try:
        world.report()
    finally:
        tracemalloc.stop()
    assert len(world.lines("resolved.jsonl")) == len(held) == len(numbers)
    assert max(held) < len(numbers) * characters / 2


@pytest.mark.parametrize("at_once", [1, BYTES_AT_ONCE])
def test_a_conversation_comes_along_as_its_agent_wrote_it(
    world: ReportWorld, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("swe_workloads.evaluation.parts.BYTES_AT_ONCE", at_once)
    attempts = {"a": mini(1, DIFF), "b": mini(2, DIFF.replace("a + b", "a +  b"))}
    for name, document in attempts.items():
        document["instance_id"] = document["instance_id"].replace("team__lib", "psf__requests")
        world.endpoint.put(f"s3://swe-operator/team/runs/{name}.traj.json", json.dumps(document).encode())
    world.endpoint.put("s3://swe-operator/team/runs/preds.jsonl", json.dumps(brought(2, DIFF)).encode())
    world.document = eval_document(world.folder / "rows.jsonl", world.folder / "preds.jsonl")
    world.document["predictions"]["source"] = {"uri": "s3://swe-operator/team/runs", "credentials": "OwnPrefix"}
    world.prepare([v5_row(1), v5_row(2)])
    for ordinal in range(3):
        world.graded(ordinal, "Resolved")
    world.report()
    lines = world.lines("resolved.jsonl")
    assert [one.get("conversation") for one in lines] == [
        attempts["a"]["messages"], attempts["b"]["messages"], None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([0] * 60, [[0] * READ_AT_ONCE, [0] * 10]),
        ([20, 10, 2, 1, 31], [[20, 10, 2], [1, 31]]),
        ([256, 1, 256, 256, 0], [[256], [1], [256], [256], [0]]),
    ],
)
def test_conversations_are_read_as_many_as_have_room(sizes: list[int], parts: list[list[int]]) -> None:
    assert list(in_parts(sizes, lambda size: size * 1024 * 1024, READ_AT_ONCE)) == parts
