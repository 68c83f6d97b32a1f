import json
from pathlib import Path

import pytest

from swe_workloads.evaluation.eval_file import EvalFile

GOLDEN = Path(__file__).parents[3] / "controllers/swebench-eval/resources/golden"


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("inputs-*.yaml")), ids=lambda path: path.stem)
def test_what_the_operator_writes_is_what_the_programs_read(golden: Path) -> None:
    text = golden.read_text().split("run.json: |")[1].strip()
    document, _ = json.JSONDecoder().raw_decode(text)
    assert EvalFile.model_validate_json(json.dumps(document)).eval.namespace == "team"
