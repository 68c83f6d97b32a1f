"""The client of the operator's artifact endpoint: this run's own prefix, and what its namespace shares."""

import http
import http.client
import json
import ssl
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
    get_end,
    get_stream,
    persist,
    put_stream,
    send,
)

# Enough to hide the round trips of many small files; large ones fill the link with one.
PARALLEL_TRANSFERS = 4
# In one request; the endpoint signs up to 1,000. Half of that is used before a signature grows old.
SIGNED_AT_ONCE = 500

Answer = TypeVar("Answer", bound=BaseModel)
Done = TypeVar("Done")


class Occupied(Exception):
    """Another writer put other bytes under this key first; theirs stay."""


@dataclass(frozen=True)
class StoredObject:
    """One object of a listing. `name` is a key below the run's prefix, or a whole s3:// URI.

    `version` is another one once the object was written again; None where the store does not say.
    """

    name: str
    size_bytes: int
    version: str | None = field(default=None, compare=False)


class ArtifactStore:
    """Keys are relative to the run's prefix, or whole s3:// URIs of its namespace.

    Everything raises Failure(STORE_UNAVAILABLE) when patience ends, or INVALID_CONFIGURATION when not allowed.
    """

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
        return [StoredObject(entry.key, entry.size_bytes, entry.last_modified) for entry in answer]

    def list_uri(self, uri: str) -> list[StoredObject]:
        """Every object whose URI begins with this text. Raises Failure(INVALID_CONFIGURATION) when not allowed."""
        answer = self._persist(f"Listing {uri}", lambda timeout: self._objects({"uri": uri}, timeout))
        return [StoredObject(entry.uri, entry.size_bytes, entry.last_modified) for entry in answer]

    def upload(self, key: str, source: Path) -> Digest:
        """Creates the object. The same bytes there already count as uploaded; other bytes raise Occupied."""
        return self._upload(key, source, [])

    def upload_all(self, files: Mapping[str, Path]) -> dict[str, Digest]:
        """Several objects, a few at a time."""
        return self._all("PUT", list(files), lambda key, signed: self._upload(key, files[key], signed))

    def offer_all(self, files: Mapping[str, Path]) -> int:
        """Creates those objects that there are none of yet, whatever the others hold. Returns how many it created."""
        return sum(self._all("PUT", list(files), lambda key, signed: self._offer(key, files[key], signed)).values())

    def write(self, key: str, content: bytes) -> Digest:
        with tempfile.TemporaryDirectory() as scratch:
            staged = Path(scratch) / "object"
            staged.write_bytes(content)
            return self.upload(key, staged)

    def download(self, key: str, target: Path) -> Digest:
        """Raises Missing."""
        return self._download(_get(key), key, target, [])

    def download_uri(self, uri: str, target: Path) -> Digest:
        """Raises Missing, and Failure(INVALID_CONFIGURATION) when not allowed."""
        return self._download(_get(uri), uri, target, [])

    def download_all(self, keys: Mapping[str, Path]) -> dict[str, Digest]:
        """Several objects of the run's prefix, a few at a time. Raises Missing if one of them is."""
        return self._all("GET", list(keys), lambda key, signed: self._download(_get(key), key, keys[key], signed))

    def read(self, key: str) -> bytes | None:
        """A small object, or None when there is none."""
        return self._read(key, [])

    def read_all(self, keys: Sequence[str]) -> dict[str, bytes | None]:
        """Several small objects, a few at a time; None for each that there is not."""
        return self._all("GET", keys, self._read)

    def read_ends(self, keys: Sequence[str], size_bytes: int) -> dict[str, bytes | None]:
        """The last bytes of several objects, however large; None for each that there is not."""
        return self._all("GET", keys, lambda key, signed: self._read_end(key, size_bytes, signed))

    def _upload(self, key: str, source: Path, signed: list["_SignedUrl"]) -> Digest:
        def attempt(timeout: float) -> Digest:
            return self._put(key, source, self._signed(_request("PUT", key), signed, timeout), timeout)

        try:
            return self._persist(f"Uploading {key}", attempt)
        except Exists:
            return self._compare(key, source)

    def _offer(self, key: str, source: Path, signed: list["_SignedUrl"]) -> bool:
        def attempt(timeout: float) -> Digest:
            url = self._signed(_request("PUT", key), signed, timeout)
            return put_stream(url.url, url.headers, source, self._store_trust, timeout)

        try:
            self._persist(f"Uploading {key}", attempt)
        except Exists:
            return False
        return True

    def _read(self, key: str, signed: list["_SignedUrl"]) -> bytes | None:
        with tempfile.TemporaryDirectory() as scratch:
            target = Path(scratch) / "object"
            try:
                self._download(_get(key), key, target, signed)
            except Missing:
                return None
            return target.read_bytes()

    def _read_end(self, key: str, size_bytes: int, signed: list["_SignedUrl"]) -> bytes | None:
        def attempt(timeout: float) -> bytes:
            url = self._signed(_get(key), signed, timeout)
            headers = {**url.headers, "Range": f"bytes=-{size_bytes}"}
            return get_end(url.url, headers, self._store_trust, timeout)[-size_bytes:]

        try:
            return self._persist(f"Downloading the end of {key}", attempt)
        except Missing:
            return None

    def _put(self, key: str, source: Path, signed: "_SignedUrl", timeout: float) -> Digest:
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

    def _download(self, request: Mapping[str, str], name: str, target: Path, signed: list["_SignedUrl"]) -> Digest:
        def attempt(timeout: float) -> Digest:
            url = self._signed(request, signed, timeout)
            return get_stream(url.url, url.headers, target, self._store_trust, timeout, self.patience)

        target.parent.mkdir(parents=True, exist_ok=True)
        return self._persist(f"Downloading {name}", attempt)

    def _objects(self, query: Mapping[str, str], timeout: float) -> list["_ListedObject"]:
        answer = self._call(f"/objects?{urllib.parse.urlencode(query)}", None, timeout)
        return _parsed(_Listing, answer).objects

    def _all(
        self, method: str, keys: Sequence[str], transfer: Callable[[str, list["_SignedUrl"]], Done]
    ) -> dict[str, Done]:
        """One transfer for each key; signatures are asked for many at once, since each request is a round trip."""
        done: dict[str, Done] = {}
        with ThreadPoolExecutor(PARALLEL_TRANSFERS) as pool:
            for some in _parts(keys):
                urls = self._sign_persistently([_request(method, key) for key in some])
                futures = {key: pool.submit(transfer, key, [url]) for key, url in zip(some, urls, strict=True)}
                done |= {key: future.result() for key, future in futures.items()}
        return done

    def _sign_persistently(self, requests: Sequence[Mapping[str, str]]) -> list["_SignedUrl"]:
        return self._persist("Asking for signatures", lambda timeout: self._sign(requests, timeout))

    def _signed(self, request: Mapping[str, str], signed: list["_SignedUrl"], timeout: float) -> "_SignedUrl":
        """The one there is at first; each later try asks for another, since the first may have been the trouble."""
        return signed.pop() if signed else self._presign(request, timeout)

    def _presign(self, request: Mapping[str, str], timeout: float) -> "_SignedUrl":
        [signed] = self._sign([request], timeout)
        return signed

    def _sign(self, requests: Sequence[Mapping[str, str]], timeout: float) -> list["_SignedUrl"]:
        urls = _parsed(_Signed, self._call("/presign", {"requests": requests}, timeout)).urls
        if len(urls) != len(requests):
            raise http.client.HTTPException(f"{len(requests)} signatures were asked for, {len(urls)} came")
        return urls

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


def _get(key: str) -> dict[str, str]:
    return _request("GET", key)


def _request(method: str, key: str) -> dict[str, str]:
    # No key has two slashes in a row.
    return {"method": method, "uri" if key.startswith("s3://") else "key": key}


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(keys), SIGNED_AT_ONCE):
        yield keys[begin : begin + SIGNED_AT_ONCE]


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
    """In the order of the requests."""

    urls: list[_SignedUrl]


class _ListedObject(BaseModel):
    key: str = ""
    uri: str = ""
    size_bytes: int = Field(alias="sizeBytes")
    last_modified: str | None = Field(alias="lastModifiedTime", default=None)


class _Listing(BaseModel):
    objects: list[_ListedObject]
