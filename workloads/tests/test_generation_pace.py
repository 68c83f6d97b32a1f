import threading
import time

import pytest

from swe_workloads.generation import pace
from swe_workloads.generation.pace import Pace


@pytest.fixture(autouse=True)
def _short_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "FIRST_HOLD_SECONDS", 0.02)


def not_stopped() -> bool:
    return False


def entered(it: Pace, requests: int) -> list[float]:
    return [moment for _ in range(requests) if (moment := it.enter()) is not None]


def opened(most: int) -> Pace:
    it = Pace(most, not_stopped)
    it.open()
    return it


def test_it_begins_with_one_request_and_lets_the_others_in_once_that_is_taken() -> None:
    it = Pace(8, not_stopped)
    it.enter()
    assert (it.under_way, it.room) == (1, 1)
    it.open()
    assert it.room == 8
    assert len(entered(it, 7)) == 7


def test_requests_that_meet_one_limit_together_halve_the_room_once() -> None:
    it = opened(8)
    for moment in entered(it, 8):
        it.leave_limited(moment, 0)
    assert (it.room, it.under_way) == (4, 0)
    it.leave_limited(entered(it, 1)[0], 0)
    assert it.room == 2


def test_room_never_falls_below_one_request_and_grows_back_with_answers() -> None:
    it = opened(6)
    for _ in range(5):
        it.leave_limited(entered(it, 1)[0], 0)
    assert it.room == 1
    for _ in range(40):
        it.enter()
        it.leave_answered()
    assert it.room == 6


def test_nobody_enters_before_the_time_that_the_api_asked_for() -> None:
    it = opened(4)
    began = time.monotonic()
    it.leave_limited(entered(it, 1)[0], 0.4)
    it.enter()
    assert time.monotonic() - began >= 0.4


def test_whoever_waits_hears_a_stop() -> None:
    stopped = threading.Event()
    it = Pace(1, stopped.is_set)
    it.enter()
    heard: list[float | None] = []
    waiting = threading.Thread(target=lambda: heard.append(it.enter()))
    waiting.start()
    stopped.set()
    waiting.join(60)
    assert heard == [None]
