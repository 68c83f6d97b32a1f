"""From the two streams of a SWE-bench Pro sandbox to what they mean, with the files that its harness leaves."""

import hashlib
import json
from pathlib import Path

from swe_workloads.evaluation.confined import Refused, TooCostly, confined
from swe_workloads.evaluation.grade_input import ProInput
from swe_workloads.evaluation.grade_verdict import Outcome, Passed
from swe_workloads.evaluation.grading import Desk, Graded
from swe_workloads.evaluation.integrity import changed_files, integrity_of_patch, with_doubts
from swe_workloads.evaluation.judgement import Finding, not_gradable
from swe_workloads.evaluation.official_files import RunLog
from swe_workloads.evaluation.parser_desk import NoOutput, ParserDesk
from swe_workloads.evaluation.pro_rules import RULES, Shortfall, shortfall
from swe_workloads.evaluation.sandbox_account import EvalRun, SandboxAccount, account_of
from swe_workloads.evaluation.sandbox_log import SandboxLog
from swe_workloads.evaluation.watched_files import file_changes

COPY_BYTES = 1 << 20


def grade_pro(given: ProInput, log: SandboxLog, desk: Desk, parser: ParserDesk) -> Graded:
    account = account_of(log)
    finding = not_gradable(log, account, given.timeout_seconds)
    missed, sha256 = None, None
    files = [desk.run_log]
    with desk.run_log.open("wb") as opened:
        run_log = RunLog(opened, given.instance.instance_id)
        run_log.patch(account)
        if account.tests is not None:
            sha256 = _cut_out(log, account.tests, parser.stdout)
            files += [parser.stdout, parser.stderr]
            run_log.tests(account, account.tests, parser.stdout.name)
        if finding is None:
            run_log.diff_after(account)
            finding, missed = _judge(given, desk, parser, account)
        run_log.info(f"{given.instance.instance_id}: {finding.outcome}. {finding.message}")
    prediction, instance = given.prediction, given.instance
    changes = file_changes(given, account)
    integrity = None if missed is None else integrity_of_patch(prediction.model_patch, instance.repo)
    return Graded(
        finding, account, RULES, *_passed(given, missed), sha256, None,
        tuple(file for file in [*files, desk.output] if file.exists()),
        integrity and with_doubts(integrity, changed_files(changes)), None, changes,
    )  # fmt: skip


def _judge(
    given: ProInput, desk: Desk, parser: ParserDesk, account: SandboxAccount
) -> tuple[Finding, Shortfall | None]:
    """A parser that fails is an Error: its instance has no result there either, and no cluster is at fault."""
    try:
        output = parser.parse(given.instance.parser, desk.allowance)
        desk.output.write_bytes(output)
        missed = _shortfall(given, output, desk)
    except (NoOutput, TooCostly, Refused) as error:
        return Finding("Error", "NoTestOutput", f"The instance's parser cannot read the log: {error}"), None
    return _finding_of(missed, account), missed


def _shortfall(given: ProInput, output: bytes, desk: Desk) -> Shortfall:
    """In a process of its own: the parser's output is whatever the tests made it be. Raises TooCostly or Refused."""
    listed = (given.instance.fail_to_pass, given.instance.pass_to_pass)

    def work() -> bytes:
        missed = shortfall(output, *listed)
        return json.dumps([missed.fail_to_pass, missed.pass_to_pass]).encode()

    fail_to_pass, pass_to_pass = json.loads(confined(work, desk.allowance))
    return Shortfall(tuple(fail_to_pass), tuple(pass_to_pass))


def _finding_of(missed: Shortfall, account: SandboxAccount) -> Finding:
    """Tests run without a patch that does not apply, as they do there; then the reason says what was the matter."""
    failed = missed.tests
    says = f"{len(failed)} tests do not pass, {failed[0]} among them" if failed else "Every listed test passes"
    outcome: Outcome = "Unresolved" if failed else "Resolved"
    if account.patch == "Applied":
        return Finding(outcome, "Completed", says)
    return Finding(outcome, "PatchApplyFailed", f"The patch does not apply, the tests ran without it. {says}")


def _passed(given: ProInput, missed: Shortfall | None) -> tuple[Passed | None, Passed | None]:
    if missed is None:
        return None, None
    listed = (given.instance.fail_to_pass, missed.fail_to_pass), (given.instance.pass_to_pass, missed.pass_to_pass)
    fail_to_pass, pass_to_pass = (
        Passed(passed=len(set(tests)) - len(failed), total=len(set(tests))) for tests, failed in listed
    )
    return fail_to_pass, pass_to_pass


def _cut_out(log: SandboxLog, run: EvalRun, target: Path) -> str:
    """What the tests printed, byte for byte. Returns its sha256."""
    sha = hashlib.sha256()
    left = run.ends - run.starts
    with log.file.open("rb") as source, target.open("wb") as out:
        source.seek(run.starts)
        while block := source.read(min(COPY_BYTES, left)):
            left -= len(block)
            sha.update(block)
            out.write(block)
    return sha.hexdigest()
