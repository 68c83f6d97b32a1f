"""The log of a sandbox: one connection over the loopback, kept as it comes, until it ends or has cost enough."""

import re
import selectors
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

RECEIVE_BYTES = 1 << 18
# A mark is a line of the sandbox itself: the pod's token and some words. This long at most, line breaks included.
MARK_BYTES = 256
TESTS_BEGIN = "eval"
TESTS_END = "end "

Ending = Literal["Ended", "OutOfTime", "TooLarge"]


@dataclass(frozen=True)
class Limits:
    """`apply_seconds` is for all that comes before the tests, `test_seconds` for them and what comes after."""

    log_bytes: int
    apply_seconds: float
    test_seconds: float


@dataclass(frozen=True)
class Mark:
    """`starts` and `ends` are its place in the log, line breaks included; `at` is a moment of the monotonic clock."""

    words: str
    starts: int
    ends: int
    at: float


@dataclass(frozen=True)
class SandboxLog:
    """What came: a file of `size_bytes`, the marks in it, and how and when it ended."""

    file: Path
    size_bytes: int
    marks: tuple[Mark, ...]
    ending: Ending
    ended_at: float

    def read(self, start: int, end: int) -> bytes:
        with self.file.open("rb") as opened:
            opened.seek(start)
            return opened.read(end - start)


def listen() -> socket.socket:
    """At a free port of this pod's loopback, where no other pod reaches."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    listener.setblocking(False)
    return listener


def accept_one(listener: socket.socket, seconds: float) -> socket.socket | None:
    """The first connection, or None if none comes. Then nobody can connect any more."""
    with listener, selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        if not selector.select(seconds):
            return None
        connection, _ = listener.accept()
        return connection


def keep_log(connection: socket.socket, token: str, file: Path, limits: Limits) -> SandboxLog:
    """Reads to the end of the connection, which the end of the sandbox brings about, or until a limit is reached."""
    marks = _Marks(token)
    deadline = time.monotonic() + limits.apply_seconds
    size = 0
    ending: Ending = "Ended"
    with connection, file.open("wb") as out:
        while True:
            block = _receive(connection, deadline)
            if block is None:
                ending = "OutOfTime"
                break
            kept = block[: limits.log_bytes - size]
            out.write(kept)
            size += len(kept)
            marks.look(kept)
            if marks.tests is not None:
                deadline = marks.tests.at + limits.test_seconds
            if len(kept) < len(block):
                ending = "TooLarge"
            if len(kept) < len(block) or not block:
                break
    return SandboxLog(file, size, marks.all(), ending, time.monotonic())


def _receive(connection: socket.socket, deadline: float) -> bytes | None:
    """What has come, nothing at the end, None when time is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    connection.settimeout(left)
    try:
        return connection.recv(RECEIVE_BYTES)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""  # a sandbox that is killed with unread bytes resets its connection


@dataclass
class _Marks:
    """Finds marks in a stream, also those that come in pieces.

    Of those after the tests began only the last end and the diff behind it count: what came before the last one was
    printed by the tests. So no number of forged marks fills the memory.
    """

    token: str
    before: list[Mark] = field(default_factory=list)
    tests: Mark | None = None
    end: Mark | None = None
    diff: Mark | None = None
    _seen: int = 0
    _carried: bytes = b""
    _known: int = 0

    def __post_init__(self) -> None:
        self._pattern = re.compile(rb"\n" + self.token.encode() + rb" ([a-z0-9 =-]{1,100})\n")

    def look(self, block: bytes) -> None:
        window = self._carried + block
        offset = self._seen - len(self._carried)
        now = time.monotonic()
        for match in self._pattern.finditer(window):
            if offset + match.start() >= self._known:
                self._known = offset + match.end()
                self._take(Mark(match[1].decode(), offset + match.start(), self._known, now))
        self._seen += len(block)
        self._carried = window[-MARK_BYTES:]

    def _take(self, mark: Mark) -> None:
        if self.tests is None:
            self.before.append(mark)
            self.tests = mark if mark.words == TESTS_BEGIN else None
        elif mark.words.startswith(TESTS_END):
            self.end, self.diff = mark, None
        elif mark.words == "diff-after":
            self.diff = self.diff or mark

    def all(self) -> tuple[Mark, ...]:
        return (*self.before, *(mark for mark in (self.end, self.diff) if mark is not None))
