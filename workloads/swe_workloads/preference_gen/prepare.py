"""Prepares a PreferenceGen: reads instances and samples, and leaves each different patch once for an evaluation."""

import tempfile
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_sources import Origin
from swe_workloads.evaluation.benchmark_rows import Harness
from swe_workloads.evaluation.index import plan_of
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
from swe_workloads.evaluation.verdicts import EvalSources
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.decontamination import Decontamination, without_removed
from swe_workloads.preference_gen.evaluation_rows import read_evaluation_rows
from swe_workloads.preference_gen.gen_file import FILE, GenFile, read_gen_file
from swe_workloads.preference_gen.kept_trajectories import KeptTrajectories
from swe_workloads.preference_gen.prepared_files import Leaving, adopt, publish, refuse
from swe_workloads.preference_gen.prepared_gen import PreparedGen, problem_with
from swe_workloads.preference_gen.raw_rows import RawRows
from swe_workloads.preference_gen.removal import Removal, of_sets, without
from swe_workloads.preference_gen.samples import read_samples, samples_of, unique_of
from swe_workloads.preference_gen.verdicts import PrepareGenVerdict
from swe_workloads.program import run_program
from swe_workloads.prompting.prompts import asked_before, making, prompts_of
from swe_workloads.rows import read_rows
from swe_workloads.verdict import outcome


def main() -> None:
    run_program("The preparation", lambda pod: prepare(pod, installed_harness()), failed)


def prepare(pod: Pod, harness: Harness) -> PrepareGenVerdict:
    """Raises Failure for everything that is not about single rows."""
    spec = read_gen_file(pod.run_file)
    check_harness(spec.harness_version, harness, FILE)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch, Shelf(Path(scratch) / "shelf") as shelf:
        raw = RawRows(spec.instances.format, shelf)
        prepared = read_and_check(spec, harness, raw, pod, store, shelf)
        leaving = Leaving(spec, pod, store, Path(scratch))
        problem = problem_with(prepared)
        if problem is not None:
            return refuse(problem, prepared, leaving)
        return publish(prepared, raw, shelf, leaving)


def read_and_check(
    spec: GenFile, harness: Harness, raw: RawRows, pod: Pod, store: ArtifactStore, shelf: Shelf
) -> PreparedGen:
    how = making(spec.prompt, spec.instances.format, pod, store, "prepare", shelf)
    # First the sources: one that is not there is no reason to read all of the others.
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as sources:
        origin = Origin("spec.instances", "data")
        instances = fetch(spec.instances.source, origin, pod, store, Path(sources) / "instances")
        brought = fetch_predictions(spec.predictions.source, pod, store, Path(sources) / "predictions")
        frozen = EvalSources(instances=instances.frozen(), predictions=brought.frozen())
        like = spec.evaluation()
        evaluations = read_evaluation_rows(spec.decontamination.against if spec.decontamination else [], pod, store)
        roster = raw.without_unaskable(read_roster(raw.kept(rows_of(instances, read_rows)), like, harness, shelf))
        selected = chosen(roster, like)
        say(f"Read {roster.read} instances of {instances.uri}: {len(roster.known)} usable, {len(selected)} selected.")
        trajectories = KeptTrajectories(spec.export.trajectories, shelf)
        desk = Decontamination(spec.instances.format, evaluations, raw, shelf)
        predictions, numbers = read_samples(desk.heard(trajectories.kept(prediction_rows(brought))), shelf)
        say(f"Read {predictions.read} samples of {brought.uri}.")
        before = asked_before(store, shelf, Path(sources))
    sets = [] if spec.allow_evaluation_sets else of_sets(selected)
    copies = desk.instances(without(selected, sets))
    left = without(selected, [*sets, *copies])
    sampled = {prediction.instance for prediction in predictions.usable}
    made, bad = prompts_of([one for one in left if one.id in sampled and one.id not in before], raw, how, shelf)
    roster = roster.without(bad)
    plan = plan_of([known for known in left if known.id not in bad], roster, predictions)
    removal = Removal(sets, copies, desk.samples(plan.runs))
    plan, removed = without_removed(plan, removal)
    samples = samples_of(plan, removed, numbers, trajectories, shelf)
    unique, prompts = unique_of(samples, plan.runs), {**before, **made}
    return PreparedGen(roster, predictions, plan, removal, evaluations, samples, unique, prompts, frozen)


def failed(code: ExitCode, message: str) -> PrepareGenVerdict:
    return PrepareGenVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
