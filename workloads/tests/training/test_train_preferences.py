"""What the wrapper tells of a comparison, with a scripted engine."""

import json
from pathlib import Path
from typing import Any

import pytest
from engine.run_document import preferences_document
from fake_artifact_endpoint import FakeEndpoint

from swe_workloads.attempt import preferences_of
from training.train_world import Wrapper

# Whoever starts a measurement of perplexity here dies of it: there is none to start.
WITH_SCRIPTED_ENGINE = (
    "from swe_workloads import engine_run, train; engine_run.ENGINES['DPO'] = 'scripted_engine'; train.main()"
)


@pytest.fixture
def comparison(wrapper: Wrapper, endpoint: FakeEndpoint, tmp_path: Path) -> Wrapper:
    (tmp_path / "run.json").write_text(json.dumps(preferences_document(tmp_path / "rows.jsonl")))
    return wrapper


def test_a_comparison_tells_how_often_and_by_how_much_the_chosen_answer_wins(comparison: Wrapper) -> None:
    verdict = comparison.finish(comparison.start(1, WITH_SCRIPTED_ENGINE), 1)
    assert verdict["exitCode"] == 0
    assert verdict["preferences"] == {
        "accuracy": {"first": "0.041667", "last": "1"},
        "margin": {"first": "0.125", "last": "3"},
        "evalAccuracy": {"first": "0.75", "last": "0.75"},
        "evalMargin": {"first": "0.25", "last": "1.5"},
    }
    summary = json.loads(comparison.stored("result/a1/summary.json").read_text())
    assert summary["verdict"]["preferences"] == verdict["preferences"]
    assert summary["history"]["eval_rewards/margins"]["last"] == 1.5


def test_a_comparison_has_a_reason_in_place_of_a_perplexity(comparison: Wrapper) -> None:
    verdict = comparison.finish(comparison.start(1, WITH_SCRIPTED_ENGINE), 1)
    reason = "it is not measured for preferences, which are told by accuracy and margin"
    assert verdict["perplexity"] == {"reason": reason}
    assert "is being measured" not in comparison.output
    assert not (comparison.folder / "pod-1/attempt-1/measure.json").exists()


@pytest.mark.parametrize("history", [[], [{"step": 1.0, "loss": 2.0}]])
def test_where_nothing_was_compared_nothing_is_told(history: list[dict[str, float]]) -> None:
    assert preferences_of(history) is None


def test_pairs_that_are_only_trained_on_are_told_alone() -> None:
    history: list[dict[str, Any]] = [{"step": 1, "rewards/accuracies": 0.5, "rewards/margins": 0.1}]
    found = preferences_of(history)
    assert found is not None and found.accuracy is not None
    assert (found.accuracy.first, found.eval_accuracy) == ("0.5", None)
