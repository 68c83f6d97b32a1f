"""Trajectories: what SWE-agent and mini-swe-agent write of one attempt at one instance. Each file is one sample."""

import json
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.examples import Unusable
from swe_workloads.rows import BadRow, Row, row_of
from swe_workloads.transfer import digest_file

TRAJECTORY_ENDINGS = (".traj.json", ".traj")
# One is in memory at a time, as text and as what it says: at most 1.9 GiB (measured) of the 4 that the pod has.
MOST_BYTES = 256 * 1024 * 1024
# Which of them is there says whose file it is: the first two hold the conversation, the last its steps alone.
_CONVERSATIONS, _STEPS = ("history", "messages"), "trajectory"


@dataclass(frozen=True)
class Attempt(Row):
    """A row that a trajectory comes to. `sha256` is that of its file, `said` the conversation as the agent wrote it."""

    sha256: str
    said: list[object]


def read_trajectory(path: Path, name: str) -> Attempt | BadRow:
    """What the agent submitted, as a prediction; a file that is damaged or no trajectory with the reason."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        return BadRow(name, 1, f"the trajectory has {size >> 20} MiB, {MOST_BYTES >> 20} MiB can be read")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig", errors="surrogateescape"))
        said = _conversation(document)
    except Unusable as error:
        return BadRow(name, 1, str(error))
    except (ValueError, RecursionError) as error:
        return BadRow(name, 1, f"not valid JSON: {error}")
    sha256 = digest_file(path).sha256
    settings = _settings(document)
    columns = {
        "instance_id": document.get("instance_id") or _at(settings, "problem_statement", "id") or _stem(name),
        "model_name_or_path": _at(settings, "agent", "model", "name")
        or _at(document, "info", "config", "model", "model_name"),
        "model_patch": document["info"].get("submission"),
        # Two attempts that come to one patch are two samples; two copies of one file are not.
        "trajectory_sha256": sha256,
    }
    row = row_of(name, 1, columns)
    return row if isinstance(row, BadRow) else Attempt(name, 1, row.fields, sha256, said)


def _conversation(document: object) -> list[object]:
    """Empty where only its steps were kept. Raises Unusable for what is no trajectory."""
    if not isinstance(document, dict) or not isinstance(document.get("info"), dict):
        raise Unusable("no trajectory of SWE-agent or mini-swe-agent: it has no object info")
    for part in _CONVERSATIONS:
        if isinstance(said := document.get(part), list):
            return said
    if not isinstance(document.get(_STEPS), list):
        wanted = ", ".join([*_CONVERSATIONS, _STEPS])
        raise Unusable(f"no trajectory of SWE-agent or mini-swe-agent: it has no list {wanted}")
    return []


def _settings(document: dict[str, object]) -> object:
    """SWE-agent's own, which are JSON within the JSON in most of its versions."""
    settings = document.get("replay_config")
    try:
        return json.loads(settings) if isinstance(settings, str) else settings
    except (ValueError, RecursionError):
        return None


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _stem(name: str) -> str:
    """Both agents call the file by the instance."""
    last = name.rsplit("/", 1)[-1]
    return next((last.removesuffix(ending) for ending in TRAJECTORY_ENDINGS if last.endswith(ending)), last)
