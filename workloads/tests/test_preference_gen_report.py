"""What is left to train with, and where each pair is from."""

import hashlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from evaluation.eval_world import eval_document
from evaluation.report_world import ReportWorld
from gen_world import (
    CHILD,
    INSTANCES,
    MENDS_SOME,
    PASSES,
    GenWorld,
    PodMaker,
    diff,
    fill,
    gen_row,
    made,
    outcomes,
    sample,
    uri_of,
)

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.preference_gen.report import report
from swe_workloads.verdict import TERMINATION_MESSAGE_BYTES, write_termination_message

NASTY = "<script>alert('x')</script>&\"]]>"


def test_the_verdict_counts_every_sample_once(gen: GenWorld) -> None:
    made(gen)
    verdict = gen.report()
    summary = verdict.summary
    assert (verdict.kind, summary is not None) == ("ReportGen", True)
    assert summary is not None
    account = gen.exported("samples.jsonl")
    assert len(account) == summary.samples == 5 * INSTANCES
    dropped = {one.reason: one.count for one in summary.dropped}
    assert sum(dropped.values()) == sum(one["used_as"] is None for one in account)
    assert sum(one["used_as"] is not None for one in account) + sum(dropped.values()) == summary.samples
    assert summary.pairs == len(gen.exported()) == (summary.train_pairs or 0) + (summary.test_pairs or 0)
    assert summary.pair_yield == f"{summary.pairs / summary.samples:.4f}"
    told = verdict.to_document()["summary"]
    assert set(told) == {
        *("instances", "samples", "uniquePatches", "resolved", "allPass", "allFail", "withPairs", "pairs", "yield"),
        *("lengthRatio", "passAtK", "trainPairs", "testPairs", "sftRows", "dropped"),
    }


def test_the_files_are_artifacts_and_sealed_with_the_verdict(gen: GenWorld) -> None:
    made(gen)
    verdict = gen.report()
    assert [one.name for one in verdict.artifacts or []] == [
        *(
            "preferences.jsonl",
            "preferences-chat.jsonl",
            "preferences.parquet",
            "train.jsonl",
            "test.jsonl",
            "sft.jsonl",
        ),
        *("provenance.jsonl", "samples.jsonl", "decontamination.jsonl", "README.md", "report.html"),
    ]
    for one in verdict.artifacts or []:
        content = (gen.endpoint.prefix / one.key).read_bytes()
        assert (one.sha256, one.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert json.loads(gen.text("report/manifest.json"))["verdict"] == verdict.to_document()


def test_it_is_reported_once(gen: GenWorld) -> None:
    made(gen)
    first = gen.report()
    gen.grade({})
    assert gen.report("pod-8") == first
    assert not (gen.endpoint.prefix / "report/pod-8").exists()


def test_the_whole_verdict_fits_into_the_termination_message_with_every_artifact(gen: GenWorld, tmp_path: Path) -> None:
    made(gen)
    verdict = gen.report("3f0e9c52-6c0b-4f5e-9a57-2a8c6f7f1b1d")
    summary = verdict.summary
    assert summary is not None
    long = [
        one.model_copy(update={"reason": f"{one.reason}-{number}" * 2})
        for number in range(8)
        for one in summary.dropped[:2]
    ]
    keys = [one.model_copy(update={"key": f"report/{'u' * 36}/{one.name}"}) for one in verdict.artifacts or []]
    more = {"summary": summary.model_copy(update={"dropped": long}), "artifacts": keys, "message": "m" * 600}
    write_termination_message(verdict.model_copy(update=more), tmp_path / "said")
    said = json.loads((tmp_path / "said").read_bytes())
    assert (tmp_path / "said").stat().st_size <= TERMINATION_MESSAGE_BYTES
    assert len(said["artifacts"]) == len(keys)


def test_what_an_earlier_version_prepared_is_reported_in_its_only_style(gen: GenWorld) -> None:
    made(gen)
    sealed = gen.endpoint.prefix / "data/manifest.json"
    manifest = json.loads(sealed.read_bytes())
    later = {f"data/pod-1/{name}" for name in ("prompts.jsonl", "decontamination.jsonl")}
    manifest["files"] = [one for one in manifest["files"] if one["key"] not in later]
    sealed.write_text(json.dumps(manifest))
    for key in (*later, "report/manifest.json"):
        (gen.endpoint.prefix / key).unlink()
    assert gen.report("pod-8").exit_code == 0
    assert gen.exported(uid="pod-8") == gen.exported() != []
    assert gen.exported("decontamination.jsonl", uid="pod-8") == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda gen: (gen.endpoint.prefix / "data/manifest.json").unlink(), "this was never prepared"),
        (
            lambda gen: (gen.endpoint.prefix / "data/pod-1/samples.jsonl").write_text("{}\n"),
            "data/pod-1/samples.jsonl is another file than the preparation sealed.",
        ),
        (lambda gen: (gen.endpoint.prefix / "data/pod-1/instances.jsonl").unlink(), "or is gone"),
        (lambda gen: (gen.endpoint.prefix / "data/pod-1/prompts.jsonl").unlink(), "or is gone"),
        (lambda gen: gen.endpoint.put(uri_of("results.jsonl"), b"[]\n"), "is not what an evaluation writes"),
        (lambda gen: gen.document["pairs"].update(chosen="Gold"), "Evaluation pairs-eval has no baselines.jsonl."),
    ],
)
def test_what_is_missing_or_changed_is_named(gen: GenWorld, spoil: Any, said: str) -> None:
    fill(gen)
    gen.prepare()
    gen.grade(outcomes())
    spoil(gen)
    with pytest.raises(Failure) as caught:
        gen.report()
    assert caught.value.code == ExitCode.INVALID_DATA and said in caught.value.message


