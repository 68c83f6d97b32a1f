"""How far a generation is: a line in the log and a report to the operator, every few seconds."""

import time

from swe_workloads.generation.asking import Had
from swe_workloads.generation.pace import Pace
from swe_workloads.generation.reporting import Reporter
from swe_workloads.pod import say
from swe_workloads.report_text import count

EVERY_SECONDS = 10.0


class Progress:
    """Samples and tokens of this pod, and of `before` what earlier ones have stored."""

    def __init__(self, wanted: int, before: int, pace: Pace, reporter: Reporter) -> None:
        self._wanted = wanted
        self._before = before
        self._pace = pace
        self._reporter = reporter
        self._began = self._told = time.monotonic()
        self._had = self._given_up = self._retries = 0
        self._prompt_tokens = self._completion_tokens = 0

    def had(self, one: Had) -> None:
        self._had += 1
        self._retries += one.tries - 1
        self._prompt_tokens += one.answer.prompt_tokens
        self._completion_tokens += one.answer.completion_tokens

    def gave_up(self) -> None:
        self._given_up += 1

    def tell_if_due(self) -> None:
        if time.monotonic() - self._told >= EVERY_SECONDS:
            self.tell()

    def tell(self) -> None:
        self._told = time.monotonic()
        minutes = max(self._told - self._began, 1.0) / 60
        done = self._before + self._had
        self._reporter.tell(done, self._wanted)
        say(
            f"{count(done)} of {count(self._wanted)} samples, {self._had / minutes:.1f} a minute; given up: "
            f"{count(self._given_up)}, tried again: {count(self._retries)}; tokens: {count(self._prompt_tokens)} in "
            f"prompts, {count(self._completion_tokens)} in answers; {self._pace.under_way} requests under way, "
            f"{self._pace.room} allowed."
        )
