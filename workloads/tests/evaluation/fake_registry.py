"""A registry of images over plain HTTP: the routes of the distribution API for manifests and layers."""

import base64
import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Literal
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
TOKEN = "a-pull-token"


@dataclass
class FakeRegistry:
    """`manifests` by "repository:tag". With `auth`, everything takes a user; `anonymous` lets tokens out to anybody."""

    auth: Literal["None", "Bearer", "Basic"] = "None"
    users: dict[str, str] = field(default_factory=dict)
    anonymous: bool = False
    manifests: dict[str, bytes] = field(default_factory=dict)
    # Of layers, by digest.
    blobs: dict[str, bytes] = field(default_factory=dict)
    # Repositories that the header with the digest is left out for.
    without_header: set[str] = field(default_factory=set)
    # What is answered before the real answer, by a part of "METHOD path": a status, so many times.
    failures: dict[tuple[str, int], int] = field(default_factory=dict)
    retry_after: str = ""
    # Where another host has the manifests of a repository.
    locations: dict[str, str] = field(default_factory=dict)
    kind: str = INDEX
    asked: Counter[str] = field(default_factory=Counter)
    scopes: list[str] = field(default_factory=list)
    # Authorization of every request for a manifest.
    authorizations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("localhost", 0), type("_Bound", (_Handler,), {"registry": self}))
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def host(self) -> str:
        return f"localhost:{self.server.server_port}"

    def push(self, name: str) -> str:
        """An image of this repository and tag. Returns its digest."""
        content = json.dumps({"mediaType": INDEX, "annotations": {"name": name}}).encode()
        self.manifests[name] = content
        return digest_of(content)

    def push_layers(self, name: str, *layers: bytes, kind: str = "application/vnd.oci.image.layer.v1.tar+gzip") -> None:
        """An image of these layers, the lowest first, in an index of two platforms."""
        listed = [{"mediaType": kind, "digest": self.keep(layer)} for layer in layers]
        manifest = json.dumps({"layers": listed}).encode()
        self.manifests[f"{name.rpartition(':')[0]}:{digest_of(manifest)}"] = manifest
        platforms = [("arm64", f"sha256:{'0' * 64}"), ("amd64", digest_of(manifest))]
        entries = [{"digest": digest, "platform": {"os": "linux", "architecture": of}} for of, digest in platforms]
        self.manifests[name] = json.dumps({"manifests": entries}).encode()

    def keep(self, blob: bytes) -> str:
        self.blobs[digest_of(blob)] = blob
        return digest_of(blob)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _Handler(BaseHTTPRequestHandler):
    registry: ClassVar[FakeRegistry]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        injected = self.injected(f"{self.command} {path}")
        if injected is not None:
            headers = {"Retry-After": self.registry.retry_after} if self.registry.retry_after else {}
            return self.answer(injected, b"the body repeats pull-password", headers)
        if path == "/token":
            return self.token()
        repository, route, tag = re.split("/(manifests|blobs)/", path.removeprefix("/v2/"))
        self.registry.authorizations.append(self.headers.get("Authorization", ""))
        if not self.admitted():
            return self.answer(401, b"the body repeats pull-password", {"WWW-Authenticate": self.challenge(repository)})
        if repository in self.registry.locations:
            return self.answer(307, b"", {"Location": self.registry.locations[repository] + path})
        if route == "blobs":
            return self.blob(tag)
        content = self.registry.manifests.get(f"{repository}:{tag}")
        if content is None:
            return self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', {})
        named = {} if repository in self.registry.without_header else {"Docker-Content-Digest": digest_of(content)}
        return self.answer(200, content, {"Content-Type": self.registry.kind, **named})

    do_HEAD = do_GET

    def blob(self, digest: str) -> None:
        content = self.registry.blobs.get(digest)
        if content is None:
            return self.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}', {})
        if self.injected(f"WHOLE {digest}") is None:
            return self.answer(200, content, {"Content-Type": "application/octet-stream"})
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True
        return None

    def injected(self, what: str) -> int | None:
        with self.registry.lock:
            self.registry.asked[what] += 1
            for (part, status), left in self.registry.failures.items():
                if part in what and left > 0:
                    self.registry.failures[part, status] = left - 1
                    return status
        return None

    def challenge(self, repository: str) -> str:
        if self.registry.auth == "Basic":
            return 'Basic realm="registry"'
        realm = f"http://{self.registry.host}/token"
        return f'Bearer realm="{realm}",service="images",scope="repository:{repository}:pull"'

    def token(self) -> None:
        self.registry.scopes += parse_qs(urlsplit(self.path).query)["scope"]
        if self.registry.anonymous or self.is_user():
            return self.answer(200, json.dumps({"token": TOKEN}).encode(), {"Content-Type": "application/json"})
        return self.answer(401, b"the body repeats pull-password", {})

    def admitted(self) -> bool:
        if self.registry.auth == "Bearer":
            return self.headers.get("Authorization") == f"Bearer {TOKEN}"
        return self.registry.auth == "None" or self.is_user()

    def is_user(self) -> bool:
        said = self.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, password = base64.b64decode(said).decode().partition(":")
        return bool(name) and self.registry.users.get(name) == password

    def answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass
