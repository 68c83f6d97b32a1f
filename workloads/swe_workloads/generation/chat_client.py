"""One try at one sample, over the protocol of OpenAI's chat completions."""

import http
import http.client
import json
import ssl
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace

from swe_workloads.generation.api_key import ApiKey
from swe_workloads.generation.chat_answer import Answer, answer_in_document, answer_in_stream
from swe_workloads.generation.generate_file import GenerateFile
from swe_workloads.generation.refusals import Refused, Rubbish, TryAgain, Unanswered, refusal
from swe_workloads.generation.timed_http import Answering, Bounds, TooLarge, post

FIRST_BYTE_SECONDS = 300.0  # a busy server lets a request wait before it says anything
SILENT_SECONDS = 60.0  # between two tokens no server needs as long
# An event of one token is a few hundred bytes; with what some APIs add to it, so many.
TOKEN_BYTES, OTHER_BYTES = 4096, 1 << 20
REFUSAL_BYTES = 4096


@dataclass(frozen=True)
class Dialect:
    """Which of the fields an API takes that not all of them take."""

    asks_for_usage: bool = True
    limit: str = "max_tokens"

    def understood(self, refused: Refused) -> "Dialect | None":
        """What to say instead; None where the refusal is about something else."""
        if refused.about != "Request":
            return None
        if self.asks_for_usage and "stream_options" in refused.words:
            return replace(self, asks_for_usage=False)
        if self.limit == "max_tokens" and "max_completion_tokens" in refused.words:
            return replace(self, limit="max_completion_tokens")
        return None


class ChatClient:
    """Asked by several threads. Nothing that it raises or returns has the key in it."""

    def __init__(self, spec: GenerateFile, key: ApiKey) -> None:
        self._spec = spec
        self._key = key
        self._url = urllib.parse.urlsplit(spec.model.url.rstrip("/") + "/chat/completions")
        self._trust = ssl.create_default_context()
        self._dialect = Dialect()
        whole = float(spec.limits.request_seconds)
        size = TOKEN_BYTES * spec.sampling.max_tokens + OTHER_BYTES
        self._bounds = Bounds(whole, min(whole, FIRST_BYTE_SECONDS), min(whole, SILENT_SECONDS), size)

    def ask(self, prompt: str, seed: int, accepted: Callable[[], None] = lambda: None) -> Answer:
        """Calls `accepted` when the API begins to answer. Raises TryAgain, and Refused."""
        while True:
            dialect = self._dialect
            try:
                return self._exchange(self._body(prompt, seed, dialect), accepted)
            except Refused as refused:
                other = dialect.understood(refused)
                if other is None:
                    raise
                self._dialect = other

    def _body(self, prompt: str, seed: int, dialect: Dialect) -> bytes:
        sampling = self._spec.sampling
        body: dict[str, object] = {
            "model": self._spec.model.name,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            dialect.limit: sampling.max_tokens,
            "seed": seed,
            "stream": True,
        }
        if sampling.stop:
            body["stop"] = sampling.stop
        if dialect.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
        return json.dumps(body).encode()

    def _exchange(self, body: bytes, accepted: Callable[[], None]) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "swe-operator",
            **self._key.headers(),
        }
        try:
            with post(self._url, headers, body, self._bounds, self._trust) as answering:
                return self._without_key(self._read(answering, accepted))
        except Unanswered as error:
            error.shown(self._key.hidden_in)
            raise
        except TooLarge as error:
            raise Rubbish(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            broken = TryAgain(" ".join(str(error).split()) or type(error).__name__)
            broken.shown(self._key.hidden_in)
            raise broken from None

    def _read(self, answering: Answering, accepted: Callable[[], None]) -> Answer:
        if answering.status != http.HTTPStatus.OK:
            raise refusal(answering.status, answering.headers, answering.beginning(REFUSAL_BYTES))
        kind = answering.headers.get_content_type()
        if kind == "text/html":
            raise Rubbish("a page and no answer")
        accepted()
        if kind == "application/json":
            return answer_in_document(b"".join(answering.blocks()))
        return answer_in_stream(answering.blocks())

    def _without_key(self, answer: Answer) -> Answer:
        hidden = self._key.hidden_in
        refused = None if answer.refusal is None else hidden(answer.refusal)
        return replace(answer, text=hidden(answer.text), finish_reason=hidden(answer.finish_reason), refusal=refused)
