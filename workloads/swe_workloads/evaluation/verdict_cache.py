"""The verdicts that a namespace keeps: an entry names a verdict that came from running, and leads to where it lies."""

from typing import Annotated, Literal

from pydantic import Field

from swe_workloads.evaluation.grade_verdict import GradeVerdict
from swe_workloads.verdict import Part

FOLDER = "verdict-cache/"
PLACES = 9  # of one name: nothing is ever replaced, so what leads nowhere any more is passed over
KEPT = ("Completed", "PatchApplyFailed")
Cached = Literal["Resolved", "Unresolved", "PatchApplyFailed"]


class Origin(Part):
    """The try that came to a verdict, of the evaluation of this name and uid."""

    name: str
    uid: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
    ordinal: int
    attempt: int

    def prefix(self, uri: str) -> str:
        """Of all that its evaluation left, where `uri` is the folder of the entries."""
        return f"{uri.removesuffix(FOLDER)}{self.uid}/"


class Entry(Part):
    """`sha256` is that of the verdict as it lies in the store."""

    version: Literal[1] = 1
    instance: str
    sha256: str
    origin: Origin


class Hit(Part):
    """A prediction or baseline of this evaluation whose verdict is an earlier one's."""

    ordinal: int
    sha256: str
    origin: Origin


class CacheBook(Part):
    """cache.json: what was found, and by ordinal the entry that a new verdict may become.

    `environment` is that of the preparation: verdicts of any other are not kept under these names.
    """

    version: Literal[1] = 1
    environment: str
    places: dict[int, str] = Field(default_factory=dict)
    hits: list[Hit] = Field(default_factory=list)

    def to_json(self) -> bytes:
        return self.model_dump_json(by_alias=True).encode()


def place_of(key: str, number: int) -> str:
    """The name of its first entry, the second one and so on."""
    return f"{key}.json" if number == 1 else f"{key}-{number}.json"


def cached_as(verdict: GradeVerdict) -> Cached | None:
    """What is kept of a verdict; None of one that another run might not come to.

    Not of what ran out of time, memory or disk, nor of a log that gives reason to look or in which the official signs
    see the cluster at fault. What a patch of files that
    configure the tests comes to is said by looks at its parts, which are not kept.
    """
    integrity = verdict.integrity
    if verdict.purpose != "Grade" or verdict.reason not in KEPT or (integrity and integrity.verdict != "Clean"):
        return None
    if verdict.outcome == "Resolved":
        return "Resolved" if integrity is not None and verdict.support is None else None
    if verdict.outcome == "Unresolved":
        return "Unresolved" if verdict.infra_failure is None else None
    return "PatchApplyFailed" if verdict.outcome == "Error" and verdict.reason == "PatchApplyFailed" else None
