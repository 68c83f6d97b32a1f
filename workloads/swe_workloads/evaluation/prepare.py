"""Prepares an evaluation: reads instances and predictions, and leaves each prediction's input in the store, once."""

import tempfile
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_sources import Origin
from swe_workloads.evaluation.baselines import baselines_of
from swe_workloads.evaluation.benchmark_rows import Harness
from swe_workloads.evaluation.eval_file import EvalFile, Files, read_eval_file
from swe_workloads.evaluation.image_digests import pin_images
from swe_workloads.evaluation.index import plan_of
from swe_workloads.evaluation.lessons import Lessons
from swe_workloads.evaluation.predictions import Predictions, collect
from swe_workloads.evaluation.prepared_eval import PreparedEval, problem_with
from swe_workloads.evaluation.prepared_files import adopt, publish, refuse
from swe_workloads.evaluation.reading import (
    check_harness,
    fetch,
    fetch_predictions,
    installed_harness,
    prediction_rows,
    rows_of,
)
from swe_workloads.evaluation.roster import chosen, read_roster
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.evaluation.verdict_reuse import reuse_of
from swe_workloads.evaluation.verdicts import EvalSources, PrepareEvalVerdict
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod, say
from swe_workloads.program import run_program
from swe_workloads.prompting.prompts import asked_before
from swe_workloads.rows import read_rows
from swe_workloads.verdict import outcome


def main() -> None:
    run_program("The preparation", lambda pod: prepare(pod, installed_harness()), failed)


def prepare(pod: Pod, harness: Harness) -> PrepareEvalVerdict:
    """Raises Failure for everything that is not about single rows."""
    spec = read_eval_file(pod.run_file)
    check_harness(spec.harness_version, harness, "eval.json")
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch, Shelf(Path(scratch) / "shelf") as shelf:
        prepared = read_and_check(spec, harness, pod, store, shelf, Path(scratch))
        problem = problem_with(prepared, spec)
        if problem is not None:
            return refuse(problem, prepared, spec, pod, store, Path(scratch))
        return publish(prepared, spec, pod, store, shelf, Path(scratch))


def read_and_check(
    spec: EvalFile, harness: Harness, pod: Pod, store: ArtifactStore, shelf: Shelf, scratch: Path
) -> PreparedEval:
    # First both sources: one that is not there is no reason to read all of the other.
    instances = fetch(spec.instances.source, Origin("spec.instances", "data"), pod, store, scratch / "instances")
    brought = None
    if isinstance(spec.predictions, Files):
        brought = fetch_predictions(spec.predictions.source, pod, store, scratch / "predictions")
    lessons = Lessons(spec.instances.format, asked_before(store, shelf, scratch), shelf)
    roster = read_roster(lessons.instances(rows_of(instances, read_rows)), spec, harness, shelf)
    selected = chosen(roster, spec)
    say(f"Read {roster.read} instances of {instances.uri}: {len(roster.known)} are usable, {len(selected)} selected.")
    if brought is not None:
        predictions = collect(lessons.predictions(prediction_rows(brought)), shelf)
        say(f"Read {predictions.read} predictions of {brought.uri}.")
    else:
        wanted = {known.id for known in selected}
        predictions = Predictions([gold for gold in roster.gold.values() if gold.instance in wanted])
    frozen = EvalSources(instances=instances.frozen(), predictions=brought.frozen() if brought else None)
    plan = plan_of(selected, roster, predictions)
    if spec.has_baselines:
        plan.baselines.extend(baselines_of(plan.instances, roster.gold, shelf))
    images = [known.image for known in plan.instances]
    pins = pin_images(images, spec.images.pin_digests, pod.credentials_dir / "images")
    return PreparedEval(roster, predictions, plan, frozen, lessons, pins, reuse_of(plan, spec, pins, store, shelf))


def failed(code: ExitCode, message: str) -> PrepareEvalVerdict:
    return PrepareEvalVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
