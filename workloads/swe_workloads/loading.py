"""The engine's libraries are loaded in two thirds of the time when nobody looks for garbage meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """For imports. What they make stays: no collection looks at it now, later on, or at the end of the process."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:  # the outermost
            gc.freeze()
            gc.enable()
