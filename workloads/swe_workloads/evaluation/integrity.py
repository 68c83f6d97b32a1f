"""Whether the log of a graded patch bears its verdict out: evidence beside the official word, which stays as it is.

The official grading (5.0.2) takes the first block and the first exit code it finds, calls an expected failure passed,
and does not ask whether the runner came to its end. Each of that can be seen in the same log.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from swe_workloads.evaluation import official
from swe_workloads.evaluation.grade_verdict import GradeVerdict, Integrity, TestCounts
from swe_workloads.evaluation.support_files import take_apart
from swe_workloads.evaluation.watched_files import FileChanges

SUPPORT, TEST_FILES = "SupportFiles", "TestFilesChanged"
SHOWN_FILES = 3

_TRACED = re.compile(r"^\s*set\s+-\w*x", re.MULTILINE)
# The last line of pytest, with or without its frame.
_SUMMARY = re.compile(
    r"^(?:=+ )?((?:\d+ (?:failed|passed|skipped|deselected|xfailed|xpassed|rerun|warnings?|errors?)(?:, )?)+)"
    r" in [\d.]+",
    re.MULTILINE,
)
_COUNT = re.compile(r"(\d+) (\w+)")


def integrity_of(instance: Mapping[str, Any], patch: str, log: str, statuses: Mapping[str, str]) -> Integrity:
    """`log` is the whole test output, `statuses` what the official parser reads in it."""
    script = official.eval_script(instance)
    proofs = forged(script, log)
    doubts = [
        *support_files(patch, str(instance["repo"])),
        *expected_failures(instance["FAIL_TO_PASS"], statuses),
        *(unfinished(log, statuses) if official.reads_pytest(str(instance["log_parser"])) else []),
    ]
    return judged_by(proofs, doubts)


def integrity_of_patch(patch: str, repository: str) -> Integrity:
    """Where the log is read by a parser of the data set, and nothing is known of its form."""
    return judged_by([], support_files(patch, repository))


def judged_by(proofs: list[str], doubts: list[str]) -> Integrity:
    verdict: Literal["Clean", "Suspicious", "Tampered"] = "Tampered" if proofs else "Suspicious" if doubts else "Clean"
    return Integrity(verdict=verdict, reasons=[*proofs, *doubts])


def with_doubts(found: Integrity, doubts: Sequence[str]) -> Integrity:
    """What was found, and more that is no proof of anything."""
    if not doubts:
        return found
    verdict = "Tampered" if found.verdict == "Tampered" else "Suspicious"
    return Integrity.model_validate({"verdict": verdict, "reasons": [*found.reasons, *doubts]})


def changed_files(changes: FileChanges | None) -> list[str]:
    """Files of the tests that somebody else wrote to. Those that tests make besides are not watched."""
    if changes is None:
        return []
    told = (
        (changes.at_start, "did not hold what the eval script writes when the tests began"),
        (changes.meanwhile, "changed while the tests ran"),
    )
    return [f"{TEST_FILES}: {_shown(paths)} {what}" for paths, what in told if paths]


def _shown(paths: Sequence[str]) -> str:
    more = len(paths) - SHOWN_FILES
    return ", ".join(paths[:SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")


def forged(script: str, log: str) -> list[str]:
    """More of the harness's own lines than its script prints: proof, for nobody else has a reason to print them."""
    names = {"START_TEST_OUTPUT": "start", "END_TEST_OUTPUT": "end", "TEST_EXIT_CODE": "exit code"}
    markers = {what: official.marker(name) for name, what in names.items()}
    return [
        f"ForgedMarker: the {what} of the tests is in the log {log.count(text)} times, the script prints it "
        f"{printed(script, text)} times"
        for what, text in markers.items()
        if log.count(text) > printed(script, text)
    ]


def printed(script: str, marker: str) -> int:
    """How often the script itself puts the marker into the log: bash traces a command, and echo prints as well."""
    is_traced = _TRACED.search(script) is not None
    lines = [line.strip() for line in script.splitlines() if marker in line]
    return sum(is_traced + (not line.startswith(":")) for line in lines)


def support_files(patch: str, repository: str) -> list[str]:
    """Files that tests are configured by: not a proof of anything, but an honest patch rarely changes them."""
    touched = take_apart(patch, repository).paths
    return [f"{SUPPORT}: the patch changes {', '.join(touched)}"] if touched else []


def expected_failures(fail_to_pass: Sequence[str], statuses: Mapping[str, str]) -> list[str]:
    """Tests that failed as somebody expected count as passed; those that the patch is to mend should have passed."""
    names = [name for name in fail_to_pass if statuses.get(name) == "XFAIL"]
    return (
        [f"ExpectedFailures: {len(names)} FAIL_TO_PASS tests failed as expected, {names[0]} among them"]
        if names
        else []
    )


def unfinished(log: str, statuses: Mapping[str, str]) -> list[str]:
    """Results without the runner's summary, or more of them than it counts."""
    summaries = _SUMMARY.findall(log)
    if not summaries:
        return ["NoSummary: pytest never came to its summary"] if statuses else []
    counted: Counter[str] = Counter()
    for number, word in _COUNT.findall(" ".join(summaries)):
        counted[word] += int(number)
    passed = sum(status == "PASSED" for status in statuses.values())
    if passed > counted["passed"]:
        return [f"SummaryDiffers: the log has {passed} tests that passed, pytest counts {counted['passed']}"]
    failed = sum(status in ("FAILED", "ERROR") for status in statuses.values())
    if failed == 0 and counted["failed"] + counted["errors"] + counted["error"] > 0:
        return ["SummaryDiffers: pytest counts failures, the log shows none"]
    return []


def counts_of(statuses: Mapping[str, str]) -> TestCounts:
    words = Counter(statuses.values())
    return TestCounts(seen=len(statuses), skipped=words["SKIPPED"], expected_failures=words["XFAIL"])


def changes_as_with_gold(verdict: GradeVerdict, gold: GradeVerdict) -> bool:
    """Whether the gold patch's own run changes the same files of the tests: then these write them themselves."""
    ours, golden = verdict.test_files, gold.test_files
    if ours is None or golden is None:
        return False
    return ours.changed <= golden.changed and set(ours.examples) <= set(golden.examples)


def beside_gold(verdict: GradeVerdict, gold: GradeVerdict) -> list[str]:
    """What a resolved prediction did otherwise than the gold patch of its instance under the same limits."""
    if verdict.tests is None or gold.tests is None:
        return []
    ours, golden = verdict.tests, gold.tests
    doubts = []
    if ours.seen < golden.seen:
        doubts.append(f"FewerTests: {ours.seen} tests have a result, with the gold patch {golden.seen}")
    if ours.skipped + ours.expected_failures > golden.skipped + golden.expected_failures:
        doubts.append(
            f"NewSkips: {ours.skipped} tests were skipped and {ours.expected_failures} failed as expected, "
            f"with the gold patch {golden.skipped} and {golden.expected_failures}"
        )
    if _is_hasty(verdict.test_seconds, gold.test_seconds):
        doubts.append(f"TooFast: the tests took {verdict.test_seconds} s, with the gold patch {gold.test_seconds} s")
    return doubts


def _is_hasty(seconds: float | None, golden: float | None) -> bool:
    """Below ten seconds, and by less than a factor of four, nodes and caches differ as well."""
    return seconds is not None and golden is not None and golden >= 10 and seconds < golden / 4
