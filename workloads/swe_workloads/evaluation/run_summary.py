"""The run summary of the official harness, `<model>.<run>.json`: schema version 2, byte for byte.

The counterpart of swebench.harness.reporting.make_run_report, which wants the logs of all predictions in a folder.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from swe_workloads.evaluation.judged import Judged

# A file's name is part of a key in the store, which takes no control characters and 1,024 bytes at most.
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
NAME_BYTES = 400


@dataclass(frozen=True)
class RunSummary:
    """`sample` is the one that this summary is about: in official terms each is a run of its own."""

    sample: int
    file: str
    content: bytes


def run_summaries(instances: Sequence[str], judged: Sequence[Judged], run: str) -> list[RunSummary]:
    """One for each sample number, the first under the run's own name."""
    summaries = []
    for sample in sorted({one.sample for one in judged}):
        of_sample = [one for one in judged if one.sample == sample]
        name = run if sample == 1 else f"{run}.{sample}"
        # The official name is that of the first prediction's model.
        file = f"{_file_name(of_sample[0].model)}.{name}.json"
        content = json.dumps(summary_document(instances, of_sample), indent=4) + "\n"
        summaries.append(RunSummary(sample, file, content.encode()))
    return summaries


def summary_document(instances: Sequence[str], judged: Sequence[Judged]) -> dict[str, object]:
    """Of one prediction for each instance at most, with the official keys in the official order.

    A prediction that could not be graded has no report.json, which is an error to the official harness.
    """
    submitted = {one.instance for one in judged}
    resolved, unresolved = _ids(judged, "Resolved"), _ids(judged, "Unresolved")
    errors, empty = _ids(judged, "Error", "Incomplete"), _ids(judged, "EmptyPatch")
    completed = sorted([*resolved, *unresolved])
    incomplete = sorted(set(instances) - submitted)
    # Only of what was not resolved: words in the logs, which change no count.
    signs = {
        one.instance: one.verdict.infra_failure
        for one in judged
        if one.state != "Resolved" and one.verdict is not None and one.verdict.infra_failure is not None
    }
    infra = sorted(name for name, sign in signs.items() if sign.tier == "environment")
    ambiguous = sorted(name for name, sign in signs.items() if sign.tier == "ambiguous")
    return {
        "total_instances": len(instances),
        "submitted_instances": len(submitted),
        "completed_instances": len(completed),
        "resolved_instances": len(resolved),
        "unresolved_instances": len(unresolved),
        "infra_failure_instances": len(infra),
        "ambiguous_failure_instances": len(ambiguous),
        "empty_patch_instances": len(empty),
        "error_instances": len(errors),
        "completed_ids": completed,
        "incomplete_ids": incomplete,
        "empty_patch_ids": empty,
        "submitted_ids": sorted(submitted),
        "resolved_ids": resolved,
        "unresolved_ids": unresolved,
        "infra_failure_ids": infra,
        "ambiguous_failure_ids": ambiguous,
        "failure_reasons": {name: signs[name].reason for name in sorted(signs)},
        "error_ids": errors,
        "schema_version": 2,
    }


def _ids(judged: Sequence[Judged], *states: str) -> list[str]:
    return sorted(one.instance for one in judged if one.state in states)


def _file_name(model: str) -> str:
    speakable = _UNSPEAKABLE.sub("_", model.replace("/", "__"))
    return speakable.encode()[:NAME_BYTES].decode(errors="ignore")
