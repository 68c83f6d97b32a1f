import json
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import ADAPTER_URI, continuing, preferences_document

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import RunFile, read_run_file

GOLDEN = Path(__file__).parents[2] / "controllers/training-run/resources/golden"


def refusal(run: dict[str, Any], folder: Path) -> str:
    (folder / "run.json").write_text(json.dumps(run))
    with pytest.raises(Failure) as caught:
        read_run_file(folder / "run.json")
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION
    return caught.value.message


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("inputs-*.yaml")), ids=lambda path: path.stem)
def test_what_the_operator_writes_is_what_the_programs_read(golden: Path) -> None:
    text = golden.read_text().split("run.json: |")[1].strip()
    document, _ = json.JSONDecoder().raw_decode(text)
    assert RunFile.model_validate_json(json.dumps(document)).run.namespace == "team"


def test_decimals_travel_as_strings(run: dict[str, Any]) -> None:
    assert RunFile.model_validate_json(json.dumps(run)).optimizer.learning_rate == 5e-3


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("lora.rank", 0, "lora.rank: Input should be greater than or equal to 1"),
        ("lora.dropout", 0.05, "lora.dropout: must be a decimal string"),
        ("lora.dropout", "1", "lora.dropout: Input should be less than 1"),
        ("optimizer.learningRate", "fast", "optimizer.learningRate: must be a decimal string"),
        ("optimizer.momentum", "0.9", "optimizer.momentum: Extra inputs are not permitted"),
        ("method", "PPO", "method: Input should be 'SFT' or 'DPO'"),
        ("method", "DPO", "dpo and data.kind Preferences and a sequence without lossOn: goes with method DPO"),
        ("data.format", "Preferences", "data: format Preferences does not belong to kind Files"),
        ("split.trainPercent", 100, "split.trainPercent: Input should be less than or equal to 99"),
        ("duration", {"maxSteps": 1, "epochs": "1"}, "duration: exactly one of maxSteps and epochs"),
        ("duration", {}, "duration: exactly one of maxSteps and epochs"),
        ("model.uri", "hf://a/b", "model.uri: String should match pattern"),
        ("data.format", "SWEBench", "data: format SWEBench does not belong to kind Files"),
        ("data.source", {"configMapFile": "/a", "uri": "s3://a/b"}, "data.source: exactly one of"),
        ("version", 2, "version: Input should be 1"),
        ("model.sha256", "abc", "model.sha256: String should match pattern"),
        ("model.files", {"config.json": "abc"}, "model.files.config.json: String should match pattern"),
        ("adapter", {"run": "sft", "uri": "/tmp/a", "files": {}}, "adapter.uri: String should match pattern"),
    ],
)
def test_a_wrong_field_is_named(run: dict[str, Any], tmp_path: Path, path: str, value: object, message: str) -> None:
    *parents, last = path.split(".")
    section = run
    for parent in parents:
        section = section[parent]
    section[last] = value
    assert message in refusal(run, tmp_path)


def test_what_a_comparison_needs_belongs_to_nothing_else(run: dict[str, Any], tmp_path: Path) -> None:
    comparison = preferences_document(tmp_path / "rows.jsonl")
    found = RunFile.model_validate_json(json.dumps(comparison)).dpo
    assert found is not None and (found.beta, found.reference_log_probs) == (0.1, "EveryStep")
    run["dpo"] = comparison["dpo"]
    assert "dpo: goes with method DPO, which needs it" in refusal(run, tmp_path)
    comparison["sequence"]["lossOn"] = "All"
    assert "a sequence without lossOn: goes with method DPO" in refusal(comparison, tmp_path)
    comparison["dpo"]["labelSmoothing"] = "0.5"
    assert "dpo.labelSmoothing: Input should be less than 0.5" in refusal(comparison, tmp_path)


def test_an_adapter_is_continued_with_lora_alone(run: dict[str, Any], tmp_path: Path) -> None:
    found = RunFile.model_validate_json(json.dumps(continuing(run))).adapter
    assert found is not None and (found.run, found.uri) == ("sft", ADAPTER_URI)
    run["lora"] = None
    assert "lora: set lora: {} to continue the adapter of TrainingRun sft" in refusal(continuing(run), tmp_path)


def test_a_missing_field_is_named(run: dict[str, Any], tmp_path: Path) -> None:
    del run["checkpoint"]["keep"]
    assert "checkpoint.keep: Field required" in refusal(run, tmp_path)


def test_all_wrong_fields_are_named_at_once(run: dict[str, Any], tmp_path: Path) -> None:
    run["lora"]["rank"] = -1
    run["batch"]["perDevice"] = "2"
    message = refusal(run, tmp_path)
    assert "lora.rank" in message
    assert "batch.perDevice" in message


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"version": 1,')
    with pytest.raises(Failure, match="Invalid JSON"):
        read_run_file(tmp_path / "run.json")
