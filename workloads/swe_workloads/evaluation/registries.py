"""Asks registries within bounds of time and with the patience that they ask for."""

import http
import http.client
import time
import urllib.error
from collections.abc import Callable, Sequence
from typing import Any

from swe_workloads.evaluation.image_references import ImageReference
from swe_workloads.evaluation.registry_client import Answer, Refused, RegistryClient
from swe_workloads.evaluation.registry_credentials import Credential, credentials_for
from swe_workloads.retry_after import seconds_to_wait
from swe_workloads.transfer import MAY_PASS, GaveUp, Patience, persist

IMAGE_SECONDS = 120.0  # of a registry that answers, if only that it wants to be left alone
SILENT_SECONDS = 15.0  # of one that does not answer: a cluster without a way out should hear so soon
ADDRESS_SECONDS = 5.0  # of one of its addresses, of which it may have eight
ALL_SECONDS = 900.0
LONGEST_WAIT_SECONDS = 3600.0  # that a registry may ask for


class _Later(Exception):
    """The registry wants to be left alone for a while."""


class Registries:
    """Asked by several threads. A registry that gave no answer in time is not asked for other images.

    `rest_seconds` is how long one request may wait in all because a registry wants it, beyond the time that it has.
    """

    def __init__(self, credentials: Sequence[Credential], rest_seconds: float = 0.0) -> None:
        self._credentials = credentials
        self._client = RegistryClient()
        self._patience = Patience(IMAGE_SECONDS)
        self._rest_seconds = rest_seconds
        # By registry: why it is not asked any more, and until when it wants to be left alone.
        self._silent: dict[str, str] = {}
        self._answered: set[str] = set()
        self._resumes_at: dict[str, float] = {}

    def hurry(self, seconds: float) -> None:
        """From now on nobody is asked after these, and no registry is given a rest."""
        self._rest_seconds = 0.0
        self._patience.hurry(seconds)

    def digest_of(self, image: ImageReference) -> str:
        """Which digest a tag has. Raises as all of these do Refused, and GaveUp if the registry did not answer."""
        return self._ask(image, lambda credentials, timeout: self._client.digest_of(image, credentials, timeout))

    def manifest(self, image: ImageReference, reference: str) -> bytes:
        """Of a tag or a digest."""
        return self._ask(
            image, lambda credentials, timeout: self._client.manifest(image, reference, credentials, timeout)
        )

    def layer(self, image: ImageReference, digest: str) -> Any:
        """The response, to be read and closed; what breaks off then is the caller's to try again."""
        return self._ask(image, lambda credentials, timeout: self._client.layer(image, digest, credentials, timeout))

    def _ask(self, image: ImageReference, ask: Callable[[Sequence[Credential], float], Answer]) -> Answer:
        if image.registry in self._silent:
            raise GaveUp(self._silent[image.registry])
        begun = time.monotonic()
        while True:
            try:
                return self._within_window(image, ask)
            except GaveUp as error:
                # One that answers may have other images.
                if image.registry not in self._answered:
                    self._silent.setdefault(image.registry, str(error))
                raise
            except _Later:
                self._rest(image.registry, begun)

    def _within_window(self, image: ImageReference, ask: Callable[[Sequence[Credential], float], Answer]) -> Answer:
        begun = time.monotonic()
        return persist(self._patience, image.registry, lambda timeout: self._attempt(image, ask, begun, timeout))

    def _attempt(
        self, image: ImageReference, ask: Callable[[Sequence[Credential], float], Answer], begun: float, timeout: float
    ) -> Answer:
        """No error repeats the body of an answer: who wrote that has seen the credentials."""
        self._wait_for(image.registry, begun)
        try:
            answer = ask(credentials_for(image, self._credentials), min(timeout, ADDRESS_SECONDS))
            self._answered.add(image.registry)
            return answer
        except urllib.error.HTTPError as error:
            self._answered.add(image.registry)
            if error.code not in MAY_PASS:
                raise Refused(_in_words(error.code)) from None
            if error.code == http.HTTPStatus.TOO_MANY_REQUESTS:
                self._resumes_at[image.registry] = time.monotonic() + seconds_to_wait(
                    error.headers, LONGEST_WAIT_SECONDS
                )
            raise ConnectionError(f"HTTP {error.code}") from None
        except (ValueError, OverflowError, RecursionError):
            raise Refused("its name or what the registry answers cannot be read") from None
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() - begun >= SILENT_SECONDS:
                raise GaveUp(f"{image.registry}: {str(error) or type(error).__name__}") from error
            raise

    def _wait_for(self, registry: str, begun: float) -> None:
        """All threads leave a registry alone that has asked one of them to wait."""
        seconds = self._seconds_off(registry)
        if seconds > 0 and self._rest_seconds > 0:
            raise _Later
        if seconds > self._patience.left(begun):
            raise GaveUp(_asks_for(registry, seconds))
        self._patience.pause(seconds)

    def _rest(self, registry: str, begun: float) -> None:
        """No part of a request's own time."""
        while (seconds := self._seconds_off(registry)) > 0:
            if seconds > begun + self._rest_seconds - time.monotonic():
                raise GaveUp(_asks_for(registry, seconds))
            self._patience.pause(seconds)

    def _seconds_off(self, registry: str) -> float:
        return self._resumes_at.get(registry, 0.0) - time.monotonic()


def _asks_for(registry: str, seconds: float) -> str:
    return f"{registry}: HTTP 429, to be asked again in {seconds:.0f} s"


def _in_words(status: int) -> str:
    if status == http.HTTPStatus.NOT_FOUND:
        return "the registry has no such image (HTTP 404)"
    return f"the registry refuses it (HTTP {status})"
