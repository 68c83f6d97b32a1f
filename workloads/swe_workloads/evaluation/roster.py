"""The instances of an evaluation: which rows can be graded, and which of those were asked for."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from swe_workloads.evaluation.asset_downloads import AssetDownloads
from swe_workloads.evaluation.benchmark_rows import IMAGE_CHARACTERS, Harness, Instance, gold_patch, read_instance
from swe_workloads.evaluation.eval_file import EvalFile, Gold
from swe_workloads.evaluation.image_names import image_of
from swe_workloads.evaluation.predictions import GOLD_MODEL, Prediction, Said, lay_aside
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Example, Unusable
from swe_workloads.instances import upstream
from swe_workloads.rows import BadRow, Row
from swe_workloads.selection import select

SELECT_FIELD = "spec.instances.select"


@dataclass(frozen=True, slots=True)
class Known:
    """A usable instance. `image` is what is pulled; `document` is where the rest lies, as a part of grade's input."""

    id: str
    repository: str
    image: str
    example: Example
    document: Place


@dataclass(frozen=True)
class Roster:
    """Every row is here or in `bad`. `refused` says why instances of bad rows cannot be graded, by id."""

    known: dict[str, Known] = field(default_factory=dict)
    gold: dict[str, Prediction] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def read(self) -> int:
        return len(self.known) + len(self.bad)

    def without(self, bad: Mapping[str, BadRow]) -> "Roster":
        """These instances are bad rows as well, by id."""
        known = {name: one for name, one in self.known.items() if name not in bad}
        reasons = {name: row.reason for name, row in bad.items()}
        return Roster(known, self.gold, [*self.bad, *bad.values()], {**reasons, **self.refused})


def read_roster(rows: Iterable[Row | BadRow], spec: EvalFile, harness: Harness, shelf: Shelf) -> Roster:
    """Gold patches are collected where they are graded: then a row without one cannot be used."""
    roster, downloads = Roster(), AssetDownloads(shelf)
    for row in rows:
        if isinstance(row, BadRow):
            roster.bad.append(row)
            continue
        try:
            _take(row, roster, spec, harness, shelf, downloads)
        except Unusable as error:
            bad = BadRow(row.file, row.number, str(error))
            roster.bad.append(bad)
            roster.refused.setdefault(str(row.fields.get("instance_id")), str(error))
    return roster


def _take(row: Row, roster: Roster, spec: EvalFile, harness: Harness, shelf: Shelf, downloads: AssetDownloads) -> None:
    instance = read_instance(row, spec.instances.format, harness)
    image = image_of(instance.text("instance_id"), instance.text("image"), spec.images)
    if len(image) > IMAGE_CHARACTERS:
        raise Unusable(
            f"spec.images makes a name of more than {IMAGE_CHARACTERS} characters of {instance.text('image')}"
        )
    known = _laid_aside(row, instance, image, shelf, downloads)
    if known.id in roster.known:
        first = roster.known[known.id].example.row
        raise Unusable(f"instance_id {known.id} is also that of row {first.number} of {first.file}, which is used")
    if isinstance(spec.predictions, Gold) or spec.has_baselines:
        roster.gold[known.id] = _gold(row, known.id, spec, shelf)
    roster.known[known.id] = known


def _gold(row: Row, instance: str, spec: EvalFile, shelf: Shelf) -> Prediction:
    gold = lay_aside(Said(instance, GOLD_MODEL, gold_patch(row, spec.instances.format)), row, 1, shelf)
    if gold.document is None and spec.has_baselines:
        raise Unusable(f"patch is empty, and spec.baseline {spec.baseline} grades it as the gold patch")
    return gold


def _laid_aside(row: Row, instance: Instance, image: str, shelf: Shelf, downloads: AssetDownloads) -> Known:
    part: dict[str, object] = {"instance": instance.columns}
    if instance.setup_patch is not None:
        part["setupPatch"] = instance.setup_patch
    if instance.assets:
        part["assets"] = [
            {"path": asset.path, "content": base64.b64encode(content).decode()}
            for asset, content in zip(instance.assets, downloads.contents(instance.assets), strict=True)
        ]
    name, repository = instance.text("instance_id"), upstream(instance.text("repo"))
    # Its place is enough from here on: the lists of tests of 50,000 instances are gigabytes.
    example = Example(replace(row, fields={}), {}, name, repository, fail_to_pass=instance.fail_to_pass)
    # Without the braces: it becomes a part of a larger document, which is never parsed here.
    document = shelf.put(json.dumps(part, ensure_ascii=False)[1:-1].encode())
    return Known(name, repository, image, example, document)


def chosen(roster: Roster, spec: EvalFile) -> list[Known]:
    """What spec.instances.select leaves, in file order. Raises Failure(INVALID_DATA) if that is nothing."""
    examples = [known.example for known in roster.known.values()]
    return [roster.known[str(one.instance)] for one in select(examples, spec.instances.select, SELECT_FIELD)]
