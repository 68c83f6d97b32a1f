"""What a chat API answers instead of an answer: what may pass, what is wrong with a request, and in which words."""

import http
import json
import re
from collections.abc import Callable
from email.message import Message
from typing import Literal

from swe_workloads.retry_after import seconds_to_wait
from swe_workloads.transfer import MAY_PASS

WORDS_CHARACTERS = 200
LONGEST_WAIT_SECONDS = 300.0  # that an API may ask for; longer is for a later pod
# Whoever wrote these has seen the key, and some repeat a part of it.
_ABOUT_THE_KEY = frozenset({http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN})
_TOO_LONG = re.compile(
    r"context.{0,10}(length|window|size|limit)|maximum context|prompt is too long|input is too long|too many tokens"
    r"|reduce the length|max_model_len|max_seq_len|exceeds? the (model|maximum).{0,40}(length|tokens)",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content[_ ](filter|policy|management)|moderation|safety system", re.IGNORECASE)


class Unanswered(Exception):
    """A try without an answer. `words` say why; until shown() they may have anything in them that the API said."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def __str__(self) -> str:
        return self.words

    def shown(self, hide: Callable[[str], str]) -> None:
        """Hides first and shortens then: half a key would be no longer found."""
        self.words = hide(self.words)[:WORDS_CHARACTERS]


class TryAgain(Unanswered):
    """Another try may have an answer. `wait_seconds` is what the API asks everybody for."""

    def __init__(self, words: str, status: int | None = None, wait_seconds: float = 0.0) -> None:
        super().__init__(words)
        self.status = status
        self.wait_seconds = wait_seconds


class Rubbish(TryAgain):
    """An answer that no chat API gives."""


class Refused(Unanswered):
    """The API would say the same again: about the `Length` of a prompt, its `Content`, or the `Request` as such."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"HTTP {status} {words}".strip())
        self.status = status
        self.about = _subject(status, words)


def _subject(status: int, words: str) -> Literal["Length", "Content", "Request"]:
    if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _TOO_LONG.search(words):
        return "Length"
    return "Content" if _FILTERED.search(words) else "Request"


def refusal(status: int, headers: Message, body: bytes) -> Unanswered:
    """What an answer means whose status is not 200. `body` is its beginning."""
    if status < http.HTTPStatus.MULTIPLE_CHOICES:
        return Rubbish(f"HTTP {status} without an answer")
    words = "" if status in _ABOUT_THE_KEY or status < http.HTTPStatus.BAD_REQUEST else words_of(body)
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status in MAY_PASS:
        wait = seconds_to_wait(headers, LONGEST_WAIT_SECONDS)
        return TryAgain(f"HTTP {status} {words}".strip(), status, wait)
    return Refused(status, words)


def words_of(body: bytes) -> str:
    """The error of an answer in one line; of a page, nothing."""
    text = body.decode("utf-8", "replace")
    try:
        said = _said(json.loads(text))
    except (ValueError, RecursionError):
        said = "" if text.lstrip().startswith("<") else text
    # An error of many lines would look like lines of our own in the log.
    printable = "".join(sign if sign.isprintable() else " " for sign in said)
    return " ".join(printable.split())


def _said(document: object) -> str:
    """OpenAI: {"error": {"message", "code"}}; others: {"error": "…"}, {"detail": …}, {"message": "…"}."""
    if not isinstance(document, dict):
        return str(document)
    error = document.get("error") or document.get("detail") or document.get("message") or document
    if isinstance(error, dict) and "message" in error:
        code = error.get("code") or error.get("type")
        return f"{error['message']} ({code})" if isinstance(code, str) else str(error["message"])
    if isinstance(error, list):  # of FastAPI, which repeats the whole request beside them
        return "; ".join(f"{one.get('loc')}: {one.get('msg')}" for one in error if isinstance(one, dict))
    return error if isinstance(error, str) else json.dumps(error)
