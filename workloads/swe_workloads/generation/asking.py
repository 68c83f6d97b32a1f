"""Asks for samples, many at once: each until it is had, refused, or tried as often as it may be."""

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.generation.chat_answer import Answer
from swe_workloads.generation.chat_client import ChatClient
from swe_workloads.generation.misconfigured import misconfigured
from swe_workloads.generation.pace import LOOK_EVERY_SECONDS, Pace
from swe_workloads.generation.questions import Questions, Sample
from swe_workloads.generation.refusals import Refused, Rubbish, TryAgain

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
TOO_MANY_REQUESTS = 429
# Answers that wait to be stored: where the store is away, no more are paid for.
WAITING = 16


@dataclass(frozen=True)
class Had:
    sample: Sample
    answer: Answer
    tries: int


@dataclass(frozen=True)
class GivenUp:
    """Why there is no answer. `fault` is whose: the endpoint's, one's that speaks no such API, or the sample's.

    `tries` are 0 where a sample was not asked for, because another one of its instance was too long.
    """

    sample: Sample
    reason: str
    tries: int
    fault: Literal["Endpoint", "NoApi", "Sample"]


class Asking:
    """`endings` has one entry for each sample, an exception that ends everything, and None for each thread's end."""

    def __init__(
        self, questions: Questions, client: ChatClient, pace: Pace, attempts: int, stopped: Callable[[], bool]
    ) -> None:
        self._questions = questions
        self._client = client
        self._pace = pace
        self._attempts = attempts
        self._stopped = stopped
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque()
        # Those of instances that came to nothing: whether it is the endpoint shows only in others.
        self._put_off: deque[Sample] = deque()
        self._failing: set[str] = set()
        self._too_long: dict[str, str] = {}
        # Whether the endpoint, the key and the model have been seen to work: by this pod, by any pod of this run.
        self._works = self._has_worked = False
        self.endings: queue.Queue[Had | GivenUp | Exception | None] = queue.Queue(WAITING)

    def start(self, samples: Iterable[Sample], threads: int, has_worked: bool) -> None:
        """`has_worked` where an earlier pod has had answers with the same settings."""
        self._samples.extend(samples)
        self._has_worked = has_worked
        for _ in range(threads):
            # A daemon: the end of the program waits for nobody who waits for an endpoint.
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            while (sample := self._next()) is not None:
                ending = self._ask(sample)
                if ending is not None:
                    self.endings.put(ending)
        except Exception as error:
            self.endings.put(error)
        self.endings.put(None)

    def _next(self) -> Sample | None:
        with self._lock:
            if self._stopped():
                return None
            while self._samples:
                sample = self._samples.popleft()
                if sample.instance not in self._failing:
                    return sample
                self._put_off.append(sample)
            return self._put_off.popleft() if self._put_off else None

    def _ask(self, sample: Sample) -> Had | GivenUp | None:
        """None where it was stopped. Raises Failure(INVALID_CONFIGURATION)."""
        if sample.instance in self._too_long:
            return GivenUp(sample, self._too_long[sample.instance], 0, "Sample")
        prompt = self._questions.prompt(sample.instance)
        for tries in range(1, self._attempts + 1):
            entered = self._pace.enter()
            if entered is None:
                return None
            try:
                answer = self._client.ask(prompt, sample.seed, self._accepted)
            except Refused as refused:
                # First: where it is everybody's, nobody else is let in.
                given_up = self._refused(sample, refused, tries)
                self._pace.leave()
                if given_up is not None:
                    return given_up
                last: Exception = refused
            except TryAgain as error:
                self._leave(entered, error)
                last = error
            else:
                self._pace.leave_answered()
                return Had(sample, answer, tries)
            if tries < self._attempts:
                self._pause(tries)
        self._failing.add(sample.instance)
        return GivenUp(sample, str(last), self._attempts, "NoApi" if isinstance(last, Rubbish) else "Endpoint")

    def _accepted(self) -> None:
        self._works = True
        self._pace.open()

    def _refused(self, sample: Sample, refused: Refused, tries: int) -> GivenUp | None:
        """None for what may pass once it has worked: a model that is loaded again, a key that is renewed."""
        if refused.about == "Length":
            self._too_long[sample.instance] = str(refused)
        elif refused.about == "Request":
            problem = misconfigured(refused)
            proven = self._works or (self._has_worked and not problem.is_of_endpoint)
            if not proven:
                raise Failure(ExitCode.INVALID_CONFIGURATION, problem.message)
            if problem.is_of_endpoint:
                return None
        return GivenUp(sample, str(refused), tries, "Sample")

    def _leave(self, entered: float, error: TryAgain) -> None:
        if error.status == TOO_MANY_REQUESTS:
            return self._pace.leave_limited(entered, error.wait_seconds)
        self._pace.leave()
        if error.wait_seconds > 0:
            self._pace.hold(error.wait_seconds)
        return None

    def _pause(self, tries: int) -> None:
        seconds = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (tries - 1)) * random.uniform(0.7, 1.3)
        until = time.monotonic() + seconds
        while not self._stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_SECONDS))
