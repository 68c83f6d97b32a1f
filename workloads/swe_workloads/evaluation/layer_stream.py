"""The bytes of a layer, hashed and unpacked, and within bounds: whoever made it may mean harm."""

import gzip
import hashlib
import time
from typing import Any

from swe_workloads.evaluation.registry_client import Refused

LAYER_SECONDS = 1800.0
LAYER_BYTES = 64 << 30  # unpacked
HEADER_BYTES = 1 << 18  # of one file, with its attributes: tarfile reads and keeps them whole
PIECE_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"


class LayerStream:
    """What tarfile needs of an opened file, forwards alone. Raises Refused where a layer has too much of something."""

    def __init__(self, response: Any) -> None:
        self._received = _Received(response)
        is_packed = self._received.begins_with(_GZIP)
        # All of its members: some that build images pack each file by itself.
        self._unpacked: Any = gzip.GzipFile(fileobj=self._received, mode="rb") if is_packed else self._received  # type: ignore[call-overload]
        self._at = 0
        self._header_left = HEADER_BYTES

    def digest(self) -> str:
        """Of the bytes as they came, read to their end."""
        while self._received.read(PIECE_BYTES):
            pass
        return self._received.digest()

    def begin_header(self) -> None:
        """From now on reads are those of one file's header."""
        self._header_left = HEADER_BYTES

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        """Of a header."""
        self._header_left -= size
        if size < 0 or self._header_left < 0:
            raise Refused(f"a file in it has a header of more than {HEADER_BYTES} bytes")
        return self._take(size)

    def seek(self, position: int) -> None:
        """Stays at the end where there is no such position."""
        if position < self._at:
            raise ValueError("it leads backwards")
        while self._at < position and self._take(min(position - self._at, PIECE_BYTES)):
            pass

    def content(self, begin: int, size: int) -> bytes:
        """Of a file, which has to be whole."""
        self.seek(begin)
        content = self._take(size)
        if len(content) < size:
            raise EOFError("it ends within a file")
        return content

    def _take(self, size: int) -> bytes:
        content = bytes(self._unpacked.read(size))
        self._at += len(content)
        if self._at > LAYER_BYTES:
            raise Refused(f"a layer has more than {LAYER_BYTES} bytes")
        return content


class _Received:
    """The body of an answer. It has to come in time, and whole where its length was said."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._hash = hashlib.sha256()
        self._until = time.monotonic() + LAYER_SECONDS
        said = str(response.headers.get("Content-Length", ""))
        self._left = int(said) if said.isdecimal() else None
        self._ahead = b""

    def begins_with(self, magic: bytes) -> bool:
        self._ahead = self.read(len(magic))
        return self._ahead == magic

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def read(self, size: int) -> bytes:
        """Fewer bytes only at the end."""
        content, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(content) == size:
            return content
        parts = [content]
        wanted = size - len(content)
        while wanted > 0 and (part := self._receive(wanted)):
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def _receive(self, most: int) -> bytes:
        if time.monotonic() > self._until:
            raise TimeoutError(f"it takes more than {LAYER_SECONDS:.0f} s")
        if self._left == 0:
            return b""
        # Not read(), which waits for all of it, a byte now and then.
        content = bytes(self._response.read1(most))
        if self._left is not None:
            self._left -= len(content)
            if not content:
                raise ConnectionError(f"the connection ended {self._left} bytes early")
        self._hash.update(content)
        return content
