"""What the sandbox gets: files in a folder that it can only read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.evaluation import official
from swe_workloads.evaluation.eval_commands import environment_of_tests
from swe_workloads.evaluation.grade_input import Asset, BenchInput, GradeInput, ProInput
from swe_workloads.evaluation.grade_verdict import Purpose
from swe_workloads.evaluation.image_assets import restore_command, staged_name
from swe_workloads.evaluation.no_op import NO_OP_PATCH
from swe_workloads.evaluation.pro_scripts import eval_script, without_binaries
from swe_workloads.evaluation.watched_files import changed_python, watched_files

SANDBOX_SCRIPT = Path(__file__).with_name("sandbox.sh")
COMPILE_SCRIPT = Path(__file__).with_name("compile_files.py")
WATCH_SCRIPT = Path(__file__).with_name("watch_files.sh")
# The sandbox is another user, and root without capabilities reads what others may read.
READABLE = 0o644
ENTERABLE = 0o755


@dataclass(frozen=True)
class Handover:
    """`token` begins the sandbox's own lines in the log, which comes to the first of the ports."""

    ports: Sequence[int]
    token: str
    purpose: Purpose = "Grade"


def hand_over(folder: Path, given: GradeInput, handover: Handover) -> None:
    """Everything but the gate."""
    files = {
        "sandbox.sh": SANDBOX_SCRIPT.read_text(),
        "settings": _settings(given, handover),
        **(_of_dry_run(given) if handover.purpose == "DryRun" else _of_tests(given)),
    }
    for name, content in files.items():
        write_readable(folder / name, content.encode())
    if isinstance(given, BenchInput) and given.assets:
        _stage(given.assets, folder / "image_assets")


def open_gate(folder: Path) -> None:
    """The sandbox starts when this file is there, so it comes last."""
    write_readable(folder / "go", b"")


def _of_tests(given: GradeInput) -> dict[str, str]:
    return {**(_of_pro(given) if isinstance(given, ProInput) else _of_bench(given)), **_watch(given)}


def _of_dry_run(given: GradeInput) -> dict[str, str]:
    """What applies the patch, and what compiles: nothing that could run a test."""
    if isinstance(given, ProInput):
        applies = {name: text for name, text in _of_pro(given).items() if name not in ("eval.sh", "run_script.sh")}
    else:
        environment = environment_of_tests(given.instance.eval_script)
        applies = {"patch.diff": given.prediction.model_patch, "environment.sh": environment}
        applies |= {} if given.setup_patch is None else {"setup.diff": given.setup_patch}
    listed = "".join(f"{path}\n" for path in changed_python(given.prediction.model_patch))
    return {**applies, "compile_files.py": COMPILE_SCRIPT.read_text(), "python_files": listed}


def _of_bench(given: BenchInput) -> dict[str, str]:
    setup = {} if given.setup_patch is None else {"setup.diff": given.setup_patch}
    # As the official harness writes it: nothing is added, not even a line break at the end.
    return {
        "eval.sh": official.eval_script(
            given.instance.columns, [restore_command(asset.path) for asset in given.assets]
        ),
        "patch.diff": given.prediction.model_patch,
        **setup,
    }


def _of_pro(given: ProInput) -> dict[str, str]:
    instance = given.instance
    return {
        "environment.sh": instance.environment,
        "patch.diff": without_binaries(given.prediction.model_patch),
        "restore.sh": instance.restore + "\n",
        "eval.sh": eval_script(instance.test_files),
        "run_script.sh": instance.run_script,
    }


def _watch(given: GradeInput) -> dict[str, str]:
    """The files whose contents the sandbox is to list, if there are any."""
    paths = watched_files(given)
    if not paths:
        return {}
    files = {"test_files": "".join(f"{given.workdir}/{path}\n" for path in paths)}
    return files if isinstance(given, ProInput) else files | {"watch_files.sh": WATCH_SCRIPT.read_text()}


def _stage(assets: Sequence[Asset], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(ENTERABLE)
    for asset in assets:
        write_readable(folder / staged_name(asset.path), asset.content)


def _settings(given: GradeInput, handover: Handover) -> str:
    lines: dict[str, object] = {
        "PORT": handover.ports[0],
        "WORKDIR": given.workdir,
        "TIMEOUT": given.timeout_seconds,
        "TOKEN": handover.token,
    }
    if isinstance(given, ProInput):
        lines["BASE"] = given.instance.base_commit
    if len(handover.ports) > 1:
        lines["ERRORS_PORT"] = handover.ports[1]
    if handover.purpose == "DryRun":
        lines["DRY_RUN"] = 1
    if given.prediction.model_patch == NO_OP_PATCH:
        lines["SCAN"] = 1  # one try of each image is enough
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def write_readable(file: Path, content: bytes) -> None:
    """For whoever has the folder mounted."""
    file.write_bytes(content)
    file.chmod(READABLE)
