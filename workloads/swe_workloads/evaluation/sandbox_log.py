"""The log of a sandbox: connections over the loopback, kept as they come, until they end or have cost enough.

There is one, with everything in it; for SWE-bench Pro a second one brings what the tests print as errors.
"""

import re
import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

RECEIVE_BYTES = 1 << 18
# A mark is a line of the sandbox itself: the pod's token and some words. This long at most, line breaks included.
MARK_BYTES = 256
TESTS_BEGIN = "eval"
TESTS_END = "end "
# What the sandbox says once the tests are over.
AFTER_TESTS = ("files-before", "files-after", "diff-after")

Ending = Literal["Ended", "OutOfTime", "TooLarge"]


@dataclass(frozen=True)
class Limits:
    """`apply_seconds` is for all that comes before the tests, `test_seconds` for them and what comes after.

    `log_bytes` are those of each connection.
    """

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
class Stream:
    """A connection, and the file that keeps what comes over it."""

    connection: socket.socket
    file: Path


@dataclass(frozen=True)
class SandboxLog:
    """What came first of all: a file of `size_bytes`, the marks in it; how and when all of it ended.

    `most_bytes` came over one connection.
    """

    file: Path
    size_bytes: int
    most_bytes: int
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


def keep_log(streams: Sequence[Stream], token: str, limits: Limits) -> SandboxLog:
    """Reads to the end of all connections, which the end of the sandbox brings about, or until a limit is reached.

    The first one has the marks.
    """
    marks = _Marks(token)
    deadline = time.monotonic() + limits.apply_seconds
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        kept = [stack.enter_context(_Kept(stream, limits.log_bytes)) for stream in streams]
        for one in kept:
            selector.register(one.connection, selectors.EVENT_READ, one)
        ending: Ending = "Ended"
        while selector.get_map() and ending == "Ended":
            ready = _ready(selector, deadline)
            if not ready:
                ending = "OutOfTime"
            for one in ready:
                block = one.receive()
                if one is kept[0]:
                    marks.look(block)
                if not block:
                    selector.unregister(one.connection)
                if one.is_too_large:
                    ending = "TooLarge"
            if marks.tests is not None:
                deadline = marks.tests.at + limits.test_seconds
        most_bytes = max(one.size_bytes for one in kept)
        return SandboxLog(streams[0].file, kept[0].size_bytes, most_bytes, marks.all(), ending, time.monotonic())


def _ready(selector: selectors.BaseSelector, deadline: float) -> "list[_Kept]":
    """Those with something to read or at their end; none when time is over."""
    left = deadline - time.monotonic()
    return [key.data for key, _ in selector.select(left)] if left > 0 else []


class _Kept:
    """The connection and the file of a stream while it is read."""

    def __init__(self, stream: Stream, most_bytes: int) -> None:
        self.connection = stream.connection
        self.size_bytes = 0
        self.is_too_large = False
        self._file: BinaryIO = stream.file.open("wb")
        self._most_bytes = most_bytes

    def __enter__(self) -> "_Kept":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self._file.close()

    def receive(self) -> bytes:
        """What is kept of what has come; nothing at the end, or beyond the cap."""
        try:
            block = self.connection.recv(RECEIVE_BYTES)
        except ConnectionError:
            return b""  # a sandbox that is killed with unread bytes resets its connection
        kept = block[: self._most_bytes - self.size_bytes]
        self._file.write(kept)
        self.size_bytes += len(kept)
        self.is_too_large = len(kept) < len(block)
        return kept


@dataclass
class _Marks:
    """Finds marks in a stream, also those that come in pieces.

    Of those after the tests began only the last end and the first of each kind behind it count: what came before the
    last end was printed by the tests. So no number of forged marks fills the memory.
    """

    token: str
    before: list[Mark] = field(default_factory=list)
    tests: Mark | None = None
    end: Mark | None = None
    after: dict[str, Mark] = field(default_factory=dict)
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
            self.end, self.after = mark, {}
        elif mark.words in AFTER_TESTS:
            self.after.setdefault(mark.words, mark)

    def all(self) -> tuple[Mark, ...]:
        return (*self.before, *([] if self.end is None else [self.end]), *self.after.values())
