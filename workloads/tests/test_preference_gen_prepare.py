import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from evaluation.eval_world import HARNESS, eval_document, prepared, v5_row
from gen_world import GenWorld, PodMaker, diff, gen_row, sample

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.preference_gen.prepare import prepare
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message


def refusal(gen: GenWorld) -> Failure:
    with pytest.raises(Failure) as caught:
        gen.prepare()
    return caught.value


def test_identical_samples_are_graded_once(gen: GenWorld) -> None:
    elsewhere = diff("    return a + b  ", line=40).replace(" def add", " async def add")
    gen.samples = [
        sample(1, diff("    return a + b"), at=1),
        sample(1, elsewhere, at=2),
        sample(1, diff("    return b + a"), at=3),
        sample(1, diff("    return a + b", path="other.py"), at=4),
        sample(2, diff("    return a + b"), at=1),
    ]
    assert gen.summary().unique_patches == 4
    predictions = gen.lines("data/pod-1/predictions.jsonl")
    assert [(one["instance_id"][-1], one["sample"]) for one in predictions] == [
        ("1", 1), ("1", 2), ("1", 3), ("2", 1),
    ]  # fmt: skip
    assert {one["model_name_or_path"] for one in predictions} == {"pairs"}
    said = {(one["instance_id"][-1], one["sample"]): one["prediction"] for one in gen.lines("data/pod-1/samples.jsonl")}
    assert said["1", 1] == said["1", 2]
    assert len({said["1", at] for at in (1, 3, 4)}) == 3


def test_of_samples_that_are_one_change_the_words_of_most_are_graded(gen: GenWorld) -> None:
    usual, other = diff("    return a + b"), diff("    return a + b", line=7)
    broken = other.removesuffix("\n")
    gen.samples = [
        *(sample(1, broken, at=at) for at in (1, 2, 3)),
        *(sample(1, usual, at=at) for at in (4, 5)),
        sample(1, other, at=6),
    ]
    gen.prepare()
    [graded] = gen.lines("data/pod-1/predictions.jsonl")
    assert graded["model_patch"] == usual


def test_what_is_graded_does_not_depend_on_the_order_of_rows(gen: GenWorld) -> None:
    gen.samples = [sample(n, diff(f"    return {n * at % 3}"), at=at) for n in (1, 2, 3) for at in (1, 2, 3, 4)]
    gen.prepare()
    files = ("instances.jsonl", "predictions.jsonl")
    first = [gen.text(f"data/pod-1/{name}") for name in files]
    (gen.endpoint.prefix / "data/manifest.json").unlink()
    gen.rows.reverse()
    gen.samples.reverse()
    gen.prepare("pod-2")
    assert [gen.text(f"data/pod-2/{name}") for name in files] == first


def test_the_evaluation_reads_what_was_left_for_it_and_counts_samples_alike(gen: GenWorld, pod_of: PodMaker) -> None:
    gen.samples = [sample(n, diff(f"    return {at}"), at=at) for n in (1, 3) for at in (1, 2, 3)]
    gen.prepare()
    left = gen.endpoint.prefix / "data/pod-1"
    document = eval_document(left / "instances.jsonl", left / "predictions.jsonl")
    told = gen.lines("data/pod-1/predictions.jsonl")
    gen.endpoint.uid = "0c11d-eval"
    verdict = prepared(pod_of(document))
    assert verdict.summary is not None
    assert (verdict.summary.instances, verdict.summary.to_run, verdict.summary.duplicates) == (2, 6, 0)
    catalog = json.loads((gen.endpoint.prefix / "data/pod-1/catalog.json").read_text())
    inputs = [json.loads(gen.text(f"data/pod-1/inputs/{at}.json"))["prediction"]["model_patch"] for at in range(6)]
    counted = {
        (catalog["instances"][one["instance"]]["id"], one["sample"]): inputs[one["ordinal"]]
        for one in catalog["predictions"]
    }
    assert counted == {(one["instance_id"], one["sample"]): one["model_patch"] for one in told}


