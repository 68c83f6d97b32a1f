"""A few names of many, for messages."""

from collections.abc import Sequence

NAMES_SHOWN = 3


def some(names: Sequence[str], shown: int = NAMES_SHOWN) -> str:
    """The first ones, and how many more there are."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
