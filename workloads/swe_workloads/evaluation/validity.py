"""Whether instances can be graded here, as the operator concluded from their baselines."""

from typing import Literal

from swe_workloads.verdict import Part

Reason = Literal["GoldFails", "NoOpResolves", "Unknown"]
IN_WORDS: dict[Reason, str] = {
    "GoldFails": "Its gold patch does not resolve it here.",
    "NoOpResolves": "A patch that does nothing resolves it here.",
    "Unknown": "A baseline of it was lost to the cluster, so that nothing is proven.",
}


# Of such an instance no verdict means what it says.
DISPROVEN: tuple[Reason, ...] = ("GoldFails", "NoOpResolves")
# Of predictions that were not run, because spec.instances.quality keeps proven instances only.
EXCLUDED = ("InstanceInvalid", "InstanceUnproven")


class Unproven(Part):
    """An instance that is not known to be valid. `ordinal` is that of its gold patch among the baselines."""

    ordinal: int
    reason: Reason
