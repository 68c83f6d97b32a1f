"""What a preparation leaves in the store: inputs, what lists them, what is told about it, and the seal."""

from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any

from swe_workloads.artifacts import SIGNED_AT_ONCE, ArtifactStore
from swe_workloads.bad_rows import write_bad_rows, write_lines
from swe_workloads.evaluation.catalog import catalog_of
from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.index import excluded_document, index_document, inputs
from swe_workloads.evaluation.prepare_table import render_table
from swe_workloads.evaluation.prepared_eval import PreparedEval, in_words, summarise
from swe_workloads.evaluation.shelf import Shelf
from swe_workloads.evaluation.verdict_reuse import book_of
from swe_workloads.evaluation.verdicts import PrepareEvalVerdict
from swe_workloads.exit_codes import ExitCode
from swe_workloads.pod import Pod, say
from swe_workloads.prompting.prompts import PROMPTS_FILE
from swe_workloads.seal import seal, sealed_verdict
from swe_workloads.transfer import Digest
from swe_workloads.verdict import outcome

DATA_MANIFEST = "data/manifest.json"
INDEX_FILE, CATALOG_FILE, EXCLUDED_FILE, CACHE_FILE = "index.json", "catalog.json", "excluded.json", "cache.json"
TABLE_FILE, DIGESTS_FILE = "summary.md", "inputs.sha256"


def taken_name(ordinal: int) -> str:
    """Of the verdict that an earlier evaluation came to."""
    return f"cached/{ordinal}.json"


def adopt(store: ArtifactStore) -> PrepareEvalVerdict | None:
    """The verdict of whoever prepared this evaluation first: that is done once, whatever the sources say later."""
    verdict = sealed_verdict(store, DATA_MANIFEST, PrepareEvalVerdict)
    if verdict is not None:
        say("This evaluation has been prepared before; that is kept.")
    return verdict


def refuse(
    problem: str, prepared: PreparedEval, spec: EvalFile, pod: Pod, store: ArtifactStore, scratch: Path
) -> PrepareEvalVerdict:
    """Ends without an evaluation; what was found in the rows is in the store all the same."""
    summary = summarise(prepared)
    store.upload_all(in_store(pod, write_accounts(prepared, spec, scratch)))
    found: dict[str, Any] = {"summary": summary, "sources": prepared.sources, "table": f"{folder_of(pod)}{TABLE_FILE}"}
    return PrepareEvalVerdict(**outcome(ExitCode.INVALID_DATA, problem), **found)


def publish(
    prepared: PreparedEval, spec: EvalFile, pod: Pod, store: ArtifactStore, shelf: Shelf, scratch: Path
) -> PrepareEvalVerdict:
    """Inputs, then what lists them, then the manifest. Returns the verdict that stands: the first to be sealed."""
    documents = {
        INDEX_FILE: index_document(prepared.plan, prepared.pins, prepared.reuse.endings),
        CACHE_FILE: book_of(prepared.reuse).to_json(),
        CATALOG_FILE: catalog_of(prepared.plan).model_dump_json(by_alias=True).encode(),
        EXCLUDED_FILE: excluded_document(prepared.plan, prepared.predictions),
    }
    taken = ((taken_name(ordinal), shelf.get(one.document)) for ordinal, one in prepared.reuse.found.items())
    numbered = ((f"inputs/{at}.json", content) for at, content in enumerate(inputs(prepared.plan, spec, shelf)))
    conversations = prepared.lessons.conversations(prepared.plan.sandboxes)
    sent = upload_many(chain(numbered, taken, conversations), pod, store, scratch)
    documents[DIGESTS_FILE] = "".join(f"{digest.sha256}  {name}\n" for name, digest in sent.items()).encode()
    prompts = write_lines(scratch / PROMPTS_FILE, prepared.lessons.lines(prepared.plan.instances))
    written = [write(scratch / name, content) for name, content in documents.items()]
    files = [*write_accounts(prepared, spec, scratch), prompts, *written]
    digests = store.upload_all(in_store(pod, files))
    summary = summarise(prepared)
    verdict = PrepareEvalVerdict(
        **outcome(ExitCode.COMPLETED, in_words(prepared, summary)),
        summary=summary,
        sources=prepared.sources,
        data=folder_of(pod),
        table=f"{folder_of(pod)}{TABLE_FILE}",
    )
    if not seal(store, DATA_MANIFEST, digests, verdict):
        say("Another pod has prepared this evaluation at the same time; its result is kept.")
        return adopt(store) or verdict
    return verdict


def upload_many(
    contents: Iterable[tuple[str, bytes]], pod: Pod, store: ArtifactStore, scratch: Path
) -> dict[str, Digest]:
    """By their names in the folder, so many at a time that neither memory nor disk has to hold them all."""
    digests: dict[str, Digest] = {}
    named = iter(contents)
    staged = scratch / "staged"
    staged.mkdir()
    while some := {name: write(staged / name.replace("/", "-"), it) for name, it in islice(named, SIGNED_AT_ONCE)}:
        done = store.upload_all({f"{folder_of(pod)}{name}": path for name, path in some.items()})
        digests |= {key.removeprefix(folder_of(pod)): digest for key, digest in done.items()}
        for path in some.values():
            path.unlink()
    return digests


def write_accounts(prepared: PreparedEval, spec: EvalFile, scratch: Path) -> list[Path]:
    """bad-rows.jsonl, and the table, which is also for the pod's log."""
    text = render_table(prepared, summarise(prepared), spec)
    print(text, flush=True)
    return [write_bad_rows(prepared.roster.bad, scratch), write(scratch / TABLE_FILE, text.encode())]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def in_store(pod: Pod, files: Iterable[Path]) -> dict[str, Path]:
    return {f"{folder_of(pod)}{path.name}": path for path in files}


def folder_of(pod: Pod) -> str:
    return f"data/{pod.pod_uid}/"
