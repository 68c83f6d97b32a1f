"""Which rows are used: the specification's select, one condition after the other, then a sample by seed and content."""

from collections.abc import Sequence

from swe_workloads.examples import Example
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.instances import upstream
from swe_workloads.run_file import FailToPass, Select
from swe_workloads.some import some
from swe_workloads.split import content_of, rank


def select(examples: Sequence[Example], wanted: Select, field: str = "data.select") -> list[Example]:
    """The rows that meet all conditions, in file order. `field` is what the specification calls them.

    Raises Failure(INVALID_DATA) when a name matches nothing or a condition leaves nothing, and says what it was
    given, so that one sees which to widen.
    """
    chosen = list(examples)
    if not chosen:
        return chosen
    if wanted.instance_ids is not None:
        _refuse_unknown(f"{field}.instanceIds", wanted.instance_ids, {example.instance for example in chosen})
        chosen = [example for example in chosen if example.instance in set(wanted.instance_ids)]
    if wanted.id_contains is not None:
        chosen = _with_id(chosen, wanted.id_contains, field)
    if wanted.repos is not None:
        repos = [upstream(name) for name in wanted.repos]
        _refuse_unknown(f"{field}.repos", repos, {example.repository for example in chosen})
        chosen = [example for example in chosen if example.repository in set(repos)]
    if wanted.fail_to_pass is not None:
        chosen = _with_tests(chosen, wanted.fail_to_pass, field)
    if wanted.limit is not None and wanted.limit < len(chosen):
        ranked = sorted(
            chosen,
            key=lambda example: (rank(wanted.seed, example.instance or content_of(example)), content_of(example)),
        )
        kept = {id(example) for example in ranked[: wanted.limit]}
        chosen = [example for example in chosen if id(example) in kept]
    return chosen


def _place(example: Example, seed: int) -> tuple[str, str]:
    """By the row and not by the group that a split keeps together: a few prompts with many pairs would be all."""
    content = content_of(example)
    return rank(seed, example.instance or content), content


def _with_id(examples: list[Example], part: str, field: str) -> list[Example]:
    chosen = [example for example in examples if part in (example.instance or "")]
    if not chosen:
        left = some([example.instance or "" for example in examples])
        _refuse(f'{field}.idContains: no id has "{part}" in it; the {len(examples)} rows left are {left}. Widen it.')
    return chosen


def _with_tests(examples: list[Example], wanted: FailToPass, field: str) -> list[Example]:
    least, most = wanted.min or 0, wanted.max
    counts = [example.fail_to_pass or 0 for example in examples]
    chosen = [
        example
        for example, count in zip(examples, counts, strict=True)
        if count >= least and (most is None or count <= most)
    ]
    if not chosen:
        asked = f"at least {least}" if most is None else f"{least} to {most}"
        have = f"the {len(examples)} rows left have {min(counts)} to {max(counts)}"
        _refuse(f"{field}.failToPass: no row has {asked} FAIL_TO_PASS tests; {have}. Widen it.")
    return chosen


def _refuse_unknown(field: str, wanted: Sequence[str], known: set[str | None]) -> None:
    names = {name for name in known if name}
    unknown = sorted(set(wanted) - names)
    if unknown:
        there = f"the rows have {some(sorted(names))}" if names else "the rows name none"
        _refuse(f"{field}: no usable row has {some(unknown)}; {there}. Correct the names.")


def _refuse(message: str) -> None:
    raise Failure(ExitCode.INVALID_DATA, message)
