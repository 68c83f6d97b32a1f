"""Trajectories of samples: brought in a folder, graded by their patches, and exported to learn from."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fake_artifact_endpoint import BUCKET, NAMESPACE
from gen_world import (
    CHILD,
    DOES_NOT_APPLY,
    FAILS,
    IS_SUSPICIOUS,
    PASSES,
    GenWorld,
    diff,
    gen_row,
)
from trajectory_world import FOLDER, REAL, REAL_ID, mini, swe_agent

from swe_workloads.examples import Example, read_example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.formats import CONVERT
from swe_workloads.preference_gen.verdicts import PrepareGenVerdict, ReportGenVerdict
from swe_workloads.rows import BadRow, read_rows
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message

RUN = f"s3://{BUCKET}/{NAMESPACE}/agent"
GOOD, BAD = diff("    return a + b"), diff("    return a * b")
GRADED = {GOOD: PASSES, BAD: FAILS}


def bring(gen: GenWorld, files: dict[str, Any], style: str | None = "XML", most: int = 3) -> PrepareGenVerdict:
    """A folder of trajectories, and the wish to export some."""
    for name, content in files.items():
        gen.endpoint.put(f"{RUN}/{name}", content if isinstance(content, bytes) else json.dumps(content).encode())
    gen.document["predictions"] = {"source": {"uri": RUN, "credentials": "OwnPrefix"}}
    if style is not None:
        gen.document["export"] = {"trajectories": {"style": style, "maxPerInstance": most}}
    return gen.prepare()


def brought(gen: GenWorld, files: dict[str, Any], graded: dict[str, Any] = GRADED, **more: Any) -> ReportGenVerdict:
    bring(gen, files, **more)
    gen.grade(graded)
    return gen.report()


def one_each(*patches: str, number: int = 1) -> dict[str, Any]:
    """Attempts at one instance, each by a way of its own."""
    return {f"{at}/i.traj": swe_agent(number, patch, f"Way {at}.") for at, patch in enumerate(patches, 1)}


def exported(gen: GenWorld) -> list[dict[str, Any]]:
    return gen.exported("trajectories.jsonl")


def ways(gen: GenWorld) -> list[str]:
    """By what they begin with."""
    return sorted(row["messages"][2]["content"].split(".")[0] for row in exported(gen))


def became(gen: GenWorld) -> dict[int, str | None]:
    return {one["sample"]: one["trajectory"] for one in gen.exported("samples.jsonl")}


@pytest.mark.parametrize("style", ["XML", "Ticks"])
def test_a_real_trajectory_becomes_the_row_that_swe_smith_makes_of_it(gen: GenWorld, style: str) -> None:
    gen.rows = [gen_row(instance_id=REAL_ID, repo="marshmallow-code/marshmallow")]
    patch = json.loads(REAL.read_text())["info"]["submission"]
    brought(gen, {f"{REAL_ID}/{REAL.name}": REAL.read_bytes()}, {patch: PASSES}, style=style)
    assert gen.text("report/pod-9/trajectories.jsonl") == (FOLDER / f"{style}.jsonl").read_text()
    [row] = exported(gen)
    assert list(row) == ["messages", "instance_id", "resolved", "model", "traj_id", "patch", "repo"]


@pytest.mark.parametrize("style", ["XML", "Ticks"])
def test_training_reads_every_exported_trajectory(gen: GenWorld, style: str) -> None:
    files = {**one_each(GOOD, GOOD, BAD), "more/i.traj.json": mini(2, GOOD)}
    brought(gen, files, style=style)
    path = gen.endpoint.prefix / "report/pod-9/trajectories.jsonl"
    read = [row if isinstance(row, BadRow) else read_example(row, CONVERT["Messages"]) for row in read_rows(path, "t")]
    assert not [one for one in read if isinstance(one, BadRow)] and len(read) == 3
    assert [(one.instance, one.repository) for one in read if isinstance(one, Example)] == [
        ("team__lib-1", "team/lib"), ("team__lib-1", "team/lib"), ("team__lib-2", "team/lib"),
    ]  # fmt: skip


def test_attempts_with_one_patch_are_graded_once_and_each_is_exported(gen: GenWorld) -> None:
    moved = GOOD.replace("@@ -1,", "@@ -9,")
    verdict = brought(gen, one_each(GOOD, moved, GOOD, BAD))
    assert len(gen.lines("data/pod-1/predictions.jsonl")) == 2
    assert ways(gen) == ["Way 1", "Way 2", "Way 3"]
    assert sorted(row["patch"] for row in exported(gen)) == sorted([GOOD, GOOD, moved])
    assert verdict.summary is not None and (verdict.summary.samples, verdict.summary.trajectory_rows) == (4, 3)
    assert verdict.message.endswith(" Trajectories to learn from: 3.")


def test_only_what_resolves_is_confirmed_and_clean_is_exported(gen: GenWorld) -> None:
    patches = [GOOD, BAD, *(diff(f"    return {at}") for at in (1, 2, 3))]
    once = {**PASSES, "votes": None}
    graded = dict(zip(patches, [PASSES, FAILS, IS_SUSPICIOUS, DOES_NOT_APPLY, once], strict=True))
    brought(gen, {**one_each(*patches), "6/i.traj": swe_agent(1, ""), "7/i.traj": swe_agent(9, GOOD)}, graded)
    assert ways(gen) == ["Way 1"]
    words = [one["trajectory"] for one in gen.exported("samples.jsonl")]
    assert words == [
        "Exported", "Failing", "IntegritySuspicious", "PatchDoesNotApply", "NotConfirmed", "EmptyPatch",
        "UnknownInstance",
    ]  # fmt: skip


def test_of_an_instance_at_most_so_many_are_exported_as_the_seed_decides(gen: GenWorld) -> None:
    files = {**one_each(*[GOOD] * 9), "other/i.traj": swe_agent(2, GOOD)}
    brought(gen, files, most=2)
    assert [row["instance_id"] for row in exported(gen)] == ["team__lib-1", "team__lib-1", "team__lib-2"]
    assert list(became(gen).values()).count("OverLimit") == 7
    first = ways(gen)
    gen.document["pairs"]["seed"] = 43
    (gen.endpoint.prefix / "report/manifest.json").unlink()
    gen.report("pod-8")
    assert gen.exported("trajectories.jsonl") != gen.exported("trajectories.jsonl", "pod-8")
    assert first == ways(gen)


def test_the_names_of_files_decide_nothing(gen: GenWorld) -> None:
    attempts = list(one_each(*[GOOD] * 5, BAD).values())
    brought(gen, {f"{at}.traj": one for at, one in enumerate(attempts)}, most=2)
    first = exported(gen)
    for folder in ("data", "report"):
        shutil.rmtree(gen.endpoint.prefix / folder)
    bring(gen, {f"{at}.traj": one for at, one in enumerate(reversed(attempts))}, most=2)
    gen.grade(GRADED)
    gen.report("pod-8")
    assert gen.exported("trajectories.jsonl", "pod-8") == first


def test_attempts_that_say_the_same_are_learnt_once(gen: GenWorld) -> None:
    files = {f"{at}/i.traj": swe_agent(1, GOOD, environment=f"run {at}") for at in (1, 2)}
    brought(gen, files)
    assert len(exported(gen)) == 1
    assert sorted(map(str, became(gen).values())) == ["Exported", "SameMessages"]


def test_every_row_names_its_file_its_patch_and_its_verdict(gen: GenWorld) -> None:
    brought(gen, {**one_each(GOOD, GOOD), "2/i.traj.json": mini(2, GOOD)})
    rows, origins = exported(gen), gen.exported("trajectories-provenance.jsonl")
    assert [(one["line"], one["traj_id"]) for one in origins] == [
        (at, row["traj_id"]) for at, row in enumerate(rows, 1)
    ]
    for row, origin in zip(rows, origins, strict=True):
        sample = origin["sample"]
        file = gen.endpoint.objects / sample["file"].removeprefix("s3://")
        assert sample["file_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert row["traj_id"] == f"{row['instance_id']}.{sample['file_sha256'][:8]}"
        assert sample["sha256"] == hashlib.sha256(row["patch"].encode()).hexdigest()
        assert (origin["patch_sha256"], sample["model_name_or_path"]) == (sample["sha256"], row["model"])
        assert (origin["verdict"]["state"], origin["verdict"]["votes"]["resolved"]) == ("Resolved", 2)
        assert (origin["evaluation"]["uid"], origin["image"], origin["style"]) == (
            CHILD,
            "registry/lib@sha256:0a1b",
            "XML",
        )
        assert origin["predictions"]["uri"] == RUN and origin["instances"]["sha256"]


def test_a_conversation_that_cannot_be_told_costs_its_export_and_not_its_grading(gen: GenWorld) -> None:
    strange = {**swe_agent(1, GOOD), "history": [{"type": "function_call_output", "output": "x"}]}
    verdict = bring(gen, {"1/i.traj": strange, "2/i.traj": swe_agent(1, GOOD, "\ud800")})
    assert "Trajectories that cannot be exported: 2. The first, row 1 of s3://" in verdict.message
    assert "## Trajectories that cannot be exported" in gen.text("data/pod-1/summary.md")
    problems = [one["trajectory"]["problem"] for one in gen.lines("data/pod-1/samples.jsonl")]
    assert "role must be one of" in problems[0] and "not UTF-8 text" in problems[1]
    gen.grade(GRADED)
    assert gen.report().summary is not None
    assert (exported(gen), set(became(gen).values())) == ([], {"Unusable"})


def test_a_damaged_trajectory_is_a_bad_row_and_a_list_beside_them_is_no_second_sample(gen: GenWorld) -> None:
    listed = {"team__lib-1": {"instance_id": "team__lib-1", "model_name_or_path": "run", "model_patch": GOOD}}
    summary = bring(gen, {**one_each(GOOD), "preds.json": listed, "2/i.traj": b'{"info": {'}).summary
    assert summary is not None
    assert (summary.samples, summary.duplicates, summary.bad_predictions, summary.unique_patches) == (3, 1, 1, 1)
    [bad] = json.loads(gen.text("data/pod-1/excluded.json"))["badPredictions"]
    assert (bad["file"], bad["reason"][:16]) == (f"{RUN}/2/i.traj", "not valid JSON: ")


def test_only_trajectories_that_are_graded_are_kept(gen: GenWorld) -> None:
    bring(gen, {**one_each(GOOD), "empty/i.traj": swe_agent(1, ""), "unknown/i.traj": swe_agent(9, GOOD)})
    assert len(list((gen.endpoint.prefix / "data/pod-1/trajectories").iterdir())) == 1


def test_where_nobody_wants_them_none_is_kept_or_exported(gen: GenWorld) -> None:
    verdict = brought(gen, one_each(GOOD, BAD), style=None)
    assert not (gen.endpoint.prefix / "data/pod-1/trajectories").exists()
    assert not [one.name for one in verdict.artifacts or [] if "trajector" in one.name]
    assert "trajectoryRows" not in verdict.to_document()["summary"]
    assert [one["trajectory"]["document"] for one in gen.lines("data/pod-1/samples.jsonl")] == [None, None]
    assert set(became(gen).values()) == {None}


def test_samples_without_trajectories_leave_empty_files(gen: GenWorld) -> None:
    listed = {"team__lib-1": {"model_name_or_path": "run", "model_patch": GOOD}}
    verdict = brought(gen, {"preds.json": listed})
    assert verdict.summary is not None and verdict.summary.trajectory_rows == 0
    assert exported(gen) == gen.exported("trajectories-provenance.jsonl") == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(Path.unlink, "is gone: "), (lambda path: path.write_text("{}"), "is another file than the preparation left.")],
)
def test_what_is_missing_or_changed_is_named(gen: GenWorld, spoil: Any, said: str) -> None:
    bring(gen, one_each(GOOD))
    gen.grade(GRADED)
    [kept] = (gen.endpoint.prefix / "data/pod-1/trajectories").iterdir()
    spoil(kept)
    with pytest.raises(Failure) as caught:
        gen.report()
    assert caught.value.code == ExitCode.INVALID_DATA and said in caught.value.message


def test_card_and_page_tell_how_many_and_in_which_style(gen: GenWorld) -> None:
    verdict = brought(gen, one_each(GOOD, GOOD, BAD), style="Ticks")
    names = [one.name for one in verdict.artifacts or []]
    assert {"trajectories.jsonl", "trajectories-provenance.jsonl"} < set(names)
    lines = {" ".join(line.replace("|", " ").split()) for line in gen.text("report/pod-9/README.md").splitlines()}
    assert {"style of trajectories Ticks", "trajectories of answers that resolve 2"} <= lines
    assert "Trajectories" in gen.text("report/pod-9/report.html")


def test_the_whole_verdict_fits_into_the_termination_message_with_every_artifact(gen: GenWorld, tmp_path: Path) -> None:
    bring(gen, one_each(GOOD, BAD))
    gen.grade(GRADED)
    verdict = gen.report("3f0e9c52-6c0b-4f5e-9a57-2a8c6f7f1b1d")
    write_termination_message(verdict.model_copy(update={"message": "m" * 600}), tmp_path / "said")
    assert (tmp_path / "said").stat().st_size <= TERMINATION_MESSAGE_BYTES
    assert len(json.loads((tmp_path / "said").read_bytes())["artifacts"]) == len(verdict.artifacts or [])


@pytest.mark.parametrize(
    ("export", "said"),
    [({"trajectories": {"style": "JSON", "maxPerInstance": 3}}, "style"),
     ({"trajectories": {"style": "XML", "maxPerInstance": 0}}, "maxPerInstance"),
     ({"more": 1}, "more")],
)  # fmt: skip
def test_a_wish_that_nobody_knows_is_refused_by_name(gen: GenWorld, export: dict[str, Any], said: str) -> None:
    gen.document["export"] = export
    with pytest.raises(Failure, match=rf"run\.json: export\.(trajectories\.)?{said}: "):
        gen.prepare()
