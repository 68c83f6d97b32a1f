"""Requests to a registry, over the distribution API of OCI: the digest of a tag, manifests and layers."""

import hashlib
import http
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from swe_workloads.evaluation.image_references import DIGEST, DOCKER_HUB, ImageReference
from swe_workloads.evaluation.openers import closed_opener
from swe_workloads.evaluation.registry_challenges import Challenge, challenge_in
from swe_workloads.evaluation.registry_credentials import Credential

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
MANIFEST_BYTES = 4 << 20  # as much as registries have to take
TOKEN_BYTES = 1 << 20
DOCKER_HUB_HOST = "registry-1.docker.io"
_NOT_ALLOWED = frozenset({http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN})

Answer = TypeVar("Answer")


class Refused(Exception):
    """The registry has answered, and would answer the same again."""


class RegistryClient:
    """Raises Refused, or what urllib raises."""

    def __init__(self) -> None:
        trust = ssl.create_default_context()
        self._closed, self._local = closed_opener(trust), closed_opener(trust, urllib.request.HTTPHandler())

    def digest_of(self, image: ImageReference, credentials: Sequence[Credential], timeout: float) -> str:
        return self._authorized(image, credentials, timeout, lambda said: self._digest(image, said, timeout))

    def manifest(
        self, image: ImageReference, reference: str, credentials: Sequence[Credential], timeout: float
    ) -> bytes:
        """Of a tag or a digest."""

        def ask(authorization: str | None) -> bytes:
            with self._open(image, _asked("GET", image, authorization, f"manifests/{reference}"), timeout) as response:
                return _content(response)

        return self._authorized(image, credentials, timeout, ask)

    def layer(self, image: ImageReference, digest: str, credentials: Sequence[Credential], timeout: float) -> Any:
        """The response, to be read and closed."""

        def ask(authorization: str | None) -> Any:
            return self._open(image, _asked("GET", image, authorization, f"blobs/{digest}"), timeout)

        return self._authorized(image, credentials, timeout, ask)

    def _authorized(
        self,
        image: ImageReference,
        credentials: Sequence[Credential],
        timeout: float,
        ask: Callable[[str | None], Answer],
    ) -> Answer:
        """Without credentials first: what a registry wants, and for what, is in its challenge."""
        try:
            return ask(None)
        except urllib.error.HTTPError as error:
            challenge = challenge_in(error.headers, image) if error.code == http.HTTPStatus.UNAUTHORIZED else None
            if challenge is None:
                raise
            # Whoever a registry leads to is not the one that the credentials are for.
            is_own = urllib.parse.urlsplit(error.url).netloc == _host_of(image)
        tried: Sequence[Credential | None] = (credentials if is_own else []) or [None]
        for credential in tried:
            try:
                return ask(self._authorization(challenge, image, credential, timeout))
            except urllib.error.HTTPError as error:
                if error.code not in _NOT_ALLOWED:
                    raise
        raise Refused("the registry lets nobody pull it with what spec.images.pullSecrets holds (HTTP 401)")

    def _digest(self, image: ImageReference, authorization: str | None, timeout: float) -> str:
        """From the header, and from the manifest itself where a registry says nothing or knows no HEAD."""
        try:
            with self._open(image, _asked("HEAD", image, authorization), timeout) as response:
                said = response.headers.get("Docker-Content-Digest", "")
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.METHOD_NOT_ALLOWED:
                raise
            said = ""
        if DIGEST.fullmatch(said):
            return str(said)
        with self._open(image, _asked("GET", image, authorization), timeout) as response:
            return _hashed(response)

    def _authorization(
        self, challenge: Challenge, image: ImageReference, credential: Credential | None, timeout: float
    ) -> str:
        """Raises HTTPError where the credential is refused."""
        if challenge.token_url is None:
            if credential is None:
                raise Refused("the registry asks for a password, and spec.images.pullSecrets holds none for it")
            return credential.basic
        request = urllib.request.Request(challenge.token_url)
        if credential is not None:
            request.add_unredirected_header("Authorization", credential.basic)
        with self._open(image, request, timeout) as response:
            try:
                answer = json.loads(response.read(TOKEN_BYTES))
                return f"Bearer {answer.get('token') or answer['access_token']}"
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ConnectionError("the registry's token service answers without a token") from None

    def _open(self, image: ImageReference, request: urllib.request.Request, timeout: float) -> Any:
        return (self._local if is_local(image.registry) else self._closed).open(request, timeout=timeout)


def is_local(host: str) -> bool:
    """Plain HTTP is for registries of this very machine alone, as in Docker."""
    return host.partition(":")[0] in ("localhost", "127.0.0.1")


def _asked(
    method: str, image: ImageReference, authorization: str | None, what: str | None = None
) -> urllib.request.Request:
    """For the manifest of the image's own tag, or for `what` of its repository."""
    host = _host_of(image)
    url = f"{'http' if is_local(host) else 'https'}://{host}/v2/{image.repository}/{what or f'manifests/{image.tag}'}"
    request = urllib.request.Request(url, headers={"Accept": ", ".join(MANIFESTS)}, method=method)
    if authorization is not None:
        # A redirection may lead to another host, which is not to see it.
        request.add_unredirected_header("Authorization", authorization)
    return request


def _host_of(image: ImageReference) -> str:
    return DOCKER_HUB_HOST if image.registry == DOCKER_HUB else image.registry


def _hashed(response: Any) -> str:
    return f"sha256:{hashlib.sha256(_content(response)).hexdigest()}"


def _content(response: Any) -> bytes:
    """Of a manifest."""
    kind = response.headers.get_content_type()
    if kind not in MANIFESTS:
        raise Refused(f"the registry answers with {kind}, which is no manifest")
    content = response.read(MANIFEST_BYTES + 1)
    if len(content) > MANIFEST_BYTES:
        raise Refused(f"its manifest has more than {MANIFEST_BYTES} bytes")
    expected = response.headers.get("Content-Length")
    if expected is not None and int(expected) != len(content):
        raise ConnectionError(f"the connection ended after {len(content)} of {expected} bytes")
    return bytes(content)
