"""The engine as a child of process 1: started, listened to, told to stop, and everything dead buried."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TAIL_LINES = 40
TAIL_BYTES = 1024
# The counter of killed processes, in both versions of control groups.
OOM_COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


class EngineProcess:
    """A child in its own process group. Its output goes to our output; the last lines are kept."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
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
                self._kill_group()
        return self._returncode

    def send(self, number: signal.Signals) -> None:
        """To the engine alone: its own children are its own affair."""
        if self._returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def kill(self) -> None:
        """The engine and everything it started."""
        if self._returncode is None:
            self._kill_group()

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

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)

    def _read(self, read_end: int) -> None:
        with os.fdopen(read_end, "r", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                sys.stdout.write(line)
                sys.stdout.flush()
                if line.strip():
                    self._tail.append(line.rstrip()[-TAIL_BYTES // 2 :])


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
