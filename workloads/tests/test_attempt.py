"""What an engine's ending means, told from its files, its exit code and who asked for what."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import PodMaker

from swe_workloads.attempt import Attempt, classify
from swe_workloads.engine_files import EngineFailure, Finished, Progress, write_atomically
from swe_workloads.engine_process import EngineProcess
from swe_workloads.exit_codes import ExitCode
from swe_workloads.run_file import read_run_file
from swe_workloads.stop_request import BUDGET_SIGNAL

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, BUDGET_SIGNAL)


class Killed:
    """An engine whose container the kernel has killed a process of."""

    def __init__(self, for_memory: bool) -> None:
        self._for_memory = for_memory

    def out_of_memory(self) -> bool:
        return self._for_memory

    def tail(self) -> list[str]:
        return ["the last line"]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def attempt(run: dict[str, Any], pod_of: PodMaker) -> Attempt:
    """At step 9 of 24, on two ranks."""
    run["compute"]["ranks"] = 2
    pod = pod_of(run).model_copy(update={"budget_seconds": 600.0})
    made = Attempt(pod, pod.store(), pod.work_dir / "attempt-1", run=read_run_file(pod.run_file), checkpoint_step=8)
    write_atomically(made.report.progress, Progress(step=9, total_steps=24))
    made.engine = cast(EngineProcess, Killed(for_memory=False))
    return made


def failed(attempt: Attempt, code: ExitCode, rank: int = 0) -> None:
    write_atomically(attempt.report.failure(rank), EngineFailure(code=code, message="what it said"))


def finish(attempt: Attempt, step: int, stopped_early: bool = False) -> None:
    write_atomically(attempt.report.finished, Finished(step=step, total_steps=24, stopped_early=stopped_early))


def test_it_is_complete_when_the_engine_says_so_and_ended_well(attempt: Attempt) -> None:
    assert classify(attempt, 0)[0] == ExitCode.ENGINE_FAILED
    finish(attempt, 24)
    assert classify(attempt, 0) == (ExitCode.COMPLETED, "All 24 steps are done.")
    assert classify(attempt, 1)[0] == ExitCode.ENGINE_FAILED
    finish(attempt, 12, stopped_early=True)
    assert classify(attempt, 0) == (ExitCode.COMPLETED, "Stopped early at step 12 of 24: no improvement.")
    finish(attempt, 12)
    assert classify(attempt, 0)[0] == ExitCode.ENGINE_FAILED


@pytest.mark.parametrize("code", [ExitCode.CUDA_OUT_OF_MEMORY, ExitCode.DIVERGED, ExitCode.PEER_LOST])
def test_the_engine_s_own_words_come_first(attempt: Attempt, code: ExitCode) -> None:
    failed(attempt, code, rank=1)
    assert classify(attempt, code) == (code, "what it said")


def test_a_rank_that_died_without_a_word_is_a_lost_peer(attempt: Attempt) -> None:
    message = "One of the 2 ranks was killed by SIGKILL at step 9 of 24."
    assert classify(attempt, -signal.SIGKILL) == (ExitCode.PEER_LOST, message)


@pytest.mark.parametrize("echo", [True, False])
def test_a_rank_that_the_kernel_killed_for_memory_is_no_mere_lost_peer(attempt: Attempt, echo: bool) -> None:
    attempt.engine = cast(EngineProcess, Killed(for_memory=True))
    if echo:
        failed(attempt, ExitCode.PEER_LOST)
    code, message = classify(attempt, -signal.SIGKILL)
    assert (code, "Raise compute.memory" in message) == (ExitCode.HOST_OUT_OF_MEMORY, True)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGTERM, 75, "Stopped at step 9 of 24; the next attempt continues from step 8."),
        (
            BUDGET_SIGNAL,
            76,
            "The 600 s that spec.budget left for this attempt are spent at step 9 of 24; "
            "raise spec.budget to continue from step 8.",
        ),
    ],
)
@pytest.mark.parametrize("torn", [None, ExitCode.PEER_LOST, ExitCode.ENGINE_FAILED])
def test_a_stop_is_a_stop_even_when_it_tears_the_ranks_down(
    attempt: Attempt, number: signal.Signals, code: int, words: str, torn: ExitCode | None
) -> None:
    signal.raise_signal(number)
    assert attempt.report.stop.exists()
    if torn is not None:
        failed(attempt, torn)
    assert classify(attempt, 1) == (code, words)


def test_of_two_requests_the_first_names_the_end(attempt: Attempt) -> None:
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(BUDGET_SIGNAL)
    assert attempt.stop.code == ExitCode.PREEMPTED


def test_running_out_of_memory_while_stopping_is_still_said(attempt: Attempt) -> None:
    signal.raise_signal(signal.SIGTERM)
    failed(attempt, ExitCode.CUDA_OUT_OF_MEMORY)
    assert classify(attempt, 67)[0] == ExitCode.CUDA_OUT_OF_MEMORY


def test_a_stall_is_named_whatever_the_abort_left(attempt: Attempt) -> None:
    attempt.stalled = True
    failed(attempt, ExitCode.PEER_LOST)
    code, message = classify(attempt, -signal.SIGABRT)
    assert (code, "no progress for 1800 s at step 9 of 24" in message) == (ExitCode.ENGINE_STALLED, True)


def test_the_verdict_tells_the_best_step_so_far_and_what_it_took(attempt: Attempt) -> None:
    lines = [{"step": 4, "eval_loss": 0.7}, {"step": 8, "eval_loss": 0.5}, {"step": 8, "loss": 1.0}]
    attempt.report.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    attempt.began = time.monotonic() - 61
    told = attempt.verdict(*classify(attempt, 1)).to_document()
    assert told["best"] == {"step": 8, "evalLoss": "0.5"}
    assert told["microBatch"] == 2
    assert 61 <= told["seconds"] < 300
    assert told["logTail"] == ["the last line"]


def test_the_reports_of_an_attempt_that_never_began_are_simply_absent(attempt: Attempt, tmp_path: Path) -> None:
    attempt.folder = tmp_path / "nothing"
    told = attempt.verdict(ExitCode.STORE_UNAVAILABLE, "away").to_document()
    assert not {"best", "loss", "stoppedEarly"} & told.keys()
    assert told["lastStep"] == 0
