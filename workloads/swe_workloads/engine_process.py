"""The engine as a child of process 1: started, listened to, ended, and everything dead buried."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TAIL_LINES = 40
TAIL_BYTES = 1024
# For every thread of every process to say where it is.
LAST_WORDS_SECONDS = 5.0
PR_SET_CHILD_SUBREAPER = 36
# The counter of killed processes, in both versions of control groups.
OOM_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


class EngineProcess:
    """A child in its own process group. Its output goes to our output; the last lines are kept.

    There is one at a time: when it ends, every process below this one is its leftover.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        adopt_orphans()
        self._oom_kills_before = oom_kills()
        self._returncode: int | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        read_end, write_end = os.pipe()
        # Not subprocess.Popen: it waits for its own child, and process 1 must wait for all.
        self._pid = os.posix_spawn(
            command[0],
            list(command),
            dict(environment),
            file_actions=[(os.POSIX_SPAWN_DUP2, write_end, 1), (os.POSIX_SPAWN_DUP2, write_end, 2)],
            setpgroup=0,
        )
        os.close(write_end)
        self._reader = threading.Thread(target=self._read, args=(read_end,), daemon=True)
        self._reader.start()

    def poll(self) -> int | None:
        """The exit code, minus the signal number for a death by signal, or None while it runs."""
        while self._returncode is None:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == self._pid:
                self._returncode = os.waitstatus_to_exitcode(status)
                # torchrun's ranks have sessions of their own; without their parent they are ours.
                kill_all(descendants(os.getpid()), signal.SIGKILL)
        return self._returncode

    def abort(self) -> None:
        """Ends an engine that hangs; before that, its processes tell the log where each thread is."""
        ranks = descendants(self._pid)
        kill_all(ranks, signal.SIGABRT)
        until = time.monotonic() + LAST_WORDS_SECONDS
        if ranks:
            self._wait(until - LAST_WORDS_SECONDS / 2)
        if self.poll() is None:
            kill_all([self._pid], signal.SIGABRT)
            self._wait(until)
        self.kill()

    def kill(self) -> None:
        """The engine and everything it started."""
        if self.poll() is None:
            kill_all([*descendants(self._pid), self._pid], signal.SIGKILL)

    def _wait(self, until: float) -> None:
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def out_of_memory(self) -> bool:
        """Whether the kernel has killed a process of this container for memory since the engine started."""
        return oom_kills() > self._oom_kills_before

    def tail(self) -> list[str]:
        """The last lines, at most 1 KB of them."""
        self._reader.join(timeout=1)
        lines: list[str] = []
        size = 0
        for line in reversed(self._tail):
            size += len(line.encode()) + 1
            if size > TAIL_BYTES:
                break
            lines.insert(0, line)
        return lines

    def _read(self, read_end: int) -> None:
        with os.fdopen(read_end, "r", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                sys.stdout.write(line)
                sys.stdout.flush()
                if line.strip():
                    self._tail.append(line.rstrip()[-TAIL_BYTES // 2 :])


def adopt_orphans() -> None:
    """Where this is not process 1 (a pod whose containers share their processes), orphans come here all the same."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """The processes below this one, parents first."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name before it, in brackets, may hold anything.
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def kill_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def oom_kills() -> int:
    """How often the kernel has killed in this container's control group; 0 where it does not say."""
    for path in OOM_COUNTERS:
        try:
            fields = dict(line.split(maxsplit=1) for line in path.read_text().splitlines() if " " in line)
        except OSError:
            continue
        return int(fields.get("oom_kill", "0"))
    return 0


def cpu_limit() -> int:
    """Whole CPUs this container may use, at least 1; 1 where there is no limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        quota, period = _cpu_limit_of_version_1()
    return max(1, int(quota) // int(period)) if quota.isdigit() else 1


def _cpu_limit_of_version_1() -> tuple[str, str]:
    folder = Path("/sys/fs/cgroup/cpu")
    try:
        return (folder / "cpu.cfs_quota_us").read_text().strip(), (folder / "cpu.cfs_period_us").read_text().strip()
    except OSError:
        return "max", "1"
