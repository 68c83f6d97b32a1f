"""What a checkpoint on disk must be for the engine to go on from it. No torch: structure and check sums only."""

import json
import zipfile
from pathlib import Path

# What the checkpoint was made of; added by the wrapper to the trainer's files.
INPUTS_FILE = "inputs.json"
# Written by the trainer itself when a save was interrupted.
INCOMPLETE_MARK = "checkpoint-is-incomplete.txt"
STATE_FILE = "trainer_state.json"
# The trainer goes on without a word where one of these is missing, but not as if it had never stopped.
NEEDED = ("optimizer.pt", "scheduler.pt")
RANDOM_STATES = "rng_state*.pth"
SAFETENSORS_LENGTH_BYTES = 8
LONGEST_SAFETENSORS_HEADER_BYTES = 100_000_000  # the format's own limit


def problem_of(folder: Path, step: int, ranks: int) -> str | None:
    """Why the engine cannot go on exactly from this folder with that many ranks, or None if it can."""
    if (folder / INCOMPLETE_MARK).exists():
        return "the trainer was interrupted while it wrote it"
    return _problem_of_state(folder, step) or _problem_of_random_states(folder, ranks) or _problem_of_files(folder)


def _problem_of_state(folder: Path, step: int) -> str | None:
    """trainer_state.json is written last by rank 0, and read first."""
    try:
        state = json.loads((folder / STATE_FILE).read_text())
        saved_at, total, history = state["global_step"], state["max_steps"], state["log_history"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{STATE_FILE} is missing or cut off"
    if not isinstance(total, int) or not isinstance(history, list):
        return f"{STATE_FILE} is not the trainer's"
    return None if saved_at == step else f"{STATE_FILE} is of another step"


def _problem_of_random_states(folder: Path, ranks: int) -> str | None:
    wanted = {"rng_state.pth"} if ranks == 1 else {f"rng_state_{rank}.pth" for rank in range(ranks)}
    found = {path.name for path in folder.glob(RANDOM_STATES)}
    if missing := sorted(wanted - found):
        return f"{missing[0]} is missing: each of the {ranks} ranks must go on from its own random state"
    if found != wanted:
        return f"it was written by {len(found)} ranks, and this attempt has {ranks}"
    return None


def _problem_of_files(folder: Path) -> str | None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.name for path in files}
    if missing := [name for name in NEEDED if name not in names]:
        return f"{missing[0]} is missing"
    weights = [path for path in files if path.suffix == ".safetensors"]
    if not weights:
        return "it has no weights"
    if missing := sorted(_shards_of(folder) - names):
        return f"{missing[0]} is missing"
    archives = [path for path in files if path.suffix in (".pt", ".pth")]
    problems = ((path, _problem_of_weights(path)) for path in weights)
    problems_of_archives = ((path, _problem_of_archive(path)) for path in archives)
    for path, problem in (*problems, *problems_of_archives):
        if problem is not None:
            return f"{path.name} {problem}"
    return None


def _shards_of(folder: Path) -> set[str]:
    """The files that an index says the weights are spread over; a broken index counts as one that is missing."""
    shards: set[str] = set()
    for index in folder.glob("*.safetensors.index.json"):
        try:
            shards |= set(json.loads(index.read_text())["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            shards.add(f"{index.name} in a readable form")
    return shards


def _problem_of_weights(path: Path) -> str | None:
    """The header says how long the file must be."""
    size = path.stat().st_size
    try:
        with path.open("rb") as opened:
            length = int.from_bytes(opened.read(SAFETENSORS_LENGTH_BYTES), "little")
            if not 0 < length <= min(size - SAFETENSORS_LENGTH_BYTES, LONGEST_SAFETENSORS_HEADER_BYTES):
                return "is cut off"
            header = json.loads(opened.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        end = max(ends, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "is no safetensors file"
    if not ends:
        return "holds no tensors"
    return None if size == SAFETENSORS_LENGTH_BYTES + length + end else "is cut off"


def _problem_of_archive(path: Path) -> str | None:
    """torch saves zip archives with check sums."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
            return "is empty" if not archive.namelist() else None if broken is None else f"is damaged at {broken}"
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        return "is cut off or damaged"
