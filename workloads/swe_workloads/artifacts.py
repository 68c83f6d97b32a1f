"""The client of the operator's artifact endpoint: this run's own prefix, and what its namespace may read."""

import http
import http.client
import json
import ssl
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import (
    Digest,
    Exists,
    GaveUp,
    Missing,
    Patience,
    Result,
    digest_file,
    explain,
    get_stream,
    persist,
    put_stream,
    send,
)

# Enough to hide the round trips of many small files; large ones fill the link with one.
PARALLEL_TRANSFERS = 4

Answer = TypeVar("Answer", bound=BaseModel)


class Occupied(Exception):
    """Another writer put other bytes under this key first; theirs stay."""


@dataclass(frozen=True)
class StoredObject:
    """One object of a listing. `name` is a key below the run's prefix, or a whole s3:// URI."""

    name: str
    size_bytes: int


class ArtifactStore:
    """Keys are relative to the run's prefix. Everything raises Failure(STORE_UNAVAILABLE) when patience ends."""

    def __init__(self, url: str, token_file: Path, ca_file: Path, patience: Patience) -> None:
        self.patience = patience
        self._url = url.rstrip("/")
        self._token_file = token_file
        try:
            self._endpoint_trust = ssl.create_default_context(cafile=str(ca_file))
            # The store may be a public service or one behind the same private authority.
            self._store_trust = ssl.create_default_context()
            self._store_trust.load_verify_locations(cafile=str(ca_file))
        except OSError as error:
            message = f"The endpoint's authority {ca_file} cannot be read: {error}"
            raise Failure(ExitCode.INVALID_CONFIGURATION, message) from error

    def list_keys(self, prefix: str) -> list[StoredObject]:
        answer = self._persist(f"Listing {prefix}", lambda timeout: self._objects({"prefix": prefix}, timeout))
        return [StoredObject(entry.key, entry.size_bytes) for entry in answer]

    def list_uri(self, uri: str) -> list[StoredObject]:
        """Every object whose URI begins with this text. Raises Failure(INVALID_CONFIGURATION) when not allowed."""
        answer = self._persist(f"Listing {uri}", lambda timeout: self._objects({"uri": uri}, timeout))
        return [StoredObject(entry.uri, entry.size_bytes) for entry in answer]

    def upload(self, key: str, source: Path) -> Digest:
        """Creates the object. The same bytes there already count as uploaded; other bytes raise Occupied."""
        try:
            return self._persist(f"Uploading {key}", lambda timeout: self._put(key, source, timeout))
        except Exists:
            return self._compare(key, source)

    def upload_all(self, files: Mapping[str, Path]) -> dict[str, Digest]:
        """Several objects, a few at a time."""
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            return _collect({key: pool.submit(self.upload, key, path) for key, path in files.items()})

    def write(self, key: str, content: bytes) -> Digest:
        with tempfile.TemporaryDirectory() as scratch:
            staged = Path(scratch) / "object"
            staged.write_bytes(content)
            return self.upload(key, staged)

    def download(self, key: str, target: Path) -> Digest:
        """Raises Missing."""
        return self._download({"method": "GET", "key": key}, key, target)

    def download_uri(self, uri: str, target: Path) -> Digest:
        """Raises Missing, and Failure(INVALID_CONFIGURATION) when not allowed."""
        return self._download({"method": "GET", "uri": uri}, uri, target)

    def download_all(self, keys: Mapping[str, Path]) -> dict[str, Digest]:
        """Several objects of the run's prefix, a few at a time. Raises Missing if one of them is."""
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            return _collect({key: pool.submit(self.download, key, path) for key, path in keys.items()})

    def read(self, key: str) -> bytes | None:
        """A small object, or None when there is none."""
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "object"
            try:
                self.download(key, target)
            except Missing:
                return None
            return target.read_bytes()

    def _put(self, key: str, source: Path, timeout: float) -> Digest:
        signed = self._presign({"method": "PUT", "key": key}, timeout)
        try:
            return put_stream(signed.url, signed.headers, source, self._store_trust, timeout)
        except urllib.error.HTTPError:
            raise
        except OSError:
            # A store may answer 412 and hang up before a large body is through: then only a listing tells.
            if any(entry.key == key for entry in self._objects({"prefix": key}, timeout)):
                raise Exists from None
            raise

    def _compare(self, key: str, source: Path) -> Digest:
        mine = digest_file(source)
        with tempfile.TemporaryDirectory() as scratch:
            theirs = self.download(key, Path(scratch) / "object")
        if theirs != mine:
            raise Occupied(key)
        return mine

    def _download(self, request: Mapping[str, str], name: str, target: Path) -> Digest:
        def attempt(timeout: float) -> Digest:
            signed = self._presign(request, timeout)
            return get_stream(signed.url, signed.headers, target, self._store_trust, timeout, self.patience)

        target.parent.mkdir(parents=True, exist_ok=True)
        return self._persist(f"Downloading {name}", attempt)

    def _objects(self, query: Mapping[str, str], timeout: float) -> list["_ListedObject"]:
        answer = self._call(f"/objects?{urllib.parse.urlencode(query)}", None, timeout)
        return _parsed(_Listing, answer).objects

    def _presign(self, request: Mapping[str, str], timeout: float) -> "_SignedUrl":
        [signed] = _parsed(_Signed, self._call("/presign", {"requests": [request]}, timeout)).urls
        return signed

    def _call(self, path: str, body: object, timeout: float) -> bytes:
        # The kubelet rotates the token in place, so it is read again for every call.
        headers = {"Authorization": f"Bearer {self._token_file.read_text().strip()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        try:
            return send(urllib.request.Request(self._url + path, data, headers), self._endpoint_trust, timeout)
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.BAD_REQUEST:
                # Understood and refused for good: a URI outside the namespace's prefix.
                raise Failure(ExitCode.INVALID_CONFIGURATION, explain(error)) from error
            if error.code == http.HTTPStatus.GONE:
                # The run is deleted: each further try would only keep its pod in the way.
                self.patience.end()
            raise

    def _persist(self, what: str, operation: Callable[[float], Result]) -> Result:
        try:
            return persist(self.patience, what, operation)
        except GaveUp as error:
            raise Failure(ExitCode.STORE_UNAVAILABLE, str(error)) from error


def _collect(futures: Mapping[str, "Future[Digest]"]) -> dict[str, Digest]:
    return {name: future.result() for name, future in futures.items()}


def _parsed(kind: type[Answer], content: bytes) -> Answer:
    """Something between us and the endpoint may answer in its place; that may pass."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise http.client.HTTPException("the answer is not the artifact endpoint's") from error


class _SignedUrl(BaseModel):
    url: str
    headers: dict[str, str] = {}


class _Signed(BaseModel):
    """The answer to one request."""

    urls: list[_SignedUrl] = Field(min_length=1, max_length=1)


class _ListedObject(BaseModel):
    key: str = ""
    uri: str = ""
    size_bytes: int = Field(alias="sizeBytes")


class _Listing(BaseModel):
    objects: list[_ListedObject]
