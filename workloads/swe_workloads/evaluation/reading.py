"""What instances and predictions are read with: their sources, and the official harness of this image."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.data_sources import FetchedData, Origin, fetch_source
from swe_workloads.evaluation import official
from swe_workloads.evaluation.benchmark_rows import Harness
from swe_workloads.evaluation.prediction_files import PREDICTION_ENDINGS, read_prediction_rows
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod
from swe_workloads.rows import DATA_ENDINGS, BadRow, Row
from swe_workloads.run_file import Source
from swe_workloads.trajectory_files import TRAJECTORY_ENDINGS

ReadFile = Callable[[Path, str], Iterator[Row | BadRow]]


def installed_harness() -> Harness:
    """What the official harness in this image can read."""
    markers = tuple(official.marker(name) for name in ("START_TEST_OUTPUT", "END_TEST_OUTPUT"))
    return Harness(official.version(), official.known_parsers(), official.known_eval_types(), markers)


def check_harness(wanted: str, harness: Harness, file: str) -> None:
    """Raises Failure(INVALID_CONFIGURATION) where a file of settings asks for another version than is installed."""
    if wanted != harness.version:
        message = (
            f"{file}: harnessVersion is {wanted}, and this image has {harness.version}. "
            "Use the harness image of the operator's own version."
        )
        raise Failure(ExitCode.INVALID_CONFIGURATION, message)


def fetch(
    source: Source,
    origin: Origin,
    pod: Pod,
    store: ArtifactStore,
    target: Path,
    endings: tuple[str, ...] = DATA_ENDINGS,
) -> FetchedData:
    """Of a folder what is called so. Raises Failure that names the field."""
    kind = "configMap" if source.config_map_file is not None else "s3" if source.uri is not None else "hub"
    try:
        return fetch_source(source, origin, pod, store, target, endings)
    except Failure as failure:
        if origin.field in failure.message:
            raise
        raise Failure(failure.code, f"{origin.field}.{kind}: {failure.message}") from failure


def fetch_predictions(source: Source, pod: Pod, store: ArtifactStore, target: Path) -> FetchedData:
    """Raises Failure that names the field."""
    return fetch(source, Origin("spec.predictions", "predictions"), pod, store, target, PREDICTION_ENDINGS)


def prediction_rows(data: FetchedData) -> Iterable[Row | BadRow]:
    """Trajectories first, by their names: files beside them may list what they submitted once more."""
    files = sorted(data.files.items(), key=lambda file: not file[0].endswith(TRAJECTORY_ENDINGS))
    return chain.from_iterable(read_prediction_rows(path, name) for name, path in files)


def rows_of(data: FetchedData, read: ReadFile) -> Iterable[Row | BadRow]:
    return chain.from_iterable(read(path, name) for name, path in data.files.items())
