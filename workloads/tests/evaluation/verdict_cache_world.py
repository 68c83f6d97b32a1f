"""A namespace in which evaluations come one after the other."""

import copy
from pathlib import Path
from typing import Any

from fake_artifact_endpoint import FakeEndpoint

from evaluation.eval_world import PodMaker, eval_document, prediction, stored, v5_row, write_lines
from evaluation.report_world import ReportWorld

URI = "s3://swe-operator/team/verdict-cache/"
IMAGE = f"swebench/app:1@sha256:{'1' * 64}"
ENVIRONMENT = {
    "cpu": "1",
    "memory": "4Gi",
    "ephemeralStorage": "10Gi",
    "network": "Deny",
    "isolation": "Required",
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "harnessImage": "ghcr.io/swe-operator/harness:0.1.0",
}
OUTCOMES = ("Resolved", "Unresolved", "Error")


class Namespace:
    """Where one evaluation comes after the other."""

    def __init__(self, folder: Path, endpoint: FakeEndpoint, pod_of: PodMaker) -> None:
        self.endpoint, self.folder, self.pod_of = endpoint, folder, pod_of

    def prepare(self, uid: str, *told: dict[str, Any], image: str = IMAGE, **changes: Any) -> ReportWorld:
        """Three instances. `changes` are of eval.json; those of its cache and its sandbox are merged."""
        rows = write_lines(self.folder / "rows.jsonl", *(v5_row(number, image=image) for number in (1, 2, 3)))
        preds = write_lines(self.folder / "preds.jsonl", *(told or [prediction(number) for number in (1, 2, 3)]))
        document = {
            **eval_document(rows, preds),
            "eval": {"namespace": "team", "name": f"eval-{uid}", "uid": uid},
            "cache": {"uri": URI, "predictions": "Use", "environment": copy.deepcopy(ENVIRONMENT)},
        }
        for name, change in changes.items():
            document[name] = {**document[name], **change} if isinstance(change, dict) else change
        self.endpoint.uid = uid
        self.endpoint.prefix.mkdir(parents=True, exist_ok=True)
        world = ReportWorld(self.folder, self.endpoint, self.pod_of, document=document)
        world.prepare([v5_row(number, image=image) for number in (1, 2, 3)], list(told) or None)
        return world

    def ran(self, uid: str, **changes: Any) -> ReportWorld:
        """One instance resolved, one not, and one whose patch does not apply."""
        world = self.prepare(uid, **changes)
        for ordinal, outcome in enumerate(OUTCOMES):
            grade(world, ordinal, outcome)
        world.report()
        return world

    def cached(self) -> list[str | None]:
        """As the operator is told, by ordinal."""
        return [one.get("cached") for one in stored(self.endpoint, "index.json")["predictions"]]

    def entries(self) -> list[Path]:
        return sorted((self.endpoint.objects / "swe-operator/team/verdict-cache").glob("*"))


def grade(world: ReportWorld, ordinal: int, outcome: str, **more: Any) -> None:
    known = {"instance": f"psf__requests-{ordinal + 1}"}
    if outcome == "Error":
        known["reason"] = "PatchApplyFailed"
    world.graded(ordinal, outcome, log=f"log of {ordinal}", **{**known, **more})
    if outcome == "Error":
        world.rows[-1]["reason"] = more.get("reason", "PatchApplyFailed")
