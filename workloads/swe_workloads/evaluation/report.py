"""Reports an evaluation: the official run summaries, every outcome in a line, and a page for people, written once."""

import json
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_lines
from swe_workloads.evaluation.catalog import Catalog
from swe_workloads.evaluation.comparison import Comparison, NotCompared, compare_all
from swe_workloads.evaluation.dry_run_figures import dry_run_in_words, summarise_dry_run
from swe_workloads.evaluation.dry_run_page import render_dry_run
from swe_workloads.evaluation.eval_file import EvalFile, read_eval_file
from swe_workloads.evaluation.failures_table import shown_failures
from swe_workloads.evaluation.figures import in_words, outcomes_of, summarise
from swe_workloads.evaluation.judged import Judgements, judged
from swe_workloads.evaluation.log_tails import log_tails
from swe_workloads.evaluation.prepared_files import CATALOG_FILE, DATA_MANIFEST, write
from swe_workloads.evaluation.pro_results import eval_results
from swe_workloads.evaluation.report_page import Facts, render_report
from swe_workloads.evaluation.resolved_lines import write_resolved
from swe_workloads.evaluation.result_lines import baseline_lines, result_lines
from swe_workloads.evaluation.results_file import read_results
from swe_workloads.evaluation.run_summary import run_summaries
from swe_workloads.evaluation.taken_over import read_book, taken_over
from swe_workloads.evaluation.verdict_cache import CacheBook
from swe_workloads.evaluation.verdict_keeping import keep_verdicts
from swe_workloads.evaluation.verdicts import PrepareEvalVerdict, ReportEvalVerdict
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod, say
from swe_workloads.program import run_program
from swe_workloads.report_files import REPORT_MANIFEST, publish_report
from swe_workloads.seal import sealed_verdict
from swe_workloads.verdict import outcome

RESULTS_FILE, BASELINES_FILE, PAGE_FILE = "results.jsonl", "baselines.jsonl", "report.html"
COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class Prepared:
    """What the preparation of this evaluation left in the store."""

    verdict: PrepareEvalVerdict
    catalog: Catalog
    book: CacheBook


@dataclass(frozen=True)
class Account:
    """What is to be told."""

    prepared: Prepared
    judgements: Judgements
    spec: EvalFile
    verdict: ReportEvalVerdict
    comparisons: Sequence[Comparison | NotCompared]


def main() -> None:
    run_program("The report", report, failed)


def report(pod: Pod) -> ReportEvalVerdict:
    """Raises Failure."""
    spec = read_eval_file(pod.run_file)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    prepared = read_prepared(store)
    results = read_results(pod.results_file)
    taken = taken_over(results.rows, spec.cache, prepared.book, str(prepared.verdict.data), store)
    judgements = judged(prepared.catalog, results, store, taken)
    say(f"Read the outcomes of {len(judgements.predictions)} predictions.")
    if spec.dry_run:
        return report_dry_run(spec, prepared, judgements, pod, store)
    seed = spec.instances.select.seed
    summary = summarise(prepared.catalog, judgements, seed)
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch:
        comparisons = compare_all(judgements.predictions, results.compare_with, store, Path(scratch), seed)
        if comparisons:
            summary = summary.model_copy(update={"comparisons": [one.summary() for one in comparisons]})
        verdict = ReportEvalVerdict(**outcome(ExitCode.COMPLETED, in_words(summary)), summary=summary)
        account = Account(prepared, judgements, spec, verdict, comparisons)
        files = write_accounts(account, store, Path(scratch))
        keep_verdicts(judgements, results.rows, spec, prepared.book, store)
        return publish(verdict, files, pod, store)


def report_dry_run(
    spec: EvalFile, prepared: Prepared, judgements: Judgements, pod: Pod, store: ArtifactStore
) -> ReportEvalVerdict:
    """No official file: nothing of this is a score, and nothing may look like one."""
    summary = summarise_dry_run(judgements.predictions)
    verdict = ReportEvalVerdict(**outcome(ExitCode.COMPLETED, dry_run_in_words(summary)), dry_run=summary)
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch:
        lines = write_lines(Path(scratch) / RESULTS_FILE, result_lines(judgements.predictions))
        page = render_dry_run(spec, prepared.verdict, verdict, judgements.predictions)
        return publish(verdict, [write(Path(scratch) / PAGE_FILE, page.encode()), lines], pod, store)


