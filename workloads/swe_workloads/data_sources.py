"""Where the rows come from: a mounted ConfigMap, an S3 store or a hub. Afterwards they are local files."""

from dataclasses import dataclass
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub import HubRepository, open_repository
from swe_workloads.hub_data import fetch_split
from swe_workloads.model_files import digest_of
from swe_workloads.pod import Pod
from swe_workloads.rows import DATA_ENDINGS
from swe_workloads.run_file import Data, HubFolder, Source
from swe_workloads.sources import Reader, list_source, reader
from swe_workloads.trajectory_reports import folder_endings
from swe_workloads.transfer import Missing, digest_file
from swe_workloads.verdict import FrozenSource


@dataclass(frozen=True)
class FetchedData:
    """`files` are local, by the name the user knows them by."""

    files: dict[str, Path]
    uri: str
    revision: str | None = None

    def frozen(self) -> FrozenSource:
        """What was read, to the byte."""
        digests = {name: digest_file(path) for name, path in self.files.items()}
        return FrozenSource(uri=self.uri, revision=self.revision, sha256=digest_of(digests))


@dataclass(frozen=True)
class Origin:
    """Whose source it is: the field of the specification, and the folder in which its Secret is mounted."""

    field: str
    secret: str


def fetch_data(data: Data, pod: Pod, store: ArtifactStore, target: Path) -> FetchedData:
    """Raises Failure, with the field in it."""
    endings = DATA_ENDINGS if data.folder is None else folder_endings(data.folder)
    return fetch_source(data.source, Origin(f"data.{data.kind.lower()}", "data"), pod, store, target, endings)


def fetch_source(
    source: Source,
    origin: Origin,
    pod: Pod,
    store: ArtifactStore,
    target: Path,
    endings: tuple[str, ...] = DATA_ENDINGS,
) -> FetchedData:
    """Of a folder the objects with these endings. Raises Failure; of a hub it names the field, else what is missing."""
    if source.config_map_file is not None:
        return _mounted(Path(source.config_map_file))
    secret = pod.credentials_dir / origin.secret
    if source.hub is not None:
        repository = open_repository(source.hub, "dataset", f"{origin.field}.hub", secret, store.patience)
        if isinstance(source.hub, HubFolder):
            return _from_folder(repository, source.hub, target, endings)
        return FetchedData(fetch_split(repository, source.hub, target), repository.uri, repository.commit)
    assert source.uri is not None and source.credentials is not None  # the run file's own check
    named = reader(pod, store, source.credentials, origin.secret)
    return _from_s3(source.uri, source.sha256, named, target, endings)


def _mounted(path: Path) -> FetchedData:
    if not path.is_file():
        raise Failure(ExitCode.INVALID_DATA, f"The ConfigMap has no key {path.name}.")
    return FetchedData({path.name: path}, f"configMap:{path.name}")


def _from_folder(repository: HubRepository, wanted: HubFolder, target: Path, endings: tuple[str, ...]) -> FetchedData:
    """Files that are no rows, and so of no split."""
    below = "" if wanted.folder is None else f"{wanted.folder.rstrip('/')}/"
    names = sorted(name for name in repository.files if name.startswith(below) and name.endswith(endings))
    uri = f"{repository.uri}{'' if wanted.folder is None else f'/{wanted.folder}'}"
    if not names:
        message = f"{repository.place.field}: There is no {_either(endings)} file at {uri}."
        raise Failure(ExitCode.INVALID_DATA, message)
    files = {name: target / f"{number}" for number, name in enumerate(names)}
    for name, path in files.items():
        repository.download(name, path)
    return FetchedData(files, uri, repository.commit)


def _from_s3(uri: str, sha256: str | None, origin: Reader, target: Path, endings: tuple[str, ...]) -> FetchedData:
    names = [item.name for item in list_source(origin, uri)]
    wanted = names if names == [uri] else [name for name in names if name.endswith(endings)]
    if not wanted:
        raise Failure(ExitCode.INVALID_DATA, f"There is no {_either(endings)} object at {uri}.")
    files = {name: target / f"{number}" for number, name in enumerate(wanted)}
    try:
        for name, path in files.items():
            found = origin.download_uri(name, path)
            if sha256 is not None and found.sha256 != sha256:
                message = f"{name} has other bytes than were left there. Put them back, or start a new run."
                raise Failure(ExitCode.INVALID_DATA, message)
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"{name} vanished while it was read.") from error
    return FetchedData(files, uri)


def _either(endings: tuple[str, ...]) -> str:
    return f"{', '.join(endings[:-1])} or {endings[-1]}"
