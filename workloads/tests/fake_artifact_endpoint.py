"""A stand-in for the operator's artifact and progress endpoints and for the store behind them.

HTTPS for the two endpoints, with certificates as strict as Python 3.13 wants them; plain HTTP for the store, as
the embedded one has it. Objects are files below a folder. Requests that a test wants to fail are counted down.
"""

import json
import subprocess
import tempfile
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, ClassVar

NAMESPACE = "team"
RUN = "demo"
UID = "0b5e7c1a-run"
BUCKET = "swe-operator"
TOKEN = "a-projected-token"
BASE = f"/v1alpha1/namespaces/{NAMESPACE}/trainingruns/{RUN}"


@dataclass
class FakeEndpoint:
    """`objects` is the bucket as a folder; what a run wrote lies below `prefix`."""

    folder: Path
    authority: str = "test CA"
    # Of the run whose pods ask.
    uid: str = UID
    progress: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    # What was said of each object when it was stored, by the last part of its key.
    content_types: dict[str, str] = field(default_factory=dict)
    # (part of "METHOD path", status): answered so many times instead of the real answer.
    failures: dict[tuple[str, int], int] = field(default_factory=dict)
    # Called with "METHOD path" after an object was stored.
    after_put: Callable[[str], None] = lambda _: None
    # Called with "METHOD path" when half of an object was sent.
    halfway: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.objects = self.folder / "objects"
        self.prefix.mkdir(parents=True)
        (self.folder / "token").write_text(TOKEN)
        for name, content in certificates(self.authority).items():
            (self.folder / name).write_bytes(content)
        self._store = self._serve(_StoreHandler)
        self._endpoint = self._serve(_EndpointHandler)
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "leaf.crt", self.folder / "leaf.key")
        self._endpoint.socket = context.wrap_socket(self._endpoint.socket, server_side=True)
        for server in (self._store, self._endpoint):
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        for server in (self._store, self._endpoint):
            server.shutdown()
            server.server_close()

    @property
    def prefix(self) -> Path:
        return self.objects / BUCKET / NAMESPACE / self.uid

    @property
    def url(self) -> str:
        return f"https://localhost:{self._endpoint.server_port}{BASE}"

    @property
    def store_url(self) -> str:
        return f"http://localhost:{self._store.server_port}"

    def environment(self, work: Path, run_file: Path, attempt: int = 1) -> dict[str, str]:
        """What a pod of this run has."""
        return {
            "SWE_RUN_FILE": str(run_file),
            "SWE_ARTIFACTS_URL": self.url,
            "SWE_CA_FILE": str(self.folder / "ca.crt"),
            "SWE_TOKEN_FILE": str(self.folder / "token"),
            "SWE_ATTEMPT": str(attempt),
            "SWE_POD_UID": f"pod-{attempt}",
            "SWE_GRACE_SECONDS": "30",
            "SWE_WORK_DIR": str(work),
            "SWE_TERMINATION_FILE": str(work / "termination"),
            "SWE_CREDENTIALS_DIR": str(work / "credentials"),
            "SWE_STORE_PATIENCE_SECONDS": "20",
            "TMPDIR": str(work / "tmp"),
            "KUBEFLOW_TRAINER_SERVER_URL": f"{self.url}/attempts/{attempt}/status",
            "KUBEFLOW_TRAINER_SERVER_CA_CERT": str(self.folder / "ca.crt"),
            "KUBEFLOW_TRAINER_SERVER_TOKEN": str(self.folder / "token"),
        }

    def put(self, uri: str, content: bytes) -> None:
        path = self.objects / uri.removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _serve(self, handler: "type[_Handler]") -> ThreadingHTTPServer:
        bound = type(handler.__name__, (handler,), {"fake": self})
        return ThreadingHTTPServer(("localhost", 0), bound)


class _Handler(BaseHTTPRequestHandler):
    fake: ClassVar[FakeEndpoint]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def injected(self) -> bool:
        what = f"{self.command} {self.path}"
        with self.fake.lock:
            self.fake.requests.append(what)
            for (part, status), left in self.fake.failures.items():
                if part in what and left > 0:
                    self.fake.failures[part, status] = left - 1
                    break
            else:
                return False
        self.close_connection = True
        if status > 0:  # 0 hangs up without an answer
            self.answer(status, {"error": {"code": "Injected", "message": "injected"}})
        return True

    def answer(self, status: int, body: object) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))


