"""What goes wrong when a hub is written, for the person who wrote the run: which field it is, and what to do."""

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.hub_failures import SAID_CHARACTERS, words_of
from swe_workloads.publishing.publish_file import Target
from swe_workloads.transfer import DISK_IS_FULL, MAY_PASS

FIELD = "publish.hub"
HEAD_MOVED = 412  # somebody else's commit came between; the next try is on top of it


def explained(error: BaseException, target: Target, token: str) -> Exception:
    """A Failure for what stays wrong, an OSError for what may pass. No token and no address with a signature in it."""
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, Failure) or (isinstance(error, OSError) and error.errno in DISK_IS_FULL):
        return error
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        return explained(error.__cause__, target, token)  # its own words are about one file of several
    if isinstance(error, errors.HfHubHTTPError):
        said = (error.server_message or "").replace(token, "…")[:SAID_CHARACTERS]
        return _by_status(error.response.status_code, said, target)
    if isinstance(error, errors.HFValidationError):
        return refused(f"{FIELD}.repo: {target.repo} is no name of a repository.")
    if isinstance(error, httpx2.HTTPError | OSError):
        return ConnectionError(f"{target.endpoint} did not answer: {words_of(error)}")
    return _no_hub(target, f"{type(error).__name__} reading its answer")


def refused(message: str) -> Failure:
    return Failure(ExitCode.INVALID_CONFIGURATION, message)


def _by_status(status: int, said: str, target: Target) -> Exception:
    words = f"HTTP {status} {said}".strip()
    token = f"the token of {FIELD}.tokenSecretRef"
    if status in MAY_PASS or status == HEAD_MOVED or status >= 500:
        return ConnectionError(f"{target.endpoint}: {words}")
    if status == 401:
        remedy = "Put a valid one under the key HF_TOKEN of that Secret."
        return refused(f"{FIELD}.tokenSecretRef: {target.endpoint} does not accept the token ({words}). {remedy}")
    if status in (400, 413):
        remedy = f"Mend what it says ({words}), or name another repository in a new run."
        return refused(f"{FIELD}.repo: {target.endpoint} does not take the result for {target.repo}. {remedy}")
    if status in (402, 403):
        remedy = f"Give its owner the right to write there, or put a token under HF_TOKEN that has it ({words})."
        return refused(f"{FIELD}.repo: {token} may not write {target.repo}. {remedy}")
    if status == 404:
        remedy = f"Let {target.owner} exist there, and {token} write for it."
        return refused(f"{FIELD}.repo: {target.endpoint} neither has nor creates {target.repo} ({words}). {remedy}")
    return _no_hub(target, words)


def _no_hub(target: Target, why: str) -> Failure:
    return refused(f"{FIELD}.endpoint: {target.endpoint} does not answer like a hub that is written ({why}).")
