"""What the official `run_instance()` asks of Docker, answered with an image's root."""

import io
import shlex
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker.errors

from swe_instances.sandbox import Container

_BLOCK_BYTES = 8 << 20


class Client:
    """Has one image, and makes one container of it."""

    def __init__(self, container: Container, folder: Path, timeout_seconds: float) -> None:
        made = _Container(container, folder, timeout_seconds)
        self.images = SimpleNamespace(get=lambda _: None)
        self.containers = SimpleNamespace(get=_no_container, create=lambda **_: made)


class _Container:
    id = name = "instance"

    def __init__(self, container: Container, folder: Path, timeout_seconds: float) -> None:
        self._container, self._folder, self._timeout_seconds = container, folder, timeout_seconds
        self.client = SimpleNamespace(api=self)

    def start(self) -> None:
        """Its processes start one by one."""

    def exec_run(self, command: str | Sequence[str], **_: object) -> Any:
        output = self._folder / "command.txt"
        output.unlink(missing_ok=True)
        code = self._container.run(_words(command), output)
        return SimpleNamespace(exit_code=code, output=output.read_bytes())

    def put_archive(self, folder: str, content: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(self._container.root / folder.lstrip("/"), filter="data")

    def exec_create(self, _: str, command: str) -> dict[str, str]:
        return {"Id": command}

    def exec_start(self, command: str, stream: bool) -> Iterator[bytes]:
        """Over at the end of the command; ended by us a moment after the harness gave up."""
        assert stream
        output = self._folder / "stream.txt"
        self._container.run(_words(command), output, self._timeout_seconds + 1)
        with output.open("rb") as said:
            while block := said.read(_BLOCK_BYTES):
                yield block

    def exec_inspect(self, _: str) -> dict[str, Any]:
        """No process that a command in the container could end."""
        return {"Pid": 2**22}


def _words(command: str | Sequence[str]) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else list(command)


def _no_container(_: str) -> None:
    raise docker.errors.NotFound("no such container")
