"""The verdict of a graded log."""

from typing import Literal

from swe_workloads.evaluation.grade_input import GradeInput
from swe_workloads.evaluation.grade_verdict import GradeVerdict, LeakScan, TestFiles, exit_code_of, sentence
from swe_workloads.evaluation.grading import Graded
from swe_workloads.evaluation.sandbox_pod import SandboxPod
from swe_workloads.evaluation.support_files import take_apart
from swe_workloads.evaluation.watched_files import FileChanges

SHOWN_LEAKS = 3
SHOWN_FILES = 8


def verdict_of(graded: Graded, given: GradeInput, pod: SandboxPod) -> GradeVerdict:
    finding, run = graded.finding, graded.account.tests
    return GradeVerdict(
        ordinal=pod.ordinal,
        attempt=pod.attempt,
        purpose=pod.purpose,
        instance=given.instance.instance_id,
        exit_code=exit_code_of(finding.outcome, finding.reason),
        outcome=finding.outcome,
        reason=finding.reason,
        message=sentence(finding.message),
        harness=graded.rules,
        applied_with=graded.account.applied_with,
        fail_to_pass=graded.fail_to_pass,
        pass_to_pass=graded.pass_to_pass,
        infra_failure=graded.infra_failure,
        integrity=graded.integrity,
        tests=graded.tests,
        test_files=files_of(graded.files_changed),
        leaks=scan_of(graded.account.leaks),
        dry_run=graded.dry_run,
        support=support_in(given) if finding.outcome == "Resolved" else None,
        test_seconds=None if run is None else round(run.seconds, 3),
        log_bytes=None if run is None else run.ends - run.starts,
        log_sha256=graded.log_sha256,
    )


def support_in(given: GradeInput) -> Literal["Part", "All"] | None:
    """How much of the patch changes files that tests are configured by."""
    parts = take_apart(given.prediction.model_patch, given.instance.repo)
    if not parts.support:
        return None
    return "Part" if parts.others else "All"


def files_of(changes: FileChanges | None) -> TestFiles | None:
    if changes is None:
        return None
    changed = sorted({*changes.at_start, *changes.meanwhile})
    return TestFiles(watched=changes.watched, changed=len(changed), examples=changed[:SHOWN_FILES])


def scan_of(leaks: tuple[str, ...] | None) -> LeakScan | None:
    return None if leaks is None else LeakScan(commits=len(leaks), examples=list(leaks[:SHOWN_LEAKS]))
