"""Instances of software engineering benchmarks, each in its own columns, as a question and its gold patch."""

import ast
import json
import re

from swe_workloads.examples import Example, Unusable, optional_text_of, text_of
from swe_workloads.reverse_diff import Irreversible, reverse_diff
from swe_workloads.rows import Row

# SWE-smith works on mirrors, such as swesmith/oauthlib__oauthlib.1fd52536.
_MIRROR = re.compile(r"^swe-?smith/(?P<owner>.+?)__(?P<name>.+)\.[0-9a-f]{8}$", re.IGNORECASE)


def swe_bench(row: Row) -> Example:
    """SWE-bench and what has its columns: the gold patch is the answer to the issue."""
    repository = text_of(row, "repo")
    record = as_chat(pro_prompt(repository, text_of(row, "problem_statement")), text_of(row, "patch"))
    return Example(
        row,
        record,
        text_of(row, "instance_id"),
        repository,
        base=_base(row, repository),
        fail_to_pass=count_tests(row.fields.get("FAIL_TO_PASS")),
    )


def swe_bench_pro(row: Row) -> Example:
    """SWE-bench Pro: lower-case columns, and an issue in three parts that its authors put together like this."""
    repository = text_of(row, "repo")
    statement = _unquoted(text_of(row, "problem_statement"))
    for title, column in (("Requirements", "requirements"), ("New interfaces introduced", "interface")):
        part = optional_text_of(row, column)
        statement += f"\n\n{title}:\n{_unquoted(part)}" if part is not None else ""
    return Example(
        row,
        as_chat(pro_prompt(repository, statement), text_of(row, "patch")),
        text_of(row, "instance_id"),
        repository,
        base=_base(row, repository),
        fail_to_pass=count_tests(row.fields.get("fail_to_pass")),
    )


def swe_smith(row: Row) -> Example:
    """SWE-smith: `patch` puts the bug in, so the answer is what takes it out again.

    All instances of a repository share one commit, each with a bug of its own; it says nothing about two of them.
    """
    repository = upstream(text_of(row, "repo"))
    try:
        patch = reverse_diff(text_of(row, "patch"))
    except Irreversible as error:
        raise Unusable(f"patch cannot be reversed: {error}") from error
    return Example(
        row,
        as_chat(pro_prompt(repository, text_of(row, "problem_statement")), patch),
        text_of(row, "instance_id"),
        repository,
        fail_to_pass=count_tests(row.fields.get("FAIL_TO_PASS")),
    )


def as_chat(prompt: str, patch: str) -> dict[str, object]:
    """A chat turn, so that the model sees in training what it will see when a chat API asks it the same."""
    # Some rows have lost the newline at the end, and git calls such a diff corrupt.
    complete = patch if patch.endswith("\n") else patch + "\n"
    return {
        "prompt": [{"role": "user", "content": prompt}],
        "completion": [{"role": "assistant", "content": complete}],
    }


def pro_prompt(repository: str, statement: str) -> str:
    """Prompt style Pro: one paragraph that names the repository, gives the problem and asks for a unified diff."""
    return (
        f"The repository {repository} has the following problem: {statement.strip()} "
        "Write a patch that solves it. Answer with a unified diff against the repository's root and nothing else."
    )


def upstream(repository: str) -> str:
    """The repository that a mirror of SWE-smith was made of; any other is itself."""
    mirror = _MIRROR.match(repository)
    return f"{mirror['owner']}/{mirror['name']}" if mirror else repository


def count_tests(value: object) -> int | None:
    """How many tests a column lists. None if it lists none."""
    tests = list_tests(value)
    return None if tests is None else len(tests)


def list_tests(value: object) -> list[str] | None:
    """The tests of a column: a list, JSON in a string or a Python literal. None if it is no list of names."""
    listed = literal(value) if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(test, str) for test in listed):
        return None
    return list(listed)


def literal(text: str) -> object:
    """What the text says as JSON, else as a Python literal, else nothing. Nothing in it is executed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _unquoted(text: str) -> str:
    """Some texts of SWE-bench Pro are JSON strings inside the string, with the newlines still escaped."""
    if len(text) < 2 or not text.strip().startswith('"') or not text.strip().endswith('"'):
        return text
    said = literal(text)
    return said if isinstance(said, str) else text


def _base(row: Row, repository: str) -> str | None:
    commit = optional_text_of(row, "base_commit")
    return f"{repository}@{commit}" if commit else None
