"""One POST whose every byte has its time: nobody is waited for longer than the bounds say, however slowly it speaks."""

import http.client
import io
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any

CONNECT_SECONDS = 10.0  # to one address, of which a name may have several
BLOCK_BYTES = 1 << 16


@dataclass(frozen=True)
class Bounds:
    """Seconds for the whole exchange, for the first byte, and between two; bytes of the answer."""

    whole_seconds: float
    first_seconds: float
    silent_seconds: float
    answer_bytes: int


class TooLarge(Exception):
    """The answer has more bytes than its bounds allow."""


@dataclass(frozen=True)
class Answering:
    """An answer that is still arriving."""

    status: int
    headers: Message
    _response: http.client.HTTPResponse
    _bounds: Bounds

    def blocks(self) -> Iterator[bytes]:
        """As they come. Raises TimeoutError, TooLarge, and what http.client raises when the other side breaks off."""
        left = self._bounds.answer_bytes
        while block := self._response.read1(BLOCK_BYTES):
            left -= len(block)
            if left < 0:
                raise TooLarge(f"the answer has more than {self._bounds.answer_bytes:,} bytes")
            yield block

    def beginning(self, size_bytes: int) -> bytes:
        """No more than so many bytes, and what had come when the connection broke."""
        content = bytearray()
        try:
            for block in self.blocks():
                content += block
                if len(content) >= size_bytes:
                    break
        except (OSError, http.client.HTTPException, TooLarge):
            pass
        return bytes(content[:size_bytes])


@contextmanager
def post(
    url: urllib.parse.SplitResult, headers: Mapping[str, str], body: bytes, bounds: Bounds, trust: ssl.SSLContext
) -> Iterator[Answering]:
    """A connection of its own, which goes nowhere else: no redirection is followed, and no proxy asked.

    Raises OSError and http.client.HTTPException.
    """
    ends_at = time.monotonic() + bounds.whole_seconds
    connect_seconds = min(CONNECT_SECONDS, bounds.whole_seconds)
    host, port = str(url.hostname), url.port
    connection: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, port, timeout=connect_seconds, context=trust)
        if url.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=connect_seconds)
    )
    try:
        connection.request("POST", url.path, body, dict(headers))
        # http.client reads lines as long as something comes, if one byte a minute: so the clock is below it.
        timed: Any = _TimedSocket(connection.sock, bounds, ends_at)
        response = http.client.HTTPResponse(timed, method="POST")
        try:
            response.begin()
            yield Answering(response.status, response.headers, response, bounds)
        finally:
            response.close()
    finally:
        connection.close()


class _TimedSocket(io.RawIOBase):
    """Reads from a socket; each read has what is left of the whole time, at most the time for silence."""

    def __init__(self, connected: socket.socket, bounds: Bounds, ends_at: float) -> None:
        self._socket = connected
        self._bounds = bounds
        self._ends_at = ends_at
        self._allowed = bounds.first_seconds

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no end of the answer after {self._bounds.whole_seconds:.0f} s")
        self._socket.settimeout(min(left, self._allowed))
        try:
            size = self._socket.recv_into(buffer)
        except TimeoutError:
            if left <= self._allowed:
                raise TimeoutError(f"no end of the answer after {self._bounds.whole_seconds:.0f} s") from None
            raise TimeoutError(f"silent for {self._allowed:.0f} s") from None
        self._allowed = self._bounds.silent_seconds
        return size