class _EndpointHandler(_Handler):
    def do_GET(self) -> None:
        if self.injected() or not self.admitted():
            return
        url = urllib.parse.urlsplit(self.path)
        if url.path != f"{BASE}/objects":
            return self.answer(HTTPStatus.NOT_FOUND, {"error": {"code": "NotFound", "message": self.path}})
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        listed = self.below_uri(query["uri"]) if "uri" in query else self.below_prefix(query["prefix"])
        self.answer(HTTPStatus.OK, {"objects": listed})

    def do_POST(self) -> None:
        content = self.body()
        if self.injected() or not self.admitted():
            return
        if self.path.endswith("/status"):
            self.fake.progress.append({"path": self.path, **json.loads(content)})
            return self.answer(HTTPStatus.OK, {})
        requests = json.loads(content)["requests"]
        self.answer(HTTPStatus.OK, {"urls": [self.sign(entry) for entry in requests], "expiresInSeconds": 3600})

    def admitted(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.answer(HTTPStatus.UNAUTHORIZED, {"error": {"code": "Unauthorized", "message": "bad token"}})
        return False

    def sign(self, entry: dict[str, str]) -> dict[str, object]:
        path = (
            entry["uri"].removeprefix("s3://")
            if "uri" in entry
            else f"{BUCKET}/{NAMESPACE}/{self.fake.uid}/{entry['key']}"
        )
        headers = {"If-None-Match": "*"} if entry["method"] == "PUT" else {}
        return {**entry, "url": f"{self.fake.store_url}/{urllib.parse.quote(path)}?signature=x", "headers": headers}

    def below_prefix(self, prefix: str) -> list[dict[str, object]]:
        return [entry for entry in self.entries(self.fake.prefix, "key", "") if str(entry["key"]).startswith(prefix)]

    def below_uri(self, uri: str) -> list[dict[str, object]]:
        return [entry for entry in self.entries(self.fake.objects, "uri", "s3://") if str(entry["uri"]).startswith(uri)]

    def entries(self, root: Path, field_name: str, before: str) -> list[dict[str, object]]:
        found = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".part")
        return [
            {field_name: f"{before}{path.relative_to(root)}", "sizeBytes": path.stat().st_size,
             "lastModifiedTime": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()}
            for path in found
        ]  # fmt: skip


class _StoreHandler(_Handler):
    def path_of(self) -> Path:
        return self.fake.objects / urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).lstrip("/")

    def do_GET(self) -> None:
        if self.injected():
            return
        path = self.path_of()
        if not path.is_file():
            return self.answer(HTTPStatus.NOT_FOUND, b"<Error><Code>NoSuchKey</Code></Error>")
        content, asked = path.read_bytes(), self.headers.get("Range", "")
        if not asked.startswith("bytes=-"):
            return self.send_halves(content)
        if not content:
            return self.answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"<Error><Code>InvalidRange</Code></Error>")
        self.answer(HTTPStatus.PARTIAL_CONTENT, content[-int(asked.removeprefix("bytes=-")) :])

    def send_halves(self, content: bytes) -> None:
        half = len(content) // 2
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:half])
        self.wfile.flush()
        self.fake.halfway(f"GET {self.path}")
        self.wfile.write(content[half:])

    def do_PUT(self) -> None:
        content = self.body()
        if self.injected():
            return
        path = self.path_of()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb" if self.headers.get("If-None-Match") == "*" else "wb") as out:
                out.write(content)
        except FileExistsError:
            return self.answer(HTTPStatus.PRECONDITION_FAILED, b"<Error><Code>PreconditionFailed</Code></Error>")
        self.fake.content_types[path.name] = self.headers["Content-Type"]
        self.fake.after_put(f"PUT {self.path}")
        self.answer(HTTPStatus.OK, b"")


@cache
def certificates(authority: str) -> dict[str, bytes]:
    """A CA and a leaf for localhost with every extension that strict X.509 checking asks for, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        make_certificates(Path(folder), authority)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def make_certificates(folder: Path, authority: str) -> None:
    subject = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    _openssl(
        "req", "-x509", *subject, "-subj", f"/CN={authority}", "-keyout", folder / "ca.key", "-out", folder / "ca.crt",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    _openssl(
        "req", "-x509", *subject, "-subj", "/CN=localhost", "-keyout", folder / "leaf.key", "-out", folder / "leaf.crt",
        "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=critical,digitalSignature",
        "-addext", "extendedKeyUsage=serverAuth", "-addext", "authorityKeyIdentifier=keyid",
    )  # fmt: skip


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
