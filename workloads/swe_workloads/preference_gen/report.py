"""Reports a PreferenceGen: makes pairs of graded patches, and leaves them as files to train with, once."""

import tempfile
import traceback
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.prepared_files import write
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.dataset_card import render_card
from swe_workloads.preference_gen.exports import write_exports
from swe_workloads.preference_gen.gen_figures import in_words, summarise
from swe_workloads.preference_gen.gen_file import read_gen_file
from swe_workloads.preference_gen.gen_page import render_page
from swe_workloads.preference_gen.graded_file import read_graded
from swe_workloads.preference_gen.made import Made, make
from swe_workloads.preference_gen.material import read_material
from swe_workloads.preference_gen.prepared_files import DECONTAMINATION_FILE
from swe_workloads.preference_gen.trajectory_rows import fetch_trajectories, write_trajectories
from swe_workloads.preference_gen.verdicts import ReportGenSummary, ReportGenVerdict
from swe_workloads.program import run_program
from swe_workloads.report_files import REPORT_MANIFEST, publish_report
from swe_workloads.seal import sealed_verdict
from swe_workloads.verdict import outcome

CARD_FILE, PAGE_FILE = "README.md", "report.html"


def main() -> None:
    run_program("The report", report, failed)


def report(pod: Pod) -> ReportGenVerdict:
    """Raises Failure. No pair at all is no failure: the verdict says why."""
    spec = read_gen_file(pod.run_file)
    store = pod.store()
    before = adopt(store)
    if before is not None:
        return before
    graded = read_graded(pod.results_file)
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as fetched, tempfile.TemporaryDirectory(dir=pod.work_dir) as out:
        material = read_material(spec, graded, store, Path(fetched))
        say(f"Read {len(material.samples)} samples and {len(material.lines)} gradings of {graded.evaluation.name}.")
        made = make(material)
        fetch_trajectories(made, store, Path(fetched))
        summary = summarise(made)
        verdict = ReportGenVerdict(**outcome(ExitCode.COMPLETED, in_words(made, summary)), summary=summary)
        files = write_accounts(made, summary, verdict.message, Path(fetched), Path(out))
        sealed = publish_report(verdict, files, pod, store)
    if sealed is None:
        say("Another pod has reported this at the same time; its result is kept.")
        return adopt(store) or verdict
    return sealed


def adopt(store: ArtifactStore) -> ReportGenVerdict | None:
    """The verdict of whoever reported it first."""
    verdict = sealed_verdict(store, REPORT_MANIFEST, ReportGenVerdict)
    if verdict is not None:
        say("This has been reported before; that is kept.")
    return verdict


def write_accounts(made: Made, summary: ReportGenSummary, message: str, fetched: Path, folder: Path) -> list[Path]:
    files = [*write_exports(made, folder), *write_trajectories(made, fetched, folder), fetched / DECONTAMINATION_FILE]
    names = [path.name for path in files]
    card = render_card(made, summary, message, [*names, PAGE_FILE])
    files.append(write(folder / CARD_FILE, card.encode()))
    try:
        files.append(write(folder / PAGE_FILE, render_page(made, summary, message, [*names, CARD_FILE]).encode()))
    except Exception:  # a defect of ours, but no reason to lose the pairs for a page
        traceback.print_exc()
    return files


def failed(code: ExitCode, message: str) -> ReportGenVerdict:
    return ReportGenVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
