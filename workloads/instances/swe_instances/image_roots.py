"""The file systems of the instances' images, each used once and thrown away."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Images(BaseModel):
    """Where the images are, as `test/instances.ts` says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    buildah: Sequence[str]
    environment: Mapping[str, str]
    # Held while an image is in use: whoever builds removes all containers of the store first.
    lock: str
    references: Mapping[str, str]

    @staticmethod
    def read(path: str) -> "Images":
        """From the file that names them."""
        return Images(**json.loads(Path(path).read_text()))

    @contextmanager
    def root(self, name: str) -> Iterator[Path]:
        """A fresh copy of the image's files."""
        with Path(self.lock).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            container = self._run("from", "--pull-never", self.references[name])
            try:
                yield Path(self._run("mount", container))
            finally:
                self._run("rm", container)

    def _run(self, *arguments: str) -> str:
        command, environment = [*self.buildah, *arguments], os.environ | dict(self.environment)
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
