"""A stand-in for a chat API that speaks OpenAI's protocol, and for all that goes wrong with one.

Faults are taken one by one, each by one request, before the real answer is given again.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, ClassVar

MODEL = "team/model"
Body = dict[str, Any]
Fault = Callable[["_Handler"], None]


def patch_of(body: Body) -> str:
    """A patch that tells by which seed it was asked for."""
    return (
        "diff --git a/lib.py b/lib.py\n--- a/lib.py\n+++ b/lib.py\n"
        f"@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b  # {body['seed']}\n"
    )


@dataclass
class FakeChatApi:
    """`most` requests at once, more get 429; with `key` nobody else is answered; `delay_seconds` before each answer.

    With `certificates`, a folder with leaf.crt and leaf.key for localhost, it speaks TLS.
    """

    answer: Callable[[Body], str] = patch_of
    key: str | None = None
    certificates: Path | None = None
    most: int = 1000
    delay_seconds: float = 0.0
    finish_reason: str = "stop"
    # Without it an answer's stream just ends, as with transformers serve.
    says_done: bool = True
    retry_after: str = ""
    # Fields that it refuses by name.
    refused_fields: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    # What is done for a request instead of an answer, however often it comes.
    fault_of: Callable[[Body], Fault | None] = lambda _: None
    # Where it listens; port 0 is any that is free.
    address: str = "localhost"
    port: int = 0
    # Bodies of all requests, and of those that were answered to their end.
    asked: list[Body] = field(default_factory=list)
    answered: list[Body] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.under_way = self.most_under_way = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificates else ''}://localhost:{self.port}/v1"

    def die(self) -> None:
        """Nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()

    def come_back(self) -> None:
        """On the same port."""
        bound = type("_Bound", (_Handler,), {"api": self})
        self._server = _Server((self.address, self.port), bound)
        self.port = self._server.server_port
        if self.certificates is not None:
            context = SSLContext(PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificates / "leaf.crt", self.certificates / "leaf.key")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    stop = die


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that have hung up are no news."""


class _Handler(BaseHTTPRequestHandler):
    api: ClassVar[FakeChatApi]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.close_connection = True
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.api.lock:
            self.api.asked.append(body)
            self.api.times.append(time.monotonic())
            self.api.headers.append(dict(self.headers))
            self.api.under_way += 1
            self.api.most_under_way = max(self.api.most_under_way, self.api.under_way)
            is_too_many = self.api.under_way > self.api.most
            fault = self.api.faults.pop(0) if self.api.faults else self.api.fault_of(body)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.respond(body, fault, is_too_many)
        finally:
            with self.api.lock:
                self.api.under_way -= 1

    def respond(self, body: Body, fault: Fault | None, is_too_many: bool) -> None:
        refused = [name for name in self.api.refused_fields if name in body]
        if self.path != "/v1/chat/completions":
            self.say(404, {"detail": "Not Found"})
        elif fault is not None:
            fault(self)
        elif self.api.key is not None and self.headers.get("Authorization") != f"Bearer {self.api.key}":
            self.say(401, {"error": {"message": f"Incorrect API key: {self.headers.get('Authorization')}"}})
        elif body["model"] != MODEL:
            self.say(
                404, {"error": {"message": f"The model {body['model']} does not exist", "code": "model_not_found"}}
            )
        elif refused:
            self.say(422, {"detail": f"Unsupported fields in the request: {refused}"})
        elif is_too_many:
            self.say(429, {"error": {"message": "slow down"}})
        else:
            time.sleep(self.api.delay_seconds)
            self.stream(body)
            with self.api.lock:
                self.api.answered.append(body)

    def say(self, status: int, document: object, kind: str = "application/json") -> None:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if self.api.retry_after and status in (429, 503):
            self.send_header("Retry-After", self.api.retry_after)
        self.end_headers()
        self.wfile.write(content)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def event(self, document: object) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        self.chunk(f"data: {text}\n\n".encode())

    def stream(self, body: Body) -> None:
        self.begin_stream()
        for document in events(self.api.answer(body), self.api.finish_reason):
            self.event(document)
        if self.api.says_done:
            self.event("[DONE]")
        self.chunk(b"")


def events(text: str, finish_reason: str) -> Iterator[dict[str, Any]]:
    """The answer in two parts, why it ended, and what it cost."""
    half = len(text) // 2
    yield _event(delta={"role": "assistant", "content": ""})
    yield _event(delta={"content": text[:half]})
    yield _event(delta={"content": text[half:]})
    yield _event(delta={}, finish_reason=finish_reason)
    yield {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 10}}


def _event(**choice: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "finish_reason": None, **choice}]}


def status(number: int, message: str = "it broke", **more: str) -> Fault:
    return lambda handler: handler.say(number, {"error": {"message": message, **more}})


def document(content: object, kind: str = "application/json") -> Fault:
    """HTTP 200 with this and nothing else."""
    return lambda handler: handler.say(200, content, kind)


def said_events(*documents: object) -> Fault:
    """A stream that ends after these."""

    def do(handler: _Handler) -> None:
        handler.begin_stream()
        for one in documents:
            handler.event(one)
        handler.chunk(b"")

    return do


def hang_up(handler: _Handler) -> None:
    handler.connection.close()


def break_off(handler: _Handler) -> None:
    """In the middle of an answer."""
    handler.begin_stream()
    handler.event(_event(delta={"content": "diff --git a/lib.py"}))
    handler.connection.close()


def break_off_document(handler: _Handler) -> None:
    """In the middle of a document whose length it has said."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "4096")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"message": {"content": "diff --git a/lib.py')


def break_off_chunk(handler: _Handler) -> None:
    """In the middle of a chunk of a stream."""
    handler.begin_stream()
    handler.wfile.write(b"40\r\ndata: {")


def repeat_key(handler: _Handler) -> None:
    """Tells whoever reads the error what key it was sent."""
    handler.say(500, {"error": {"message": f"{handler.headers.get('Authorization')} broke it"}})


def redirect(location: str) -> Fault:
    def do(handler: _Handler) -> None:
        handler.send_response(307)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return do


def silent(seconds: float) -> Fault:
    """After the first words."""

    def do(handler: _Handler) -> None:
        handler.begin_stream()
        handler.event(_event(delta={"content": "diff"}))
        time.sleep(seconds)

    return do


def dawdle(seconds: float, every: float = 0.1) -> Fault:
    """A word now and then, for so long, and no end."""

    def do(handler: _Handler) -> None:
        handler.begin_stream()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            handler.event(_event(delta={"content": "diff "}))
            time.sleep(every)

    return do


def trickle(content: bytes, seconds: float = 0.05) -> Fault:
    """Byte by byte, from the first line of the answer on."""

    def do(handler: _Handler) -> None:
        for at in range(len(content)):
            handler.wfile.write(content[at : at + 1])
            handler.wfile.flush()
            time.sleep(seconds)

    return do


def endless(handler: _Handler) -> None:
    handler.begin_stream()
    while True:
        handler.event(_event(delta={"content": "a" * 60_000}))
