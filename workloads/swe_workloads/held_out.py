"""The perplexity of a result: measured by a process like the engine's, estimated from what it leaves."""

import signal
import sys
import time

from swe_workloads.attempt import Attempt, why_stopped
from swe_workloads.engine_files import EngineOrder, read_failure, write_atomically
from swe_workloads.engine_process import EngineProcess
from swe_workloads.engine_run import LOOK_EVERY_SECONDS, engine_environment
from swe_workloads.engine_watch import EngineWatch
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.perplexity import Absent, Estimate, perplexity
from swe_workloads.pod import say
from swe_workloads.run_file import RunFile
from swe_workloads.verdict import Perplexity

MEASURES = {"SFT": "swe_workloads.engine_perplexity"}
REASON_CHARACTERS = 250  # what the controllers keep


def measure_held_out(attempt: Attempt, run: RunFile, order: EngineOrder) -> Perplexity:
    """Of the result in report.result, or why there is none: a result without it is still a result.

    Raises Failure when a stop is requested; the next attempt finds the training finished and measures again.
    """
    if run.method not in MEASURES:
        return Perplexity(reason="it is not measured for preferences, which are told by accuracy and margin")
    if order.test_file is None:
        return Perplexity(reason="no rows were held out")
    if attempt.stop.requested and attempt.stop.code == ExitCode.BUDGET_EXCEEDED:
        return Perplexity(reason="the budget was spent before the held-out rows could be measured")
    say("The perplexity of the held-out rows is being measured.")
    problem = _measure(attempt, run, order)
    if problem is not None:
        say(f"There is no perplexity: {problem}.")
        return Perplexity(reason=problem[:REASON_CHARACTERS])
    return in_words(perplexity(attempt.report.held_out, run.seed))


def in_words(found: Estimate | Absent) -> Perplexity:
    if isinstance(found, Absent):
        return Perplexity(reason=found.reason[:REASON_CHARACTERS])
    value, low, high = (f"{number:.4g}" for number in (found.value, found.low, found.high))
    return Perplexity(value=value, low=low, high=high, rows=found.rows, tokens=found.tokens)


def _measure(attempt: Attempt, run: RunFile, order: EngineOrder) -> str | None:
    """What went wrong."""
    order_file = attempt.folder / "measure.json"
    write_atomically(order_file, order)
    # One process, whatever the training had: the figures must not depend on the number of ranks.
    command = [sys.executable, "-m", MEASURES[run.method], str(order_file)]
    engine = EngineProcess(command, engine_environment(attempt, run.compute.ranks))
    watch = EngineWatch(attempt.report)
    silent = False
    while (returncode := engine.poll()) is None:
        watch.look()
        if attempt.stop.requested:
            engine.kill()
            raise Failure(attempt.stop.code, f"{why_stopped(attempt)} while the held-out rows were measured.")
        if watch.silent_seconds() > run.stall_after_seconds:
            silent = True
            engine.abort()
        time.sleep(LOOK_EVERY_SECONDS)
    if silent:
        return f"the measurement made no progress for {run.stall_after_seconds} s"
    return None if returncode == 0 else f"the measurement failed: {_why(attempt, returncode)}"


def _why(attempt: Attempt, returncode: int) -> str:
    failure = read_failure(attempt.report)
    if failure is not None:
        return failure.message.rstrip(".")
    return f"killed by {signal.Signals(-returncode).name}" if returncode < 0 else f"it ended with code {returncode}"
