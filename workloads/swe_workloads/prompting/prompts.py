"""The prompts of a run: made once, kept beside what came of them, and read again by whoever needs them later."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import write_lines
from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.image_names import image_of
from swe_workloads.evaluation.index import WORKDIR
from swe_workloads.evaluation.roster import Known
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Unusable, text_of
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.instances import PROBLEMS
from swe_workloads.manifest import read_manifest
from swe_workloads.pod import Pod
from swe_workloads.preference_gen.raw_rows import RawRows
from swe_workloads.prompting.asked import Asked, Asker, asker
from swe_workloads.prompting.code import Code
from swe_workloads.prompting.image_code import ImageCode, Wanted
from swe_workloads.prompting.prompt_section import Prompt
from swe_workloads.prompting.row_code import brings_code, code_in
from swe_workloads.rows import BadRow
from swe_workloads.split import digest
from swe_workloads.transfer import Missing

PROMPTS_FILE = "prompts.jsonl"
Role = Literal["generate", "prepare"]
FOLDERS: Mapping[Role, str] = {"generate": "samples/", "prepare": "data/"}  # where each may write
ASKED_MANIFEST = "samples/manifest.json"  # of the generation of the same run, where there was one


@dataclass(frozen=True)
class Prompted:
    """An instance's prompt: where it lies, its sha256, and the files that it had no room for.

    The prompts of 50,000 instances are too many for the memory.
    """

    place: Place
    sha256: str
    cut: tuple[str, ...]


Prompts = Mapping[str, Prompted]


@dataclass(frozen=True)
class Making:
    """How the rows of this format become prompts, and where the code of those is that bring none."""

    prompt: Prompt
    row_format: Format
    asker: Asker
    images: ImageCode


def making(prompt: Prompt, row_format: Format, pod: Pod, store: ArtifactStore, role: Role, shelf: Shelf) -> Making:
    """Raises Failure(INVALID_CONFIGURATION) for a template that cannot be used."""
    secrets = pod.credentials_dir / "images"
    images = ImageCode(store, FOLDERS[role], pod.pod_uid, WORKDIR[row_format], secrets, shelf)
    return Making(prompt, row_format, asker(prompt, row_format), images)


def prompts_of(
    selected: Sequence[Known], raw: RawRows, how: Making, shelf: Shelf
) -> tuple[dict[str, Prompted], dict[str, BadRow]]:
    """By instance, in the same order; and the rows that no prompt can be made of, with the reason."""
    made: dict[str, Prompted] = {}
    bad: dict[str, BadRow] = {}
    if how.asker.needs_code:
        how.images.fetch(_wanted(selected, raw, how))
    for known in selected:
        row = raw.row(known)
        try:
            code = (code_in(row) or how.images.of(known.id)) if how.asker.needs_code else Code()
            made[known.id] = _laid_aside(how.asker.ask(row, code), shelf)
        except Unusable as error:
            bad[known.id] = BadRow(row.file, row.number, str(error))
    return made, bad


def _wanted(selected: Iterable[Known], raw: RawRows, how: Making) -> Iterator[Wanted]:
    for known in selected:
        row = raw.row(known)
        if brings_code(row):
            continue
        bug = text_of(row, "patch") if how.row_format == "SWESmith" else None
        image = image_of(known.id, known.image, how.prompt.images)
        yield Wanted(known.id, image, PROBLEMS[how.row_format](row).patch, bug)


def asked_before(store: ArtifactStore, shelf: Shelf, folder: Path) -> dict[str, Prompted]:
    """What the model was asked that made the samples, to the byte; nothing where the samples were brought."""
    manifest = read_manifest(store, ASKED_MANIFEST)
    key = next((one.key for one in manifest.files if one.key.endswith(f"/{PROMPTS_FILE}")), None) if manifest else None
    if manifest is None or key is None:
        return {}
    path = folder / PROMPTS_FILE
    try:
        found = store.download_all({key: path})[key]
    except Missing as error:
        raise Failure(ExitCode.INVALID_DATA, f"{key} is gone, which the generation sealed.") from error
    if found != manifest.by_key()[key]:
        raise Failure(ExitCode.INVALID_DATA, f"{key} is another file than the generation sealed.")
    return {name: _laid_aside(asked, shelf) for name, asked in _read(path)}


def write_prompts(prompts: Prompts, names: Iterable[str], shelf: Shelf, folder: Path) -> Path:
    return write_lines(folder / PROMPTS_FILE, (_line(name, prompts[name], shelf) for name in names))


def _laid_aside(asked: Asked, shelf: Shelf) -> Prompted:
    return Prompted(shelf.put(asked.prompt.encode()), digest(asked.prompt), asked.cut)


def _line(name: str, prompted: Prompted, shelf: Shelf) -> dict[str, object]:
    prompt = shelf.get(prompted.place).decode()
    return {"instance_id": name, "prompt": prompt, "sha256": prompted.sha256, "cut": prompted.cut}


def _read(path: Path) -> Iterator[tuple[str, Asked]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            yield told["instance_id"], Asked(told["prompt"], tuple(told["cut"]))
