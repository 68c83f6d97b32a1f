"""Sets that models are judged by: what was trained on their repositories says nothing in such an evaluation any more.

The repositories and where each list is from: evaluation_sets.json.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

TABLE_FILE = Path(__file__).with_name("evaluation_sets.json")
# By the name of the repository, by one that spells it out, by the instance's id, or as a fork under another owner.
SetRule = Literal["Repository", "Mirror", "Id", "Fork"]
# By what a row of an evaluation says: contamination.py.
RowRule = Literal["InstanceId", "PullRequest", "BaseCommit", "SamePatch", "SimilarPatch", "IssueText", "TestIds"]

RULES: tuple[SetRule | RowRule, ...] = (*get_args(SetRule), *get_args(RowRule))

# Mirrors are called like swesmith/oauthlib__oauthlib.1fd52536 or swe-bench-repos/django__django.
_MIRROR = re.compile(r"^(?P<owner>.+?)__(?P<name>.+?)(?:\.[0-9a-f]{8})?$")
# django__django-11099, instance_ansible__ansible-0ea4…-v30a9…, oauthlib__oauthlib.1fd52536.lm_rewrite__abc
_ID = re.compile(
    r"^(?:instance_)?(?P<owner>[^/]+?)__(?P<name>[^/]+?)(?:-\d+|-[0-9a-f]{7,64}(?:-v.*)?|\.[0-9a-f]{8}\..+)$"
)


@dataclass(frozen=True)
class Membership:
    """Which set, by what that is known, and which repository or instance of the set it is, or is like."""

    name: str
    rule: SetRule | RowRule
    like: str


@dataclass(frozen=True)
class _Table:
    """By the repository in small letters its set and its own spelling, and the same by its name without the owner."""

    by_repository: dict[str, tuple[str, str]]
    by_name: dict[str, tuple[str, str]]


def membership(repository: str, instance: str) -> Membership | None:
    """None where nothing says that the instance is of an evaluation set. GitHub does not look at capital letters."""
    table = _table()
    for rule, candidate in _candidates(repository, instance):
        if found := table.by_repository.get(candidate.lower()):
            return Membership(found[0], rule, found[1])
    fork = table.by_name.get(repository.rpartition("/")[2].lower())
    return Membership(fork[0], "Fork", fork[1]) if fork else None


def repository_in(instance: str) -> str | None:
    """As owner/name, where the id of the instance spells it out, as those of SWE-bench and its kin do."""
    spelt = _ID.match(instance)
    return f"{spelt['owner']}/{spelt['name']}" if spelt else None


def _candidates(repository: str, instance: str) -> Iterator[tuple[SetRule, str]]:
    yield "Repository", repository
    if mirror := _MIRROR.match(repository.rpartition("/")[2]):
        yield "Mirror", f"{mirror['owner']}/{mirror['name']}"
    if spelt := repository_in(instance):
        yield "Id", spelt


@cache
def _table() -> _Table:
    document = json.loads(TABLE_FILE.read_text())
    listed = [(one["name"], name) for one in document["sets"] for name in one["repositories"]]
    by_repository = {name.lower(): (of, name) for of, name in listed}
    # Of a name that many projects have, another owner's is no fork.
    named = {name.rpartition("/")[2].lower(): (of, name) for of, name in listed}
    return _Table(
        by_repository, {name: found for name, found in named.items() if name not in document["ordinaryNames"]}
    )
