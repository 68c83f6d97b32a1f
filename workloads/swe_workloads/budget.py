"""The seconds this attempt may still cost: held here, so that they hold while the operator is away."""

import os
import threading
import time

from swe_workloads.stop_request import BUDGET_SIGNAL

LOOK_EVERY_SECONDS = 0.2
# Even the smallest checkpoint needs a step, a save and an upload before it.
LEAST_RESERVE_SECONDS = 5.0


class Budget:
    """Asks for the stop early enough for a last checkpoint, but at most `grace_seconds` before the end."""

    def __init__(self, seconds: float | None, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        self._reserve = LEAST_RESERVE_SECONDS
        self._closed = threading.Event()
        if seconds is not None:
            threading.Thread(target=self._run, args=(time.monotonic() + seconds,), daemon=True).start()

    def reserve(self, seconds: float) -> None:
        """How long finishing a step and keeping its checkpoint takes, as far as it is known by now."""
        self._reserve = min(max(seconds, LEAST_RESERVE_SECONDS), self._grace_seconds)

    def close(self) -> None:
        """What is trained is paid: uploading the result is never cut short."""
        self._closed.set()

    def _run(self, ends_at: float) -> None:
        while not self._closed.wait(LOOK_EVERY_SECONDS):
            if time.monotonic() >= ends_at - self._reserve:
                os.kill(os.getpid(), BUDGET_SIGNAL)
                return
