"""Answers in the store: put there soon after they came, so that a later pod asks only for the rest."""

import re
import time
from collections.abc import Iterator, Mapping
from itertools import islice

from pydantic import BaseModel, ConfigDict, ValidationError

from swe_workloads.artifacts import ArtifactStore, Occupied
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.generation.asking import Had
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.generation.questions import Questions, Sample
from swe_workloads.pod import say
from swe_workloads.report_text import counted
from swe_workloads.some import some

FOLDER = "samples/"
BATCH_SAMPLES = 20
BATCH_SECONDS = 10.0
READ_AT_ONCE = 50
_BATCH = re.compile(r"^samples/(?P<pod>[^/]+)/(?P<number>[1-9][0-9]*)\.jsonl$")
Key = tuple[str, int]


class SampleLine(BaseModel):
    """A line of samples/<pod>/<n>.jsonl: an answer, with all that says what it is an answer to."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    instance_id: str
    sample: int
    seed: int
    model_name_or_path: str
    prompt_sha256: str
    answer: str
    finish_reason: str
    refusal: str | None
    prompt_tokens: int
    completion_tokens: int
    tries: int

    @property
    def key(self) -> Key:
        return self.instance_id, self.sample


class StoredSamples:
    """`places` is where each answer lies on the shelf, by instance and number."""

    def __init__(
        self, spec: GenerateFile, questions: Questions, store: ArtifactStore, pod_uid: str, shelf: Shelf
    ) -> None:
        self.places: dict[Key, Place] = {}
        self._model = spec.model.name
        self._questions = questions
        self._wanted: Mapping[Key, Sample] = {(one.instance, one.number): one for one in questions.samples(spec)}
        self._store = store
        self._folder = f"{FOLDER}{pod_uid}/"
        self._shelf = shelf
        self._number = 0
        self._batch: list[bytes] = []
        self._began = 0.0

    @property
    def wanted(self) -> int:
        """How many samples were asked for."""
        return len(self._wanted)

    def missing(self) -> list[Sample]:
        return [one for key, one in self._wanted.items() if key not in self.places]

    def lines(self) -> Iterator[SampleLine]:
        """In the order of instances' names and of numbers, which no pod and no speed decides."""
        for _, place in sorted(self.places.items()):
            yield SampleLine.model_validate_json(self._shelf.get(place))

    def read_back(self) -> int:
        """What earlier pods have stored. The number of samples; what is no sample of this run is named."""
        keys = [found for item in self._store.list_keys(FOLDER) if (found := _BATCH.match(item.name))]
        mine = [int(found["number"]) for found in keys if found[0].startswith(self._folder)]
        self._number = max(mine, default=0)
        passed_over: list[str] = []
        names = iter(sorted(found[0] for found in keys))
        while part := list(islice(names, READ_AT_ONCE)):
            for name, content in self._store.read_all(part).items():
                passed_over += self._take_batch(name, content or b"")
        if self.places:
            say(f"Earlier pods have left {counted(len(self.places), 'sample')}, which are not asked for again.")
        if passed_over:
            say(f"Passed over as no samples of this run: {some(passed_over, 5)}.")
        return len(self.places)

    def add(self, had: Had) -> None:
        """Goes to the store with the next batch."""
        sample, answer = had.sample, had.answer
        line = SampleLine(
            instance_id=sample.instance,
            sample=sample.number,
            seed=sample.seed,
            model_name_or_path=self._model,
            prompt_sha256=self._questions.asked[sample.instance].sha256,
            answer=answer.text,
            finish_reason=answer.finish_reason,
            refusal=answer.refusal,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            tries=had.tries,
        )
        document = line.model_dump_json().encode()
        self.places[line.key] = self._shelf.put(document)
        self._began = self._began if self._batch else time.monotonic()
        self._batch.append(document)

    def is_due(self) -> bool:
        waits = bool(self._batch) and time.monotonic() - self._began >= BATCH_SECONDS
        return waits or len(self._batch) >= BATCH_SAMPLES

    def store_batch(self) -> None:
        """Raises Failure(STORE_UNAVAILABLE) when patience ends."""
        while self._batch:
            self._number += 1
            try:
                self._store.write(f"{self._folder}{self._number}.jsonl", b"\n".join([*self._batch, b""]))
            except Occupied:  # by a container of this pod that ended before its listing could show it
                continue
            self._batch = []

    def _take_batch(self, name: str, content: bytes) -> Iterator[str]:
        """Yields the lines that are none of this run's samples, by their place."""
        for number, line in enumerate(content.split(b"\n"), start=1):
            if line and not self._take(line):
                yield f"line {number} of {name}"

    def _take(self, line: bytes) -> bool:
        try:
            read = SampleLine.model_validate_json(line)
        except ValidationError:
            return False
        wanted = self._wanted.get(read.key)
        if wanted is None or wanted.seed != read.seed or read.model_name_or_path != self._model:
            return False
        if read.prompt_sha256 != self._questions.asked[read.instance_id].sha256:
            return False
        # Two pods may have run at once: then the first by name stands.
        if read.key not in self.places:
            self.places[read.key] = self._shelf.put(line)
        return True
