"""What a preparation came to, in figures and in words."""

from collections import Counter
from dataclasses import dataclass

from swe_workloads.rows import BadRow
from swe_workloads.run_file import RunFile
from swe_workloads.split import duplicates_across
from swe_workloads.tokens import Measured, percentile
from swe_workloads.verdict import BadRowExample, PrepareSummary, RepositoryCount, TokenSummary

BAD_ROW_EXAMPLES = 5
REPOSITORIES = 10
REASON_CHARACTERS = 200


@dataclass(frozen=True)
class Prepared:
    train: list[Measured]
    test: list[Measured]
    bad: list[BadRow]
    read: int
    usable: int
    tokenizer_sha256: str

    def used(self) -> list[Measured]:
        return [*self.train, *self.test]


def problem_with(prepared: Prepared, run: RunFile) -> str | None:
    """Why nothing can be trained on this, with what to do about it."""
    if prepared.read == 0:
        return "The data source has no rows. Check data and what it points to."
    if not prepared.used() and prepared.bad:
        first = prepared.bad[0]
        return (
            f"None of the {prepared.read} rows can be used. The first, {name_of(first)}: {first.reason}. "
            f"Correct the rows, or data.format if they are not {run.data.format}."
        )
    if not prepared.used():
        return f"data.select leaves none of the {prepared.usable} usable rows. Widen it."
    if run.evaluation is not None and not prepared.test:
        return _nothing_to_test(prepared, run)
    return None


def _nothing_to_test(prepared: Prepared, run: RunFile) -> str:
    one = prepared.train[0].example
    if run.split.by == "Repository":
        group, remedy = f"of the repository {one.repository}", "Set split.by to Instance"
    else:
        group, remedy = f"of the instance {one.instance}" if one.instance else "equal", "Bring more rows"
    return (
        f"All {len(prepared.train)} rows are {group}, so none is left to evaluate on. "
        f"{remedy}, widen data.select or leave out evaluation."
    )


def summarise(prepared: Prepared, run: RunFile) -> PrepareSummary:
    used = prepared.used()
    counts = [item.tokens for item in used]
    truncated = sum(count > run.sequence.max_length for count in counts)
    repositories = Counter(item.example.repository for item in used if item.example.repository)
    examples = [
        BadRowExample(row=bad.number, reason=_reason(bad)[:REASON_CHARACTERS])
        for bad in prepared.bad[:BAD_ROW_EXAMPLES]
    ]
    return PrepareSummary(
        rows=len(used),
        train=len(prepared.train),
        test=len(prepared.test),
        bad_rows=len(prepared.bad),
        bad_row_examples=examples,
        tokens=TokenSummary(p50=percentile(counts, 0.5), p90=percentile(counts, 0.9), max=max(counts, default=0)),
        truncated_percent=f"{100 * truncated / len(used):.1f}" if used else "0.0",
        duplicates_across_split=duplicates_across(
            [item.example for item in prepared.train], [item.example for item in prepared.test]
        ),
        repositories=[RepositoryCount(name=name, rows=rows) for name, rows in repositories.most_common(REPOSITORIES)],
    )


def name_of(bad: BadRow) -> str:
    return f"row {bad.number} of {bad.file}"


def _reason(bad: BadRow) -> str:
    # With several files a row number alone says nothing.
    return f"{bad.file.rsplit('/', 1)[-1]}: {bad.reason}" if "/" in bad.file else bad.reason
