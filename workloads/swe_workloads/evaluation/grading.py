"""From a sandbox's log to what it means, with the files that the official harness would have left."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swe_workloads.evaluation import official
from swe_workloads.evaluation.confined import Allowance, Refused, TooCostly, confined
from swe_workloads.evaluation.grade_input import BenchInput, Instance
from swe_workloads.evaluation.grade_verdict import DryRun, InfraFailure, Integrity, Passed, TestCounts
from swe_workloads.evaluation.integrity import changed_files, counts_of, integrity_of, with_doubts
from swe_workloads.evaluation.judgement import Finding, not_gradable
from swe_workloads.evaluation.official_files import RunLog, append_time_out, write_test_output
from swe_workloads.evaluation.sandbox_account import SandboxAccount, account_of
from swe_workloads.evaluation.sandbox_log import SandboxLog
from swe_workloads.evaluation.watched_files import FileChanges, file_changes


@dataclass(frozen=True)
class Graded:
    """`rules` is whose judgement it is, `log_sha256` of eval.sh's output as it came."""

    finding: Finding
    account: SandboxAccount
    rules: str
    fail_to_pass: Passed | None
    pass_to_pass: Passed | None
    log_sha256: str | None
    infra_failure: InfraFailure | None
    files: tuple[Path, ...]
    integrity: Integrity | None = None
    tests: TestCounts | None = None
    files_changed: FileChanges | None = None
    dry_run: DryRun | None = None


@dataclass(frozen=True)
class Desk:
    """Where the files of one grading lie, and what it may cost."""

    folder: Path
    log_bytes: int
    allowance: Allowance

    @property
    def test_output(self) -> Path:
        return self.folder / "test_output.txt"

    @property
    def run_log(self) -> Path:
        return self.folder / "run_instance.log"

    @property
    def report(self) -> Path:
        return self.folder / "report.json"

    @property
    def output(self) -> Path:
        return self.folder / "output.json"


def grade_log(given: BenchInput, log: SandboxLog, desk: Desk) -> Graded:
    account = account_of(log)
    finding = not_gradable(log, account, given.timeout_seconds)
    report, sha256 = None, None
    with desk.run_log.open("wb") as opened:
        run_log = RunLog(opened, given.instance.instance_id)
        run_log.patch(account)
        if account.tests is not None:
            sha256 = write_test_output(log, account.tests, desk.test_output)
            run_log.tests(account, account.tests, desk.test_output.name)
            finding = finding or _too_large_in_utf8(desk)
        if finding is None:
            run_log.diff_after(account)
            finding, report = _official_word(given, desk)
        _close(run_log, finding, given, report)
    if finding.reason == "TimedOut" and account.tests is not None:
        append_time_out(desk.test_output, given.timeout_seconds)
    integrity, tests = (None if report is None else _evidence(given, desk)) or (None, None)
    changes = file_changes(given, account)
    return Graded(
        finding, account, official.version(),
        *_passed(report, given.instance), sha256, _advice(finding, desk), tuple(_files(desk)),
        integrity and with_doubts(integrity, changed_files(changes)), tests, changes,
    )  # fmt: skip


def _official_word(given: BenchInput, desk: Desk) -> tuple[Finding, dict[str, Any] | None]:
    """The official report in a process of its own; without one the instance is an Error, as it is there."""

    def work() -> bytes:
        columns, prediction = given.instance.columns, given.prediction.model_dump()
        return json.dumps(official.grade(columns, prediction, desk.test_output)).encode()

    try:
        report: dict[str, Any] = json.loads(confined(work, desk.allowance))
    except TooCostly as error:
        return Finding("Error", "LogTooLarge", f"The official grading of the log was ended: {error}"), None
    except Refused as error:
        return Finding("Error", "NoTestOutput", f"The official grading cannot read the log: {error}"), None
    desk.report.write_text(json.dumps(report, indent=4))
    return _finding_of(report[given.instance.instance_id]), report


def _finding_of(entry: dict[str, Any]) -> Finding:
    if entry["resolved"]:
        return Finding("Resolved", "Completed", "Every FAIL_TO_PASS and PASS_TO_PASS test passes")
    if "tests_status" not in entry:
        return Finding("Unresolved", "Completed", "The log holds no test results that the official grading accepts")
    failed = [name for tests in entry["tests_status"].values() for name in tests["failure"]]
    return Finding("Unresolved", "Completed", f"{len(failed)} tests do not pass, {failed[0]} among them")


def _passed(report: dict[str, Any] | None, instance: Instance) -> tuple[Passed | None, Passed | None]:
    """None without a report; with one that has no test results, none of the tests passed."""
    if report is None:
        return None, None
    statuses = report[instance.instance_id].get("tests_status", {})
    fail_to_pass, pass_to_pass = (
        Passed(passed=len(statuses.get(kind, {"success": []})["success"]), total=len(tests))
        for kind, tests in (("FAIL_TO_PASS", instance.FAIL_TO_PASS), ("PASS_TO_PASS", instance.PASS_TO_PASS))
    )
    return fail_to_pass, pass_to_pass


def _too_large_in_utf8(desk: Desk) -> Finding | None:
    """A byte that is no UTF-8 becomes three, and the store takes no larger file than the log may be."""
    if desk.test_output.stat().st_size <= desk.log_bytes:
        return None
    with desk.test_output.open("r+b") as opened:
        opened.truncate(desk.log_bytes)
    return Finding("Error", "LogTooLarge", f"The tests printed more than {desk.log_bytes} bytes as UTF-8")


def _close(run_log: RunLog, finding: Finding, given: BenchInput, report: dict[str, Any] | None) -> None:
    name = given.instance.instance_id
    if report is None:
        run_log.info(f"Error in evaluation for {name}: {finding.message}")
        return
    run_log.info(f"Grading answer for {name}...")
    run_log.info(f"report: {report}\nResult for {name}: resolved: {report[name]['resolved']}")


def _advice(finding: Finding, desk: Desk) -> InfraFailure | None:
    """The official classification of what was not resolved, over the logs that the run summary looks at."""
    if finding.outcome == "Resolved":
        return None

    def work() -> bytes:
        return json.dumps(official.infrastructure_signs(desk.test_output, desk.run_log)).encode()

    found = _or_nothing(work, desk.allowance)
    return None if found is None else InfraFailure(reason=found[0], tier=found[1])


def _evidence(given: BenchInput, desk: Desk) -> tuple[Integrity, TestCounts] | None:
    """None where it cannot be told within the allowance."""

    def work() -> bytes:
        log, columns = desk.test_output.read_text(), given.instance.columns
        statuses = official.statuses(columns, desk.test_output)
        found = integrity_of(columns, given.prediction.model_patch, log, statuses)
        return json.dumps([found.model_dump(), counts_of(statuses).model_dump()]).encode()

    found = _or_nothing(work, desk.allowance)
    return None if found is None else (Integrity.model_validate(found[0]), TestCounts.model_validate(found[1]))


def _or_nothing(work: Callable[[], bytes], allowance: Allowance) -> Any:
    try:
        return json.loads(confined(work, allowance))
    except (TooCostly, Refused):
        return None


def _files(desk: Desk) -> list[Path]:
    return [file for file in (desk.run_log, desk.test_output, desk.report) if file.exists()]
