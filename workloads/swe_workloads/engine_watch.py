"""How the engine gets on, as far as its files tell from outside."""

import time
from pathlib import Path

from swe_workloads.engine_files import EngineReport


class EngineWatch:
    """Looked through now and then; begins when it is made."""

    def __init__(self, report: EngineReport) -> None:
        self._report = report
        self._marks = self._read()
        self._heard_at = time.monotonic()
        self._stepped_at: float | None = None
        # The longest time from one step to the next, with everything that lay between, saving included.
        self.step_seconds = 0.0

    def look(self) -> None:
        marks, now = self._read(), time.monotonic()
        if marks == self._marks:
            return
        if marks[0] != self._marks[0]:
            # The first is written before the first step.
            if self._stepped_at is not None:
                self.step_seconds = max(self.step_seconds, now - self._stepped_at)
            self._stepped_at = now
        self._marks, self._heard_at = marks, now

    def silent_seconds(self) -> float:
        """Since the last step, part of a step or batch of an evaluation; before the first, since the beginning."""
        return time.monotonic() - self._heard_at

    def _read(self) -> tuple[int, int]:
        return changed_at(self._report.progress), changed_at(self._report.pulse)


def changed_at(path: Path) -> int:
    """Nanoseconds since 1970, only good for comparing; 0 while there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
