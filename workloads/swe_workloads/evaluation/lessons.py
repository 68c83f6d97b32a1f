"""What those learn from who learn from resolved predictions: prompts, and the conversations that came to a patch."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.index import Run
from swe_workloads.evaluation.roster import Known
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Example, plain, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.prompting.prompts import Prompts
from swe_workloads.rows import BadRow, Row
from swe_workloads.trajectory_files import Attempt

# The gold patch is no part of a prompt, and not every row of an evaluation has one.
_ANY_PATCH = "-"


class Lessons:
    """Kept on the shelf while instances and predictions are read, by the place of their row.

    `before` is what the model was asked, where the predictions were made for this evaluation; else prompts are in style
    Pro, as a TrainingRun learns them from the same instances.
    """

    def __init__(self, row_format: Format, before: Prompts, shelf: Shelf) -> None:
        self._convert = CONVERT[row_format]
        self._before = before
        self._shelf = shelf
        self._prompts: dict[tuple[str, int], Place] = {}
        self._said: dict[str, Place] = {}

    def instances(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows. Those that no prompt can be made of have none."""
        for row in rows:
            if isinstance(row, Row):
                fields = {**row.fields, "patch": row.fields.get("patch") or _ANY_PATCH}
                example = read_example(Row(row.file, row.number, fields), self._convert)
                if isinstance(example, Example):
                    prompt = str(plain(example.record)["prompt"])
                    self._prompts[row.file, row.number] = self._shelf.put(prompt.encode())
            yield row

    def predictions(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows."""
        for row in rows:
            if isinstance(row, Attempt) and (said := _as_text(row.said)):
                self._said[row.file] = self._shelf.put(said)
            yield row

    def lines(self, instances: Iterable[Known]) -> Iterator[Mapping[str, object]]:
        """prompts.jsonl."""
        for known in instances:
            if place := self._prompt(known):
                prompt = self._shelf.get(place).decode()
                yield {"instance_id": known.id, "repo": known.repository, "prompt": prompt}

    def conversations(self, sandboxes: Sequence[object]) -> Iterator[tuple[str, bytes]]:
        """By name in the folder of what is prepared; those of predictions that came as trajectories."""
        for ordinal, one in enumerate(sandboxes):
            if isinstance(one, Run) and (place := self._said.get(one.prediction.file)):
                yield conversation_name(ordinal), self._shelf.get(place)

    def _prompt(self, known: Known) -> Place | None:
        if asked := self._before.get(known.id):
            return asked.place
        row = known.example.row
        return self._prompts.get((row.file, row.number))


def conversation_name(ordinal: int) -> str:
    return f"conversations/{ordinal}.json"


def _as_text(said: Sequence[object]) -> bytes | None:
    """None of what nobody said, and of what is no text although the patch is."""
    try:
        return json.dumps(said, ensure_ascii=False).encode() if said else None
    except UnicodeEncodeError:
        return None
