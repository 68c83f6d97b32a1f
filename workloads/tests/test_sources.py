"""Reading with the user's own access key, against a few lines of S3."""

import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import boto3.exceptions
import pytest

from swe_workloads import tiny_model
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.sources import SecretReader, list_source
from swe_workloads.transfer import Missing


class FewLinesOfS3(BaseHTTPRequestHandler):
    """Path style, two keys a page, one known access key."""

    objects: dict[str, bytes]

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if "Credential=known/" not in self.headers.get("Authorization", ""):
            return self.answer(403, b"<Error><Code>InvalidAccessKeyId</Code><Message>unknown key</Message></Error>")
        if "list-type" in query:
            return self.answer(200, self.page(query))
        content = self.objects.get(urllib.parse.unquote(url.path))
        if content is None:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>")
        return self.answer(200, content)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.objects[urllib.parse.unquote(self.path)] = content
        self.answer(200, b"")

    def page(self, query: dict[str, str]) -> bytes:
        prefix = "/bucket/" + query.get("prefix", "")
        keys = sorted(
            key for key in self.objects if key.startswith(prefix) and key > query.get("continuation-token", "")
        )
        shown, more = keys[:2], len(keys) > 2
        entries = "".join(
            f"<Contents><Key>{key.removeprefix('/bucket/')}</Key><Size>{len(self.objects[key])}</Size></Contents>"
            for key in shown
        )
        token = f"<NextContinuationToken>{shown[-1]}</NextContinuationToken>" if more else ""
        page = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        return page.encode()

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def objects() -> dict[str, bytes]:
    return {f"/bucket/rows/{name}.jsonl": name.encode() for name in "abcde"}


@pytest.fixture
def secret(objects: dict[str, bytes], tmp_path: Path) -> Iterator[Path]:
    handler = type("Handler", (FewLinesOfS3,), {"objects": objects})
    server = ThreadingHTTPServer(("localhost", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    folder = tmp_path / "secret"
    folder.mkdir()
    settings: dict[str, Any] = {
        "AWS_ACCESS_KEY_ID": "known\n",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": f"http://localhost:{server.server_port}",
    }
    for name, value in settings.items():
        (folder / name).write_text(value)
    yield folder
    server.shutdown()
    server.server_close()


def test_all_pages_of_a_folder_are_listed(secret: Path) -> None:
    found = list_source(SecretReader(secret), "s3://bucket/rows")
    assert [item.name for item in found] == [f"s3://bucket/rows/{name}.jsonl" for name in "abcde"]


def test_one_object_is_listed_alone_and_downloaded(secret: Path, tmp_path: Path) -> None:
    source = SecretReader(secret)
    assert [item.name for item in list_source(source, "s3://bucket/rows/a.jsonl")] == ["s3://bucket/rows/a.jsonl"]
    assert source.download_uri("s3://bucket/rows/a.jsonl", tmp_path / "new" / "a").size_bytes == 1
    with pytest.raises(Missing):
        source.download_uri("s3://bucket/rows/z.jsonl", tmp_path / "z")


def test_a_key_that_the_store_does_not_know_is_the_configuration(secret: Path) -> None:
    (secret / "AWS_ACCESS_KEY_ID").write_text("stranger")
    with pytest.raises(Failure, match=r"s3://bucket/rows.*unknown key") as caught:
        SecretReader(secret).list_uri("s3://bucket/rows")
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION


@pytest.mark.parametrize(("name", "value"), [("AWS_ENDPOINT_URL", "minio.example"), ("AWS_REGION", "no region!")])
def test_an_endpoint_or_region_that_is_none_is_the_configuration(secret: Path, name: str, value: str) -> None:
    (secret / name).write_text(value)
    with pytest.raises(Failure, match="AWS_ENDPOINT_URL or AWS_REGION cannot be used") as caught:
        SecretReader(secret)
    assert caught.value.code == ExitCode.INVALID_CONFIGURATION


def test_a_download_that_breaks_off_every_time_is_the_store_s_trouble(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object) -> None:
        raise boto3.exceptions.RetriesExceededError(ConnectionResetError())

    source = SecretReader(secret)
    monkeypatch.setattr(source._client, "download_file", broken_off)
    with pytest.raises(Failure, match=r"^s3://bucket/rows/a\.jsonl: ") as caught:
        source.download_uri("s3://bucket/rows/a.jsonl", tmp_path / "a")
    assert caught.value.code == ExitCode.STORE_UNAVAILABLE


def test_a_secret_without_a_key_says_which(secret: Path) -> None:
    (secret / "AWS_SECRET_ACCESS_KEY").unlink()
    with pytest.raises(Failure, match="no key AWS_SECRET_ACCESS_KEY"):
        SecretReader(secret)


def test_a_folder_is_uploaded_whole(secret: Path, objects: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "config.json").write_bytes(b"{}")
    tiny_model.upload(tmp_path / "tiny", "s3://bucket/models/tiny/", secret)
    assert objects["/bucket/models/tiny/config.json"] == b"{}"