def test_rows_of_instances_stay_as_they_are_and_only_those_with_a_sample(gen: GenWorld) -> None:
    gen.samples = [sample(3, diff("x")), sample(1, "")]
    gen.samples.append(sample(3, diff("y"), at=2))
    assert gen.summary().without_sample == 1
    assert gen.lines("data/pod-1/instances.jsonl") == [gen_row(1), gen_row(3)]


def test_empty_patches_are_counted_and_never_graded(gen: GenWorld) -> None:
    gen.samples = [sample(1, "", at=1), sample(1, None, at=2), sample(1, diff("x"), at=3), sample(2, " \n")]
    summary = gen.summary()
    assert (summary.samples, summary.unique_patches, summary.empty_patches) == (4, 1, 3)
    assert [one["dropped"] for one in gen.lines("data/pod-1/samples.jsonl")] == [
        "EmptyPatch", "EmptyPatch", None, "EmptyPatch",
    ]  # fmt: skip


def test_no_row_vanishes_silently(gen: GenWorld) -> None:
    gen.rows += [gen_row(4, image=None), gen_row(5), gen_row(6, problem_statement="")]
    gen.document["instances"]["select"]["instanceIds"] = [f"team__lib-{number}" for number in (1, 2, 3)]
    gen.samples = [
        sample(1, diff("x")),
        sample(1, diff("other"), at=1),  # the same sample again
        sample(1, diff("x"), model_name_or_path="another", at=1),
        sample(2, diff("x"), at="first"),
        sample(4, diff("x")),
        sample(5, diff("x")),
        sample(6, diff("x")),
        sample(77, diff("x")),
        {"model_patch": "x"},
        "no json",
    ]
    verdict = gen.prepare()
    assert verdict.summary is not None
    assert verdict.summary.model_dump(by_alias=True) == {
        "instances": 1,
        "samples": 10,
        "uniquePatches": 1,
        "emptyPatches": 0,
        "withoutSample": 2,
        "unknownIds": 1,
        "duplicates": 1,
        "badRows": 2,
        "badPredictions": 5,
        "notSelected": 1,
        "evaluationSets": 0,
        "removed": [],
        "decontamination": None,
        "badRowExamples": [
            {"row": 4, "reason": "image is missing"},
            {"row": 6, "reason": "problem_statement is empty"},
        ],
    }
    excluded = json.loads(gen.text("data/pod-1/excluded.json"))
    assert excluded["duplicates"] == [
        {"file": "preds.jsonl", "row": 2, "instance": "team__lib-1", "sameAs": 1, "in": "preds.jsonl"}
    ]
    assert {one["row"]: one["reason"] for one in excluded["badPredictions"]} == {
        4: "sample must be a number that counts samples, not 'first'",
        5: "instance team__lib-4 cannot be used: image is missing",
        7: "instance team__lib-6 cannot be used: problem_statement is empty",
        9: "instance_id is missing",
        10: "not valid JSON: Expecting value: line 1 column 1 (char 0)",
    }
    assert [(one["row"], one["dropped"]) for one in gen.lines("data/pod-1/samples.jsonl")] == [
        (3, None), (1, None), (6, "NotSelected"), (8, "UnknownInstance"),
    ]  # fmt: skip
    assert verdict.message == (
        "Different patches to grade: 1, of 2 samples for 1 of 3 instances. Instances without a sample: team__lib-2, "
        "team__lib-3. No instance is called team__lib-77. Rows left out because they repeat a sample: 1. "
        "Unusable predictions: 5. The first, row 4 of preds.jsonl: sample must be a number that counts samples, not "
        "'first'. Unusable instances: 2. The first, row 4 of rows.jsonl: image is missing."
    )


def test_samples_that_are_all_empty_leave_nothing_to_grade(gen: GenWorld) -> None:
    gen.samples = [sample(1, ""), sample(2, None)]
    verdict = gen.prepare()
    assert (verdict.exit_code, verdict.message) == (
        ExitCode.INVALID_DATA,
        "spec.predictions: all 2 samples of the instances are empty patches.",
    )


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([], "spec.predictions: the source has no rows."),
        ([{"model_patch": "x"}], "spec.predictions: none of the 1 rows can be used. The first, row 1 of preds.jsonl"),
        ([sample(9, "x")], "is about an instance that is left. The rows are about team__lib-9; selected are team__"),
    ],
)
def test_nothing_to_grade_is_said_with_what_to_do(gen: GenWorld, samples: list[object], said: str) -> None:
    gen.samples = samples
    assert said in gen.prepare().message


