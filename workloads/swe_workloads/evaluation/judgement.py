"""Why a log is not graded, by what grade saw itself. Nothing that tested code can print is needed to come to it."""

from dataclasses import dataclass

from swe_workloads.evaluation.grade_verdict import Outcome, Reason
from swe_workloads.evaluation.sandbox_account import EvalRun, SandboxAccount
from swe_workloads.evaluation.sandbox_log import SandboxLog

# timeout(1) starts a moment after the mark that our clock starts at; its word counts only this close to the limit.
CLOCK_SLACK_SECONDS = 1.0
# timeout(1) says 124 after TERM and 137 after KILL, that of busybox 143.
TIMED_OUT_CODES = (124, 137, 143)


@dataclass(frozen=True)
class Finding:
    """How it ended, in the words of the verdict."""

    outcome: Outcome
    reason: Reason
    message: str


def not_gradable(log: SandboxLog, account: SandboxAccount, timeout_seconds: int) -> Finding | None:
    """None where the official grading has the word. An Error is one there too: an instance without a report."""
    if account.broken is not None:
        return Finding("NotGraded", "InvalidInput", f"The instance cannot be tested: {account.broken}")
    if account.patch == "Refused":
        return Finding("Error", "PatchApplyFailed", f"The patch does not apply: {last_words(account)}")
    if log.ending == "TooLarge":
        return Finding("Error", "LogTooLarge", f"The tests printed more than {log.most_bytes} bytes")
    if account.tests is None:
        return _before_tests(log, account)
    if _timed_out(log, account.tests, timeout_seconds):
        return Finding("Error", "TimedOut", f"Test timed out after {timeout_seconds} seconds.")
    if account.tests.exit_code is None:
        printed = account.tests.ends - account.tests.starts
        return Finding(
            "Error",
            "NoTestOutput",
            f"The sandbox ended before eval.sh did, after {account.tests.seconds:.1f} s and {printed} bytes of output; "
            "the state of its container may say why",
        )
    return None


def _before_tests(log: SandboxLog, account: SandboxAccount) -> Finding:
    if log.ending == "OutOfTime":
        return Finding("Error", "TimedOut", "The patch could not be applied in time")
    if any(mark.words.startswith("try ") for mark in log.marks):
        # A patch can be too big for git, and GNU patch can write into .git: from the first try on it may be its doing.
        return Finding("Error", "NoTestOutput", "The sandbox ended while the patch was applied, before the tests")
    return Finding(
        "NotGraded",
        "SandboxSilent",
        "The sandbox ended before the patch was tried; the state of its container may say why",
    )


def _timed_out(log: SandboxLog, run: EvalRun, timeout_seconds: int) -> bool:
    if log.ending == "OutOfTime" or run.seconds >= timeout_seconds + CLOCK_SLACK_SECONDS:
        return True
    return run.exit_code in TIMED_OUT_CODES and run.seconds >= timeout_seconds - CLOCK_SLACK_SECONDS


def last_words(account: SandboxAccount) -> str:
    """What the first command said: the later ones only repeat it in other words."""
    said = account.tries[0].output.strip().splitlines() if account.tries else []
    return next((line for line in said if line.startswith("error:")), said[-1] if said else "no command said why")
