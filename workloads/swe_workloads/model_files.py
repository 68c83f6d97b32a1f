"""The base model's files: which of them a program needs, where they come from, and where they end up."""

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import PARALLEL_TRANSFERS, ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub import open_repository
from swe_workloads.pod import Pod
from swe_workloads.run_file import HubModel, Model, S3Model
from swe_workloads.sources import list_source, reader
from swe_workloads.transfer import Digest, Missing
from swe_workloads.verdict import FrozenSource

SAFETENSORS = ".safetensors"
INDEX = "model.safetensors.index.json"
# Weights in formats that the engine does not read when safetensors are there, or never.
OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", ".ot", ".ckpt", ".tflite")
# What a repository has for its readers: no program loads it, and it may change while the model stays the same.
FOR_READERS = (".md", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".gitattributes", ".gitignore")


@dataclass(frozen=True)
class ModelOrigin:
    """A model's folder somewhere. `sizes` are of its files in bytes, without those of sub-folders.

    `sha256` is of the files without weights, as the preparation found them, or the run that this one continues; None
    when nobody has read them before. `identity` is a sha256 that is equal only where all files are; None where nothing
    tells.
    """

    uri: str
    revision: str | None
    sha256: str | None
    sizes: dict[str, int]
    download: Callable[[str, Path], Digest]
    identity: str | None = None

    def frozen(self, tokenizer_files: dict[str, Digest]) -> FrozenSource:
        """What every attempt is to read."""
        return FrozenSource(uri=self.uri, revision=self.revision, sha256=digest_of(tokenizer_files))


def model_origin(pod: Pod, store: ArtifactStore, model: Model, frozen: FrozenSource | None) -> ModelOrigin:
    """`frozen` is what the preparation found: then it is that revision. Files other than were read before are refused.

    Raises Failure when it cannot be listed, or has no model that the engine can load.
    """
    sha256 = frozen.sha256 if frozen is not None else model.sha256
    if isinstance(model, S3Model):
        origin = _in_s3(pod, store, model, sha256)
    else:
        revision = frozen.revision if frozen is not None else None
        origin = _on_hub(pod, store, model.model_copy(update={"revision": revision or model.revision}), sha256)
    if "config.json" not in origin.sizes:
        seen = ", ".join(sorted(origin.sizes)[:5]) or "nothing"
        raise Failure(
            ExitCode.MODEL_UNUSABLE, f"There is no model at {origin.uri}: config.json is missing; found {seen}."
        )
    if not any(_is_weights(name) for name in origin.sizes):
        message = f"{origin.uri} has no model*.safetensors file; convert the weights first."
        raise Failure(ExitCode.MODEL_UNUSABLE, message)
    return origin


def fetch_model(origin: ModelOrigin, target: Path) -> dict[str, Digest]:
    """Everything the engine loads, by file name. Raises Failure(MODEL_UNUSABLE)."""
    files = fetch_tokenizer(origin, target)
    return files | _fetch(origin, _weights(origin, target), target)


def fetch_tokenizer(origin: ModelOrigin, target: Path) -> dict[str, Digest]:
    """Everything but weights. Raises Failure(MODEL_UNUSABLE)."""
    not_needed = (SAFETENSORS, *OTHER_WEIGHTS, *FOR_READERS)
    files = _fetch(origin, [name for name in origin.sizes if not name.endswith(not_needed)], target)
    if origin.sha256 is not None and digest_of(files) != origin.sha256:
        message = (
            f"The configuration or tokenizer at {origin.uri} is not the one that was read first, by this run or by the "
            "one that it continues. Put it back, or start a new run."
        )
        raise Failure(ExitCode.MODEL_UNUSABLE, message)
    _weights(origin, target)  # a part that is missing is found now, not on a GPU
    return files


def digest_of(files: dict[str, Digest]) -> str:
    """One sha256 over names and contents: equal exactly when the files are."""
    text = "".join(f"{name}\0{digest.sha256}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _in_s3(pod: Pod, store: ArtifactStore, model: S3Model, sha256: str | None) -> ModelOrigin:
    source = reader(pod, store, model.credentials, "model")
    folder = model.uri.rstrip("/") + "/"
    listed = {item.name.removeprefix(folder): item for item in list_source(source, folder)}
    sizes = _top_level({name: item.size_bytes for name, item in listed.items()})

    def download(name: str, target: Path) -> Digest:
        digest = source.download_uri(folder + name, target)
        if model.files is not None and digest.sha256 != model.files.get(name, digest.sha256):
            message = f"{folder}{name} has other bytes than the run left there that this one continues. Put them back."
            raise Failure(ExitCode.MODEL_UNUSABLE, message)
        return digest

    # What a run left is known by its bytes, anything else by when it was written.
    known = {name: (model.files or {}).get(name) or listed[name].version for name in sizes}
    return ModelOrigin(model.uri, None, sha256, sizes, download, _identity(model.uri, sizes, known))


def _on_hub(pod: Pod, store: ArtifactStore, model: HubModel, sha256: str | None) -> ModelOrigin:
    repository = open_repository(model, "model", "model.hub", pod.credentials_dir / "model", store.patience)
    sizes = _top_level({name: file.size_bytes for name, file in repository.files.items()})
    identity = _identity(f"{model.endpoint} {model.repo}", sizes, dict.fromkeys(sizes, repository.commit))
    return ModelOrigin(repository.uri, repository.commit, sha256, sizes, repository.download, identity)


def _identity(where: str, sizes: Mapping[str, int], versions: Mapping[str, str | None]) -> str | None:
    if None in versions.values():
        return None
    lines = [f"{name}\0{sizes[name]}\0{version}\n" for name, version in sorted(versions.items())]
    return hashlib.sha256("".join([f"{where}\n", *lines]).encode()).hexdigest()


def _top_level(sizes: dict[str, int]) -> dict[str, int]:
    # Sub-folders hold other exports of the same model.
    return {name: size for name, size in sizes.items() if "/" not in name and name not in (".", "..")}


def _is_weights(name: str) -> bool:
    # Beside these a folder may hold an adapter, or the same weights for another program (consolidated.safetensors).
    return name.startswith("model") and name.endswith(SAFETENSORS)


def _weights(origin: ModelOrigin, target: Path) -> list[str]:
    """The files of weights, which are those of the index if there is one."""
    if "model.safetensors" in origin.sizes or INDEX not in origin.sizes:
        return [name for name in origin.sizes if _is_weights(name)]
    try:
        wanted = sorted(set(json.loads((target / INDEX).read_text())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{INDEX} at {origin.uri} is no index of weights.") from error
    missing = [name for name in wanted if name not in origin.sizes]
    if missing:
        message = f"{origin.uri} lacks {missing[0]}, one of {len(wanted)} parts that {INDEX} names; upload it."
        raise Failure(ExitCode.MODEL_UNUSABLE, message)
    return wanted


def _fetch(origin: ModelOrigin, names: list[str], target: Path) -> dict[str, Digest]:
    try:
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            futures = {name: pool.submit(origin.download, name, target / name) for name in names}
            return {name: future.result() for name, future in futures.items()}
    except Missing as error:
        raise Failure(ExitCode.MODEL_UNUSABLE, f"{error} vanished while the model was read.") from error
