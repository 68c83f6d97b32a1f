"""A prediction that is looked at and not tested: is it a diff, does it apply, does its Python compile."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.evaluation import official
from swe_workloads.evaluation.diffs import diff_problem
from swe_workloads.evaluation.grade_input import GradeInput, ProInput
from swe_workloads.evaluation.grade_verdict import DryRun, sentence
from swe_workloads.evaluation.grading import Desk, Graded
from swe_workloads.evaluation.judgement import Finding, last_words, not_gradable
from swe_workloads.evaluation.pro_rules import RULES
from swe_workloads.evaluation.sandbox_account import SandboxAccount, account_of
from swe_workloads.evaluation.sandbox_log import SandboxLog
from swe_workloads.evaluation.watched_files import changed_paths, changed_python

SHOWN_ERRORS = 5
ERROR_CHARACTERS = 300


@dataclass(frozen=True)
class Compiled:
    """Of the Python files that a patch leaves behind: how many compile, and what is the matter with the others."""

    good: int
    errors: tuple[str, ...]


def check_prediction(given: GradeInput, log: SandboxLog, desk: Desk) -> Graded:
    account = account_of(log)
    found = _found(given, account)
    finding = _ended_early(given, log, account) or _finding_of(given, account, found)
    rules = RULES if isinstance(given, ProInput) else official.version()
    told = found if finding.outcome == "Checked" else None
    return Graded(finding, account, rules, None, None, None, None, (_log_of(account, desk),), dry_run=told)


def _ended_early(given: GradeInput, log: SandboxLog, account: SandboxAccount) -> Finding | None:
    """None where the sandbox came to its end, or to that of the commands that apply a patch."""
    if account.broken is None and (account.is_checked or account.patch == "Refused"):
        return None
    return not_gradable(log, account, given.timeout_seconds)


def _found(given: GradeInput, account: SandboxAccount) -> DryRun:
    patch = given.prediction.model_patch
    problem = diff_problem(patch)
    applies = account.applied_with is not None
    compiled = (compiled_of(changed_python(patch), account.compiled) if applies else None) or Compiled(0, ())
    return DryRun(
        parses=problem is None,
        parse_problem=problem,
        applies=applies,
        compiles=None if compiled == Compiled(0, ()) else not compiled.errors,
        python_files=compiled.good + len(compiled.errors),
        other_files=len(set(changed_paths(patch)) - set(changed_python(patch))),
        errors=[sentence(error)[:ERROR_CHARACTERS] for error in compiled.errors[:SHOWN_ERRORS]],
    )


def compiled_of(paths: Sequence[str], said: str | None) -> Compiled | None:
    """None where the image has no interpreter that starts. One does not survive a file that it has no answer for."""
    if said is None or "ready" not in said.splitlines():
        return None
    answers = {fields[1]: fields for line in said.splitlines() if len(fields := line.split("\t")) > 1}
    bad = [f"{path}: {answers[path][-1]}" for path in paths if path in answers and answers[path][0] == "bad"]
    lost = [f"{path}: the interpreter ended while it compiled" for path in paths if path not in answers]
    return Compiled(sum(fields[0] == "ok" for fields in answers.values()), (*bad, *lost[:1]))


def _finding_of(given: GradeInput, account: SandboxAccount, found: DryRun) -> Finding:
    if not found.applies and not found.parses:
        return Finding(
            "Checked", "DoesNotParse", f"The prediction is no diff that could be applied: {found.parse_problem}"
        )
    if not found.applies:
        return Finding("Checked", "DoesNotApply", f"The patch does not apply: {last_words(account)}")
    if found.errors:
        more = f" Files that do not compile: {len(found.errors)}." if len(found.errors) > 1 else ""
        return Finding("Checked", "DoesNotCompile", f"The patch applies and does not compile: {found.errors[0]}.{more}")
    return Finding("Checked", "Ok", _in_words(given, account, found))


def _in_words(given: GradeInput, account: SandboxAccount, found: DryRun) -> str:
    told = [f"Applies by {account.applied_with}."]
    if found.python_files:
        told.append(f"Python files that it changes and that compile: {found.python_files}.")
    elif account.compiled is None and changed_python(given.prediction.model_patch):
        told.append("The image has no Python to compile with.")
    if found.other_files:
        told.append(f"Other files, which are not checked: {found.other_files}.")
    if found.parse_problem is not None:
        told.append(f"As a diff it is malformed: {found.parse_problem}.")
    return " ".join(told)


def _log_of(account: SandboxAccount, desk: Desk) -> Path:
    """What each command said, for people."""
    tries = [f"$ {tried.command}\n{tried.output.strip()}\n" for tried in account.tries]
    compiled = [] if account.compiled is None else [f"$ compile\n{account.compiled.strip()}\n"]
    file = desk.folder / "dry_run.log"
    file.write_bytes("\n".join([*tries, *compiled]).encode(errors="replace")[: desk.log_bytes])
    return file
