"""How programs in pods end: one table, shared with the controllers, in exit_codes.json."""

import json
from enum import IntEnum
from pathlib import Path

TABLE_FILE = Path(__file__).with_name("exit_codes.json")


class ExitCode(IntEnum):
    """The codes by name. A test holds them equal to the table."""

    COMPLETED = 0
    INVALID_CONFIGURATION = 64
    INVALID_DATA = 65
    MODEL_UNUSABLE = 66
    CUDA_OUT_OF_MEMORY = 67
    DIVERGED = 68
    PEER_LOST = 69
    ENGINE_FAILED = 70
    HOST_OUT_OF_MEMORY = 71
    STORE_UNAVAILABLE = 72
    ENGINE_STALLED = 73
    ENDPOINT_UNAVAILABLE = 74
    PREEMPTED = 75
    BUDGET_EXCEEDED = 76


_REASONS: dict[int, str] = {row["code"]: row["reason"] for row in json.loads(TABLE_FILE.read_text())}


def reason(code: ExitCode) -> str:
    """The CamelCase reason that conditions and verdicts carry."""
    return _REASONS[code]


class Failure(Exception):
    """Ends the program with this code; the message is read by the person who wrote the run."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
