"""A stand-in for huggingface.co: the routes that huggingface_hub uses to look at repositories and to download.

Models can be written too: fake_hub_writing.py.

In tests it is an object; as a program it serves a folder:

    python fake_hub.py --root DIR --port 8080 [--token TOKEN] [--gated owner/name]

DIR holds models/OWNER/NAME/… and datasets/OWNER/NAME/…, each the files of the branch main.
"""

import argparse
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from fake_hub_writing import Request, blob_of, is_large, sha256_of, write

TOKEN = "hf_known"
_REPOSITORY = r"(?P<repo>[^/]+/[^/]+)"
_INFO = re.compile(rf"^/api/(?P<kind>models|datasets)/{_REPOSITORY}(/revision/(?P<revision>[^/]+))?$")
_TREE = re.compile(rf"^/api/(?P<kind>models|datasets)/{_REPOSITORY}/tree/(?P<revision>[^/]+)$")
_RESOLVE = re.compile(rf"^/(?P<kind>datasets/)?{_REPOSITORY}/resolve/(?P<revision>[^/]+)/(?P<name>.+)$")
Headers = Mapping[str, str]


@dataclass
class Repository:
    """`commits` holds the files of each commit, `branches` says which commit is the newest."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False


@dataclass
class FakeHub:
    """`granted` are the known tokens that may read what is gated."""

    port: int = 0
    host: str = "localhost"
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    granted: set[str] = field(default_factory=lambda: {TOKEN})
    # By owner of repositories: the tokens that may write there.
    writers: dict[str, set[str]] = field(default_factory=lambda: {"team": {TOKEN}})
    # What was uploaded by the LFS protocol, by sha256.
    large: dict[str, bytes] = field(default_factory=dict)
    said: Callable[[str], None] = lambda _: None
    page: int = 1000
    # Large files are redirected to this host, where no token may arrive. Empty: they come from the hub itself.
    cdn: str = ""
    requests: list[str] = field(default_factory=list)
    # (part of "METHOD path", status): answered so many times instead. 0 hangs up, 1 breaks off in the middle,
    # 2 writes what was asked for and hangs up.
    failures: dict[tuple[str, int], int] = field(default_factory=dict)
    # Said in such answers.
    words: str = "injected"

    def __post_init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer((self.host, self.port), handler)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server.server_port}"

    def start(self) -> "FakeHub":
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def commit(self, kind: str, repo: str, files: Mapping[str, bytes], branch: str = "main") -> str:
        """A commit with exactly these files. Returns its id; `kind` is models or datasets."""
        repository = self.repositories.setdefault((kind, repo), Repository())
        content = "".join(f"{name}\0{sha256_of(files[name])}\n" for name in sorted(files))
        commit = hashlib.sha1(f"{repo}\0{len(repository.commits)}\0{content}".encode()).hexdigest()
        repository.commits[commit] = dict(files)
        repository.branches[branch] = commit
        return commit

    def load(self, root: Path) -> None:
        for kind in ("models", "datasets"):
            for folder in sorted(root.glob(f"{kind}/*/*/")):
                files = {
                    str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
                }
                self.commit(kind, "/".join(folder.parts[-2:]), files)


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[FakeHub]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        what = f"{self.command} {self.path}"
        broken = self.injected(what)
        if broken is not None and broken != 1:
            self.close_connection = True
            return None if broken == 0 else self.refuse(HTTPStatus(broken), "", self.hub.words, {"Retry-After": "0"})
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path.startswith("/cdn/"):
            return self.from_cdn(path.removeprefix("/cdn/"))
        if found := _INFO.match(path):
            return self.info(found["kind"], found["repo"], found["revision"] or "main")
        if found := _TREE.match(path):
            return self.tree(found["kind"], found["repo"], found["revision"])
        if found := _RESOLVE.match(path):
            kind = "datasets" if found["kind"] else "models"
            return self.resolve(kind, found["repo"], found["revision"], found["name"], broken == 1)
        return self.refuse(HTTPStatus.NOT_FOUND, "", "no such page")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        broken = self.injected(f"{self.command} {self.path}")
        if broken is not None and broken != 2:
            self.close_connection = True
            return None if broken == 0 else self.refuse(HTTPStatus(broken), "", self.hub.words, {"Retry-After": "0"})
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        with self.hub.lock:
            done = write(self.hub, Request(path, body, self.token(), f"http://{self.headers['Host']}"))
        if broken == 2:
            self.close_connection = True
            return None
        if done.message:
            return self.refuse(done.status, done.code, done.message, {}, done.document)
        return self.answer(done.status, json.dumps(done.document).encode())

    do_PUT = do_POST

    def injected(self, what: str) -> int | None:
        with self.hub.lock:
            self.hub.requests.append(what)
            for (part, status), left in self.hub.failures.items():
                if part in what and left > 0:
                    self.hub.failures[part, status] = left - 1
                    return status
        return None

    def info(self, kind: str, repo: str, revision: str) -> None:
        repository = self.seen(kind, repo)
        commit = self.commit_of(repository, revision)
        if repository is not None and commit is not None:
            siblings = [{"rfilename": name} for name in repository.commits[commit]]
            known = {"id": repo, "sha": commit, "private": repository.private, "gated": repository.gated}
            self.answer(HTTPStatus.OK, json.dumps({**known, "siblings": siblings, "tags": []}).encode())

    def tree(self, kind: str, repo: str, revision: str) -> None:
        repository = self.seen(kind, repo)
        commit = self.commit_of(repository, revision)
        if repository is None or commit is None:
            return
        files = repository.commits[commit]
        folders = {str(parent) for name in files for parent in Path(name).parents} - {"."}
        entries = [{"type": "directory", "oid": blob_of(b""), "size": 0, "path": name} for name in sorted(folders)]
        entries += [_entry(name, files[name]) for name in sorted(files)]
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        begin = int(query.get("cursor", "0"))
        more = begin + self.hub.page
        headers = {}
        if more < len(entries):
            following = urllib.parse.urlencode({**query, "cursor": str(more)})
            headers["Link"] = f'<http://{self.headers["Host"]}{url.path}?{following}>; rel="next"'
        self.answer(HTTPStatus.OK, json.dumps(entries[begin:more]).encode(), headers)

    def resolve(self, kind: str, repo: str, revision: str, name: str, broken_off: bool) -> None:
        repository = self.seen(kind, repo)
        commit = self.commit_of(repository, revision)
        if repository is None or commit is None:
            return
        if repository.gated and self.token() not in self.hub.granted:
            status = HTTPStatus.FORBIDDEN if self.token() else HTTPStatus.UNAUTHORIZED
            return self.refuse(status, "GatedRepo", f"Access to {kind[:-1]} {repo} is restricted.")
        content = repository.commits[commit].get(name)
        headers = {"X-Repo-Commit": commit}
        if content is None:
            return self.refuse(HTTPStatus.NOT_FOUND, "EntryNotFound", "Entry not found", headers)
        if not is_large(name):
            return self.content(content, {**headers, "ETag": f'"{blob_of(content)}"'}, broken_off)
        linked = {"X-Linked-Etag": f'"{sha256_of(content)}"', "X-Linked-Size": str(len(content)), **headers}
        if not self.hub.cdn:
            return self.content(content, {**linked, "ETag": f'"{sha256_of(content)}"'}, broken_off)
        place = f"http://{self.hub.cdn}:{self.hub.server.server_port}/cdn/{sha256_of(content)}?Signature=secret"
        return self.answer(HTTPStatus.FOUND, b"", {**linked, "Location": place})

    def from_cdn(self, sha256: str) -> None:
        if self.headers.get("Authorization") is not None:
            return self.refuse(HTTPStatus.BAD_REQUEST, "", "a token came to the CDN")
        commits = [files for repository in self.hub.repositories.values() for files in repository.commits.values()]
        contents = (content for files in commits for content in files.values())
        return self.content(next(item for item in contents if sha256_of(item) == sha256), {}, False)

    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def seen(self, kind: str, repo: str) -> Repository | None:
        """None after a refusal. Who may not see a repository is told the same as if there were none."""
        repository = self.hub.repositories.get((kind, repo))
        if self.token() and self.token() not in self.hub.tokens:
            self.refuse(HTTPStatus.UNAUTHORIZED, "", "Invalid credentials in Authorization header")
        elif repository is None or (repository.private and not self.token()):
            status = HTTPStatus.NOT_FOUND if self.token() else HTTPStatus.UNAUTHORIZED
            self.refuse(status, "RepoNotFound", "Repository not found")
        else:
            return repository
        return None

    def commit_of(self, repository: Repository | None, revision: str) -> str | None:
        if repository is None:
            return None
        commit = repository.branches.get(revision, revision)
        if commit in repository.commits:
            return commit
        self.refuse(HTTPStatus.NOT_FOUND, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def content(self, content: bytes, headers: Headers, broken_off: bool) -> None:
        part = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(part[1]) if part else 0
        ranged = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if part else {}
        status = HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK
        if not broken_off or self.command == "HEAD":
            return self.answer(status, content[begin:], {**headers, **ranged})
        self.answer(status, content[begin : begin + len(content) // 2], headers, len(content))
        self.close_connection = True

    def refuse(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        headers: Headers | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        named = {"X-Error-Code": code} if code else {}
        body = json.dumps({"error": message, **(more or {})}).encode()
        self.answer(status, body, {**(headers or {}), **named, "X-Error-Message": message})

    def answer(
        self, status: HTTPStatus, body: bytes, headers: Headers | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _entry(name: str, content: bytes) -> dict[str, object]:
    large = {"lfs": {"oid": sha256_of(content), "size": len(content), "pointerSize": 134}} if is_large(name) else {}
    return {"type": "file", "oid": blob_of(content), "size": len(content), "path": name, **large}


def main() -> None:
    options = argparse.ArgumentParser(description="Serve a folder as a hub.")
    options.add_argument("--root", type=Path, required=True)
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--host", default="0.0.0.0")
    options.add_argument("--token", default=TOKEN)
    options.add_argument("--gated", action="append", default=[], metavar="OWNER/NAME")
    chosen = options.parse_args()
    known = {chosen.token}
    hub = FakeHub(chosen.port, chosen.host, tokens=known, granted=known, writers={"team": known})
    hub.said = lambda line: print(line, flush=True)
    hub.load(chosen.root)
    for (_, repo), repository in hub.repositories.items():
        repository.gated = repo in chosen.gated
    print(f"Serving {len(hub.repositories)} repositories on port {hub.server.server_port}.", flush=True)
    hub.server.serve_forever()


if __name__ == "__main__":
    main()
