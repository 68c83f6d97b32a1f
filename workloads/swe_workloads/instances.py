"""Instances of software engineering benchmarks, each in its own columns, as a question and its gold patch."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from swe_workloads.examples import Example, Unusable, optional_text_of, text_of
from swe_workloads.reverse_diff import Irreversible, reverse_diff
from swe_workloads.rows import Row

# SWE-smith works on mirrors, such as swesmith/oauthlib__oauthlib.1fd52536.
_MIRROR = re.compile(r"^swe-?smith/(?P<owner>.+?)__(?P<name>.+)\.[0-9a-f]{8}$", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What an instance is about, in the words of its row. `patch` is the gold patch."""

    repository: str
    statement: str
    patch: str


def swe_bench(row: Row) -> Example:
    """SWE-bench and what has its columns: the gold patch is the answer to the issue."""
    return _example(row, swe_bench_problem(row), "FAIL_TO_PASS")


def swe_bench_pro(row: Row) -> Example:
    """SWE-bench Pro: lower-case columns, and an issue in three parts."""
    return _example(row, swe_bench_pro_problem(row), "fail_to_pass")


def swe_smith(row: Row) -> Example:
    """All instances of a repository share one commit, each with a bug of its own; it says nothing about two of them."""
    return replace(_example(row, swe_smith_problem(row), "FAIL_TO_PASS"), base=None)


def swe_bench_problem(row: Row) -> Problem:
    return Problem(text_of(row, "repo"), text_of(row, "problem_statement"), text_of(row, "patch"))


def swe_bench_pro_problem(row: Row) -> Problem:
    """The issue's parts are put together as its authors do."""
    repository = text_of(row, "repo")
    statement = unquoted(text_of(row, "problem_statement"))
    for title, column in (("Requirements", "requirements"), ("New interfaces introduced", "interface")):
        part = optional_text_of(row, column)
        statement += f"\n\n{title}:\n{unquoted(part)}" if part is not None else ""
    return Problem(repository, statement, text_of(row, "patch"))


def swe_smith_problem(row: Row) -> Problem:
    """`patch` of the row puts the bug in, so the answer is what takes it out again."""
    repository = upstream(text_of(row, "repo"))
    try:
        patch = reverse_diff(text_of(row, "patch"))
    except Irreversible as error:
        raise Unusable(f"patch cannot be reversed: {error}") from error
    return Problem(repository, text_of(row, "problem_statement"), patch)


PROBLEMS: dict[str, Callable[[Row], Problem]] = {
    "SWEBench": swe_bench_problem,
    "SWEBenchPro": swe_bench_pro_problem,
    "SWESmith": swe_smith_problem,
}


def _example(row: Row, problem: Problem, fail_to_pass: str) -> Example:
    return Example(
        row,
        as_chat(pro_prompt(problem.repository, problem.statement), problem.patch),
        text_of(row, "instance_id"),
        problem.repository,
        base=_base(row, problem.repository),
        fail_to_pass=count_tests(row.fields.get(fail_to_pass)),
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


def unquoted(text: str) -> str:
    """Some texts of SWE-bench Pro are JSON strings inside the string, with the newlines still escaped."""
    if len(text) < 2 or not text.strip().startswith('"') or not text.strip().endswith('"'):
        return text
    said = literal(text)
    return said if isinstance(said, str) else text


def _base(row: Row, repository: str) -> str | None:
    commit = optional_text_of(row, "base_commit")
    return f"{repository}@{commit}" if commit else None
