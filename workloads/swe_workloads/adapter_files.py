"""The adapter that another run left, for this one to go on with: its files, and whether the run's settings agree."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Adapter, Lora, RunFile
from swe_workloads.transfer import Digest, Missing

# Beside the model's own files where both are looked at, and in what is told of the files of a run.
ADAPTER_FOLDER = "adapter"
CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
# Options of TRL that say what an adapter is; one that exists already says so itself.
SHAPING_OPTIONS = ("lora_modules_to_save", "lora_target_parameters", "use_dora", "use_rslora")


class AdapterSettings(BaseModel):
    """What adapter_config.json says, as far as a run says it too."""

    r: int
    lora_alpha: int
    target_modules: list[str] | str


def fetch_settings(store: ArtifactStore, adapter: Adapter, target: Path) -> None:
    """What the preparation needs. Raises Failure(MODEL_UNUSABLE) when anything is gone or not as it was left."""
    _fetch(store, adapter, target, (CONFIG,))
    read_settings(target, adapter)


def fetch_adapter(store: ArtifactStore, adapter: Adapter, target: Path) -> dict[str, Digest]:
    """What the engine loads, by file name. Raises Failure(MODEL_UNUSABLE) when it is gone or not as it was left."""
    return _fetch(store, adapter, target, (CONFIG, WEIGHTS))


def read_settings(folder: Path, adapter: Adapter) -> AdapterSettings:
    try:
        return AdapterSettings.model_validate_json((folder / CONFIG).read_text())
    except ValidationError as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{adapter.uri}/{CONFIG} is not one of a LoRA adapter.") from error


def disagreements(run: RunFile, found: AdapterSettings, all_linear: Iterable[str]) -> list[str]:
    """What the run says of an adapter that has it otherwise. `all_linear` are the modules which that means."""
    assert run.adapter is not None and run.lora is not None  # the run file's own check
    whose = f"the adapter of TrainingRun {run.adapter.run}"
    numbers = {"lora.rank": (run.lora.rank, found.r), "lora.alpha": (run.lora.alpha, found.lora_alpha)}
    problems = [
        f"{field} {asked} is not that of {whose}, which has {has}: leave it out"
        for field, (asked, has) in numbers.items()
        if asked != has
    ]
    adapted = found.target_modules if isinstance(found.target_modules, list) else [found.target_modules]
    if _wanted(run.lora, all_linear) != set(adapted):
        problems.append(f"lora.targetModules: {whose} is one of {', '.join(sorted(adapted))}: leave it out")
    return problems + [
        f"engineOptions.{name}: {whose} has its own: leave it out"
        for name in SHAPING_OPTIONS
        if name in run.engine_options
    ]


def _wanted(lora: Lora, all_linear: Iterable[str]) -> set[str]:
    return set(all_linear) if lora.target_modules == ["all-linear"] else set(lora.target_modules)


def _fetch(store: ArtifactStore, adapter: Adapter, target: Path, names: Iterable[str]) -> dict[str, Digest]:
    digests = {}
    for name in names:
        uri = f"{adapter.uri.rstrip('/')}/{name}"
        try:
            digests[name] = store.download_uri(uri, target / name)
        except Missing as error:
            raise Failure(ExitCode.MODEL_UNUSABLE, f"{uri} is gone, which TrainingRun {adapter.run} left.") from error
        if digests[name].sha256 != adapter.files.get(name):
            message = f"{uri} has other bytes than TrainingRun {adapter.run} left there. Put them back."
            raise Failure(ExitCode.MODEL_UNUSABLE, message)
    return digests
