"""When a sample is given up, and when the endpoint is."""

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.generation.asking import GivenUp
from swe_workloads.generation.misconfigured import MODEL, URL
from swe_workloads.report_text import counted

# Samples of so many instances, each tried as often as it may be, and not one answer to anybody between them. Fewer may
# be prompts that break the server.
IN_A_ROW = 5


class GivingUp:
    """One instance after another is the endpoint's trouble and not theirs: it ends the program, for a later pod."""

    def __init__(self) -> None:
        self.samples: list[GivenUp] = []
        self._in_a_row: list[GivenUp] = []

    def had(self) -> None:
        self._in_a_row.clear()

    def take(self, one: GivenUp, generated: int) -> None:
        """`generated` samples are there. Raises Failure."""
        self.samples.append(one)
        if one.fault == "Sample":
            return
        self._in_a_row.append(one)
        if len({other.sample.instance for other in self._in_a_row}) == IN_A_ROW:
            raise self._of_endpoint(generated)

    def check(self, generated: int) -> None:
        """At the end. Raises Failure if nothing at all could be had."""
        if generated > 0 or not self.samples:
            return
        if self._in_a_row:
            raise self._of_endpoint(generated)
        message = (
            f"{MODEL}: the API refuses every sample. The first, of {self.samples[0].sample.instance}: "
            f"{self.samples[0].reason}. Choose a model that takes such prompts, or other instances."
        )
        raise Failure(ExitCode.INVALID_CONFIGURATION, message)

    def _of_endpoint(self, generated: int) -> Failure:
        last = self._in_a_row[-1]
        if generated == 0 and all(one.fault == "NoApi" for one in self._in_a_row):
            message = f"{URL}: what answers there is no chat API: {last.reason}. Correct the address."
            return Failure(ExitCode.INVALID_CONFIGURATION, message)
        return Failure(
            ExitCode.ENDPOINT_UNAVAILABLE,
            f"The endpoint has given no answer to the last {counted(len(self._in_a_row), 'sample')}, each tried "
            f"{last.tries} times: {last.reason}. {generated} samples are stored; a later pod asks for the rest.",
        )
