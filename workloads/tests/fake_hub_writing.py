"""How the stand-in for huggingface.co is written: the routes of create_repo and create_commit of huggingface_hub.

Small files come in the commit itself, large ones before it by the LFS protocol, as one upload each.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fake_hub import FakeHub, Repository

LARGE = (".safetensors", ".parquet", ".bin")
_REPOSITORY = r"(?P<repo>[^/]+/[^/]+)"
_PREUPLOAD = re.compile(rf"^/api/models/{_REPOSITORY}/preupload/main$")
_COMMIT = re.compile(rf"^/api/models/{_REPOSITORY}/commit/main$")
_BATCH = re.compile(rf"^/{_REPOSITORY}\.git/info/lfs/objects/batch$")
_UPLOAD = re.compile(r"^/lfs-upload/(?P<sha256>[0-9a-f]{64})$")
INITIAL = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}


@dataclass(frozen=True)
class Request:
    """`token` is empty where none came; `origin` is how the client calls the hub."""

    path: str
    body: bytes
    token: str
    origin: str

    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus = HTTPStatus.OK
    document: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    message: str = ""


def write(hub: "FakeHub", request: Request) -> Answer:
    if found := _UPLOAD.match(request.path):
        return _upload(hub, request, found["sha256"])
    if request.token not in hub.tokens:
        return Answer(HTTPStatus.UNAUTHORIZED, message="Invalid credentials in Authorization header")
    if request.path == "/api/validate-yaml":
        return _validate(request.document()["content"])
    if request.path == "/api/repos/create":
        return _create(hub, request)
    for pattern, answer in ((_PREUPLOAD, _preupload), (_BATCH, _batch), (_COMMIT, _commit)):
        if found := pattern.match(request.path):
            repository = hub.repositories.get(("models", found["repo"]))
            if repository is None:
                return Answer(HTTPStatus.NOT_FOUND, code="RepoNotFound", message="Repository not found")
            if not _may_write(hub, request.token, found["repo"]):
                return Answer(HTTPStatus.FORBIDDEN, message="Authorization error.")
            return answer(hub, request, repository)
    return Answer(HTTPStatus.NOT_FOUND, message="no such page")


def _may_write(hub: "FakeHub", token: str, repo: str) -> bool:
    return token in hub.writers.get(repo.split("/")[0], set())


def _validate(content: str) -> Answer:
    """Whether there is metadata; what YAML says of it is not looked at here."""
    if re.match(r"---\n(\S.*\n)+---\n", content):
        return Answer(document={"errors": [], "warnings": []})
    document = {"errors": [{"message": "no metadata"}], "warnings": []}
    return Answer(HTTPStatus.BAD_REQUEST, document, message="Invalid metadata in README.md")


def _create(hub: "FakeHub", request: Request) -> Answer:
    asked = request.document()
    repo = f"{asked['organization']}/{asked['name']}"
    if not _may_write(hub, request.token, repo):
        message = f"You don't have the rights to create a model under the namespace {asked['organization']}"
        return Answer(HTTPStatus.FORBIDDEN, message=message)
    url = f"{request.origin}/{repo}"
    if ("models", repo) in hub.repositories:
        return Answer(HTTPStatus.CONFLICT, {"url": url}, message="You already created this model repo")
    hub.commit("models", repo, INITIAL)
    hub.repositories["models", repo].private = asked.get("visibility") == "private"
    return Answer(document={"url": url})


def _preupload(hub: "FakeHub", request: Request, repository: "Repository") -> Answer:
    """Tells of what is there already, so that equal files are not sent again."""
    there = repository.commits[repository.branches["main"]]
    files = []
    for asked in request.document()["files"]:
        name = asked["path"]
        oid = {"oid": _oid(name, there[name])} if name in there else {}
        files.append({"path": name, "uploadMode": "lfs" if is_large(name) else "regular", "shouldIgnore": False, **oid})
    return Answer(document={"files": files})


def _batch(hub: "FakeHub", request: Request, repository: "Repository") -> Answer:
    def upload(oid: str) -> dict[str, Any]:
        href = f"{request.origin}/lfs-upload/{oid}?Signature=secret"
        return {} if oid in hub.large else {"actions": {"upload": {"href": href}}}

    objects = [{**asked, **upload(asked["oid"])} for asked in request.document()["objects"]]
    return Answer(document={"transfer": "basic", "objects": objects})


def _upload(hub: "FakeHub", request: Request, sha256: str) -> Answer:
    if request.token:
        return Answer(HTTPStatus.BAD_REQUEST, message="a token came to the storage")
    if hashlib.sha256(request.body).hexdigest() != sha256:
        return Answer(HTTPStatus.BAD_REQUEST, message="other bytes than were announced")
    hub.large[sha256] = request.body
    return Answer()


def _commit(hub: "FakeHub", request: Request, repository: "Repository") -> Answer:
    found = _COMMIT.match(request.path)
    assert found is not None
    files = dict(repository.commits[repository.branches["main"]])
    for line in request.body.splitlines():
        item = json.loads(line)
        value = item["value"]
        if item["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif item["key"] == "lfsFile" and value["oid"] in hub.large:
            files[value["path"]] = hub.large[value["oid"]]
        elif item["key"] != "header":
            return Answer(HTTPStatus.BAD_REQUEST, message=f"{item['key']} of {value} is not there")
    commit = hub.commit("models", found["repo"], files)
    seen = "private" if repository.private else "public"
    hub.said(f"Commit {commit} of {found['repo']} ({seen}): {', '.join(sorted(files))}")
    return Answer(document={"commitUrl": f"{request.origin}/{found['repo']}/commit/{commit}", "commitOid": commit})


def is_large(name: str) -> bool:
    return name.endswith(LARGE)


def blob_of(content: bytes) -> str:
    """What git calls it."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _oid(name: str, content: bytes) -> str:
    return sha256_of(content) if is_large(name) else blob_of(content)
