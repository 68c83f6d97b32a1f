"""A piece of work on hostile text, in a process of its own that may cost only so much."""

import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    seconds: int
    memory_bytes: int


class TooCostly(Exception):
    """The work needed more memory or time than it was allowed."""


class Refused(Exception):
    """The work raised an exception; the message names it."""


def confined(work: Callable[[], bytes], allowance: Allowance) -> bytes:
    """What work() returns in a copy of this process. It must not have threads. Raises TooCostly or Refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_and_leave(work, allowance, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise TooCostly(f"it took more than {allowance.seconds} s or {allowance.memory_bytes >> 20} MiB")
    if said[:1] != b"+":
        raise Refused(said[1:].decode(errors="replace"))
    return said[1:]


def _work_and_leave(work: Callable[[], bytes], allowance: Allowance, writing: int) -> None:
    """Never returns: what the copy has of the parent's files and handlers is the parent's to end."""
    code = 1
    try:
        # The alarm's default action ends the process even in the middle of a regular expression.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(allowance.seconds)
        resource.setrlimit(resource.RLIMIT_AS, (allowance.memory_bytes, allowance.memory_bytes))
        try:
            said = b"+" + work()
        except MemoryError:
            raise
        except Exception as error:
            said = b"-" + f"{type(error).__name__}: {error}".encode(errors="replace")
        with os.fdopen(writing, "wb") as out:
            out.write(said)
        code = 0
    finally:
        os._exit(code)
