"""What is asked: the selected instances as prompts, and the samples that are wanted of each."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from swe_workloads.artifacts import ArtifactStore
from swe_workloads.bad_rows import first_of
from swe_workloads.data_sources import Origin
from swe_workloads.evaluation.benchmark_rows import Harness
from swe_workloads.evaluation.eval_file import as_evaluation
from swe_workloads.evaluation.reading import fetch, rows_of
from swe_workloads.evaluation.roster import Roster, chosen, read_roster
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.pod import Pod, say
from swe_workloads.preference_gen.decontamination import Decontamination
from swe_workloads.preference_gen.evaluation_rows import read_evaluation_rows
from swe_workloads.preference_gen.raw_rows import RawRows
from swe_workloads.preference_gen.removal import Removal, Removed, of_sets, without
from swe_workloads.preference_gen.removal_words import nothing_left
from swe_workloads.prompting.prompts import Prompts, making, prompts_of, write_prompts
from swe_workloads.rows import read_rows
from swe_workloads.split import rank
from swe_workloads.verdict import FrozenSource


@dataclass(frozen=True)
class Sample:
    """One answer that is wanted. `number` counts those of an instance from 1."""

    instance: str
    number: int
    seed: int


@dataclass(frozen=True)
class Questions:
    """By instance, in the order of the rows.

    Not to be asked are selected instances of evaluation sets, `removed`, and those like rows of others, `copies`.
    """

    roster: Roster
    removed: list[Removed]
    copies: list[Removed]
    source: FrozenSource
    asked: Prompts
    _shelf: Shelf
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prompt(self, instance: str) -> str:
        """For any thread."""
        with self._lock:
            return self._shelf.get(self.asked[instance].place).decode()

    def write(self, folder: Path) -> Path:
        """All prompts, by name."""
        with self._lock:
            return write_prompts(self.asked, sorted(self.asked), self._shelf, folder)

    def samples(self, spec: GenerateFile) -> list[Sample]:
        """All of one instance in a row, because servers keep what they have computed of a prompt.

        Instances by chance: of what is stopped early something of every repository is there, and the prompts that a
        server cannot take are not next to each other.
        """
        seed, most = spec.sampling.seed, spec.sampling.samples_per_instance
        order = sorted(self.asked, key=lambda name: rank(seed, name))
        return [Sample(name, number, seed_of(seed, name, number)) for name in order for number in range(1, most + 1)]


def seed_of(seed: int, instance: str, number: int) -> int:
    """Of one sample. 31 bits, which every server takes."""
    return int(rank(seed, f"{instance}:{number}")[:8], 16) >> 1


def read_questions(
    spec: GenerateFile, harness: Harness, pod: Pod, store: ArtifactStore, shelf: Shelf, scratch: Path
) -> Questions:
    """As an evaluation and the pairs of a PreferenceGen read the same rows. Raises Failure."""
    how = making(spec.prompt, spec.instances.format, pod, store, "generate", shelf)
    data = fetch(spec.instances.source, Origin("spec.instances", "data"), pod, store, scratch / "instances")
    like, raw = as_evaluation(spec.owner, spec.instances, spec.harness_version), RawRows(spec.instances.format, shelf)
    roster = raw.without_unaskable(read_roster(raw.kept(rows_of(data, read_rows)), like, harness, shelf))
    selected = chosen(roster, like)
    say(f"Read {roster.read} instances of {data.uri}: {len(roster.known)} usable, {len(selected)} selected.")
    removed = [] if spec.allow_evaluation_sets else of_sets(selected)
    evaluations = read_evaluation_rows(spec.decontamination.against if spec.decontamination else [], pod, store)
    desk = Decontamination(spec.instances.format, evaluations, raw, shelf)
    copies = desk.instances(without(selected, removed))
    asked, bad = prompts_of(without(selected, [*removed, *copies]), raw, how, shelf)
    return Questions(roster.without(bad), removed, copies, data.frozen(), asked, shelf)


def problem_with(questions: Questions) -> str | None:
    """Why there is nothing to ask, with what to do about it."""
    roster, removed = questions.roster, questions.removed
    if roster.read == 0:
        return "spec.instances: the source has no rows. Check what it points to."
    if questions.asked:
        return None
    if not removed and not questions.copies:
        of = "selected" if roster.known else str(roster.read)
        return f"spec.instances: none of the {of} rows can be used. {first_of(roster.bad)} Correct the rows."
    return nothing_left(Removal(removed, questions.copies, []))
