"""Retry-After: how long a server wants to be left alone."""

import time
from email.message import Message
from email.utils import parsedate_to_datetime


def seconds_to_wait(headers: Message, longest_seconds: float) -> float:
    """Given in seconds or as a date; 0 where it says nothing, and never more than the longest."""
    said = str(headers.get("Retry-After", "")).strip()
    try:
        seconds = float(said) if said.isdigit() else parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, longest_seconds))
