"""Bytes over HTTP: streamed in both directions, hashed on the way, retried until patience ends."""

import errno
import hashlib
import http
import http.client
import json
import random
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

Result = TypeVar("Result")

CHUNK_BYTES = 1 << 20
BODY_CHARACTERS = 1000
SOCKET_TIMEOUT_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
LOOK_EVERY_SECONDS = 0.1
# A refusal may be a cache that has not seen this pod yet, a token in rotation or a signature that
# expired while waiting: tried again, but not for as long as a store that does not answer at all.
REFUSED_WINDOW_SECONDS = 30.0
# This pod's trouble, not the store's: no waiting helps.
DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# So that a browser shows what is meant to be read; of anything else it is only said that it is bytes.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".yaml": "application/yaml",
}
XML_WORDS = re.compile(r"<(Code|Message)>([^<]*)</\1>")
MAY_PASS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class GaveUp(Exception):
    """The other side did not answer in time, or refused to the end; the message says which."""


class Missing(Exception):
    """There is no object of that name."""


class Exists(Exception):
    """An object of that name exists already (412 to If-None-Match: *)."""


@dataclass
class Patience:
    """How long transfers may go on trying; one object is shared by all threads of a program."""

    window_seconds: float
    _give_up_at: float | None = field(default=None, repr=False)
    _ended: bool = field(default=False, repr=False)
    _changes: int = field(default=0, repr=False)

    def hurry(self, seconds: float) -> None:
        """From now on everything gives up at this moment, whatever it was doing."""
        self._give_up_at = time.monotonic() + seconds
        self._changes += 1

    def end(self) -> None:
        """Nothing is worth waiting for any more, whatever hurry() says later."""
        self._ended = True
        self._changes += 1

    def left(self, since: float, window: float | None = None) -> float:
        """Seconds that an operation begun at `since` may still take; the caller may narrow the window."""
        if self._ended:
            return 0.0
        now = time.monotonic()
        own = since + min(self.window_seconds, window or self.window_seconds) - now
        return own if self._give_up_at is None else min(own, self._give_up_at - now)

    def hurried_out(self) -> bool:
        return self._ended or (self._give_up_at is not None and time.monotonic() >= self._give_up_at)

    def pause(self, seconds: float) -> None:
        """Sleeps, but wakes soon after somebody calls hurry()."""
        # Not an Event: hurry() is called by a signal handler, which may interrupt us while we hold its lock.
        until, before = time.monotonic() + seconds, self._changes
        while self._changes == before and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_EVERY_SECONDS))


@dataclass(frozen=True)
class Digest:
    sha256: str
    size_bytes: int


def persist(patience: Patience, what: str, operation: Callable[[float], Result]) -> Result:
    """Runs operation(socket timeout in seconds) until it returns, raises GaveUp when patience ends.

    Missing and Exists come out at once.
    """
    begun = time.monotonic()
    pause = FIRST_PAUSE_SECONDS
    timeout = SOCKET_TIMEOUT_SECONDS
    while True:
        try:
            return operation(max(0.1, min(timeout, patience.left(begun))))
        except urllib.error.HTTPError as error:
            status, reason = error.code, explain(error)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
                raise
            status, reason = None, str(error) or type(error).__name__
        left = patience.left(begun, _window(status))
        if left <= pause:
            raise GaveUp(f"{what}: {reason}")
        patience.pause(pause * random.uniform(0.7, 1.3))
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _window(status: int | None) -> float | None:
    return None if status is None or status in MAY_PASS else REFUSED_WINDOW_SECONDS


def explain(error: urllib.error.HTTPError) -> str:
    """The status and what the other side said in words.

    Of a page or an S3 error no more than its code and message: the rest may repeat a signed URL.
    """
    try:
        body = error.read(BODY_CHARACTERS).decode("utf-8", "replace").strip()
        said = str(json.loads(body)["error"]["message"])
    except (OSError, http.client.HTTPException):
        said = ""
    except (ValueError, KeyError, TypeError):
        said = ": ".join(words for _, words in XML_WORDS.findall(body)) if body.startswith("<") else body
    return f"HTTP {error.code} {said}".strip()


def send(request: urllib.request.Request, context: ssl.SSLContext, timeout: float) -> bytes:
    """The whole answer. For small bodies."""
    with urllib.request.urlopen(request, timeout=timeout, context=context) as response:
        return bytes(response.read())


def put_stream(url: str, headers: Mapping[str, str], source: Path, context: ssl.SSLContext, timeout: float) -> Digest:
    """Uploads a file as one object. Raises Exists on 412."""
    with source.open("rb") as opened:
        body = _Hashing(opened)
        sent = {**headers, "Content-Length": str(source.stat().st_size), "Content-Type": content_type(url)}
        request = urllib.request.Request(url, data=body, headers=sent, method="PUT")
        try:
            send(request, context, timeout)
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.PRECONDITION_FAILED:
                raise Exists from error
            raise
        return body.digest()


def content_type(url: str) -> str:
    """By the ending of the object's name. No signature covers it, so every presigned URL takes it."""
    return CONTENT_TYPES.get(PurePosixPath(urllib.parse.urlsplit(url).path).suffix, "application/octet-stream")


def get_stream(
    url: str, headers: Mapping[str, str], target: Path, context: ssl.SSLContext, timeout: float, patience: Patience
) -> Digest:
    """Downloads one object into a file that appears only when it is whole. Raises Missing on 404."""
    part = target.with_name(target.name + ".part")
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=context) as response, part.open("wb") as out:
            digest = _copy(response, out, patience)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.NOT_FOUND:
            raise Missing(url.split("?")[0]) from error
        raise
    part.rename(target)
    return digest


def get_end(url: str, headers: Mapping[str, str], context: ssl.SSLContext, timeout: float) -> bytes:
    """What a GET with a Range for the last bytes answers: those, or all where there is nothing to cut off.

    Raises Missing on 404.
    """
    request = urllib.request.Request(url, headers=dict(headers))
    try:
        return send(request, context, timeout)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.NOT_FOUND:
            raise Missing(url.split("?")[0]) from error
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""  # of an empty object there is no last byte
        raise


def _copy(response: http.client.HTTPResponse, out: BinaryIO, patience: Patience) -> Digest:
    sha = hashlib.sha256()
    size = 0
    while block := response.read(CHUNK_BYTES):
        sha.update(block)
        out.write(block)
        size += len(block)
        if patience.hurried_out():
            raise TimeoutError("stopped in the middle of a download")
    expected = response.headers.get("Content-Length")
    if expected is not None and int(expected) != size:
        raise ConnectionError(f"the connection ended after {size} of {expected} bytes")
    return Digest(sha.hexdigest(), size)


def digest_file(path: Path) -> Digest:
    with path.open("rb") as opened:
        return Digest(hashlib.file_digest(opened, "sha256").hexdigest(), path.stat().st_size)


class _Hashing:
    """A file that is hashed while http.client reads it."""

    def __init__(self, opened: BinaryIO) -> None:
        self._opened = opened
        self._sha = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        block = self._opened.read(size)
        self._sha.update(block)
        self._size += len(block)
        return block

    def digest(self) -> Digest:
        return Digest(self._sha.hexdigest(), self._size)
