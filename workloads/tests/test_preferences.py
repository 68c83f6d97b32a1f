from typing import Any

import pytest
from fake_tokenizer import WordTokenizer

from swe_workloads.examples import Example, read_example
from swe_workloads.formats import CONVERT
from swe_workloads.leaks import gold_in_prompt, leaked_across
from swe_workloads.pair_lengths import measure_pair
from swe_workloads.preferences import of_one_form
from swe_workloads.rows import BadRow, Row
from swe_workloads.run_file import Select, Sequence, Split
from swe_workloads.selection import select
from swe_workloads.split import split
from swe_workloads.tokens import Measured

QUESTION = "Why does the view raise a KeyError when the form is empty?"


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


ASKED = [turn("user", QUESTION)]
GOOD, WORSE = [turn("assistant", "It reads a key.")], [turn("assistant", "No idea.")]
TEXT = {"prompt": QUESTION, "chosen": " It reads a key.", "rejected": " No idea."}
CHAT = {"prompt": ASKED, "chosen": GOOD, "rejected": WORSE}


def read(number: int = 3, **fields: object) -> Example | BadRow:
    return read_example(Row("rows.jsonl", number, fields), CONVERT["Preferences"])


def example(number: int = 3, **fields: object) -> Example:
    found = read(number, **fields)
    assert isinstance(found, Example), found
    return found


@pytest.mark.parametrize("row", [TEXT, CHAT])
def test_a_pair_is_taken_as_it_is(row: dict[str, Any]) -> None:
    found = example(**row, instance_id="a__a-1", repo="a/a", score=3)
    assert found.record == row
    assert (found.instance, found.repository) == ("a__a-1", "a/a")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**TEXT, "prompt": None}, "prompt is missing"),
        ({**TEXT, "chosen": None}, "chosen is missing"),
        ({**TEXT, "rejected": " \n"}, "rejected is empty"),
        ({**TEXT, "rejected": 7}, "rejected must be a string, not int"),
        ({**TEXT, "rejected": "It reads a key.\n"}, "chosen and rejected are the same"),
        ({**TEXT, "chosen": QUESTION + " It reads a key."}, "chosen repeats the prompt: write only what follows it"),
        ({**TEXT, "chosen": GOOD}, "prompt is text and chosen is a list of messages: write both alike"),
        ({**CHAT, "rejected": "No idea."}, "prompt is a list of messages and rejected is text: write both alike"),
        ({**CHAT, "rejected": None}, "rejected is missing"),
        ({**CHAT, "rejected": [turn("assistant", "")]}, "rejected is empty"),
        ({**CHAT, "rejected": GOOD}, "chosen and rejected are the same"),
        ({**CHAT, "prompt": []}, "prompt must be a list with at least one message"),
        ({**CHAT, "prompt": [*ASKED, *GOOD]}, "prompt ends with a message of the assistant"),
        (
            {**CHAT, "chosen": [*ASKED, *GOOD]},
            "chosen must be one message of the assistant, not user, assistant: what comes before it belongs into",
        ),
        ({**CHAT, "chosen": [turn("bot", "x")]}, "message 1 of chosen: role must be one of system, user"),
        (
            {"chosen": [*ASKED, *GOOD], "rejected": [*ASKED, *WORSE]},
            "prompt is missing: write there, and only there, the messages that both answers begin with",
        ),
    ],
)
def test_what_is_no_pair_is_a_bad_row_with_its_reason(row: dict[str, Any], reason: str) -> None:
    bad = read(**row)
    assert isinstance(bad, BadRow)
    assert bad.number == 3
    assert reason in bad.reason


def test_an_answer_may_begin_with_the_words_of_a_short_prompt() -> None:
    assert example(prompt="def f", chosen="def f(x): ...", rejected="x").record["chosen"] == "def f(x): ..."


def test_rows_of_another_form_than_most_are_named() -> None:
    kept, bad = of_one_form([example(1, **CHAT), example(2, **TEXT), example(3, **TEXT)])
    assert [one.row.number for one in kept] == [2, 3]
    assert [(one.number, one.reason) for one in bad] == [
        (1, "it is chat messages, and most rows are text: write all rows alike")
    ]


