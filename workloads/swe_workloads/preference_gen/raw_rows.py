"""Rows of instances: kept as they came for the evaluation, and tried as TrainingRun reads them."""

import json
from collections.abc import Iterable, Iterator

from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.roster import Known, Roster
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import read_example
from swe_workloads.formats import CONVERT
from swe_workloads.rows import BadRow, Row


class RawRows:
    """By the place that a row has in its file."""

    def __init__(self, row_format: Format, shelf: Shelf) -> None:
        self._convert = CONVERT[row_format]
        self._shelf = shelf
        self._places: dict[tuple[str, int], Place] = {}
        self._refused: dict[tuple[str, int], BadRow] = {}

    def kept(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows."""
        for row in rows:
            if isinstance(row, Row):
                at = (row.file, row.number)
                # default: parquet has times and bytes, in columns that nothing is made of.
                document = json.dumps(row.fields, ensure_ascii=False, default=str)
                self._places[at] = self._shelf.put(document.encode())
                if isinstance(example := read_example(row, self._convert), BadRow):
                    self._refused[at] = example
            yield row

    def of(self, instance: Known) -> bytes:
        row = instance.example.row
        return self._shelf.get(self._places[row.file, row.number])

    def row(self, instance: Known) -> Row:
        """With the columns that a usable instance does without."""
        row = instance.example.row
        return Row(row.file, row.number, json.loads(self.of(instance)))

    def without_unaskable(self, roster: Roster) -> Roster:
        """Instances that no question can be made of are bad rows as well: a pair would have no prompt."""
        rows = {name: instance.example.row for name, instance in roster.known.items()}
        found = {name: self._refused.get((row.file, row.number)) for name, row in rows.items()}
        return roster.without({name: bad for name, bad in found.items() if bad is not None})
