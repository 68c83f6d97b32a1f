import json

from swe_workloads.exit_codes import TABLE_FILE, ExitCode, reason


def test_the_names_in_the_code_are_those_of_the_table() -> None:
    table = {row["code"]: row["reason"] for row in json.loads(TABLE_FILE.read_text())}
    assert {int(code): code.name.replace("_", "").lower() for code in ExitCode} == {
        code: name.lower() for code, name in table.items()
    }


def test_every_code_has_a_remedy_and_a_rule_for_retries() -> None:
    for row in json.loads(TABLE_FILE.read_text()):
        assert row["retry"] in ("Never", "Always", "Counted")
        assert row["message"].endswith(".")


def test_a_reason_is_what_conditions_carry() -> None:
    assert reason(ExitCode.CUDA_OUT_OF_MEMORY) == "CUDAOutOfMemory"
