from typing import Any

import pytest
from fake_tokenizer import WordTokenizer

from swe_workloads.examples import Example
from swe_workloads.rows import BadRow, Row
from swe_workloads.run_file import Sequence
from swe_workloads.tokens import Measured, measure, percentile


def counted(record: dict[str, Any], max_length: int = 100, loss_on: str = "Completion") -> Measured | BadRow:
    sequence = Sequence.model_construct(max_length=max_length, loss_on=loss_on)  # shorter than a run may have
    return measure(Example(Row("f", 4, {}), record, None, None), WordTokenizer(), sequence)


def tokens(record: dict[str, Any]) -> int:
    measured = counted(record)
    assert isinstance(measured, Measured)
    return measured.tokens


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_a_plain_completion_is_counted_with_its_end_token() -> None:
    assert tokens({"prompt": "one two", "completion": " three"}) == 4
    assert tokens({"prompt": "one two", "completion": " three <end>"}) == 4


def test_conversations_are_counted_through_the_chat_template() -> None:
    assert tokens({"messages": [turn("user", "one two"), turn("assistant", "three")]}) == 5
    assert tokens({"prompt": [turn("user", "one two")], "completion": [turn("assistant", "three")]}) == 5


def test_a_prompt_that_fills_the_sequence_is_a_bad_row() -> None:
    bad = counted({"prompt": "one two three", "completion": " four"}, max_length=3)
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.reason) == (
        4,
        "its prompt alone is 3 tokens: sequence.maxLength 3 leaves nothing to learn from",
    )


def test_a_row_that_is_only_cut_off_at_its_end_is_kept() -> None:
    assert isinstance(counted({"prompt": "one two three", "completion": " four five"}, max_length=4), Measured)


def test_a_prompt_that_fills_the_sequence_is_kept_where_it_is_learnt_too() -> None:
    record = {"prompt": "one two three", "completion": " four"}
    assert isinstance(counted(record, max_length=3, loss_on="All"), Measured)


def test_a_conversation_is_bad_only_if_its_first_answer_is_beyond_the_sequence() -> None:
    record = {"messages": [turn("user", "one two three"), turn("assistant", "four")]}
    assert isinstance(counted(record, max_length=5, loss_on="AssistantMessages"), BadRow)
    assert isinstance(counted(record, max_length=6, loss_on="AssistantMessages"), Measured)
    assert isinstance(counted(record, max_length=5, loss_on="All"), Measured)
    assert isinstance(counted({"messages": record["messages"][1:]}, loss_on="AssistantMessages"), Measured)


def test_what_the_chat_template_refuses_is_a_bad_row() -> None:
    bad = counted({"messages": [turn("user", "forbidden"), turn("assistant", "x")]})
    assert isinstance(bad, BadRow)
    assert bad.reason == "the model's chat template refuses it: roles must alternate"


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.9, 9), (1.0, 10)])
def test_percentiles_are_counts_that_occur(share: float, value: int) -> None:
    assert percentile(range(1, 11), share) == value
    assert percentile([], share) == 0
