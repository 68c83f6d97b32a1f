"""Instances of evaluation sets: known under any name, left out, and counted."""

import json
from pathlib import Path

import pytest
from evaluation.eval_world import smith_row, v5_row
from gen_world import GenWorld, diff, gen_row, sample

from swe_workloads.evaluation_sets import TABLE_FILE, membership
from swe_workloads.exit_codes import ExitCode
from swe_workloads.instances import upstream

FIXTURES = Path(__file__).parents[1] / "instances"


@pytest.mark.parametrize(
    ("repository", "instance", "told"),
    [
        ("django/django", "x-1", ("SWE-bench", "Repository")),
        ("Django/django", "x-1", ("SWE-bench", "Repository")),
        ("swe-bench-repos/scikit-learn__scikit-learn", "x-1", ("SWE-bench", "Mirror")),
        ("someone/sympy__sympy.1fd52536", "x-1", ("SWE-bench", "Mirror")),
        ("someone/sympy-copy", "sympy__sympy.1fd52536.lm_rewrite__abc", ("SWE-bench", "Id")),
        ("a/b", "scikit-learn__scikit-learn-11574", ("SWE-bench", "Id")),
        ("a/b", "instance_ansible__ansible-0ea40e09d1b35bcb69ff4d9cecf3d0defa4b36e8-v30a923f", ("SWE-bench Pro", "Id")),
        ("a/b", "instance_NodeBB__NodeBB-0ea40e09d1b35bcb69ff4d9cecf3d0defa4b36e8-vnan", ("SWE-bench Pro", "Id")),
        ("kennethreitz/requests", "x-1", ("SWE-bench", "Fork")),
        ("tokio-rs/axum", "x-1", ("SWE-bench Multilingual", "Repository")),
        ("quarto-dev/quarto-cli", "x-1", ("SWE-bench Multimodal", "Repository")),
        ("nlohmann/json", "x-1", ("SWE-bench Multilingual", "Repository")),
    ],
)
def test_a_repository_is_known_under_the_names_of_its_mirrors_and_forks(
    repository: str, instance: str, told: tuple[str, str]
) -> None:
    found = membership(repository, instance)
    assert found is not None and (found.name, found.rule) == told


@pytest.mark.parametrize(
    ("repository", "instance"),
    [
        ("somebody/json", "x-1"),
        ("team/core", "team__core-1"),
        ("oauthlib/oauthlib", "oauthlib__oauthlib.1fd52536.lm_rewrite__abc"),
        ("pydicom/pydicom", "pydicom__pydicom-1458"),  # of the split dev
        ("team/django-plugin", "team__django-plugin-3"),
    ],
)
def test_others_are_not(repository: str, instance: str) -> None:
    assert membership(repository, instance) is None


@pytest.mark.parametrize("name", ["rows.swebench.jsonl", "rows.swesmith.jsonl", "rows.swebenchpro.jsonl"])
def test_the_instances_of_this_project_are_of_no_evaluation_set(name: str) -> None:
    rows = [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]
    assert rows
    assert [row["instance_id"] for row in rows if membership(upstream(row["repo"]), row["instance_id"])] == []


def test_every_list_of_repositories_names_its_source() -> None:
    document = json.loads(TABLE_FILE.read_text())
    sizes = {one["name"]: len(set(one["repositories"])) for one in document["sets"]}
    assert sizes == {
        "SWE-bench": 12,
        "SWE-bench Multilingual": 41,
        "SWE-bench Multimodal": 17,
        "SWE-bench Pro": 11,
    }
    assert all(one["source"] and one["splits"] for one in document["sets"])
    known = {name.lower().rpartition("/")[2] for one in document["sets"] for name in one["repositories"]}
    assert set(document["ordinaryNames"]) <= known


def test_instances_of_evaluation_sets_are_left_out_and_counted_by_the_rule(gen: GenWorld) -> None:
    gen.rows = [gen_row(1), v5_row(1), gen_row(2, repo="somebody/django"), gen_row(3, instance_id="sympy__sympy-3")]
    gen.samples = [
        sample(1, diff("x")),
        sample(2, diff("x")),
        {**sample(3, diff("x")), "instance_id": "sympy__sympy-3"},
    ]
    verdict = gen.prepare()
    assert verdict.summary is not None
    assert (verdict.summary.instances, verdict.summary.evaluation_sets, verdict.summary.not_selected) == (1, 3, 0)
    assert "Left out as of evaluation sets, since spec.allowEvaluationSets is false: 3" in verdict.message
    removed = [(one["instance_id"], one["rule"]) for one in gen.lines("data/pod-1/decontamination.jsonl")]
    assert removed == [("psf__requests-1", "Repository"), ("team__lib-2", "Fork"), ("sympy__sympy-3", "Id")]
    counts = [(one.rule, one.instances, one.samples) for one in verdict.summary.removed]
    assert counts == [("Repository", 1, 0), ("Id", 1, 1), ("Fork", 1, 1)]
    dropped = {one["instance_id"]: one["dropped"] for one in gen.lines("data/pod-1/samples.jsonl")}
    assert dropped == {"team__lib-1": None, "team__lib-2": "EvaluationSet", "sympy__sympy-3": "EvaluationSet"}
    assert "| SWE-bench | Repository   |" in gen.text(str(verdict.table))


def test_only_where_nothing_else_is_left_evaluation_sets_end_it_and_the_field_is_named(gen: GenWorld) -> None:
    gen.rows = [v5_row(1), v5_row(2)]
    gen.samples = [{**sample(1, diff("x")), "instance_id": "psf__requests-1"}]
    verdict = gen.prepare()
    assert (verdict.exit_code, verdict.reason, verdict.data) == (ExitCode.INVALID_DATA, "InvalidData", None)
    assert verdict.message == (
        "spec.allowEvaluationSets is false, and all 2 selected instances are of evaluation sets: psf__requests-1 "
        "(SWE-bench), psf__requests-2 (SWE-bench). Take instances of other repositories, or set it to true if no model "
        "that learns from this is ever judged by those sets."
    )
    assert len(gen.lines("data/pod-1/decontamination.jsonl")) == 2
    assert not (gen.endpoint.prefix / "data/manifest.json").exists()
    gen.document["allowEvaluationSets"] = True
    assert gen.prepare("pod-2").exit_code == 0


def test_rows_of_swe_smith_are_known_by_their_repository(gen: GenWorld) -> None:
    told = {"problem_statement": "add subtracts"}
    django = smith_row(instance_id="django__django.1fd52536.lm__a", repo="swesmith/django__django.1fd52536", **told)
    gen.rows = [smith_row(**told), django]
    gen.document["instances"]["format"] = "SWESmith"
    gen.samples = [{**sample(1, diff("x")), "instance_id": smith_row()["instance_id"]}]
    summary = gen.summary()
    assert (summary.instances, summary.evaluation_sets) == (1, 1)
