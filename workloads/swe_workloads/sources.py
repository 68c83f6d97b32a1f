"""What the user brings in an S3 store: a model or data, read through the operator or with the user's own key."""

import http
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from swe_workloads.artifacts import ArtifactStore, StoredObject
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import Pod
from swe_workloads.run_file import Credentials
from swe_workloads.transfer import DISK_IS_FULL, Digest, Missing, digest_file


class Reader(Protocol):
    """Objects by URI. Names in the listing are whole URIs."""

    def list_uri(self, uri: str) -> list[StoredObject]: ...

    def download_uri(self, uri: str, target: Path) -> Digest: ...


def reader(pod: Pod, store: ArtifactStore, credentials: Credentials, purpose: str) -> Reader:
    """The namespace's own prefix is read through the operator, anything else with the Secret mounted for `purpose`."""
    if credentials == "OwnPrefix":
        return store
    return SecretReader(pod.credentials_dir / purpose)


def list_source(source: Reader, uri: str) -> list[StoredObject]:
    """The object of exactly this URI, else everything below it as a folder."""
    found = sorted(source.list_uri(uri), key=lambda item: item.name)
    exact = [item for item in found if item.name == uri]
    folder = uri.rstrip("/") + "/"
    return exact or [item for item in found if item.name.startswith(folder) and not item.name.endswith("/")]


class SecretReader:
    """Reads with the access key of a mounted Secret; its files are named like the AWS variables."""

    def __init__(self, directory: Path) -> None:
        self._client = s3_client(directory)

    def list_uri(self, uri: str) -> list[StoredObject]:
        bucket, prefix = split_uri(uri)
        with _explained(uri):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            entries = [entry for page in pages for entry in page.get("Contents", [])]
        return [StoredObject(f"s3://{bucket}/{one['Key']}", one["Size"], _version(one)) for one in entries]

    def download_uri(self, uri: str, target: Path) -> Digest:
        bucket, key = split_uri(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _explained(uri):
            self._client.download_file(bucket, key, str(target))
        return digest_file(target)


def _version(entry: dict[str, Any]) -> str | None:
    told = [str(entry[name]) for name in ("ETag", "LastModified") if name in entry]
    return " ".join(told) or None


def split_uri(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def s3_client(directory: Path) -> Any:
    """A boto3 client (it has no types of its own). Raises Failure(INVALID_CONFIGURATION) naming a missing key."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    settings = {path.name: path.read_text().strip() for path in directory.glob("AWS_*")} if directory.is_dir() else {}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if not settings.get(name):
            raise Failure(ExitCode.INVALID_CONFIGURATION, f"The referenced Secret has no key {name}.")
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 10},
        connect_timeout=10,
        read_timeout=60,
        # Path style and no trailing checksums: what S3-compatible services all understand.
        s3={"addressing_style": "path" if settings.get("AWS_ENDPOINT_URL") else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return boto3.client(
            "s3",
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            endpoint_url=settings.get("AWS_ENDPOINT_URL") or None,
            region_name=settings.get("AWS_REGION") or "us-east-1",
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        message = f"The referenced Secret's AWS_ENDPOINT_URL or AWS_REGION cannot be used: {error}"
        raise Failure(ExitCode.INVALID_CONFIGURATION, message) from error


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Turns botocore's exceptions into failures that name the object."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == http.HTTPStatus.NOT_FOUND and error.response.get("Error", {}).get("Code") != "NoSuchBucket":
            raise Missing(uri) from error
        refused = 400 <= status < 500 and status != http.HTTPStatus.TOO_MANY_REQUESTS
        code = ExitCode.INVALID_CONFIGURATION if refused else ExitCode.STORE_UNAVAILABLE
        raise Failure(code, f"{uri}: {error}") from error
    except (BotoCoreError, Boto3Error, OSError) as error:
        if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
            raise
        raise Failure(ExitCode.STORE_UNAVAILABLE, f"{uri}: {error}") from error
