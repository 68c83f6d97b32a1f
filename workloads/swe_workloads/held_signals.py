"""Imported before everything slow: holds SIGTERM and SIGINT back until somebody is there to handle them.

The kernel drops a signal that process 1 has no handler for, and the imports take a second: the stop would be lost.
"""

import signal

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def release() -> None:
    """What came meanwhile arrives now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
