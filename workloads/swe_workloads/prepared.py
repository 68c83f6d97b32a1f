"""What a preparation came to, in figures and in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from swe_workloads.bad_rows import examples_of, first_of
from swe_workloads.examples import Example
from swe_workloads.leaks import gold_in_prompt, leaked_across
from swe_workloads.rows import BadRow
from swe_workloads.run_file import RunFile
from swe_workloads.split import duplicates_across
from swe_workloads.tokens import Measured, percentile
from swe_workloads.verdict import PrepareSummary, RepositoryCount, Sources, TokenSummary

REPOSITORIES = 10
GOLD_EXAMPLES = 5
NAME_CHARACTERS = 128


@dataclass(frozen=True)
class Prepared:
    """`read` rows, of which so many are `usable`, of which data.select took so many: `selected`.

    `not_resolved` are attempts that were left out because a report says so.
    """

    train: list[Measured]
    test: list[Measured]
    bad: list[BadRow]
    read: int
    usable: int
    selected: int
    sources: Sources
    not_resolved: int = 0

    def used(self) -> list[Measured]:
        return [*self.train, *self.test]


def problem_with(prepared: Prepared, run: RunFile) -> str | None:
    """Why nothing can be trained on this, with what to do about it."""
    if prepared.read == 0:
        return "The data source has no rows. Check data and what it points to."
    if not prepared.used():
        # The selection never leaves none, so all that it left are bad.
        found = [f"None of the {prepared.selected or prepared.read} rows can be used."]
        if prepared.not_resolved:
            found.append(f"{prepared.not_resolved} did not resolve, as the reports beside them say.")
        if prepared.bad:
            found.append(first_of(prepared.bad))
        return " ".join([*found, _remedy(run)])
    if run.evaluation.strategy != "No" and not prepared.test:
        return _nothing_to_test(prepared, run)
    return None


def _remedy(run: RunFile) -> str:
    if run.data.kind == "Preferences":
        return "Each row needs prompt, chosen and rejected: correct them."
    if run.data.folder is not None:
        return "Correct them, bring trajectories of other instances, or set data.trajectories.onlyResolved: false."
    if run.data.kind == "Trajectories":
        return "Learn from an evaluation of other instances."
    return f"Correct the rows, or data.format if they are not {run.data.format}."


def _nothing_to_test(prepared: Prepared, run: RunFile) -> str:
    one = prepared.train[0].example
    if run.split.by == "Repository":
        group, remedy = f"of the repository {one.repository}", "Set split.by to Instance"
    else:
        alike = "pairs of one prompt" if one.group else "equal"
        group, remedy = f"of the instance {one.instance}" if one.instance else alike, "Bring more rows"
    return (
        f"All {len(prepared.train)} rows are {group}, so none is left to evaluate on. "
        f"{remedy}, widen data.select or leave out evaluation."
    )


def summarise(prepared: Prepared, run: RunFile) -> PrepareSummary:
    used = prepared.used()
    train, test = [item.example for item in prepared.train], [item.example for item in prepared.test]
    repositories = Counter(example.repository for example in [*train, *test] if example.repository)
    telling = gold_in_prompt([*train, *test])
    return PrepareSummary(
        rows=len(used),
        train=len(train),
        test=len(test),
        bad_rows=len(prepared.bad),
        bad_row_examples=examples_of(prepared.bad),
        tokens=tokens_of(used),
        truncated_percent=truncated_percent(used, run.sequence.max_length),
        duplicates_across_split=duplicates_across(train, test),
        leaked_across_split=leaked_across(train, test),
        gold_in_prompt=len(telling),
        gold_in_prompt_examples=[known_as(example) for example in telling[:GOLD_EXAMPLES]],
        repositories=[RepositoryCount(name=name, rows=rows) for name, rows in repositories.most_common(REPOSITORIES)],
    )


def tokens_of(items: Sequence[Measured]) -> TokenSummary:
    counts = [item.tokens for item in items]
    return TokenSummary(p50=percentile(counts, 0.5), p90=percentile(counts, 0.9), max=max(counts, default=0))


def truncated_percent(items: Sequence[Measured], max_length: int) -> str:
    truncated = sum(item.tokens > max_length for item in items)
    return f"{100 * truncated / len(items):.1f}" if items else "0.0"


def broken_prompts(prepared: Prepared) -> int:
    """Pairs whose tokens do not begin with those of their prompt: where answers begin is then off by some tokens."""
    return sum(not item.continued for item in prepared.used())


def known_as(example: Example) -> str:
    """How its owner finds the row again."""
    return (example.instance or f"row {example.row.number} of {example.row.file}")[:NAME_CHARACTERS]
