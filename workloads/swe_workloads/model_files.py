"""The base model's files: which of them a program needs, and where they end up."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from swe_workloads.artifacts import PARALLEL_TRANSFERS, StoredObject
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.sources import Reader, list_source
from swe_workloads.transfer import Digest, Missing

SAFETENSORS = ".safetensors"
# Weights in formats that the engine does not read when safetensors are there, or never.
OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", ".ot", ".ckpt", ".tflite")


def fetch_model(source: Reader, uri: str, target: Path) -> dict[str, Digest]:
    """Everything the engine loads, by file name. Raises Failure(MODEL_UNUSABLE)."""
    files = _list_model(source, uri)
    if not any(name.endswith(SAFETENSORS) for name in files):
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{uri} has no *.safetensors file; convert the weights first.")
    return _fetch(source, {name: item for name, item in files.items() if not name.endswith(OTHER_WEIGHTS)}, target)


def fetch_tokenizer(source: Reader, uri: str, target: Path) -> dict[str, Digest]:
    """Everything but weights. Raises Failure(MODEL_UNUSABLE)."""
    weights = (SAFETENSORS, *OTHER_WEIGHTS)
    files = _list_model(source, uri)
    return _fetch(source, {name: item for name, item in files.items() if not name.endswith(weights)}, target)


def digest_of(files: dict[str, Digest]) -> str:
    """One sha256 over names and contents: equal exactly when the files are."""
    text = "".join(f"{name}\0{digest.sha256}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _list_model(source: Reader, uri: str) -> dict[str, StoredObject]:
    folder = uri.rstrip("/") + "/"
    found = {item.name.removeprefix(folder): item for item in list_source(source, folder)}
    # Sub-folders hold other exports of the same model.
    files = {name: item for name, item in found.items() if "/" not in name and name not in (".", "..")}
    if "config.json" not in files:
        seen = ", ".join(sorted(files)[:5]) or "nothing"
        raise Failure(ExitCode.MODEL_UNUSABLE, f"There is no model at {uri}: config.json is missing; found {seen}.")
    return files


def _fetch(source: Reader, files: dict[str, StoredObject], target: Path) -> dict[str, Digest]:
    try:
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            futures = {name: pool.submit(source.download_uri, item.name, target / name) for name, item in files.items()}
            return {name: future.result() for name, future in futures.items()}
    except Missing as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{error} vanished while the model was read.") from error
