"""Asks for all samples that are missing and stores what comes, until everything is there or somebody says stop."""

import queue
from dataclasses import dataclass, field

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.generation.api_key import ApiKey
from swe_workloads.generation.asking import Asking, GivenUp, Had
from swe_workloads.generation.chat_client import ChatClient
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.generation.giving_up import GivingUp
from swe_workloads.generation.pace import LOOK_EVERY_SECONDS, Pace
from swe_workloads.generation.progress import Progress
from swe_workloads.generation.questions import Questions
from swe_workloads.generation.reporting import Reporter
from swe_workloads.generation.stored_samples import StoredSamples
from swe_workloads.stop_request import StopRequest


@dataclass
class Collecting:
    """The only thread that stores. `given_up` is what a later pod would not get either, as far as anybody knows."""

    spec: GenerateFile
    key: ApiKey
    questions: Questions
    stored: StoredSamples
    stop: StopRequest
    reporter: Reporter
    given_up: GivingUp = field(default_factory=GivingUp)
    _halted: bool = False

    @property
    def is_complete(self) -> bool:
        return len(self.stored.places) + len(self.given_up.samples) == self.stored.wanted

    def run(self) -> None:
        """Raises Failure. What had come by then is stored, unless it is the store that failed."""
        try:
            self._collect()
            self.given_up.check(len(self.stored.places))
        except Failure as failure:
            self._halted = True
            if failure.code != ExitCode.STORE_UNAVAILABLE:
                self.stored.store_batch()
            raise
        self.stored.store_batch()

    def _collect(self) -> None:
        """Answers that are under way when the stop comes are paid for, and have a part of the time that is left."""
        missing = self.stored.missing()
        threads = min(self.spec.concurrency, len(missing))
        pace = Pace(self.spec.concurrency, self._is_stopped)
        client = ChatClient(self.spec, self.key)
        asking = Asking(self.questions, client, pace, self.spec.limits.attempts, self._is_stopped)
        progress = Progress(self.stored.wanted, len(self.stored.places), pace, self.reporter)
        asking.start(missing, threads, has_worked=len(self.stored.places) > 0)
        while threads > 0 and not self.stop.engine_must_end():
            progress.tell_if_due()
            if self.stored.is_due():
                self.stored.store_batch()
            try:
                ending = asking.endings.get(timeout=LOOK_EVERY_SECONDS)
            except queue.Empty:
                continue
            if ending is None:
                threads -= 1
            else:
                self._take(ending, progress)
        while not asking.endings.empty():
            left = asking.endings.get()
            if isinstance(left, Had):
                self._take(left, progress)
        progress.tell()

    def _take(self, ending: Had | GivenUp | Exception, progress: Progress) -> None:
        if isinstance(ending, Exception):
            raise ending
        if isinstance(ending, Had):
            self.stored.add(ending)
            self.given_up.had()
            progress.had(ending)
            return
        progress.gave_up()
        self.given_up.take(ending, len(self.stored.places))

    def _is_stopped(self) -> bool:
        return self._halted or self.stop.requested
