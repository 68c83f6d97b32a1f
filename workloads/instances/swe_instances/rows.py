"""Rows of the fixture instances as the benchmarks publish theirs."""

import hashlib
import json
from dataclasses import dataclass

from swe_instances.eval_script import eval_script
from swe_instances.sources import Instance, Package
from swe_workloads.reverse_diff import reverse_diff

Row = dict[str, object]


@dataclass(frozen=True)
class Observed:
    """What only a run in the image can tell."""

    base_commit: str
    fail_to_pass: list[str]
    pass_to_pass: list[str]


def swe_bench_row(instance: Instance, observed: Observed) -> Row:
    """A row of SWE-bench as harness 5 wants it."""
    package = instance.package
    script = eval_script(observed.base_commit, package.install, package.test_command, instance.test_patch)
    return {
        "repo": package.repository,
        "instance_id": instance.id,
        "base_commit": observed.base_commit,
        "patch": gold(instance),
        "test_patch": instance.test_patch,
        "problem_statement": instance.problem_statement,
        "hints_text": "",
        "created_at": package.released,
        "version": package.version,
        "FAIL_TO_PASS": json.dumps(observed.fail_to_pass),
        "PASS_TO_PASS": json.dumps(observed.pass_to_pass),
        "environment_setup_commit": observed.base_commit,
        "image": f"sweb.eval.x86_64.{instance.id.lower()}:latest",
        "eval_script": script,
        "log_parser": package.log_parser,
        "eval_type": "pass_and_fail",
    }


def swe_smith_row(instance: Instance, observed: Observed) -> Row:
    """A row of SWE-smith: the image has the package without a bug, `patch` puts it in."""
    package = instance.package
    commit = observed.base_commit[:8]
    return {
        "instance_id": smith_id(instance, observed.base_commit),
        "repo": f"swesmith/{package.identifier}.{commit}",
        "patch": instance.bug,
        "FAIL_TO_PASS": observed.fail_to_pass,
        "PASS_TO_PASS": observed.pass_to_pass,
        "created_at": package.released,
        "image_name": f"swesmith.x86_64.{package.repository.replace('/', '_1776_')}.{commit}".lower(),
        "base_commit": observed.base_commit,
        "problem_statement": instance.problem_statement,
    }


def smith_id(instance: Instance, commit: str) -> str:
    """`owner__name.<commit>.<kind of bug>__<which one>`, or `….pr_<number>` for a fix of upstream's that is undone."""
    kind = str(instance.bug_type)
    which = "" if kind.startswith("pr_") else f"__{hashlib.sha256(instance.bug.encode()).hexdigest()[:8]}"
    return f"{instance.package.identifier}.{commit[:8]}.{kind}{which}"


def gold(instance: Instance) -> str:
    """The fix is the bug undone."""
    return reverse_diff(instance.bug)


def json_lines(rows: list[Row]) -> str:
    """One row a line, characters outside ASCII as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def of_package(package: Package, every: list[Instance]) -> list[Instance]:
    """Its instances that SWE-smith could have made."""
    return [instance for instance in every if instance.package == package and instance.bug_type is not None]
