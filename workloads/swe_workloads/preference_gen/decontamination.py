"""Instances and samples against the rows of evaluations, and the plan without what is like these."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from swe_workloads.evaluation.eval_file import Format
from swe_workloads.evaluation.index import Plan, Run
from swe_workloads.evaluation.predictions import Prediction
from swe_workloads.evaluation.roster import Known
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.evaluation_sets import Membership
from swe_workloads.preference_gen.evaluation_rows import EvaluationRows
from swe_workloads.preference_gen.named_tests import NamedTests
from swe_workloads.preference_gen.raw_rows import RawRows
from swe_workloads.preference_gen.removal import Removal, Removed
from swe_workloads.preference_gen.samples import Dropped
from swe_workloads.preference_gen.traits import traits_of
from swe_workloads.rows import BadRow, Row


class Decontamination:
    """Without rows to compare with it finds nothing, and looks at nothing."""

    def __init__(self, row_format: Format, evaluations: EvaluationRows, raw: RawRows, shelf: Shelf) -> None:
        self._format = row_format
        self._is_needed = bool(evaluations.rows)
        self._rules = evaluations.compared()
        self._tests = NamedTests(self._rules.tests)
        self._raw = raw
        self._shelf = shelf

    def heard(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The same rows of samples; what their trajectories name is only there while they are read."""
        return self._tests.heard(rows)

    def instances(self, selected: Iterable[Known]) -> list[Removed]:
        if not self._is_needed:
            return []
        found = ((known, self._instance(known)) for known in selected)
        return [Removed(known, member) for known, member in found if member is not None]

    def samples(self, runs: Iterable[Run]) -> list[Removed]:
        """Of instances that are left."""
        return list(self._samples(runs)) if self._is_needed else []

    def _instance(self, known: Known) -> Membership | None:
        traits = traits_of(json.loads(self._raw.of(known)), self._format)
        return None if traits is None else self._rules.of_instance(traits)

    def _samples(self, runs: Iterable[Run]) -> Iterator[Removed]:
        for run in runs:
            patch = str(json.loads(self._shelf.get(run.document))["model_patch"])
            number = self._tests.of(run.prediction)
            member = self._rules.of_patch(patch) or (None if number is None else self._rules.of_tests(number))
            if member is not None:
                yield Removed(run.instance, member, run.prediction)


def without_removed(plan: Plan, removal: Removal) -> tuple[Plan, Mapping[Dropped, list[Prediction]]]:
    """The plan of the instances that are left without the samples that are not, and all that is left out, by why."""
    sets = {one.instance.id for one in removal.sets}
    like = {one.instance.id for one in removal.instances}
    samples = {one.sample for one in removal.samples if one.sample is not None}
    others = plan.not_selected
    removed: dict[Dropped, list[Prediction]] = {
        "EvaluationSet": [one for one in others if one.instance in sets],
        "Contaminated": [*(one for one in others if one.instance in like), *samples],
    }
    left = replace(
        plan,
        runs=[run for run in plan.runs if run.prediction not in samples],
        not_selected=[one for one in others if one.instance not in sets | like],
        left_out=[run.prediction for run in plan.runs if run.prediction in samples],
    )
    return left, removed