def test_results_that_are_gone_are_named(gen: GenWorld) -> None:
    fill(gen)
    gen.prepare()
    gen.grade({})
    pod = gen.report_pod()
    (gen.endpoint.objects / uri_of("results.jsonl").removeprefix("s3://")).unlink()
    with pytest.raises(Failure, match="is gone"):
        report(pod)


def test_the_page_is_whole_loads_nothing_and_shows_pairs_side_by_side(gen: GenWorld) -> None:
    good, bad = diff(f"    return {NASTY}"), diff("    return a * b")
    gen.rows = [gen_row(1, problem_statement=NASTY)]
    gen.samples = [sample(1, good, at=1), sample(1, bad, at=2)]
    gen.prepare()
    gen.grade({good: PASSES, bad: MENDS_SOME})
    gen.report()
    text = gen.text("report/pod-9/report.html")
    page = ElementTree.fromstring(text.split("\n", 1)[1])
    assert not list(page.iter("script")) and "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import", text)
    added = [span.text for span in page.iter("span") if span.get("class") == "added"]
    assert added == [f"+    return {NASTY}", "+    return a * b"]
    told = " ".join(" ".join(page.itertext()).split())
    for words in ("Pairs 1", "nearly, 1 of 2 tests mended, 0 of 3 broken", "Samples that pass", "Characters of the"):
        assert words in told, words


def test_the_card_says_what_how_many_from_where_and_by_which_rules(gen: GenWorld) -> None:
    made(gen)
    card = gen.text("report/pod-9/README.md")
    assert card.startswith("---\nlicense: unknown\n")
    summary = gen.report().summary
    assert summary is not None
    for words in (
        "# pairs: preference pairs",
        "configMap:rows.jsonl",
        "pairs-eval (0c11d-eval)",
        "| preferences.jsonl ",
    ):
        assert words in card, words
    lines = {" ".join(line.replace("|", " ").split()) for line in card.splitlines()}
    assert {
        f"pairs {summary.pairs}",
        f"samples {summary.samples}",
        *(f"{one.reason} {one.count}" for one in summary.dropped),
    } <= lines


def test_the_report_reads_what_an_evaluation_writes(gen: GenWorld, tmp_path: Path, pod_of: PodMaker) -> None:
    """Prepared, graded and reported as a SWEBenchEval does it, with baselines."""
    good, bad, worse = diff("    return a + b  # plus"), diff("    return a * b"), diff("    return")
    gen.samples = [sample(1, good, at=1), sample(1, bad, at=2), sample(1, worse, at=3), sample(2, bad, at=1)]
    gen.prepare()
    told = {
        (one["instance_id"], one["sample"]): one["model_patch"] for one in gen.lines("data/pod-1/predictions.jsonl")
    }
    left = gen.endpoint.prefix / "data/pod-1"
    world = ReportWorld(tmp_path, gen.endpoint, pod_of)
    world.document = eval_document(left / "instances.jsonl", left / "predictions.jsonl") | {"baseline": "Required"}
    gen.endpoint.uid = CHILD
    world.prepare(gen.rows)
    catalog = json.loads((gen.endpoint.prefix / "data/pod-1/catalog.json").read_text())
    for ordinal in range(4):
        world.graded(ordinal, "Unresolved" if ordinal % 2 else "Resolved")
    for one in catalog["predictions"]:
        patch = told[catalog["instances"][one["instance"]]["id"], one["sample"]]
        world.graded(one["ordinal"], "Resolved" if patch == good else "Error" if patch == worse else "Unresolved",
                     **({"reason": "PatchApplyFailed", "integrity": None} if patch == worse else {}))  # fmt: skip
        if patch == good:
            world.rows[-1]["looks"] = [{"purpose": "Rerun", "attempt": 2}]
            world.verdict(one["ordinal"], "Resolved", attempt=2)
    world.report()
    gen.endpoint.uid = "0b5e7c1a-run"
    summary = gen.report().summary
    assert summary is not None
    assert [(line["chosen"], line["rejected"]) for line in gen.exported()] == [(good, bad)]
    assert {one.reason: one.count for one in summary.dropped} == {"PatchDoesNotApply": 1, "AllFail": 1}


def test_the_program_ends_with_a_verdict_and_without_the_libraries_of_a_training(gen: GenWorld) -> None:
    fill(gen)
    gen.prepare()
    gen.grade(outcomes())
    pod = gen.report_pod()
    environment = {
        **gen.endpoint.environment(pod.work_dir, pod.run_file),
        "SWE_RESULTS_FILE": str(pod.results_file),
    }
    code = (
        "import sys, runpy\n"
        "try: runpy.run_module('swe_workloads.preference_gen.report', run_name='__main__')\n"
        "finally: print('LOADED', {'torch', 'transformers', 'jinja2', 'docker'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True
    )
    assert (ran.returncode, "LOADED set()" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    assert json.loads(pod.termination_file.read_bytes())["summary"]["pairs"] > 0
