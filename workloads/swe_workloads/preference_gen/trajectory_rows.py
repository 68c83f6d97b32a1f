"""trajectories.jsonl: conversations that came to a patch which resolves, in the rows of SWE-smith."""

import json
from collections.abc import Iterator
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_lines
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.preference_gen.chosen_trajectories import Resolving
from swe_workloads.preference_gen.exports import origin_of, told_verdict
from swe_workloads.preference_gen.kept_trajectories import name_of
from swe_workloads.preference_gen.made import Made
from swe_workloads.split import digest
from swe_workloads.transfer import Missing

TRAJECTORIES_FILE, TRAJECTORY_ORIGINS_FILE = "trajectories.jsonl", "trajectories-provenance.jsonl"


def fetch_trajectories(made: Made, store: ArtifactStore, folder: Path) -> None:
    """What is exported, into the folder. Raises Failure(INVALID_DATA) for what is not as the preparation left it."""
    documents = {one.document for one in made.trajectories.exported}
    data = made.material.prepared.data
    keys = {f"{data}{name_of(document)}": document for document in sorted(documents)}
    try:
        digests = store.download_all({key: folder / document for key, document in keys.items()})
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"A trajectory that the preparation left is gone: {error}") from error
    changed = [key for key, digest in digests.items() if digest.sha256 != keys[key]]
    if changed:
        raise Failure(ExitCode.INVALID_DATA, f"{changed[0]} is another file than the preparation left.")


def write_trajectories(made: Made, fetched: Path, folder: Path) -> list[Path]:
    """None where none are wanted."""
    if made.material.spec.export.trajectories is None:
        return []
    return [
        write_lines(folder / TRAJECTORIES_FILE, _rows(made, fetched)),
        write_lines(folder / TRAJECTORY_ORIGINS_FILE, _origins(made)),
    ]


def _rows(made: Made, fetched: Path) -> Iterator[dict[str, object]]:
    """The columns of SWE-smith, and the repository, by which a TrainingRun may split."""
    for one in made.trajectories.exported:
        document = json.loads((fetched / one.document).read_bytes())
        yield {
            "messages": document["messages"],
            "instance_id": one.key[0],
            "resolved": True,
            "model": document["model"],
            "traj_id": one.traj_id,
            "patch": document["patch"],
            "repo": made.material.questions[one.key[0]].repository,
        }


def _origins(made: Made) -> Iterator[dict[str, object]]:
    """One for each row, in its order."""
    material, wanted = made.material, made.material.spec.export.trajectories
    origin = origin_of(material)
    for number, one in enumerate(made.trajectories.exported, start=1):
        line = material.lines.get(one.key)
        yield {
            "line": number,
            "traj_id": one.traj_id,
            "instance_id": one.key[0],
            "repo": material.questions[one.key[0]].repository,
            "image": None if line is None else line.image,
            "style": None if wanted is None else wanted.style,
            "sample": _sample(one),
            "prediction": one.key[1],
            "patch_sha256": digest(material.patches[one.key]),
            "verdict": told_verdict(line),
            **origin,
        }


def _sample(one: Resolving) -> dict[str, object]:
    """`sha256` is of the patch as it was submitted; what was graded may be another sample's text of that change."""
    return {
        "file": one.sample.file,
        "file_sha256": one.sha256,
        "model_name_or_path": one.sample.model_name_or_path,
        "sample": one.sample.sample,
        "sha256": one.sample.sha256,
    }
