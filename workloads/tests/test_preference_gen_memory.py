"""How much of its prompts a report holds: those of 50,000 instances with code are gigabytes."""

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from gen_world import FAILS, PASSES, GenWorld, diff, gen_row, sample

from swe_workloads.evaluation import parts
from swe_workloads.evaluation.lines_by_instance import LinesByInstance
from swe_workloads.preference_gen.exports import write_exports
from swe_workloads.preference_gen.gen_figures import summarise
from swe_workloads.preference_gen.gen_file import read_gen_file
from swe_workloads.preference_gen.gen_page import EXAMPLES, render_page
from swe_workloads.preference_gen.graded_file import read_graded
from swe_workloads.preference_gen.made import Made, make
from swe_workloads.preference_gen.material import read_material
from swe_workloads.preference_gen.pairs import FILE
from swe_workloads.preference_gen.parquet_files import TURN_COLUMNS, write_parquet

INSTANCES = 60
PROMPT_CHARACTERS = 100_000
ALL_PROMPTS = INSTANCES * PROMPT_CHARACTERS


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def prepared(gen: GenWorld) -> None:
    """A pair of each instance."""
    numbers = range(100, 100 + INSTANCES)
    gen.rows = [gen_row(number, problem_statement=str(number % 10) * PROMPT_CHARACTERS) for number in numbers]
    outcomes = {number: (diff(f"    return {number}"), diff(f"    return -{number}")) for number in numbers}
    gen.samples = [
        sample(number, patch, at=at) for number, both in outcomes.items() for at, patch in enumerate(both, 1)
    ]
    gen.prepare()
    gen.grade(
        {patch: outcome for both in outcomes.values() for patch, outcome in zip(both, (PASSES, FAILS), strict=True)}
    )


def material_made(gen: GenWorld, folder: Path) -> Made:
    pod = gen.report_pod()
    return make(read_material(read_gen_file(pod.run_file), read_graded(pod.results_file), pod.store(), folder))


def test_what_pairs_are_made_of_holds_no_prompt(gen: GenWorld, tmp_path: Path, traced: None) -> None:
    prepared(gen)
    before = held()
    made = material_made(gen, tmp_path / "fetched")
    assert len(made.pairs) == INSTANCES
    assert held() - before < ALL_PROMPTS / 5


@pytest.mark.parametrize("kept", [False, True])
def test_files_are_written_with_few_prompts_at_a_time(
    gen: GenWorld, tmp_path: Path, traced: None, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(parts, "BYTES_AT_ONCE", 4 * PROMPT_CHARACTERS)
    prepared(gen)
    if not kept:  # as an earlier version left it
        monkeypatch.setattr("swe_workloads.preference_gen.material.LATER_FILES", ())
    made = material_made(gen, tmp_path / "fetched")
    (tmp_path / "out").mkdir()
    turns = {name: [{"role": "user", "content": ""}] for name in TURN_COLUMNS}
    write_parquet(tmp_path / "one.parquet", [turns])  # what it imports is no prompt
    before = held()
    tracemalloc.reset_peak()
    write_exports(made, tmp_path / "out")
    assert tracemalloc.get_traced_memory()[1] - before < ALL_PROMPTS / 3
    assert len((tmp_path / "out" / FILE).read_bytes().splitlines()) == INSTANCES


def test_the_page_reads_the_prompts_of_its_examples_alone(
    gen: GenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(gen)
    made = material_made(gen, tmp_path / "fetched")
    summary = summarise(made)
    read: list[str] = []
    line = LinesByInstance.line
    monkeypatch.setattr(LinesByInstance, "line", lambda lines, name: (read.append(name), line(lines, name))[1])
    render_page(made, summary, "Done.", [])
    assert len(read) == len(set(read)) == EXAMPLES < len(made.pairs)
