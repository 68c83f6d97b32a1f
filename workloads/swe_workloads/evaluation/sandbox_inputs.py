"""What the sandbox gets: files in a folder that it can only read."""

from dataclasses import dataclass
from pathlib import Path

from swe_workloads.evaluation import official
from swe_workloads.evaluation.grade_input import GradeInput

SANDBOX_SCRIPT = Path(__file__).with_name("sandbox.sh")
# The sandbox is another user, and root without capabilities reads what others may read.
READABLE = 0o644


@dataclass(frozen=True)
class Handover:
    """`token` begins the sandbox's own lines in the log."""

    port: int
    token: str


def hand_over(folder: Path, given: GradeInput, handover: Handover) -> None:
    """Everything but the gate."""
    files = {
        "sandbox.sh": SANDBOX_SCRIPT.read_text(),
        "eval.sh": official.eval_script(given.instance.columns),
        # As the official harness writes it: nothing is added, not even a line break at the end.
        "patch.diff": given.prediction.model_patch,
        "settings": _settings(given, handover),
    }
    if given.setup_patch is not None:
        files["setup.diff"] = given.setup_patch
    for name, content in files.items():
        _write(folder / name, content.encode())


def open_gate(folder: Path) -> None:
    """The sandbox starts when this file is there, so it comes last."""
    _write(folder / "go", b"")


def _settings(given: GradeInput, handover: Handover) -> str:
    lines = {
        "PORT": handover.port,
        "WORKDIR": given.workdir,
        "TIMEOUT": given.timeout_seconds,
        "TOKEN": handover.token,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(READABLE)
