"""run.json of a server: what the operator resolved. Anything unknown or out of range is refused by name."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from swe_workloads.run_file import Adapter, Model, RunIdentity
from swe_workloads.settings_file import Section, read_settings

Folder = Annotated[str, Field(pattern=r"^/.+")]


class ServeFile(Section):
    """`folder` is where the server looks for the model, `adapter_folder` where for the adapter, if not beside it.

    `cache` is where a volume is mounted that keeps models.
    """

    version: Literal[1]
    owner: RunIdentity
    model: Model
    adapter: Adapter | None = None
    folder: Folder
    adapter_folder: Folder | None = None
    cache: Folder | None = None


def read_serve_file(path: Path) -> ServeFile:
    """Raises Failure(INVALID_CONFIGURATION) that names every wrong field."""
    return read_settings(path, ServeFile, "run.json")
