"""Trajectories to test with: the real excerpt, and what each agent writes, in few words."""

import json
from pathlib import Path
from typing import Any

REAL_ID = "marshmallow-code__marshmallow-1867"
FOLDER = Path(__file__).with_name("trajectories")
REAL = FOLDER / REAL_ID / f"{REAL_ID}.traj"


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "function", "id": f"call_{name}", "function": {"name": name, "arguments": json.dumps(arguments)}}


def swe_agent(number: int = 1, patch: str | None = "diff", thought: str = "Look.", **more: Any) -> dict[str, Any]:
    """Of instance `number`, with one step and the submission."""
    asked = {"role": "user", "content": f"Solve {number}.", "agent": "main", "message_type": "observation"}
    return {
        "environment": "main",
        "trajectory": [{"action": "ls", "observation": "lib.py", "response": thought, "thought": thought}],
        "history": [
            {"role": "system", "content": "You are an agent.", "agent": "main", "message_type": "system_prompt"},
            asked,
            said(thought, "ls -F", call("bash", command="ls -F")),
            {"role": "tool", "content": [{"type": "text", "text": "lib.py"}], "tool_call_ids": ["call_bash"]},
            said("Done.", "submit", call("submit")),
            {"role": "tool", "content": str(patch), "tool_call_ids": ["call_submit"]},
        ],
        "info": {"submission": patch, "exit_status": "submitted"},
        "replay_config": json.dumps(
            {"agent": {"model": {"name": "team/agent"}}, "problem_statement": {"id": f"team__lib-{number}"}}
        ),
        **more,
    }


def said(thought: str, action: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """A turn of SWE-agent's model."""
    known = {"role": "assistant", "content": thought, "thought": thought, "action": action, "message_type": "action"}
    return {**known, "tool_calls": list(calls) or None}


def mini(number: int = 1, patch: str | None = "diff", *turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A trajectory of mini-swe-agent; without `turns` with one in plain text."""
    first = [{"role": "system", "content": "You are mini."}, {"role": "user", "content": f"Solve {number}."}]
    text = [
        {"role": "assistant", "content": "THOUGHT: Look.\n\n```bash\nls\n```", "extra": {"cost": 0.1}},
        {"role": "user", "content": "<returncode>0</returncode>"},
        {"role": "assistant", "content": "THOUGHT: Done.\n\n```bash\necho DONE\n```"},
    ]
    last = {"role": "exit", "content": str(patch), "extra": {"exit_status": "Submitted"}}
    return {
        "info": {"exit_status": "Submitted", "submission": patch, "config": {"model": {"model_name": "team/mini"}}},
        "messages": [*first, *(turns or text), last],
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": f"team__lib-{number}",
        **more,
    }
