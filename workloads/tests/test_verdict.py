import json
from pathlib import Path
from typing import Any

from swe_workloads.exit_codes import ExitCode
from swe_workloads.verdict import (
    TERMINATION_MESSAGE_BYTES,
    Artifact,
    BadRowExample,
    PrepareSummary,
    PrepareVerdict,
    RepositoryCount,
    TokenSummary,
    TrainVerdict,
    Verdict,
    outcome,
    write_termination_message,
)


def written(verdict: Verdict, folder: Path) -> dict[str, Any]:
    write_termination_message(verdict, folder / "termination")
    content = (folder / "termination").read_bytes()
    assert len(content) <= TERMINATION_MESSAGE_BYTES
    document: dict[str, Any] = json.loads(content)
    return document


def test_a_short_verdict_is_written_whole_and_without_what_is_not_known(tmp_path: Path) -> None:
    verdict = TrainVerdict(**outcome(ExitCode.PREEMPTED, "Stopped."), attempt=2, from_step=20, last_step=35)
    assert written(verdict, tmp_path) == {
        "kind": "Train",
        "exitCode": 75,
        "reason": "Preempted",
        "message": "Stopped.",
        "attempt": 2,
        "fromStep": 20,
        "lastStep": 35,
        "checkpointStep": 0,
    }


def test_of_a_long_log_the_end_is_kept(tmp_path: Path) -> None:
    tail = [f"line {number} {'ä' * 40}" for number in range(80)]
    shown = written(TrainVerdict(**outcome(ExitCode.ENGINE_FAILED, "x"), attempt=1, log_tail=tail), tmp_path)
    assert shown["logTail"][-1] == tail[-1]
    assert len(shown["logTail"]) < 80


def test_of_many_artifacts_the_first_are_kept(tmp_path: Path) -> None:
    artifacts = [Artifact(name=f"a{n}", key=f"result/a1/a{n}", sha256="0" * 64, size_bytes=n) for n in range(60)]
    shown = written(TrainVerdict(**outcome(ExitCode.COMPLETED, "x"), attempt=1, artifacts=artifacts), tmp_path)
    assert shown["artifacts"][0]["name"] == "a0"


def test_examples_of_bad_rows_give_way_before_figures(tmp_path: Path) -> None:
    summary = PrepareSummary(
        rows=1,
        train=1,
        test=0,
        bad_rows=5,
        bad_row_examples=[BadRowExample(row=n, reason="🙂" * 200) for n in range(5)],
        tokens=TokenSummary(p50=1, p90=2, max=3),
        truncated_percent="0.0",
        duplicates_across_split=0,
        leaked_across_split=0,
        gold_in_prompt=9,
        gold_in_prompt_examples=["i" * 128] * 5,
        repositories=[RepositoryCount(name="r" * 100, rows=1) for _ in range(10)],
    )
    shown = written(PrepareVerdict(**outcome(ExitCode.COMPLETED, "x"), summary=summary), tmp_path)
    assert 0 < len(shown["summary"]["badRowExamples"]) < 5
    assert len(shown["summary"]["repositories"]) == 10


def test_an_endless_message_is_cut(tmp_path: Path) -> None:
    assert written(PrepareVerdict(**outcome(ExitCode.INVALID_DATA, "ä" * 9000)), tmp_path)["exitCode"] == 65


def test_what_no_list_explains_gives_way_at_last(tmp_path: Path) -> None:
    name = "adapter/" + "ä" * 1000
    endless = [Artifact(name=name, key=f"result/a1/{name}", sha256="0" * 64, size_bytes=1)]
    shown = written(TrainVerdict(**outcome(ExitCode.COMPLETED, "🙂" * 1000), attempt=1, artifacts=endless), tmp_path)
    assert (shown["exitCode"], shown["attempt"]) == (0, 1)


def test_half_a_character_does_not_stop_a_verdict(tmp_path: Path) -> None:
    verdict = TrainVerdict(**outcome(ExitCode.INVALID_DATA, "a \ud800 name"), attempt=1, log_tail=["\udcff"])
    assert written(verdict, tmp_path)["message"] == "a ? name"
