"""What goes wrong with a hub, in words for the person who wrote the run: which field it is, and what to do."""

from dataclasses import dataclass

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.transfer import DISK_IS_FULL, MAY_PASS

# So much of a hub's own words is repeated.
SAID_CHARACTERS = 200


@dataclass(frozen=True)
class Place:
    """Where the specification names a repository: `field` is model.hub or data.….hub."""

    field: str
    endpoint: str
    repo: str
    revision: str
    has_token: bool

    @property
    def code(self) -> ExitCode:
        """Of a repository that cannot be used."""
        return ExitCode.MODEL_UNUSABLE if self.field.startswith("model") else ExitCode.INVALID_DATA


def explained(error: BaseException, place: Place) -> Exception:
    """A Failure for what stays wrong, an OSError for what may pass. No token and no address with a signature in it."""
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, Failure) or (isinstance(error, OSError) and error.errno in DISK_IS_FULL):
        return error
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return explained(error.__cause__, place)  # its own words are about a cache
    if isinstance(error, errors.GatedRepoError):
        return Failure(ExitCode.INVALID_CONFIGURATION, _gated(place))
    if isinstance(error, errors.RevisionNotFoundError):
        message = f"{place.field}.revision: {place.repo} has no branch, tag or commit {place.revision}."
        return Failure(place.code, message)
    if isinstance(error, errors.RepositoryNotFoundError):
        return Failure(place.code, _not_found(place))
    if isinstance(error, errors.HfHubHTTPError):
        return _by_status(error.response.status_code, error.server_message or "", place)
    if isinstance(error, errors.HFValidationError):
        return Failure(place.code, f"{place.field}.repo: {place.repo} is no name of a repository.")
    # RuntimeError is what the library of huggingface.co's own storage raises.
    if isinstance(error, httpx2.HTTPError | OSError | RuntimeError) and not isinstance(error, errors.FileMetadataError):
        return ConnectionError(f"{place.endpoint} did not answer: {words_of(error)}")
    return Failure(ExitCode.INVALID_CONFIGURATION, _no_hub(place, f"{type(error).__name__} reading its answer"))


def _by_status(status: int, said: str, place: Place) -> Exception:
    words = f"HTTP {status} {said[:SAID_CHARACTERS]}".strip()
    if status in MAY_PASS or status >= 500:
        return ConnectionError(f"{place.endpoint}: {words}")
    if status in (401, 403):
        if place.has_token:
            remedy = (
                f"Is the token in the Secret of {place.field}.tokenSecretRef valid, and may it read the repository?"
            )
        else:
            remedy = f"Set {place.field}.tokenSecretRef to a Secret whose key HF_TOKEN may read it."
        return Failure(ExitCode.INVALID_CONFIGURATION, f"{place.repo} is refused ({words}). {remedy}")
    return Failure(ExitCode.INVALID_CONFIGURATION, _no_hub(place, words))


def _gated(place: Place) -> str:
    page = f"{place.endpoint.rstrip('/')}/{'' if place.field.startswith('model') else 'datasets/'}{place.repo}"
    if place.has_token:
        return (
            f"{place.repo} is gated, and the owner of the token in {place.field}.tokenSecretRef has no access to it. "
            f"Ask for it at {page}."
        )
    return (
        f"{place.repo} is gated: accept its terms at {page} and set {place.field}.tokenSecretRef to a Secret "
        "whose key HF_TOKEN holds your token."
    )


def _not_found(place: Place) -> str:
    other = (
        "the token of tokenSecretRef does not show it" if place.has_token else "it is private and needs tokenSecretRef"
    )
    return f"{place.field}.repo: {place.endpoint} has no {place.repo}, or {other}."


def _no_hub(place: Place, why: str) -> str:
    return f"{place.field}.endpoint: {place.endpoint} does not answer like a hub ({why}). Correct it."


def words_of(error: BaseException) -> str:
    """What happened, without the address that some of these end with."""
    first = str(error).splitlines()[0] if str(error) else ""
    said = "" if "://" in first else first[:SAID_CHARACTERS]
    return f"{type(error).__name__} {said}".strip()
