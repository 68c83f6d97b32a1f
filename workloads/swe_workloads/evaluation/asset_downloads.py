"""Fetches what rows list in image_assets, while there still is a network."""

import hashlib
import http
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from swe_workloads.evaluation.image_assets import COLUMN, Declared
from swe_workloads.evaluation.openers import closed_opener
from swe_workloads.evaluation.shelf import Place, Shelf
from swe_workloads.examples import Unusable
from swe_workloads.transfer import CHUNK_BYTES, GaveUp, Missing, Patience, persist

# Of one instance together: they become a part of the input of each of its predictions, 500 of which lie on the
# preparation's disk at once.
ASSETS_BYTES = 4 << 20
ADDRESS_SECONDS = 60.0  # as long as the official harness waits for an answer
ALL_SECONDS = 900.0  # then the rest is given up quickly: a cluster without a way out should hear so today


class AssetDownloads:
    """Opens each address once, whatever came of it. What it brought lies on the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._opener = closed_opener(ssl.create_default_context(), urllib.request.DataHandler())
        self._patience = Patience(ADDRESS_SECONDS)
        self._patience.hurry(ALL_SECONDS)
        # By digest: an address that brings the file along is as long as the file.
        self._fetched: dict[bytes, Place | str] = {}

    def contents(self, assets: Sequence[Declared]) -> list[bytes]:
        """In the same order. Raises Unusable for an instance that would be tested without one of them."""
        contents: list[bytes] = []
        for asset in assets:
            contents.append(self._content(asset))
            if sum(map(len, contents)) > ASSETS_BYTES:
                raise Unusable(
                    f"{COLUMN}: with {asset.said} the files of the instance have more than {ASSETS_BYTES} bytes"
                )
        return contents

    def _content(self, asset: Declared) -> bytes:
        key = hashlib.sha256(asset.url.encode()).digest()
        if key not in self._fetched:
            self._fetched[key] = self._place_or_problem(asset.url)
        found = self._fetched[key]
        if isinstance(found, str):
            raise Unusable(f"{COLUMN}: {asset.said} cannot be fetched: {found}")
        return self._shelf.get(found)

    def _place_or_problem(self, url: str) -> Place | str:
        try:
            content = persist(self._patience, "GET", lambda timeout: self._read(url, timeout))
        except GaveUp as error:
            return str(error).removeprefix("GET: ")
        except (Missing, ValueError) as error:
            return str(error)
        if len(content) > ASSETS_BYTES:
            return f"it has more than {ASSETS_BYTES} bytes"
        return self._shelf.put(content)

    def _read(self, url: str, timeout: float) -> bytes:
        """One try, of no more than shows that it is too much."""
        try:
            with self._opener.open(url, timeout=timeout) as response:
                content = self._body(response)
                expected = response.headers.get("Content-Length")
        except urllib.error.HTTPError as error:
            if error.code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
                raise Missing(f"HTTP {error.code}") from error
            raise
        if expected is not None and len(content) < min(int(expected), ASSETS_BYTES):
            raise ConnectionError(f"the connection ended after {len(content)} of {expected} bytes")
        return content

    def _body(self, response: Any) -> bytes:
        content = bytearray()
        while len(content) <= ASSETS_BYTES and (block := response.read1(CHUNK_BYTES)):
            content += block
            if self._patience.hurried_out():
                raise TimeoutError("stopped in the middle of a download")
        return bytes(content)