def adopt(store: ArtifactStore) -> ReportEvalVerdict | None:
    """The verdict of whoever reported this evaluation first."""
    verdict = sealed_verdict(store, REPORT_MANIFEST, ReportEvalVerdict)
    if verdict is not None:
        say("This evaluation has been reported before; that is kept.")
    return verdict


def read_prepared(store: ArtifactStore) -> Prepared:
    verdict = sealed_verdict(store, DATA_MANIFEST, PrepareEvalVerdict)
    if verdict is None:
        raise Failure(ExitCode.INVALID_DATA, f"There is no {DATA_MANIFEST}: this evaluation was never prepared.")
    content = store.read(f"{verdict.data}{CATALOG_FILE}")
    try:
        catalog = Catalog.model_validate_json(content or b"")
    except ValidationError as error:
        message = f"{verdict.data}{CATALOG_FILE} is not what the preparation writes, or is gone."
        raise Failure(ExitCode.INVALID_DATA, message) from error
    return Prepared(verdict, catalog, read_book(str(verdict.data), store))


def write_accounts(account: Account, store: ArtifactStore, folder: Path) -> list[Path]:
    """What a reader wants first comes first."""
    catalog, judgements = account.prepared.catalog, account.judgements
    summaries = run_summaries([one.id for one in catalog.instances], judgements.predictions, account.spec.eval.name)
    files = [write(folder / one.file, one.content) for one in summaries]
    if account.spec.instances.format == "SWEBenchPro":
        files += [write(folder / name, content) for name, content in eval_results(judgements.predictions).items()]
    lines = [write_lines(folder / RESULTS_FILE, result_lines(judgements.predictions))]
    if judgements.baselines:
        lines.append(write_lines(folder / BASELINES_FILE, baseline_lines(judgements)))
    resolved = write_resolved(judgements, str(account.prepared.verdict.data), store, folder)
    beside = [*lines, *resolved, *write_comparison(account.comparisons, folder)]
    page = write_page(account, store, [*files, *beside])
    return [*files[:1], *page, *beside, *files[1:]]


def write_comparison(comparisons: Sequence[Comparison | NotCompared], folder: Path) -> list[Path]:
    if not comparisons:
        return []
    document = {"version": 1, "comparisons": [one.document() for one in comparisons]}
    return [write(folder / COMPARISON_FILE, json.dumps(document, indent=2).encode())]


def write_page(account: Account, store: ArtifactStore, beside: Sequence[Path]) -> list[Path]:
    verdict, outcomes, catalog = account.verdict, account.judgements.predictions, account.prepared.catalog
    assert verdict.summary is not None
    facts = Facts(
        spec=account.spec,
        verdict=verdict,
        summary=verdict.summary,
        judgements=account.judgements,
        prepared=account.prepared.verdict,
        without_prediction=[name for name, samples in outcomes_of(catalog, outcomes).items() if not samples],
        comparisons=account.comparisons,
        tails=log_tails(shown_failures(outcomes), store),
        beside=[path.name for path in beside],
    )
    try:
        return [write(beside[-1].with_name(PAGE_FILE), render_report(facts).encode())]
    except Exception:  # a defect of ours, but no reason to lose the results for a page
        traceback.print_exc()
        return []


def publish(verdict: ReportEvalVerdict, files: Sequence[Path], pod: Pod, store: ArtifactStore) -> ReportEvalVerdict:
    """The verdict that stands: the first to be sealed."""
    sealed = publish_report(verdict, files, pod, store)
    if sealed is None:
        say("Another pod has reported this evaluation at the same time; its result is kept.")
        return adopt(store) or verdict
    return sealed


def failed(code: ExitCode, message: str) -> ReportEvalVerdict:
    return ReportEvalVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
