"""What of a trajectory is learnt, and how calls are told in text."""

from typing import Any

import pytest
from trajectory_world import call, mini, said, swe_agent

from swe_workloads.conversations import conversation_of
from swe_workloads.examples import Message, Unusable
from swe_workloads.preference_gen.gen_file import Style

USER, SYSTEM = {"role": "user", "content": "Solve it."}, {"role": "system", "content": "You are an agent."}


def learnt(*turns: dict[str, Any], style: Style = "XML") -> list[Message]:
    return conversation_of([SYSTEM, USER, *turns], style)[2:]


def spoken(*turns: dict[str, Any], style: Style = "XML") -> str:
    """The first thing that the model says."""
    return learnt(*turns, style=style)[0]["content"]


def unusable(*turns: Any, style: Style = "XML") -> str:
    with pytest.raises(Unusable) as caught:
        conversation_of([SYSTEM, USER, *turns], style)
    return str(caught.value)


def test_system_and_user_and_model_keep_their_turns_and_tools_are_heard_as_the_user() -> None:
    assert [turn["role"] for turn in conversation_of(swe_agent()["history"], "XML")] == [
        "system", "user", "assistant", "user", "assistant",
    ]  # fmt: skip


def test_it_ends_with_what_the_model_said_last() -> None:
    assert conversation_of(swe_agent(1, "the patch")["history"], "Ticks")[-1]["content"] == "Done.\n\n```\nsubmit\n```"
    assert conversation_of(mini(1, "the patch")["messages"], "Ticks")[-1]["content"].endswith("echo DONE\n```")


def test_a_call_is_written_out_in_xml_and_texts_get_lines_of_their_own() -> None:
    edit = call("str_replace_editor", command="str_replace", path="/a.py", old_str="a\n  b", view_range=[1, 9])
    assert spoken(said("Mend it.", "str_replace_editor …", edit)) == (
        "Mend it.\n\n"
        "<function=str_replace_editor>\n"
        "<parameter=command>str_replace</parameter>\n"
        "<parameter=path>/a.py</parameter>\n"
        "<parameter=old_str>\na\n  b\n</parameter>\n"
        "<parameter=view_range>[1, 9]</parameter>\n"
        "</function>"
    )


def test_several_calls_of_one_turn_stand_below_each_other_in_xml() -> None:
    turn = {"role": "assistant", "content": None, "tool_calls": [call("bash", command="ls"), call("submit")]}
    assert spoken(turn) == (
        "<function=bash>\n<parameter=command>ls</parameter>\n</function>\n<function=submit>\n</function>"
    )
    assert "message 3: its calls are no single command" in unusable(turn, style="Ticks")


def test_the_command_stands_between_ticks() -> None:
    assert spoken(said("Look.", "open lib.py 3", call("open", path="lib.py")), style="Ticks") == (
        "Look.\n\n```\nopen lib.py 3\n```"
    )
    bare = {"role": "assistant", "content": "Look.", "tool_calls": [call("bash", command="ls -F")]}
    assert spoken(bare, style="Ticks") == "Look.\n\n```\nls -F\n```"


@pytest.mark.parametrize("style", ["XML", "Ticks"])
def test_an_action_that_was_text_in_the_first_place_stays_as_it_was(style: Style) -> None:
    text = "THOUGHT: Look.\n\n```mswea_bash_command\nls\n```"
    assert spoken({"role": "assistant", "content": f"{text}\n", "tool_calls": None}, style=style) == text


def test_a_model_that_writes_thought_and_action_into_one_text_says_the_action_once() -> None:
    turn = {**said("Look.", "ls"), "content": "Look.\n```\nls\n```"}
    assert spoken(turn) == "Look.\n```\nls\n```"
    assert spoken(turn, style="Ticks") == "Look.\n\n```\nls\n```"


def test_turns_of_one_side_become_one() -> None:
    tools = [{"role": "tool", "content": text} for text in ("first", "second")]
    assert learnt(said("Look.", "ls"), *tools, said("Done.", "submit"))[1] == {
        "role": "user", "content": "first\n\nsecond",
    }  # fmt: skip


def test_a_demonstration_is_not_learnt() -> None:
    shown = [{**USER, "is_demo": True}, {**said("Shown.", "ls"), "is_demo": True}]
    assert learnt(*shown, said("Own.", "ls"), style="Ticks") == [
        {"role": "assistant", "content": "Own.\n\n```\nls\n```"}
    ]


@pytest.mark.parametrize("words", ["Exit due to cost limit", "exit due to retry error: x"])
def test_words_that_the_agent_put_into_the_models_mouth_are_not_learnt(words: str) -> None:
    turns = [said("Own.", "ls"), {"role": "tool", "content": "lib.py"}, said(words, "exit_cost")]
    assert [turn["content"] for turn in learnt(*turns)] == ["Own."]


def test_of_a_turn_in_parts_all_texts_are_one() -> None:
    parts = [{"type": "text", "text": "a", "cache_control": {}}, {"type": "text", "text": "b"}]
    turns = [{"role": "tool", "content": parts}, said("Own.", "ls")]
    assert conversation_of([SYSTEM, *turns], "XML")[1]["content"] == "ab"


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ("text", "message 3 must be an object"),
        ({"type": "function_call_output", "output": "x"}, "message 3: role must be one of system, user, tool"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "message 3: content holds something else than text"),
        ({"role": "user", "content": 7}, "message 3: content holds something else than text"),
        ({"role": "assistant", "content": "x", "tool_calls": "ls"}, "message 3: tool_calls must be a list"),
        (
            {"role": "assistant", "content": "x", "tool_calls": [{"name": "ls"}]},
            "a call must have a name and an object",
        ),
        (
            {"role": "assistant", "content": "x", "tool_calls": [{"function": {"name": "ls", "arguments": "{"}}]},
            "message 3: a call must have a name and an object of arguments",
        ),
        ({"role": "assistant", "content": " "}, "the model says nothing in it"),
    ],
)
def test_a_conversation_that_cannot_be_told_says_why(turn: Any, words: str) -> None:
    assert words in unusable(turn)


def test_without_any_turn_there_is_nothing_to_learn() -> None:
    with pytest.raises(Unusable, match="the model says nothing in it"):
        conversation_of([], "XML")
