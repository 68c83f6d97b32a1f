"""What of an instance is compared with the rows of evaluations. Columns that are not there are not compared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swe_workloads.evaluation.eval_file import Format
from swe_workloads.formats import FAIL_TO_PASS
from swe_workloads.instances import list_tests, unquoted
from swe_workloads.preference_gen.issue_texts import words_of
from swe_workloads.reverse_diff import Irreversible, reverse_diff

# django__django-11099, and SWE-smith's instances that are made of pull requests: oauthlib__oauthlib.1fd52536.pr_833
_NUMBERED = re.compile(r"^.+?__(?P<name>.+?)(?:-(?P<number>\d+)|\.[0-9a-f]{8}\.pr_(?P<request>\d+))$")
_COMMIT = re.compile(r"^[0-9a-f]{40}$")


@dataclass(frozen=True)
class Traits:
    """`requests` are pull requests and issues, by the name of the repository without its owner. `patch` is the gold."""

    name: str
    requests: frozenset[tuple[str, int]]
    base: str | None
    patch: str | None
    words: list[str]
    tests: list[str]


def traits_of(fields: Mapping[str, object], row_format: Format) -> Traits | None:
    """None of a row without a name."""
    name = _text(fields, "instance_id").removeprefix("instance_")
    if not name:
        return None
    base = _text(fields, "base_commit")
    # All instances of a repository of SWE-smith stand on one commit, which says nothing about two of them.
    is_known = row_format != "SWESmith" and _COMMIT.match(base) is not None
    return Traits(
        name,
        _requests(name, fields),
        base if is_known else None,
        _gold(_text(fields, "patch"), row_format),
        words_of(unquoted(_text(fields, "problem_statement"))),
        list_tests(fields.get(FAIL_TO_PASS[row_format])) or [],
    )


def _requests(name: str, fields: Mapping[str, object]) -> frozenset[tuple[str, int]]:
    spelt = _NUMBERED.match(name)
    repositories = {_text(fields, "repo").rpartition("/")[2], *([spelt["name"]] if spelt else [])}
    issues = fields.get("issue_numbers")
    listed = [fields.get("pull_number"), *(issues if isinstance(issues, list) else [])]
    if spelt:
        listed.append(spelt["number"] or spelt["request"])
    numbers = {int(str(one)) for one in listed if str(one).isdecimal()}
    return frozenset((repository.lower(), number) for repository in repositories for number in numbers)


def _gold(patch: str, row_format: Format) -> str | None:
    if row_format != "SWESmith":
        return patch or None
    try:
        return reverse_diff(patch)
    except Irreversible:
        return None


def _text(fields: Mapping[str, object], column: str) -> str:
    value = fields.get(column)
    return value if isinstance(value, str) else ""
