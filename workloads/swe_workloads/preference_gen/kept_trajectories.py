"""Trajectories of samples: on the disk while the samples are read, then in the store, until some are exported."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from swe_workloads.conversations import conversation_of
from swe_workloads.evaluation.predictions import Prediction
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Unusable
from swe_workloads.preference_gen.gen_file import Trajectories
from swe_workloads.rows import BadRow, Row, row_of
from swe_workloads.run_file import Style
from swe_workloads.trajectory_files import Attempt


@dataclass(frozen=True)
class Kept:
    """`sha256` is of the file, `document` of what is exported of it, which lies at `place`.

    Without a document nothing is to be exported, or nothing can be, for the reason in `problem`.
    """

    sha256: str
    document: str | None = None
    place: Place | None = None
    problem: str | None = None

    def line(self) -> dict[str, object]:
        return {"sha256": self.sha256, "document": self.document, "problem": self.problem}


class KeptTrajectories:
    """By the name of the file. Where none are `wanted`, conversations are not kept."""

    def __init__(self, wanted: Trajectories | None, shelf: Shelf) -> None:
        self._wanted = wanted
        self._shelf = shelf
        self._kept: dict[str, Kept] = {}

    def kept(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows."""
        for row in rows:
            if isinstance(row, Attempt):
                self._kept[row.file] = self._keep(row)
            yield row

    def of(self, sample: Prediction) -> Kept | None:
        """None of a sample that came without one."""
        return self._kept.get(sample.file)

    def _keep(self, row: Attempt) -> Kept:
        if self._wanted is None:
            return Kept(row.sha256)
        try:
            document = _document(row, self._wanted.style)
        except Unusable as error:
            return Kept(row.sha256, problem=str(error))
        return Kept(row.sha256, hashlib.sha256(document).hexdigest(), self._shelf.put(document))


def name_of(document: str) -> str:
    """In the folder of what was prepared. The name is the hash, so that it says what has to be in there."""
    return f"trajectories/{document}.json"


def _document(row: Attempt, style: Style) -> bytes:
    """Raises Unusable."""
    columns = {
        "messages": conversation_of(row.said, style),
        "model": row.fields["model_name_or_path"],
        "patch": row.fields["model_patch"],
    }
    # As a row of its own: what was said in it may be no text although the patch is.
    whole = row_of(row.file, row.number, columns)
    if isinstance(whole, BadRow):
        raise Unusable(whole.reason)
    return json.dumps(whole.fields, ensure_ascii=False).encode()
