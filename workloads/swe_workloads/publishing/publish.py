"""Gives the result of a run to a hub, with a model card: python -m swe_workloads.publishing.publish."""

import json
import tempfile
from pathlib import Path
from typing import Literal

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_files import prepared_verdict
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub import read_token
from swe_workloads.pod import Pod, say
from swe_workloads.program import run_program
from swe_workloads.publishing.hub_commit import commit_folder
from swe_workloads.publishing.model_card import Told, render_card
from swe_workloads.publishing.publish_file import PublishFile, read_publish_file
from swe_workloads.publishing.refusals import FIELD, refused
from swe_workloads.results import adopt_result
from swe_workloads.seal import seal, sealed_verdict
from swe_workloads.transfer import Missing
from swe_workloads.verdict import Verdict, outcome

PUBLISH_MANIFEST = "publish/manifest.json"
CARD = "README.md"


class PublishVerdict(Verdict):
    """`url` is the page of the repository, `revision` the commit that holds the result."""

    kind: Literal["Publish"] = "Publish"
    url: str | None = None
    revision: str | None = None


def main() -> None:
    run_program("The publication", publish, _failed)


def publish(pod: Pod) -> PublishVerdict:
    """Raises Failure."""
    spec = read_publish_file(pod.run_file)
    store = pod.store()
    before = _adopt(store)
    if before is not None:
        return before
    token = _token(pod)
    with tempfile.TemporaryDirectory(dir=pod.work_dir) as scratch:
        told = _look(spec, pod, store)
        files = _fetch(told, store, Path(scratch))
        (Path(scratch) / CARD).write_text(render_card(told), encoding="utf-8")
        title = f"TrainingRun {spec.training.run.name} ({spec.training.run.uid})"
        commit = commit_folder(spec.hub, token, Path(scratch), title, store.patience)
    seen = "private" if commit.is_private else "for everybody to read"
    message = f"{files} files and a model card are at {commit.url}, {seen}, commit {commit.revision}."
    verdict = PublishVerdict(**outcome(ExitCode.COMPLETED, message), url=commit.url, revision=commit.revision)
    if not seal(store, PUBLISH_MANIFEST, {}, verdict):
        say("Another pod has published the result at the same time.")
        return _adopt(store) or verdict
    return verdict


def _adopt(store: ArtifactStore) -> PublishVerdict | None:
    verdict = sealed_verdict(store, PUBLISH_MANIFEST, PublishVerdict)
    if verdict is not None:
        say("The result of this run has been published before.")
    return verdict


def _token(pod: Pod) -> str:
    try:
        return read_token(pod.credentials_dir / "publish")
    except Failure as failure:
        raise refused(f"{FIELD}.tokenSecretRef: {failure.message}") from failure


def _look(spec: PublishFile, pod: Pod, store: ArtifactStore) -> Told:
    result = adopt_result(store)
    if result is None:
        raise Failure(ExitCode.MODEL_UNUSABLE, "The result of the run is no longer in the store.")
    settings = json.loads(pod.run_file.read_text())["training"]
    return Told(spec, settings, result, prepared_verdict(store))


def _fetch(told: Told, store: ArtifactStore, target: Path) -> int:
    """What the run left of its adapter or model, as it left it. Returns how many files that are."""
    folder = f"{told.kind}/"
    artifacts = [one for one in told.result.artifacts or [] if one.name.startswith(folder)]
    if not artifacts:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"The run left nothing below {folder} in the store.")
    paths = {one.key: target / one.name.removeprefix(folder) for one in artifacts}
    try:
        digests = store.download_all(paths)
    except Missing as error:
        message = f"A file of {folder} is gone, which the run left in the store."
        raise Failure(ExitCode.MODEL_UNUSABLE, message) from error
    changed = [one.key for one in artifacts if digests[one.key].sha256 != one.sha256]
    if changed:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{changed[0]} has other bytes than the run left in the store.")
    return len(paths)


def _failed(code: ExitCode, message: str) -> PublishVerdict:
    return PublishVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
