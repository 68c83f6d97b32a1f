"""What is told about a result beside its weights: summary.json for programs, report.html for people."""

import json
import re
import traceback
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_files import prepared_verdict
from swe_workloads.engine_files import EngineReport, read_metrics
from swe_workloads.history import summarise
from swe_workloads.report import Facts, render_report
from swe_workloads.transfer import Digest
from swe_workloads.verdict import FrozenSource, PrepareVerdict, TrainVerdict

REPORT, SUMMARY, METRICS = "report.html", "summary.json", "metrics.jsonl"
HELD_OUT, ENGINE_CONFIG = "held_out.jsonl", "trl.yaml"
ACCOUNTS = (REPORT, SUMMARY, METRICS, HELD_OUT, ENGINE_CONFIG)
VERDICT = re.compile(r"^attempts/(?P<attempt>\d+)/verdict(?:-(?P<pod>\d+))?\.json$")
# More would make a long page, and each is a request.
MOST_ATTEMPTS = 50


@dataclass(frozen=True)
class Provenance:
    """What the result was made of."""

    model_uri: str
    model_revision: str | None
    model_files: dict[str, Digest]
    data_files: dict[str, Digest]
    settings: dict[str, Any]


def write_accounts(store: ArtifactStore, report: EngineReport, verdict: TrainVerdict, made_of: Provenance) -> None:
    """Both files, into the report's folder; the page tells of every attempt that left a verdict in the store."""
    history = read_metrics(report)
    _write_summary(report, verdict, made_of, history)
    prepared = prepared_verdict(store)
    facts = Facts(
        settings=made_of.settings,
        verdict=verdict,
        history=history,
        attempts=[*earlier_attempts(store, verdict.attempt), verdict],
        prepared=prepared,
        sources=_sources(prepared, made_of),
        engine_config=report.engine_config.read_text() if report.engine_config.exists() else None,
        beside=[name for name in ACCOUNTS if name != REPORT and (report.folder / name).exists()],
    )
    try:
        (report.folder / REPORT).write_text(render_report(facts), encoding="utf-8")
    except Exception:  # a defect of ours, but no reason to lose what took a night to train
        traceback.print_exc()


def earlier_attempts(store: ArtifactStore, attempt: int) -> list[TrainVerdict]:
    """One verdict for each; of several pods of one attempt the last word, with the time of all."""
    found = [match for item in store.list_keys("attempts/") if (match := VERDICT.match(item.name))]
    by_age = sorted(found, key=lambda match: (int(match["attempt"]), int(match["pod"] or 1)))
    numbers = sorted({int(match["attempt"]) for match in by_age if int(match["attempt"]) < attempt})[-MOST_ATTEMPTS:]
    verdicts = []
    for number in numbers:
        pods = [_read(store, match[0]) for match in by_age if int(match["attempt"]) == number]
        if told := [pod for pod in pods if pod is not None]:
            verdicts.append(_joined(told))
    return verdicts


def _read(store: ArtifactStore, key: str) -> TrainVerdict | None:
    content = store.read(key)
    try:
        return TrainVerdict.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _joined(pods: list[TrainVerdict]) -> TrainVerdict:
    seconds = [pod.seconds for pod in pods if pod.seconds is not None]
    whole = sum(seconds) if len(seconds) == len(pods) else None
    return pods[-1].model_copy(update={"from_step": pods[0].from_step, "seconds": whole})


def _sources(prepared: PrepareVerdict | None, made_of: Provenance) -> dict[str, FrozenSource]:
    frozen = prepared.sources if prepared is not None else None
    model = frozen.model if frozen else FrozenSource(uri=made_of.model_uri, revision=made_of.model_revision)
    rows = {name: FrozenSource(uri=name, sha256=digest.sha256) for name, digest in made_of.data_files.items()}
    adapter = made_of.settings.get("adapter")
    continued = {f"Adapter of {adapter['run']}": FrozenSource(uri=adapter["uri"])} if adapter is not None else {}
    data = {"Data": frozen.data} if frozen else {}
    return {"Model": model, **continued, **data, **{f"Rows of {name}": source for name, source in rows.items()}}


def _write_summary(
    report: EngineReport, verdict: TrainVerdict, made_of: Provenance, history: list[dict[str, float]]
) -> None:
    model = {"uri": made_of.model_uri, "revision": made_of.model_revision, "files": _listed(made_of.model_files)}
    document = {
        "verdict": verdict.to_document(),
        "history": {name: metric.model_dump(by_alias=True) for name, metric in summarise(history).items()},
        "model": model,
        "data": _listed(made_of.data_files),
        "run": made_of.settings,
    }
    (report.folder / SUMMARY).write_text(json.dumps(document, indent=1) + "\n")


def _listed(files: dict[str, Digest]) -> list[dict[str, object]]:
    return [{"name": name, "sha256": digest.sha256, "sizeBytes": digest.size_bytes} for name, digest in files.items()]
