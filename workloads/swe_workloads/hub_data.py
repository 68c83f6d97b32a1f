"""A split of a dataset on a hub: which files it is made of, as the library datasets understands the repository."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub import HubRepository
from swe_workloads.rows import DATA_ENDINGS
from swe_workloads.run_file import HubDataset

# They say which configurations and splits there are; their content counts, of all others only the name does.
DESCRIPTIONS = ("README.md", ".huggingface.yaml", "dataset_infos.json")
WORDS_SHOWN = 300


def fetch_split(repository: HubRepository, wanted: HubDataset, target: Path) -> dict[str, Path]:
    """The files of one split, by their names in the repository, and no others.

    Raises Failure(INVALID_DATA) that names the field and what there is instead.
    """
    sketch = target / "sketch"
    _draw(repository, sketch)
    names = [str(Path(path).relative_to(sketch.resolve())) for path in _files_of(sketch, repository, wanted)]
    other = next((name for name in names if not name.endswith(DATA_ENDINGS)), None)
    if other is not None:
        message = f"{repository.uri}: {other} of split {wanted.split} is none of {', '.join(DATA_ENDINGS)}; convert it."
        raise Failure(ExitCode.INVALID_DATA, message)
    files = {name: target / f"{number}" for number, name in enumerate(names)}
    for name, path in files.items():
        repository.download(name, path)
    return files


def _draw(repository: HubRepository, sketch: Path) -> None:
    """The repository as a folder of empty files: enough for datasets to say what it would read."""
    for name in repository.files:
        path = sketch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in DESCRIPTIONS:
            repository.download(name, path)
        else:
            path.touch()


def _files_of(sketch: Path, repository: HubRepository, wanted: HubDataset) -> list[str]:
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    place = repository.place.field
    with _explained(repository, sketch):
        configs: list[str] = datasets.get_dataset_config_names(str(sketch))
        name = wanted.config or datasets.get_dataset_default_config_name(str(sketch))
    if name is None:
        _refuse(f"{place}.config: {repository.uri} has no default configuration; name one of", configs)
    if name not in configs:
        _refuse(f"{place}.config: {repository.uri} has no configuration {name}; there is", configs)
    with _explained(repository, sketch):
        builder: Any = datasets.load_dataset_builder(str(sketch), name=name, cache_dir=str(sketch.parent / "cache"))
        splits = {str(split): [str(path) for path in paths] for split, paths in builder.config.data_files.items()}
    if wanted.split not in splits:
        _refuse(
            f"{place}.split: {repository.uri} has no split {wanted.split} in configuration {name}; there is", splits
        )
    return splits[wanted.split]


def _refuse(problem: str, there: Iterable[str]) -> NoReturn:
    raise Failure(ExitCode.INVALID_DATA, f"{problem} {', '.join(there)}.")


@contextmanager
def _explained(repository: HubRepository, sketch: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # no data files, YAML that is none, YAML that means nothing: each has its own class
        said = str(error).replace(str(sketch.resolve()), "it").replace(str(sketch), "it")[:WORDS_SHOWN]
        message = f"{repository.uri} cannot be read as a dataset of jsonl, json or parquet files: {said}"
        raise Failure(ExitCode.INVALID_DATA, message) from error
