"""What is wrong with the settings where an API refuses the very first request: the field, and what to do."""

import http
from dataclasses import dataclass

from swe_workloads.generation.api_key import FIELD as KEY
from swe_workloads.generation.refusals import Refused

URL, MODEL, SAMPLING = (
    "spec.generation.model.endpoint.url", "spec.generation.model.endpoint.model", "spec.generation.sampling",
)  # fmt: skip
_NO_SUCH = frozenset({http.HTTPStatus.NOT_FOUND, http.HTTPStatus.METHOD_NOT_ALLOWED, http.HTTPStatus.GONE})


@dataclass(frozen=True)
class Problem:
    """`is_of_endpoint` where no other prompt would be answered either."""

    message: str
    is_of_endpoint: bool


def misconfigured(refused: Refused) -> Problem:
    status = refused.status
    if status == http.HTTPStatus.UNAUTHORIZED or status == http.HTTPStatus.FORBIDDEN:
        return Problem(f"{KEY}: the API refuses the key, or the lack of one (HTTP {status}). Correct it.", True)
    if status < http.HTTPStatus.BAD_REQUEST:
        return Problem(
            f"{URL}: the API leads elsewhere (HTTP {status}), and a key goes nowhere but where it was meant for. "
            "Set the address that it leads to.",
            True,
        )
    if status in _NO_SUCH:
        return Problem(f"{MODEL} or {URL}: the API has no such model, or is no such API ({refused}). Correct it.", True)
    if status == http.HTTPStatus.PAYMENT_REQUIRED:
        return Problem(f"{KEY}: the API wants to be paid ({refused}). Charge the account that the key is of.", True)
    return Problem(f"{MODEL} or {SAMPLING}: the API refuses the first request ({refused}). Correct the field.", False)
