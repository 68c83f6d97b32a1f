import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_artifact_endpoint import FakeEndpoint

from evaluation.eval_world import (
    DIFF,
    PodMaker,
    eval_document,
    predicted,
    prediction,
    prepared,
    pro_row,
    smith_row,
    stored,
    summary_of,
    v5_row,
    write_lines,
)
from swe_workloads import artifacts
from swe_workloads.evaluation import prepared_files
from swe_workloads.evaluation.grade_input import BenchInput, ProInput, parse_grade_input
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message


def test_gold_patches_become_inputs_that_grade_takes(rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    verdict = prepared(pod_of(eval_document(rows)))
    assert (verdict.kind, verdict.exit_code, verdict.reason) == ("PrepareEval", 0, "Completed")
    assert verdict.message == "3 predictions to run, for 3 of 3 instances."
    assert (verdict.data, verdict.table) == ("data/pod-1/", "data/pod-1/summary.md")
    assert stored(endpoint, "index.json") == {
        "version": 1,
        "instances": [{"id": v5_row(n)["instance_id"], "image": v5_row(n)["image"]} for n in (1, 2, 3)],
        "predictions": [{"instance": n, "sample": 1} for n in (0, 1, 2)],
    }
    taken = parse_grade_input((endpoint.prefix / "data/pod-1/inputs/2.json").read_bytes())
    assert (taken.format, taken.workdir, taken.timeout_seconds) == ("SWEBench", "/testbed", 1800)
    assert (taken.instance.instance_id, taken.prediction.model_patch) == ("psf__requests-3", DIFF)
    assert taken.prediction.model_name_or_path == "gold"


def test_the_seal_holds_the_verdict_and_the_digest_of_every_file(
    rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    verdict = prepared(pod_of(eval_document(rows)))
    manifest = json.loads((endpoint.prefix / "data/manifest.json").read_text())
    assert manifest["verdict"] == verdict.to_document()
    listed = {file["key"]: file["sha256"] for file in manifest["files"]}
    there = {f"data/pod-1/{path.name}": path for path in (endpoint.prefix / "data/pod-1").glob("*.*")}
    assert listed == {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in there.items()}
    assert {Path(key).name for key in listed} == {
        *("index.json", "catalog.json", "excluded.json", "cache.json", "inputs.sha256", "bad-rows.jsonl", "summary.md"),
        "prompts.jsonl",
    }
    subprocess.run(["sha256sum", "--check", "--quiet", "inputs.sha256"], cwd=endpoint.prefix / "data/pod-1", check=True)


def test_of_pro_rows_grade_gets_the_scripts_and_the_list_of_its_harness(
    tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    """Where predictions are a list with `patch`, and `prefix` names who made them."""
    listed = tmp_path / "preds.json"
    listed.write_text(json.dumps([{"instance_id": pro_row()["instance_id"], "patch": DIFF, "prefix": "gpt"}]))
    document = eval_document(write_lines(tmp_path / "pro.jsonl", pro_row()), listed)
    document["instances"]["format"] = "SWEBenchPro"
    assert prepared(pod_of(document)).message == "1 prediction to run, for 1 of 1 instances."
    taken = parse_grade_input((endpoint.prefix / "data/pod-1/inputs/0.json").read_bytes())
    assert isinstance(taken, ProInput)
    assert (taken.workdir, taken.prediction.model_name_or_path, taken.prediction.model_patch) == ("/app", "gpt", DIFF)
    assert (taken.instance.parser, taken.instance.run_script) == (pro_row()["parser"], pro_row()["run_script"])
    assert stored(endpoint, "index.json")["instances"][0]["image"].startswith("jefzda/sweap-images:ansible.ansible-")


def test_of_smith_rows_the_bug_comes_first_and_gold_takes_it_out(
    tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    document = eval_document(write_lines(tmp_path / "smith.jsonl", smith_row()))
    document["instances"]["format"] = "SWESmith"
    prepared(pod_of(document))
    taken = parse_grade_input((endpoint.prefix / "data/pod-1/inputs/0.json").read_bytes())
    assert isinstance(taken, BenchInput)
    assert (taken.format, taken.setup_patch) == ("SWESmith", DIFF)
    assert "+    return a - b" in taken.prediction.model_patch


def test_samples_of_an_instance_and_instances_of_an_image_are_neighbours(
    tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    shared = {"image": "shared:1", "repo": "a/a"}
    instances = write_lines(
        tmp_path / "rows.jsonl",
        v5_row(1, repo="z/z", image="b:1"),
        v5_row(2, repo="z/z", image="a:1"),
        v5_row(3, **shared),
        v5_row(4, **shared),
    )
    told = [prediction(number, f"{sample}\n") for sample in (1, 2) for number in (1, 4, 2, 3)]
    prepared(pod_of(eval_document(instances, predicted(tmp_path, *told))))
    order = stored(endpoint, "index.json")
    named = [(order["instances"][one["instance"]]["id"][-1], one["sample"]) for one in order["predictions"]]
    assert named == [("3", 1), ("3", 2), ("4", 1), ("4", 2), ("2", 1), ("2", 2), ("1", 1), ("1", 2)]
    texts = [(endpoint.prefix / f"data/pod-1/inputs/{ordinal}.json").read_bytes() for ordinal in range(8)]
    inputs = [parse_grade_input(text) for text in texts]
    assert [(one.instance.instance_id[-1], int(one.prediction.model_patch)) for one in inputs] == named


def test_what_does_not_run_is_counted_and_named(tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    instances = write_lines(
        tmp_path / "rows.jsonl", *(v5_row(number) for number in (1, 2, 3, 4)), v5_row(5, image=None), v5_row(6)
    )
    told = [
        prediction(1, "no diff\n"),
        prediction(1, ""),
        prediction(2),
        prediction(2),
        prediction(5),
        prediction(6),
        prediction(77),
        {"model_patch": "x"},
    ]
    document = eval_document(instances, predicted(tmp_path, *told))
    document["instances"]["select"]["instanceIds"] = [f"psf__requests-{number}" for number in (1, 2, 3)]
    verdict = prepared(pod_of(document))
    assert summary_of(verdict).model_dump(exclude={"bad_row_examples"}) == {
        "instances": 3,
        "predictions": 8,
        "to_run": 2,
        "baselines": 0,
        "cached": 0,
        "cached_baselines": 0,
        "empty_patches": 1,
        "without_prediction": 1,
        "unknown_ids": 1,
        "not_selected": 1,
        "duplicates": 1,
        "bad_predictions": 2,
        "bad_rows": 1,
        "malformed": ["psf__requests-1"],
        "images": 2,
        "pinned_images": 0,
        "unpinned_image_examples": [],
    }
    [bad] = summary_of(verdict).bad_row_examples
    assert (bad.row, bad.reason) == (5, "image is missing")
    assert stored(endpoint, "excluded.json") == {
        "version": 1,
        "emptyPatches": [{"instance": "psf__requests-1", "sample": 2}],
        "withoutPrediction": ["psf__requests-3"],
        "unknownIds": ["psf__requests-77"],
        "notSelected": ["psf__requests-6"],
        "duplicates": [
            {"file": "preds.jsonl", "row": 4, "instance": "psf__requests-2", "sameAs": 3, "in": "preds.jsonl"}
        ],
        "badPredictions": [
            {"file": "preds.jsonl", "row": 8, "reason": "instance_id is missing"},
            {
                "file": "preds.jsonl",
                "row": 5,
                "reason": "instance psf__requests-5 cannot be used: image is missing",
            },
        ],
        "malformed": [{"instance": "psf__requests-1", "sample": 1, "reason": "it is no unified diff"}],
    }
    assert verdict.message == (
        "2 predictions to run, for 2 of 3 instances. Empty patches, which count as not resolved: 1. "
        "Instances without a prediction: psf__requests-3. No instance is called psf__requests-77. "
        "Rows left out because they repeat another: 1; equal samples need a column that tells them apart, such as "
        "sample. Unusable predictions: 2. The first, row 8 of preds.jsonl: instance_id is missing. "
        "Unusable instances: 1. The first, row 5 of rows.jsonl: image is missing. "
        "Diffs that git may refuse: psf__requests-1."
    )


def test_the_report_is_told_of_every_instance_and_of_every_submitted_prediction(
    rows: Path, tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    told = [prediction(2, model="b"), prediction(1, "", model="a"), prediction(2, "x\n", model="a")]
    prepared(pod_of(eval_document(rows, predicted(tmp_path, *told))))
    assert stored(endpoint, "catalog.json") == {
        "version": 1,
        "models": ["b", "a"],
        "instances": [{"id": v5_row(n)["instance_id"], "repository": "psf/requests"} for n in (1, 2, 3)],
        "predictions": [
            {"instance": 1, "sample": 1, "model": 0, "ordinal": 0},
            {"instance": 0, "sample": 1, "model": 1, "ordinal": None},
            {"instance": 1, "sample": 2, "model": 1, "ordinal": 1},
        ],
        "baselines": [],
    }


def test_the_summary_is_a_table_in_the_store_and_in_the_log(
    rows: Path, tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [prediction(1), prediction(2), prediction(2, "x\n"), prediction(9)]
    verdict = prepared(pod_of(eval_document(rows, predicted(tmp_path, *told))))
    table = (endpoint.prefix / str(verdict.table)).read_text()
    assert table in capsys.readouterr().out
    lines = {" ".join(line.replace("|", " ").split()) for line in table.splitlines()}
    assert {
        "read 3",
        "of these without a prediction 1 psf__requests-3",
        "to run 3",
        "of these with a diff that git may refuse 1 psf__requests-2",
        "about no instance 1 psf__requests-9",
        "psf/requests 3 3 2",
        "0 1",
        "1 1",
        "2 1",
    } <= lines


def test_predictions_that_are_all_empty_are_an_evaluation_without_pods(
    rows: Path, tmp_path: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    verdict = prepared(pod_of(eval_document(rows, predicted(tmp_path, prediction(1, "")))))
    assert (verdict.exit_code, summary_of(verdict).to_run, summary_of(verdict).empty_patches) == (0, 0, 1)
    assert stored(endpoint, "index.json") == {"version": 1, "instances": [], "predictions": []}


def test_of_gold_only_the_selected_instances_are_counted(rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint) -> None:
    document = eval_document(rows)
    document["instances"]["select"]["limit"] = 2
    summary = summary_of(prepared(pod_of(document)))
    assert (summary.instances, summary.predictions, summary.to_run, summary.not_selected) == (2, 2, 2, 0)


def test_an_evaluation_is_prepared_once(rows: Path, tmp_path: Path, pod_of: PodMaker) -> None:
    first = prepared(pod_of(eval_document(rows)))
    write_lines(rows, v5_row(1))
    later = pod_of(eval_document(rows)).model_copy(update={"pod_uid": "pod-2"})
    assert prepared(later) == first


def test_of_two_preparations_at_once_the_first_to_seal_stands(
    rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint
) -> None:
    others = {"kind": "PrepareEval", "exitCode": 0, "reason": "Completed", "message": "the other's"}
    manifest = json.dumps({"version": 1, "files": [], "verdict": others})
    endpoint.after_put = lambda what: (endpoint.prefix / "data/manifest.json").write_text(manifest)  # type: ignore[assignment]
    assert prepared(pod_of(eval_document(rows))).message == "the other's"


def test_inputs_go_to_the_store_a_part_at_a_time(
    rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_files, "SIGNED_AT_ONCE", 2)
    monkeypatch.setattr(artifacts, "SIGNED_AT_ONCE", 2)
    prepared(pod_of(eval_document(rows)))
    assert sorted(path.name for path in (endpoint.prefix / "data/pod-1/inputs").iterdir()) == [
        "0.json",
        "1.json",
        "2.json",
    ]


def test_a_verdict_with_everything_to_tell_fits_into_the_termination_message(tmp_path: Path, pod_of: PodMaker) -> None:
    long = [v5_row(number, instance_id=f"{'n' * 120}-{number}") for number in range(40)]
    bad = [v5_row(instance_id=f"b{number}", image="ä" * 200) for number in range(9)]
    told = [{**prediction(1, "no diff\n"), "instance_id": row["instance_id"]} for row in long]
    instances = write_lines(tmp_path / "rows.jsonl", *long, *bad)
    verdict = prepared(pod_of(eval_document(instances, predicted(tmp_path, *told))))
    write_termination_message(verdict, tmp_path / "said")
    said = json.loads((tmp_path / "said").read_bytes())
    assert (tmp_path / "said").stat().st_size <= TERMINATION_MESSAGE_BYTES
    assert (said["summary"]["toRun"], said["data"]) == (40, "data/pod-1/")


def test_the_program_ends_with_a_verdict_and_without_the_libraries_of_a_training(
    rows: Path, pod_of: PodMaker, endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    pod = pod_of(eval_document(rows))
    environment = endpoint.environment(pod.work_dir, pod.run_file)
    code = (
        "import sys, runpy\n"
        "try: runpy.run_module('swe_workloads.evaluation.prepare', run_name='__main__')\n"
        "finally: print('LOADED', {'torch', 'transformers', 'jinja2', 'docker'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert (ran.returncode, "LOADED set()" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    assert json.loads(pod.termination_file.read_bytes())["summary"]["toRun"] == 3
