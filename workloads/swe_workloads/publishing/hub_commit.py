"""A folder as one commit of a repository on a hub, written through huggingface_hub."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.pod import say
from swe_workloads.publishing.publish_file import Target
from swe_workloads.publishing.refusals import FIELD, explained, refused
from swe_workloads.transfer import GaveUp, Patience, Result, persist


@dataclass(frozen=True)
class Commit:
    """`url` is the repository's page, `revision` the commit that holds the folder."""

    url: str
    revision: str
    is_private: bool


@dataclass(frozen=True)
class Writer:
    """Everything raises Failure: about the field that names it, or ENDPOINT_UNAVAILABLE when patience ends."""

    target: Target
    token: str = field(repr=False)
    api: Any
    patience: Patience

    def ask(self, what: str, operation: Callable[[], Result]) -> Result:
        def attempt(_: float) -> Result:
            try:
                return operation()
            except Exception as error:
                # A Failure, which ends it, or a ConnectionError, after which persist() tries again.
                raise explained(error, self.target, self.token) from error

        try:
            return persist(self.patience, what, attempt)
        except GaveUp as error:
            raise Failure(ExitCode.ENDPOINT_UNAVAILABLE, str(error)) from error


def commit_folder(target: Target, token: str, folder: Path, title: str, patience: Patience) -> Commit:
    """What is there already with the same bytes is not written again; other files of the repository stay.

    Where nothing differs there is no new commit, and the newest is the answer. Raises Failure.
    """
    writer = _writer(target, token, patience)
    is_private = writer.ask(f"Looking for {target.repo}", lambda: _visibility(writer))
    if is_private is None:
        say(f"{target.repo} is created.")
        writer.ask(f"Creating {target.repo}", lambda: _create(writer))
    elif target.private and not is_private:
        remedy = f"Make it private there, or say {FIELD}.private: false in a new run."
        raise refused(f"{FIELD}.private: {target.repo} exists and everybody can read it. {remedy}")
    revision = writer.ask(f"Writing {target.repo}", lambda: _commit(writer, folder, title))
    say(f"{target.repo} holds the result at {revision}.")
    return Commit(
        f"{target.endpoint.rstrip('/')}/{target.repo}", revision, target.private if is_private is None else is_private
    )


def _writer(target: Target, token: str, patience: Patience) -> Writer:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, logging

    # Its warnings repeat addresses of uploads, and those may be signed.
    logging.set_verbosity_error()
    disable_progress_bars()
    return Writer(target, token, HfApi(endpoint=target.endpoint, token=token), patience)


def _visibility(writer: Writer) -> bool | None:
    """Whether the repository is private; None where there is none that the token shows."""
    from huggingface_hub import errors

    try:
        return bool(writer.api.repo_info(writer.target.repo).private)
    except errors.RepositoryNotFoundError:
        return None


def _create(writer: Writer) -> None:
    # exist_ok: a try before may have created it without hearing of it.
    writer.api.create_repo(writer.target.repo, private=writer.target.private, exist_ok=True)


def _commit(writer: Writer, folder: Path, title: str) -> str:
    from huggingface_hub import CommitOperationAdd

    # Made anew for each try: one that was sent cannot be sent again.
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    additions = [CommitOperationAdd(str(path.relative_to(folder)), str(path)) for path in files]
    # Not upload_folder(), which may make several commits of one folder.
    return str(writer.api.create_commit(writer.target.repo, additions, commit_message=title).oid)