def test_a_limit_takes_pairs_and_not_all_pairs_of_one_prompt() -> None:
    pairs = [
        example(number, prompt=f"{number % 4} {QUESTION}", chosen="yes", rejected=f"no {number}")
        for number in range(200)
    ]
    chosen = select(pairs, Select(limit=20, seed=1))
    assert len({str(one.record["prompt"]) for one in chosen}) == 4


def test_pairs_of_one_prompt_are_on_one_side_of_the_split() -> None:
    pairs = [
        example(number, prompt=f"{number % 4} {QUESTION}", chosen="yes", rejected=f"no {number}")
        for number in range(20)
    ]
    rule = Split.model_construct(train_percent=50, by="Instance", seed=1)
    train, test = split(pairs, rule)
    prompts = [{str(one.record["prompt"]) for one in side} for side in (train, test)]
    assert (len(train), len(test), prompts[0] & prompts[1]) == (10, 10, set())


def test_the_same_prompt_or_answer_on_both_sides_leaks() -> None:
    long = "The same long answer about a key that is missing from the form."
    known = example(prompt="one", chosen=long, rejected="no")
    assert leaked_across([known], [example(prompt="two", chosen="yes", rejected=long)]) == 1
    assert leaked_across([example(**TEXT)], [example(**{**TEXT, "chosen": "Else.", "rejected": "Other."})]) == 1
    assert leaked_across([known], [example(**CHAT)]) == 0


def test_a_prompt_that_holds_the_patch_to_be_chosen_is_found() -> None:
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+    return form.get('user', anonymous)\n"
    told = f"{QUESTION} Write:\n    return form.get('user', anonymous)\n"
    assert len(gold_in_prompt([example(prompt=told, chosen=patch, rejected="no")])) == 1
    assert gold_in_prompt([example(prompt=told, chosen="no", rejected=patch)]) == []


def counted(record: dict[str, Any], max_length: int = 100, tokenizer: WordTokenizer | None = None) -> Measured | BadRow:
    sequence = Sequence.model_construct(max_length=max_length)  # shorter than a run may have
    return measure_pair(Example(Row("f", 4, {}), record, None, None), tokenizer or CodingTokenizer(), sequence)


class CodingTokenizer(WordTokenizer):
    """Tells words apart, which counting them does not need."""

    def encode(self, text: str) -> list[int]:
        return [hash(word) for word in text.split()]

    def apply_chat_template(self, conversation: Any, **options: Any) -> list[int]:
        super().apply_chat_template(conversation, **options)
        spoken = " ".join(f"{one['role']} {one['content']}" for one in conversation)
        return self.encode(spoken + (" assistant" if options["add_generation_prompt"] else ""))


def test_a_pair_is_as_long_as_its_longer_side() -> None:
    found = counted({"prompt": "one two", "chosen": " three", "rejected": " four five six"})
    assert isinstance(found, Measured)
    assert (found.tokens, found.pair, found.continued) == (6, (4, 6), True)


def test_messages_are_counted_through_the_chat_template() -> None:
    found = counted({"prompt": [turn("user", "one")], "chosen": [turn("assistant", "a b")], "rejected": WORSE})
    assert isinstance(found, Measured)
    assert (found.pair, found.continued) == ((5, 5), True)


def test_a_pair_that_is_the_same_up_to_the_cut_is_a_bad_row() -> None:
    record = {"prompt": "one", "chosen": " two three four", "rejected": " two three five"}
    bad = counted(record, max_length=3)
    assert isinstance(bad, BadRow)
    assert bad.reason == "chosen and rejected are the same up to sequence.maxLength 3, where they are cut"
    assert isinstance(counted(record, max_length=4), Measured)


def test_a_prompt_that_fills_the_sequence_is_a_bad_row() -> None:
    bad = counted({"prompt": "one two three", "chosen": " a", "rejected": " b"}, max_length=3)
    assert isinstance(bad, BadRow)
    assert bad.reason.startswith("its prompt alone is 3 tokens: sequence.maxLength 3")


def test_a_prompt_whose_tokens_change_when_an_answer_follows_is_noticed() -> None:
    found = counted({"prompt": "one tw", "chosen": "o", "rejected": "ice"})
    assert isinstance(found, Measured)
    assert not found.continued


def test_what_the_chat_template_refuses_is_a_bad_row() -> None:
    bad = counted({"prompt": [turn("user", "forbidden")], "chosen": GOOD, "rejected": WORSE})
    assert isinstance(bad, BadRow)
    assert "the model's chat template refuses it" in bad.reason
