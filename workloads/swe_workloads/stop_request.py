"""SIGTERM, SIGINT and the end of the budget: remembered with their moment and passed on; SIGALRM when time is up."""

import signal
import time
from collections.abc import Callable

from swe_workloads.exit_codes import ExitCode

# Sent by this program to itself, so that the end of the budget takes the very way of a stop from outside.
BUDGET_SIGNAL = signal.SIGUSR1


class StopRequest:
    """`grace_seconds` is what the kubelet gives between SIGTERM and SIGKILL."""

    # Of the grace period, for uploading the last checkpoint and the verdict.
    UPLOAD_SHARE = 0.4
    # What is left for the interpreter to end in.
    MARGIN_SECONDS = 1.5

    def __init__(self, grace_seconds: float, on_request: Callable[[], None], out_of_time: Callable[[], None]) -> None:
        self._grace_seconds = grace_seconds
        self._on_request = on_request
        self._requested_at: float | None = None
        self.code = ExitCode.PREEMPTED
        signal.signal(signal.SIGALRM, lambda *_: out_of_time())
        for number in (signal.SIGTERM, signal.SIGINT, BUDGET_SIGNAL):
            signal.signal(number, self._handle)

    @property
    def requested(self) -> bool:
        return self._requested_at is not None

    def engine_must_end(self) -> bool:
        """The engine has had its share of the grace period."""
        return self._seconds_since() > self._grace_seconds * (1 - self.UPLOAD_SHARE)

    def seconds_left(self) -> float:
        """Until everything must be over."""
        return max(0.1, self._grace_seconds - self.MARGIN_SECONDS - self._seconds_since())

    def _seconds_since(self) -> float:
        return 0.0 if self._requested_at is None else time.monotonic() - self._requested_at

    def _handle(self, number: int, frame: object) -> None:
        if self._requested_at is None:
            self._requested_at = time.monotonic()
            self.code = ExitCode.BUDGET_EXCEEDED if number == BUDGET_SIGNAL else ExitCode.PREEMPTED
            # A transfer that hangs may hold the main thread beyond seconds_left(); a signal still gets through.
            signal.setitimer(signal.ITIMER_REAL, max(0.1, self._grace_seconds - self.MARGIN_SECONDS / 2))
            self._on_request()
