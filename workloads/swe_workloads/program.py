"""How a program that only prepares or reports begins and ends: one verdict and one exit code, whatever happens."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod, read_pod, say, termination_file
from swe_workloads.verdict import Verdict, write_termination_message


def run_program(name: str, program: Callable[[Pod], Verdict], failed: Callable[[ExitCode, str], Verdict]) -> NoReturn:
    """`name` is the subject of a sentence, such as "The preparation"; `failed` says that it did not get to its end."""
    try:
        pod = read_pod()
    except Failure as failure:
        sys.exit(end(failed(failure.code, failure.message), termination_file()))
    # Nothing to save: what was uploaded without a manifest is nobody's.
    stopped = failed(ExitCode.PREEMPTED, f"{name} was stopped from outside.")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(end(stopped, pod.termination_file)))
    try:
        verdict = program(pod)
    except Failure as failure:
        verdict = failed(failure.code, failure.message)
    except Exception as error:  # a defect of ours: say so, with the trace in the log
        traceback.print_exc()
        verdict = failed(ExitCode.ENGINE_FAILED, f"{name} broke: {type(error).__name__}: {error}")
    sys.exit(end(verdict, pod.termination_file))


def end(verdict: Verdict, termination_file: Path) -> int:
    """The exit code."""
    say(f"{verdict.reason}: {verdict.message}")
    write_termination_message(verdict, termination_file)
    return verdict.exit_code
