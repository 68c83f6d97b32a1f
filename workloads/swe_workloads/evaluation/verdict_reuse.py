"""Which predictions and baselines need not run again, because an earlier evaluation of the namespace ran the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.evaluation.baselines import Baseline
from swe_workloads.evaluation.cache_lookup import Found, look_up
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.image_digests import ImagePins
from swe_workloads.evaluation.index import Plan, Run
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.evaluation.verdict_cache import CacheBook, Hit, place_of
from swe_workloads.evaluation.verdict_keys import environment_of, verdict_keys


@dataclass(frozen=True)
class Reuse:
    """By ordinal: the verdicts that are taken over, and the entries of the cache that new ones may become."""

    environment: str = ""
    found: Mapping[int, Found] = field(default_factory=dict)
    places: Mapping[int, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    @property
    def endings(self) -> dict[int, str]:
        return {ordinal: one.cached for ordinal, one in self.found.items()}


def reuse_of(plan: Plan, spec: EvalFile, pins: ImagePins, store: ArtifactStore, shelf: Shelf) -> Reuse:
    if spec.cache is None:
        return Reuse()
    keys, sandboxes = verdict_keys(plan, spec, pins, shelf), plan.sandboxes
    wanted = [at for at in keys if _is_wanted(sandboxes[at], spec)]
    asked = {keys[at]: sandboxes[at].instance.id for at in wanted}
    lookup = look_up(asked, spec.cache, store, shelf)
    found = {at: lookup.found[keys[at]] for at in wanted if keys[at] in lookup.found}
    return Reuse(
        environment=environment_of(spec),
        found={at: one for at, one in found.items() if not _is_run_again(one.cached, spec)},
        places={
            at: lookup.free.get(key) or place_of(key, 1)
            for at, key in keys.items()
            if key in lookup.free or key not in asked
        },
        remarks=lookup.remarks,
    )


def _is_wanted(one: Baseline | Run, spec: EvalFile) -> bool:
    if isinstance(one, Baseline):
        return spec.baseline == "Cached"
    return spec.cache is not None and spec.cache.predictions == "Use"


def _is_run_again(ending: str, spec: EvalFile) -> bool:
    """Where flaky tests are looked for, what failed has to fail again, and what is to be confirmed to pass again."""
    return (spec.flake_reruns > 0 and ending == "Unresolved") or (spec.confirm_resolved and ending == "Resolved")


def book_of(reuse: Reuse) -> CacheBook:
    hits = [Hit(ordinal=at, sha256=one.sha256, origin=one.origin) for at, one in reuse.found.items()]
    return CacheBook(environment=reuse.environment, places=dict(reuse.places), hits=hits)
