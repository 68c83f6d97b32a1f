"""One repository of a hub, such as huggingface.co, read at one commit through huggingface_hub."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub_failures import Place, explained
from swe_workloads.run_file import Hub
from swe_workloads.transfer import Digest, GaveUp, Patience, Result, digest_file, persist

TOKEN_KEY = "HF_TOKEN"
# A repository may name a submodule's or a foreign file like this; none of ours is outside its folder.
_NOT_BELOW = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class HubFile:
    """`sha256` is known of large files only."""

    size_bytes: int
    sha256: str | None


@dataclass(frozen=True)
class HubRepository:
    """Everything raises Failure: about the field that names it, or STORE_UNAVAILABLE when patience ends."""

    place: Place
    kind: Literal["model", "dataset"]
    repo: str
    commit: str
    files: dict[str, HubFile]
    patience: Patience
    token: str | None = field(repr=False)

    @property
    def uri(self) -> str:
        """As huggingface_hub writes it, with the commit."""
        return f"hf://{'datasets/' if self.kind == 'dataset' else ''}{self.repo}@{self.commit}"

    def download(self, name: str, target: Path) -> Digest:
        """One file of the repository, whole and as its listing describes it."""
        from huggingface_hub import hf_hub_download

        def attempt(scratch: str) -> Path:
            found = hf_hub_download(
                self.repo,
                name,
                repo_type=self.kind,
                revision=self.commit,
                endpoint=self.place.endpoint,
                # False, not None: a token that happens to lie in the home directory is nobody's choice.
                token=self.token or False,
                local_dir=scratch,
                cache_dir=scratch,
            )
            return Path(found)

        def fetch() -> Digest:
            # Beside the target, so that the file is moved and not copied.
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".hub-") as scratch:
                found = attempt(scratch)
                digest = digest_file(found)
                self._compare(name, digest)
                found.replace(target)
            return digest

        target.parent.mkdir(parents=True, exist_ok=True)
        return _ask(self.place, self.patience, f"Downloading {name} of {self.uri}", fetch)

    def _compare(self, name: str, digest: Digest) -> None:
        listed = self.files[name]
        if digest.size_bytes != listed.size_bytes or listed.sha256 not in (None, digest.sha256):
            raise ConnectionError("what arrived is not the file that is listed")


def open_repository(
    hub: Hub, kind: Literal["model", "dataset"], place_name: str, secret: Path, patience: Patience
) -> HubRepository:
    """Resolves the revision to a commit and lists its files.

    `place_name` is the field of the specification, such as model.hub; `secret` is the folder of the mounted token.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, logging

    # Its warnings repeat addresses of downloads, and those may be signed.
    logging.set_verbosity_error()
    disable_progress_bars()
    token = read_token(secret) if hub.credentials == "Secret" else None
    place = Place(place_name, hub.endpoint, hub.repo, hub.revision, has_token=token is not None)
    api = HfApi(endpoint=hub.endpoint, token=token or False)

    def resolve() -> str:
        commit = api.repo_info(hub.repo, revision=hub.revision, repo_type=kind).sha
        if commit is None:
            raise ValueError("the answer names no commit")
        return str(commit)

    def list_files(commit: str) -> dict[str, HubFile]:
        entries = api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type=kind)
        return {entry.path: _file(entry) for entry in entries if hasattr(entry, "size") and _is_below(entry.path)}

    commit = _ask(place, patience, f"Looking for {hub.repo}", resolve)
    files = _ask(place, patience, f"Listing {hub.repo}", lambda: list_files(commit))
    return HubRepository(place, kind, hub.repo, commit, files, patience, token)


def _ask(place: Place, patience: Patience, what: str, operation: Callable[[], Result]) -> Result:
    def attempt(_: float) -> Result:
        try:
            return operation()
        except Exception as error:
            # A Failure, which ends it, or a ConnectionError, after which persist() tries again.
            raise explained(error, place) from error

    try:
        return persist(patience, what, attempt)
    except GaveUp as error:
        raise Failure(ExitCode.STORE_UNAVAILABLE, str(error)) from error


def read_token(secret: Path) -> str:
    path = secret / TOKEN_KEY
    token = path.read_text().strip() if path.is_file() else ""
    if not token:
        raise Failure(ExitCode.INVALID_CONFIGURATION, f"The referenced Secret has no key {TOKEN_KEY}.")
    return token


def _file(entry: Any) -> HubFile:
    return HubFile(entry.size, entry.lfs.sha256 if entry.lfs is not None else None)


def _is_below(name: str) -> bool:
    return not _NOT_BELOW & set(PurePosixPath(name).parts) and not name.startswith("/")
