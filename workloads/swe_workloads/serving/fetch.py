"""Fetches a model, and the adapter on it, into one folder that a server takes: python -m swe_workloads.serving.fetch.

The folder is the pod's own: a pod that follows fetches again, at the same commit and with the same files, or finds them
in a cache.
"""

from pathlib import Path
from typing import Literal

from swe_workloads.adapter_files import fetch_adapter
from swe_workloads.exit_codes import ExitCode
from swe_workloads.model_files import SAFETENSORS, fetch_model, model_origin
from swe_workloads.pod import Pod, say
from swe_workloads.program import run_program
from swe_workloads.serving.model_cache import through_cache
from swe_workloads.serving.servable import make_servable
from swe_workloads.serving.serve_file import read_serve_file
from swe_workloads.verdict import FrozenSource, Part, Verdict, outcome


class FetchSources(Part):
    model: FrozenSource


class FetchVerdict(Verdict):
    """`sources` is what every later pod of the same server is to read."""

    kind: Literal["Fetch"] = "Fetch"
    sources: FetchSources | None = None


def main() -> None:
    run_program("Fetching the model", fetch, _failed)


def fetch(pod: Pod) -> FetchVerdict:
    spec = read_serve_file(pod.run_file)
    folder, store = Path(spec.folder), pod.store()
    beside = None if spec.adapter_folder is None else Path(spec.adapter_folder)
    origin = model_origin(pod, store, spec.model, None)
    if spec.cache is not None:
        origin = through_cache(origin, Path(spec.cache), pod.pod_uid)
    say(f"Fetching {origin.uri} at {origin.revision or 'its place'} into {folder}.")
    files = fetch_model(origin, folder)
    frozen = origin.frozen({name: digest for name, digest in files.items() if not name.endswith(SAFETENSORS)})
    if spec.adapter is not None:
        say(f"Fetching {spec.adapter.uri}, which TrainingRun {spec.adapter.run} left.")
        files |= fetch_adapter(store, spec.adapter, beside or folder)
    make_servable(folder, spec.adapter is not None and beside is None)
    lying = [part / name for name in files for part in (folder, beside) if part is not None and (part / name).exists()]
    size = sum(path.stat().st_size for path in lying)
    message = f"{len(files)} files with {size:,} bytes lie in {folder}."
    return FetchVerdict(**outcome(ExitCode.COMPLETED, message), sources=FetchSources(model=frozen))


def _failed(code: ExitCode, message: str) -> FetchVerdict:
    return FetchVerdict(**outcome(code, message))


if __name__ == "__main__":
    main()
