"""The controller's golden files, as the programs of a PreferenceGen read them."""

from pathlib import Path

import pytest

from swe_workloads.generation.generate_file import read_generate_file
from swe_workloads.preference_gen.gen_file import read_gen_file

CONTROLLERS = Path(__file__).parents[2] / "controllers"
PAIRS, ASKING = CONTROLLERS / "preference-gen/resources/golden", CONTROLLERS / "generation/resources/golden"


@pytest.mark.parametrize(
    ("golden", "read"),
    [
        (PAIRS / "inputs-minimal.yaml", read_gen_file),
        (PAIRS / "inputs-full.yaml", read_gen_file),
        (ASKING / "questions.yaml", read_generate_file),
        (ASKING / "questions-served.yaml", read_generate_file),
    ],
    ids=lambda value: getattr(value, "stem", None),
)
def test_what_the_operator_writes_is_what_the_programs_read(golden: Path, read: object, tmp_path: Path) -> None:
    assert callable(read)
    text = golden.read_text().split("run.json: |")[1].split("\n  ca.crt")[0]
    (tmp_path / "run.json").write_text(text)
    assert read(tmp_path / "run.json").version == 1
