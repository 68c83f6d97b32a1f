"""Commands in an image's root as in the container of a sandbox pod: root without capabilities, limited in memory.

There is no network: `test/instances.ts` starts all of this in a network namespace that has only a loopback.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEMORY_BYTES = 512 << 20
GONE_SECONDS = 10  # a process that holds gigabytes takes a while to give them back
WORKDIR = "/testbed"
# What the operator gives the sandbox, so that `pip install -e .` does without a network (resources/sandbox-pod.ts).
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "PIP_RETRIES": "0",
    "PIP_NO_BUILD_ISOLATION": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
# The first process of the PID namespace stays outside: nothing in there could send it a signal that counts.
_ENTER = """
set -e
root=$1 shown=$2
shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
if [ -n "$shown" ]; then
  mkdir -p "$root/swe"
  mount --bind -o ro "$shown" "$root/swe"
fi
set +e
chroot "$root" setpriv --bounding-set=-all --inh-caps=-all --no-new-privs /usr/bin/env --ignore-environment "$@"
exit $?
"""
_GROUP = f"swe-instances-{os.getpid()}"


@dataclass(frozen=True)
class Container:
    """An image's root. `swe` is a folder that its processes see at /swe and cannot change."""

    root: Path
    swe: Path | None = None
    workdir: str = WORKDIR

    def run(self, command: Sequence[str], output: Path, timeout_seconds: float = 600) -> int | None:
        """Runs a command where the image says, adds its output to a file as it comes. None if it had to be ended."""
        variables = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        namespaces = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        enter = ["bash", "-c", _ENTER, "enter", str(self.root), str(self.swe or "")]
        inside = [f"--chdir={self.workdir}", *variables, *command]
        with output.open("ab") as log, _limited_memory() as join:
            process = subprocess.Popen(
                [*namespaces, *enter, *inside], stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=join
            )
            try:
                return process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                # The end of the first process of a PID namespace is the end of all of them.
                process.kill()
                process.wait()
                return None


@dataclass(frozen=True)
class _Join:
    """Puts the process that calls it into the group; runs between fork and exec."""

    members: Path

    def __call__(self) -> None:
        self.members.write_text(str(os.getpid()))


@contextmanager
def _limited_memory() -> Iterator[_Join]:
    """A control group of its own, of either version."""
    version1 = Path("/sys/fs/cgroup/memory")
    group = (version1 if version1.is_dir() else version1.parent) / _GROUP
    group.mkdir(exist_ok=True)
    (group / ("memory.limit_in_bytes" if version1.is_dir() else "memory.max")).write_text(str(MEMORY_BYTES))
    try:
        yield _Join(group / "cgroup.procs")
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    """Once the last of its processes, killed or not, is gone."""
    deadline = time.monotonic() + GONE_SECONDS
    while (group / "cgroup.procs").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    group.rmdir()
