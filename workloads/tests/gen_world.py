"""A PreferenceGen to test with: its rows and samples, run.json, and what the evaluation of its patches found."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.eval_world import HARNESS, v5_row, write_lines
from fake_artifact_endpoint import BUCKET, NAMESPACE, FakeEndpoint

from swe_workloads.pod import Pod
from swe_workloads.preference_gen.prepare import prepare
from swe_workloads.preference_gen.report import report
from swe_workloads.preference_gen.verdicts import (
    PrepareGenSummary,
    PrepareGenVerdict,
    ReportGenSummary,
    ReportGenVerdict,
)

PodMaker = Callable[[dict[str, Any]], Pod]
CHILD = "0c11d-eval"
INSTANCES = 12


def diff(*added: str, path: str = "lib.py", line: int = 1) -> str:
    """A patch that puts these lines in place of another one."""
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    body = "".join(f"+{text}\n" for text in added)
    return f"{head}@@ -{line},2 +{line},{len(added) + 1} @@\n def add(a, b):\n-    return a - b\n{body}"


def gen_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A row of SWE-bench that no evaluation set has."""
    return v5_row(number, **{"instance_id": f"team__lib-{number}", "repo": "team/lib", **changes})


def sample(number: int, patch: str | None, at: int = 1, **more: Any) -> dict[str, Any]:
    """Sample `at` of instance `number`."""
    known = {"instance_id": f"team__lib-{number}", "model_name_or_path": "team/model", "model_patch": patch}
    return {**known, "sample": at, **more}


def gen_document(instances: Path, predictions: Path) -> dict[str, Any]:
    """run.json as the operator writes it."""
    return {
        "version": 1,
        "generation": {"namespace": "team", "name": "pairs", "uid": "0b5e7c1a-run"},
        "instances": {"source": {"configMapFile": str(instances)}, "format": "SWEBench", "select": {"seed": 42}},
        "predictions": {"source": {"configMapFile": str(predictions)}},
        "prompt": {"style": "Pro", "codeTokens": 16384},
        "pairs": {
            "chosen": "Passing",
            "rejected": ["Failing"],
            "maxPerInstance": 3,
            "lengthBalance": "EachPair",
            "seed": 42,
        },
        "split": {"trainPercent": 50, "by": "Instance", "seed": 42},
        "allowEvaluationSets": False,
        "harnessVersion": "5.0.2",
    }


@dataclass
class GenWorld:
    folder: Path
    endpoint: FakeEndpoint
    pod_of: PodMaker
    rows: list[dict[str, Any]] = field(default_factory=lambda: [gen_row(number) for number in (1, 2, 3)])
    samples: list[Any] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = gen_document(self.folder / "rows.jsonl", self.folder / "preds.jsonl")

    def pod(self, uid: str = "pod-1") -> Pod:
        write_lines(self.folder / "rows.jsonl", *self.rows)
        write_lines(self.folder / "preds.jsonl", *self.samples)
        return self.pod_of(self.document).model_copy(update={"pod_uid": uid})

    def prepare(self, uid: str = "pod-1") -> PrepareGenVerdict:
        return prepare(self.pod(uid), HARNESS)

    def summary(self) -> PrepareGenSummary:
        verdict = self.prepare()
        assert verdict.summary is not None, verdict
        return verdict.summary

    def text(self, name: str) -> str:
        return (self.endpoint.prefix / name).read_text()

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(name).splitlines()]

    def grade(self, outcomes: Mapping[str, Mapping[str, Any]], uid: str = CHILD, **more: Any) -> None:
        """The evaluation of this uid says of each patch what `outcomes` say of its text, and nothing of the others."""
        predictions = self.lines("data/pod-1/predictions.jsonl")
        known = [(ordinal, one) for ordinal, one in enumerate(predictions) if one["model_patch"] in outcomes]
        lines = [graded_line(one, ordinal, **outcomes[one["model_patch"]], **more) for ordinal, one in known]
        self.put(uri_of("results.jsonl", uid), lines)

    def baselines(self, **validity: str) -> None:
        """Of each instance, by its number after an n; those that are not named are valid."""
        rows = [{**one, "sample": 1} for one in self.rows]
        told = [(row, validity.get(f"n{row['instance_id'].rpartition('-')[2]}", "Valid")) for row in rows]
        lines = [
            graded_line(row, at, **(PASSES if (word != "GoldFails") == gold else FAILS))
            | {"model": "gold" if gold else "no-op", "validity": word}
            for at, (row, word) in enumerate(told)
            for gold in (True, False)
        ]
        self.put(uri_of("baselines.jsonl"), lines)

    def put(self, uri: str, lines: Iterable[object]) -> None:
        self.endpoint.put(uri, "".join(f"{json.dumps(line)}\n" for line in lines).encode())

    def report(self, uid: str = "pod-9") -> ReportGenVerdict:
        return report(self.report_pod(uid))

    def report_pod(self, uid: str = "pod-9") -> Pod:
        told: dict[str, Any] = {"version": 1, "evaluation": {"name": "pairs-eval", "uid": CHILD}}
        told["artifacts"] = self.artifacts(CHILD)
        results = self.folder / "graded.json"
        results.write_text(json.dumps(told))
        return self.pod_of(self.document).model_copy(update={"pod_uid": uid, "results_file": results})

    def artifacts(self, uid: str) -> dict[str, str]:
        folder = self.endpoint.objects / uri_of("", uid).removeprefix("s3://")
        return {path.name: uri_of(path.name, uid) for path in sorted(folder.iterdir())}

    def exported(self, name: str = "preferences.jsonl", uid: str = "pod-9") -> list[dict[str, Any]]:
        return self.lines(f"report/{uid}/{name}")


