"""Parts of what is too much for the memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

BYTES_AT_ONCE = 32 * 1024 * 1024

Item = TypeVar("Item")


def in_parts(items: Iterable[Item], size_of: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """Of so many as may be in memory at once, `most` and one at least."""
    part: list[Item] = []
    size = 0
    for one in items:
        size += size_of(one)
        if part and (size > BYTES_AT_ONCE or len(part) == most):
            yield part
            part, size = [], size_of(one)
        part.append(one)
    if part:
        yield part
