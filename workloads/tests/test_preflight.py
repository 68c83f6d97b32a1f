import json
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import preferences_document

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.memory_estimate import ModelShape
from swe_workloads.preflight import Preflight, check, total_steps
from swe_workloads.preflight_look import Seen
from swe_workloads.run_file import RunFile

SMALL = ModelShape(
    parameters=10_000_000,
    linear_parameters=8_000_000,
    trainable=100_000,
    widths=20_000,
    adapted_inputs=10_000,
    hidden=256,
    layers=4,
    vocabulary=1000,
)


def seen(*problems: str) -> Seen:
    return Seen(problems=list(problems), shape=SMALL, float32_weights=False, plain_loss=False)


def with_changes(run: dict[str, Any], changes: dict[str, Any]) -> RunFile:
    for name, value in changes.items():
        run[name] = {**run[name], **value} if isinstance(value, dict) and run[name] is not None else value
    return RunFile.model_validate_json(json.dumps(run))


def passed(run: dict[str, Any], rows: int = 100, **changes: Any) -> Preflight:
    return check(with_changes(run, changes), Path("/model"), rows, lambda _run, _folder: seen())


GPU = {"gpus": 1, "ranks": 1, "gpuName": "NVIDIA A100 40 GB", "gpuMemoryGi": 40}
BY_EPOCH = {"strategy": "Epoch", "everySteps": None}
NEVER = {"strategy": "No", "everySteps": None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lora": {"quantization": "NF4"}}, "lora.quantization NF4 needs a GPU: name a pool with GPUs in compute.pool"),
        ({"optimizer": {"algorithm": "PagedAdamW8Bit"}}, "optimizer.algorithm PagedAdamW8Bit needs a GPU"),
        ({"batch": {"perDevice": 101}}, "batch.perDevice 101 is more than the 100 rows that are trained on"),
        (
            {"batch": {"perDevice": 30}, "compute": {**GPU, "gpus": 4, "ranks": 4}},
            "batch.perDevice 30 x 4 GPUs is more than the 100 rows that are trained on: lower it to at most 25",
        ),
        ({"sequence": {"lossOn": "AssistantMessages"}}, "sequence.lossOn AssistantMessages is for Messages"),
        ({"data": {"format": "Messages"}}, "sequence.lossOn Completion is not for Messages"),
        (
            {"evaluation": {"everySteps": 25}},
            "evaluation.everySteps 25 is more than the 24 steps of this run: lower it to at most 24",
        ),
        (
            {"duration": {"maxSteps": None, "epochs": "0.5"}, "evaluation": {"everySteps": 14}},
            "evaluation.everySteps 14 is more than the 13 steps",
        ),
        ({"checkpoint": {"everySteps": 51}}, "checkpoint.everySteps 51 is more than the 24 steps"),
        (
            {"evaluation": {**NEVER, "earlyStop": {"patience": 1, "minImprovement": "0"}}},
            "evaluation.earlyStop needs evaluations: set evaluation.strategy",
        ),
        ({"checkpoint": {"result": "Best"}, "evaluation": NEVER}, "checkpoint.result Best needs evaluations"),
        ({"checkpoint": {"result": "Best"}, "evaluation": BY_EPOCH}, "set checkpoint.strategy to Epoch"),
        (
            {"checkpoint": {"result": "Best", "everySteps": 4}},
            "evaluation.everySteps 6: set checkpoint.everySteps to 6 or a divisor of it",
        ),
        ({"optimizer": {"warmupRatio": "1"}}, "optimizer.warmupRatio 1 never reaches the learning rate"),
        ({"compute": {**GPU, "gpuMemoryGi": 1}}, "One NVIDIA A100 40 GB with 1 GiB does not hold this run"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_remedy(
    run: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(Failure) as caught:
        passed(run, **changes)
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION
    assert words in caught.value.message


def test_all_wrong_settings_are_named_at_once(run: dict[str, Any]) -> None:
    changed = with_changes(run, {"evaluation": {"everySteps": 30}, "batch": {"perDevice": 200}})
    with pytest.raises(Failure) as caught:
        check(changed, Path("/model"), 100, lambda _run, _folder: seen("lora.targetModules: no such module"))
    for words in ("evaluation.everySteps 30", "batch.perDevice 200", "lora.targetModules: no such module"):
        assert words in caught.value.message


def test_the_best_checkpoint_may_be_chosen_where_every_evaluation_has_one(run: dict[str, Any]) -> None:
    passed(run, checkpoint={"result": "Best", "everySteps": 3})
    passed(run, checkpoint={**BY_EPOCH, "result": "Best"}, evaluation=BY_EPOCH)


@pytest.mark.parametrize(
    ("rows", "batch", "epochs", "steps"),
    [
        (100, (2, 2), "1", 25),
        (101, (2, 2), "1", 26),
        (100, (2, 2), "0.5", 13),
        (3, (2, 8), "5", 5),
        (90, (4, 4), "3", 18),
    ],
)
def test_epochs_are_counted_in_steps(
    run: dict[str, Any], rows: int, batch: tuple[int, int], epochs: str, steps: int
) -> None:
    changes = {
        "batch": {"perDevice": batch[0], "gradientAccumulation": batch[1]},
        "duration": {"maxSteps": None, "epochs": epochs},
    }
    assert total_steps(with_changes(run, changes), rows) == steps


def test_what_is_unusual_but_possible_is_noted(run: dict[str, Any]) -> None:
    notes = passed(run, rows=3, batch={"perDevice": 1, "gradientAccumulation": 4}, checkpoint=NEVER).notes
    assert notes == [
        "A step is to see 4 rows and there are 3: each step is an epoch.",
        "There is no checkpoint before the last step: an interrupted run starts again at step 0.",
    ]


def test_a_distance_that_was_never_chosen_does_not_fail_a_short_run(run: dict[str, Any]) -> None:
    assert passed(run, checkpoint={"everySteps": 50}).notes != []


def test_a_gpu_that_is_nearly_full_is_noted(run: dict[str, Any]) -> None:
    roomy = passed(run, compute=GPU)
    assert roomy.notes == []
    assert roomy.estimate is not None and "together" in roomy.estimate
    needed = roomy.gpu_memory_gib
    assert needed is not None and 1 < needed < 2
    tight = passed(run, compute={**GPU, "gpuMemoryGi": 4}, batch={"perDevice": 56})
    assert "if that proves too much, batch.perDevice is lowered" in tight.notes[-1]


@pytest.mark.parametrize(
    ("adapter", "rate", "noted"),
    [(True, "1e-4", False), (True, "2e-4", True), (False, "5e-6", False), (False, "2e-5", True)],
)
def test_a_rate_of_supervised_fine_tuning_is_noted_in_a_comparison(
    tmp_path: Path, adapter: bool, rate: str, noted: bool
) -> None:
    run = preferences_document(tmp_path / "rows.jsonl")
    run["lora"] = run["lora"] if adapter else None
    notes = passed(run, optimizer={"learningRate": rate}).notes
    usual = "with method DPO 5e-6 is usual" if adapter else "with method DPO 5e-7 is usual"
    assert any(usual in note for note in notes) == noted


def test_a_rate_of_supervised_fine_tuning_is_as_it_should_be_there(run: dict[str, Any]) -> None:
    assert passed(run, optimizer={"learningRate": "2e-4"}).notes == []


def test_the_reference_of_a_whole_model_is_counted(tmp_path: Path) -> None:
    run = preferences_document(tmp_path / "rows.jsonl")
    run["lora"] = None
    every_step, before = (
        passed(run, compute=GPU, dpo={"referenceLogProbs": asked}).estimate for asked in ("EveryStep", "Precomputed")
    )
    assert every_step is not None and "(a second model)" in every_step
    assert before is not None and "reference" not in before
    run["lora"] = preferences_document(tmp_path / "rows.jsonl")["lora"]
    adapted = passed(run, compute=GPU, dpo={"referenceLogProbs": "EveryStep"}).estimate
    assert adapted is not None and "reference" not in adapted


def test_without_a_gpu_there_is_no_estimate(run: dict[str, Any]) -> None:
    assert passed(run).estimate is None