def test_it_is_prepared_once(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff("x"))]
    first = gen.prepare()
    gen.samples.append(sample(2, diff("x")))
    assert gen.prepare("pod-2") == first
    assert not (gen.endpoint.prefix / "data/pod-2").exists()


def test_the_seal_holds_the_verdict_and_the_digest_of_every_file(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff("x"))]
    verdict = gen.prepare()
    assert (verdict.kind, verdict.data, verdict.table) == ("PrepareGen", "data/pod-1/", "data/pod-1/summary.md")
    manifest = json.loads(gen.text("data/manifest.json"))
    assert manifest["verdict"] == verdict.to_document()
    listed = {file["key"].removeprefix("data/pod-1/"): file["sha256"] for file in manifest["files"]}
    folder = gen.endpoint.prefix / "data/pod-1"
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert set(listed) == {
        *("instances.jsonl", "predictions.jsonl", "samples.jsonl", "bad-rows.jsonl", "excluded.json"),
        *("decontamination.jsonl", "prompts.jsonl", "summary.md"),
    }
    assert verdict.sources is not None and verdict.sources.predictions is not None
    assert verdict.sources.instances.uri == "configMap:rows.jsonl"
    assert verdict.sources.predictions.sha256 is not None


def test_preds_of_mini_swe_agent_are_samples_too(gen: GenWorld) -> None:
    listed = gen.folder / "preds.json"
    listed.write_text(json.dumps({"team__lib-1": {"model_patch": diff("x"), "model_name_or_path": "m"}}))
    pod = gen.pod()
    gen.document["predictions"]["source"]["configMapFile"] = str(listed)
    pod.run_file.write_text(json.dumps(gen.document))
    verdict = prepare(pod, HARNESS)
    assert verdict.summary is not None and verdict.summary.unique_patches == 1


def test_settings_that_nobody_knows_are_refused_by_name(gen: GenWorld) -> None:
    gen.document["pairs"]["maxPerInstance"] = 0
    gen.document["more"] = 1
    failure = refusal(gen)
    assert failure.code == ExitCode.INVALID_CONFIGURATION
    assert "run.json: pairs.maxPerInstance: " in failure.message and "more: " in failure.message


def test_another_harness_is_refused(gen: GenWorld) -> None:
    gen.document["harnessVersion"] = "4.1.0"
    assert refusal(gen).message.startswith("run.json: harnessVersion is 4.1.0")


def test_a_verdict_with_everything_to_tell_fits_into_the_termination_message(gen: GenWorld, tmp_path: Path) -> None:
    bad = [gen_row(instance_id=f"b{number}", image="ä" * 200) for number in range(9)]
    gen.rows += [*bad, *(v5_row(number, instance_id=f"{'n' * 120}-{number}") for number in range(9))]
    gen.samples = [sample(1, diff("x")), *({"model_patch": "x" * 300} for _ in range(9))]
    verdict = gen.prepare()
    write_termination_message(verdict, tmp_path / "said")
    said = json.loads((tmp_path / "said").read_bytes())
    assert (tmp_path / "said").stat().st_size <= TERMINATION_MESSAGE_BYTES
    assert (said["summary"]["evaluationSets"], said["data"]) == (9, "data/pod-1/")


def test_the_program_ends_with_a_verdict_and_without_the_libraries_of_a_training(gen: GenWorld) -> None:
    gen.samples = [sample(1, diff("x"))]
    pod = gen.pod()
    environment = gen.endpoint.environment(pod.work_dir, pod.run_file)
    code = (
        "import sys, runpy\n"
        "try: runpy.run_module('swe_workloads.preference_gen.prepare', run_name='__main__')\n"
        "finally: print('LOADED', {'torch', 'transformers', 'jinja2', 'docker'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True
    )
    assert (ran.returncode, "LOADED set()" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    assert json.loads(pod.termination_file.read_bytes())["summary"]["uniquePatches"] == 1
