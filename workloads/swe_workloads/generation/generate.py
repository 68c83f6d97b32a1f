"""Generates patches: asks a chat API for every sample that is not stored yet, and leaves predictions, once."""

import os
import tempfile
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_bad_rows
from swe_workloads.budget import Budget
from swe_workloads.evaluation.benchmark_rows import Harness
from swe_workloads.evaluation.reading import check_harness, installed_harness
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.generation.api_key import read_key
from swe_workloads.generation.collecting import Collecting
from swe_workloads.generation.generate_file import FILE, read_generate_file
from swe_workloads.generation.questions import Questions, problem_with, read_questions
from swe_workloads.generation.reporting import Reporter
from swe_workloads.generation.sample_files import Generated, adopt, publish
from swe_workloads.generation.stored_samples import FOLDER, StoredSamples
from swe_workloads.generation.verdicts import GenerateVerdict
from swe_workloads.pod import Pod
from swe_workloads.program import end, run_program
from swe_workloads.stop_request import StopRequest
from swe_workloads.verdict import outcome


def main() -> None:
    run_program("The generation", lambda pod: generate(pod, installed_harness()), failed)


def generate(pod: Pod, harness: Harness) -> GenerateVerdict:
    """Raises Failure for everything that is not about single rows or samples."""
    spec = read_generate_file(pod.run_file)
    check_harness(spec.harness_version, harness, FILE)
    key = read_key(pod.credentials_dir, spec.model.credentials)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    with (
        tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch,
        Shelf(Path(scratch) / "questions") as shelf,
        # Of its own: prompts are read by all threads while answers are laid aside by this one.
        Shelf(Path(scratch) / "answers") as answers,
    ):
        questions = read_questions(spec, harness, pod, store, shelf, Path(scratch))
        problem = problem_with(questions)
        if problem is not None:
            return refuse(problem, questions, pod, store, Path(scratch))
        stored = StoredSamples(spec, questions, store, pod.pod_uid, answers)
        stored.read_back()
        # Until here there was nothing to save, and a stop ended the program at once.
        stop = stop_request(pod, store)
        budget = Budget(pod.budget_seconds, pod.grace_seconds)
        collecting = Collecting(spec, key, questions, stored, stop, Reporter(pod))
        try:
            collecting.run()
            if not collecting.is_complete:
                return failed(stop.code, why_stopped(stop, pod, stored))
            budget.close()
            return publish(Generated(spec, questions, stored, collecting.given_up.samples), pod, store, Path(scratch))
        except Failure as failure:
            if stop.requested and failure.code == ExitCode.STORE_UNAVAILABLE:
                return failed(stop.code, f"{why_stopped(stop, pod, stored)} {failure.message}")
            raise


def refuse(problem: str, questions: Questions, pod: Pod, store: ArtifactStore, scratch: Path) -> GenerateVerdict:
    """Ends without asking; what was found in the rows is in the store all the same."""
    bad = write_bad_rows(questions.roster.bad, scratch)
    store.upload(f"{FOLDER}{pod.pod_uid}/{bad.name}", bad)
    return failed(ExitCode.INVALID_DATA, problem)


def stop_request(pod: Pod, store: ArtifactStore) -> StopRequest:
    """From now on a stop leaves time to store what has come."""

    def hurry() -> None:
        store.patience.hurry(max(0.1, pod.grace_seconds - StopRequest.MARGIN_SECONDS))

    def out_of_time() -> None:
        message = "Stopped; the grace period ended during a transfer. A later pod asks for what is not stored."
        os._exit(end(failed(stop.code, message), pod.termination_file))

    stop = StopRequest(pod.grace_seconds, hurry, out_of_time)
    return stop


def why_stopped(stop: StopRequest, pod: Pod, stored: StoredSamples) -> str:
    there = f"{len(stored.places)} of {stored.wanted} samples"
    if stop.code == ExitCode.BUDGET_EXCEEDED:
        seconds = f"{pod.budget_seconds:.0f} s"
        return f"The {seconds} that spec.budget left are spent after {there}; raise it to ask for the rest."
    return f"Stopped from outside after {there}; a later pod asks for the rest."


def failed(code: ExitCode, message: str) -> GenerateVerdict:
    return GenerateVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
