"""The order of execution, and the documents that tell it: to the operator and to grade."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from swe_workloads.evaluation.baselines import Baseline
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.image_digests import ImagePins
from swe_workloads.evaluation.predictions import Prediction, Predictions
from swe_workloads.evaluation.roster import Known, Roster
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.rows import BadRow

WORKDIR = {"SWEBench": "/testbed", "SWESmith": "/testbed", "SWEBenchPro": "/app"}  # where the images have the code
INDEX_BYTES = 4 * 1024 * 1024  # the operator reads no larger document


@dataclass(frozen=True)
class Run:
    """A prediction that gets a pod."""

    instance: Known
    prediction: Prediction
    document: Place


@dataclass(frozen=True)
class Plan:
    """Every usable prediction is in exactly one list; `runs` are in order of execution.

    `left_out` are of selected instances, and not to be used for what their own rows say.
    """

    selected: list[Known]
    runs: list[Run] = field(default_factory=list)
    empty: list[Prediction] = field(default_factory=list)
    unknown: list[Prediction] = field(default_factory=list)
    not_selected: list[Prediction] = field(default_factory=list)
    refused: list[BadRow] = field(default_factory=list)
    baselines: list[Baseline] = field(default_factory=list)
    left_out: list[Prediction] = field(default_factory=list)

    @property
    def sandboxes(self) -> list[Baseline | Run]:
        """What gets a pod. An ordinal is a place in this list."""
        return [*self.baselines, *self.runs]

    @property
    def instances(self) -> list[Known]:
        """Those that run, in order of execution."""
        return list({run.instance.id: run.instance for run in self.runs}.values())

    @property
    def without_prediction(self) -> list[str]:
        told = {run.instance.id for run in self.runs} | {one.instance for one in [*self.empty, *self.left_out]}
        return [known.id for known in self.selected if known.id not in told]

    @property
    def submitted(self) -> list[Prediction]:
        """In the order of the files."""
        return sorted([*(run.prediction for run in self.runs), *self.empty], key=lambda one: (one.file, one.row))


def plan_of(selected: Sequence[Known], roster: Roster, predictions: Predictions) -> Plan:
    plan = Plan(list(selected))
    by_id = {known.id: known for known in selected}
    for prediction in predictions.usable:
        known = by_id.get(prediction.instance)
        if known is not None and prediction.document is not None:
            plan.runs.append(Run(known, prediction, prediction.document))
        elif known is not None:
            plan.empty.append(prediction)
        elif prediction.instance in roster.known:
            plan.not_selected.append(prediction)
        elif prediction.instance in roster.refused:
            reason = f"instance {prediction.instance} cannot be used: {roster.refused[prediction.instance]}"
            plan.refused.append(BadRow(prediction.file, prediction.row, reason))
        else:
            plan.unknown.append(prediction)
    # Samples of one instance and instances of one image become neighbours: a node pulls an image once.
    plan.runs.sort(
        key=lambda run: (run.instance.repository, run.instance.image, run.instance.id, run.prediction.sample)
    )
    return plan


def index_document(plan: Plan, pins: ImagePins, cached: Mapping[int, str]) -> bytes:
    """What the operator reads, by ordinal; `cached` is how those end that need no pod.

    Raises Failure(INVALID_DATA) if that is too much.
    """
    places = {known.id: place for place, known in enumerate(plan.instances)}
    document = {
        "version": 1,
        "instances": [{"id": known.id, "image": pins.pulled(known.image)} for known in plan.instances],
        "predictions": [
            {**_told(one, places), **({"cached": cached[ordinal]} if ordinal in cached else {})}
            for ordinal, one in enumerate(plan.sandboxes)
        ],
    }
    content = compact(document)
    if len(content) > INDEX_BYTES:
        message = (
            f"The index of {len(plan.sandboxes)} sandboxes has {len(content)} bytes, the operator reads {INDEX_BYTES}. "
            "Narrow spec.instances.select, or bring fewer samples in spec.predictions."
        )
        raise Failure(ExitCode.INVALID_DATA, message)
    return content


def _told(one: Baseline | Run, places: Mapping[str, int]) -> dict[str, object]:
    place = places[one.instance.id]
    if isinstance(one, Baseline):
        return {"instance": place, "sample": 1, "kind": one.kind}
    return {"instance": place, "sample": one.prediction.sample}


def excluded_document(plan: Plan, predictions: Predictions) -> bytes:
    """What never gets a pod, by name, and what runs although its diff looks malformed."""
    bad = [*predictions.bad, *plan.refused]
    document = {
        "version": 1,
        "emptyPatches": [{"instance": one.instance, "sample": one.sample} for one in plan.empty],
        "withoutPrediction": plan.without_prediction,
        "unknownIds": ids_of(plan.unknown),
        "notSelected": ids_of(plan.not_selected),
        "duplicates": [
            {"file": one.file, "row": one.row, "instance": one.instance, "sameAs": one.first_row, "in": one.first_file}
            for one in predictions.duplicates
        ],
        "badPredictions": [{"file": row.file, "row": row.number, "reason": row.reason} for row in bad],
        "malformed": [
            {"instance": run.instance.id, "sample": run.prediction.sample, "reason": run.prediction.problem}
            for run in plan.runs
            if run.prediction.problem is not None
        ],
    }
    return compact(document)


def inputs(plan: Plan, spec: EvalFile, shelf: Shelf) -> Iterator[bytes]:
    """grade's input for each ordinal, put together from documents that were written once."""
    head = compact({"version": 1, "format": spec.instances.format})[1:-1]
    tail = compact({"workdir": WORKDIR[spec.instances.format], "timeoutSeconds": spec.sandbox.timeout_seconds})[1:-1]
    for one in plan.sandboxes:
        prediction = b'"prediction":' + shelf.get(one.document)
        yield b"{" + b",".join([head, shelf.get(one.instance.document), prediction, tail]) + b"}"


def compact(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def ids_of(predictions: Sequence[Prediction]) -> list[str]:
    """Each instance once, in the order of its first prediction."""
    return list(dict.fromkeys(one.instance for one in predictions))