def uri_of(name: str, uid: str = CHILD) -> str:
    """Where an evaluation of this uid has its artifact."""
    return f"s3://{BUCKET}/{NAMESPACE}/{uid}/report/pod-9/{name}"


def graded_line(prediction: Mapping[str, Any], ordinal: int, **outcome: Any) -> dict[str, Any]:
    """A line of results.jsonl."""
    known = {
        "instance": prediction["instance_id"],
        "sample": prediction["sample"],
        "model": "pairs",
        "repository": "team/lib",
        "integrity": {"verdict": "Clean", "reasons": []},
        "harness": "5.0.2",
        "image": "registry/lib@sha256:0a1b",
        "seconds": 3.5,
        "ordinal": ordinal,
        "attempt": 1,
        "digest": "0" * 64,
        "keys": {"verdict.json": f"verdicts/{ordinal}/1.json"},
    }
    return {name: value for name, value in {**known, **outcome}.items() if value is not None}


def counts(mended: int, of: int, kept: int = 3, of_kept: int = 3) -> dict[str, Any]:
    return {
        "failToPass": {"passed": mended, "total": of},
        "passToPass": {"passed": kept, "total": of_kept},
    }


PASSES = {"state": "Resolved", "reason": "Completed", **counts(2, 2), "votes": {"gradings": 2, "resolved": 2}}
FAILS = {"state": "Unresolved", "reason": "Completed", **counts(0, 2)}
MENDS_SOME = {**FAILS, **counts(1, 2)}
BREAKS_OTHERS = {**FAILS, **counts(2, 2, kept=1)}
DOES_NOT_APPLY = {"state": "Error", "reason": "PatchApplyFailed", "integrity": None}
TIMES_OUT = {"state": "Error", "reason": "TimedOut"}
IS_LOST = {"state": "Incomplete", "reason": "Infrastructure", "integrity": None}
IS_SUSPICIOUS = {**PASSES, "integrity": {"verdict": "Suspicious", "reasons": ["NoSummary: none"]}}


def fill(gen: GenWorld) -> None:
    """Twelve instances of three repositories with five samples each; every third instance always fails."""
    gen.rows = [gen_row(n, repo=f"team/lib{n % 3}", problem_statement=f"{n} is wrong") for n in range(INSTANCES)]
    gen.samples = [sample(n, patch, at=at) for n in range(INSTANCES) for at, patch in enumerate(patches_of(n), 1)]


def patches_of(number: int) -> list[str]:
    """The first two are one change."""
    texts = [diff(f"    return {number}, {at}" + " + 0" * (number + at)) for at in (1, 2, 3, 4)]
    return [texts[0], texts[0].replace("@@ -1,", "@@ -9,"), *texts[1:]]


def outcomes() -> dict[str, dict[str, Any]]:
    kinds = (FAILS, FAILS, MENDS_SOME, DOES_NOT_APPLY, IS_LOST)
    found: dict[str, dict[str, Any]] = {}
    for number in range(INSTANCES):
        for at, patch in enumerate(patches_of(number)):
            found[patch] = PASSES if number % 3 and (at + number) % 4 in (0, 1) else kinds[(at + number) % 5]
    return found


def made(gen: GenWorld, uid: str = "pod-9") -> None:
    fill(gen)
    gen.prepare()
    gen.grade(outcomes())
    assert gen.report(uid).exit_code == 0


def graded(gen: GenWorld, *outcomes: dict[str, dict[str, Any]]) -> ReportGenSummary:
    """Instance 1, 2 … with these patches."""
    gen.rows = [gen_row(number) for number in range(1, len(outcomes) + 1)]
    gen.samples = [
        sample(number, patch, at=at)
        for number, patches in enumerate(outcomes, 1)
        for at, patch in enumerate(patches, 1)
    ]
    gen.prepare()
    gen.grade({patch: outcome for patches in outcomes for patch, outcome in patches.items()})
    summary = gen.report().summary
    assert summary is not None
    return summary


def sides(gen: GenWorld) -> list[tuple[str, str]]:
    return [(line["chosen"], line["rejected"]) for line in gen.exported()]


def became(gen: GenWorld) -> dict[str, str | None]:
    """By the number of the sample why it is in no pair."""
    return {f"{one['instance_id'][-1]}.{one['sample']}": one["dropped"] for one in gen.exported("samples.jsonl")}
