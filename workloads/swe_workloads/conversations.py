"""What is learnt of a trajectory: its conversation as turns of text, in one of the styles of SWE-smith."""

import json
from collections.abc import Mapping, Sequence

from swe_workloads.examples import Message, Unusable, chat_turns
from swe_workloads.run_file import Style

# SWE-smith gives these arguments lines of their own, because their values have lines.
_TEXTS = ("old_str", "new_str", "file_text")
_SPEAKERS = {"system": "system", "user": "user", "tool": "user", "assistant": "assistant"}
# mini-swe-agent's last turn repeats the patch. No model and no tool said it.
_EPILOGUE = "exit"
# SWE-agent ends in the name of the model where a limit or an error ended it.
_SPOKEN_FOR = "exit due to "


def conversation_of(said: Sequence[object], style: Style) -> list[Message]:
    """Up to the last turn of the model. Raises Unusable."""
    turns: list[Message] = []
    for number, message in enumerate(said, start=1):
        turn = _turn(message, style, f"message {number}")
        if turn is None:
            continue
        if turns and turns[-1]["role"] == turn["role"]:
            turns[-1]["content"] += f"\n\n{turn['content']}"
        else:
            turns.append(turn)
    while turns and turns[-1]["role"] != "assistant":
        turns.pop()
    if not turns:
        raise Unusable("the model says nothing in it")
    return chat_turns(turns, "messages")


def _turn(message: object, style: Style, name: str) -> Message | None:
    """None for what is not part of the conversation."""
    if not isinstance(message, dict):
        raise Unusable(f"{name} must be an object")
    role = message.get("role")
    if role == _EPILOGUE or message.get("is_demo"):
        return None
    if role not in _SPEAKERS:
        raise Unusable(f"{name}: role must be one of {', '.join(_SPEAKERS)}, not {role!r:.80}")
    text = _text(message.get("content"), name)
    if role == "assistant":
        if text.lower().startswith(_SPOKEN_FOR):
            return None
        text = _in_xml(message, text, name) if style == "XML" else _in_ticks(message, text, name)
        return {"role": "assistant", "content": text} if text else None
    return {"role": _SPEAKERS[role], "content": text}


def _text(content: object, name: str) -> str:
    """Of a turn in parts all of them."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    if len(texts) != len(parts) or not all(isinstance(text, str) for text in texts):
        raise Unusable(f"{name}: content holds something else than text")
    return "".join(map(str, texts))


def _in_xml(message: Mapping[str, object], text: str, name: str) -> str:
    """What was called by the interface of the API, written out. What was text in the first place stays as it is."""
    calls = _calls(message, name)
    if not calls:
        return text.strip()
    return "\n\n".join([_thought(message, text), "\n".join(_xml(*call) for call in calls)]).strip()


def _in_ticks(message: Mapping[str, object], text: str, name: str) -> str:
    """With the command between fences. mini-swe-agent's text has it there already."""
    action = message.get("action")
    if not isinstance(action, str):
        calls = _calls(message, name)
        if not calls:
            return text.strip()
        if len(calls) > 1 or list(calls[0][1]) != ["command"]:
            raise Unusable(f"{name}: its calls are no single command, which Ticks has no words for")
        action = str(calls[0][1]["command"])
    if not action.strip():
        return text.strip()
    return f"{_thought(message, text)}\n\n```\n{action}\n```".strip()


def _thought(message: Mapping[str, object], text: str) -> str:
    """The turn without its action, which SWE-agent keeps apart where the model writes both into one text."""
    thought = message.get("thought")
    return thought if isinstance(thought, str) else text


def _calls(message: Mapping[str, object], name: str) -> list[tuple[str, dict[str, object]]]:
    """Names and arguments of what the model called."""
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Unusable(f"{name}: tool_calls must be a list")
    return [_call(call, name) for call in calls]


def _call(call: object, name: str) -> tuple[str, dict[str, object]]:
    function = call.get("function") if isinstance(call, dict) else None
    told = function if isinstance(function, dict) else {}
    called, arguments = told.get("name"), told.get("arguments") or {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(called, str) or not isinstance(arguments, dict):
        raise Unusable(f"{name}: a call must have a name and an object of arguments")
    return called, arguments


def _xml(called: str, arguments: Mapping[str, object]) -> str:
    values = {key: f"\n{value}\n" if key in _TEXTS else str(value) for key, value in arguments.items()}
    lines = [f"<parameter={key}>{value}</parameter>" for key, value in values.items()]
    return "\n".join([f"<function={called}>", *lines, "</function>"])
