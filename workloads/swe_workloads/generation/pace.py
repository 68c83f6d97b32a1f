"""How many requests are under way at once: as many as the API takes, at most as many as were asked for."""

import threading
import time
from collections.abc import Callable

LOOK_EVERY_SECONDS = 0.1
FIRST_HOLD_SECONDS, LONGEST_HOLD_SECONDS = 1.0, 60.0


class Pace:
    """Shared by all threads. Begins with one request, until it is known whether key, model and address are right.

    A request that was too many halves the room, and every answer gives a little back, as in TCP: an API's limits are
    known to nobody here and change with its other users.
    """

    def __init__(self, most: int, stopped: Callable[[], bool]) -> None:
        self._most = most
        self._stopped = stopped
        self._room = 1.0
        self._has_begun = False
        self._under_way = 0
        self._resumes_at = 0.0
        self._cut_at = 0.0
        self._hold_seconds = FIRST_HOLD_SECONDS / 2
        self._changed = threading.Condition()

    @property
    def room(self) -> int:
        """How many requests may be under way now."""
        return max(1, int(self._room))

    @property
    def under_way(self) -> int:
        return self._under_way

    def enter(self) -> float | None:
        """Waits for room. The moment of entering; None as soon as nothing is to be asked any more."""
        with self._changed:
            while not self._stopped():
                held = self._resumes_at - time.monotonic()
                if held <= 0 and self._under_way < self.room:
                    self._under_way += 1
                    return time.monotonic()
                # Not for long: whoever asks us to stop is a signal handler, which may take no lock.
                self._changed.wait(LOOK_EVERY_SECONDS)
        return None

    def open(self) -> None:
        """The first request has been taken: nobody need wait for its end."""
        with self._changed:
            self._begin()

    def leave(self) -> None:
        """After a try that says nothing about how much the API takes."""
        with self._changed:
            self._leave()

    def leave_answered(self) -> None:
        with self._changed:
            self._leave()
            self._room = min(float(self._most), self._room + 1 / self._room)
            # Not at once to the first: an API with one request a minute would be asked in vain ever again.
            self._hold_seconds = max(FIRST_HOLD_SECONDS / 2, self._hold_seconds / 2)

    def leave_limited(self, entered: float, wait_seconds: float) -> None:
        """After HTTP 429 to a request that entered then. Nobody asks until the API's own time is over, or a guess."""
        with self._changed:
            self._leave()
            # Of requests under way together only the first counts: they all met the same limit.
            if entered >= self._cut_at:
                self._cut_at = time.monotonic()
                self._room = max(1.0, self._room / 2)
                self._hold_seconds = min(LONGEST_HOLD_SECONDS, self._hold_seconds * 2)
            self._hold(wait_seconds or self._hold_seconds)

    def hold(self, wait_seconds: float) -> None:
        """Nobody asks for so long."""
        with self._changed:
            self._hold(wait_seconds)

    def _hold(self, seconds: float) -> None:
        self._resumes_at = max(self._resumes_at, time.monotonic() + seconds)

    def _leave(self) -> None:
        self._under_way -= 1
        self._begin()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._room = float(self._most)
        self._changed.notify_all()
