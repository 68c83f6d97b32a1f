"""The key of a chat API: sent to that API, and shown nowhere."""

from pathlib import Path

from swe_workloads.exit_codes import ExitCode, Failure

KEY_FILE = "OPENAI_API_KEY"
FOLDER = "model"
FIELD = "spec.generation.model.endpoint.apiKeySecretRef"
# A shorter one is a placeholder, such as EMPTY, that real answers may contain.
SECRET_CHARACTERS = 8
HIDDEN = "[key]"


class ApiKey:
    """None of an API that asks for none."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"ApiKey({HIDDEN if self._value is not None else None})"

    def headers(self) -> dict[str, str]:
        return {} if self._value is None else {"Authorization": f"Bearer {self._value}"}

    def hidden_in(self, text: str) -> str:
        """The same text without the key: an API that repeats what it was sent may put it anywhere."""
        if self._value is None or len(self._value) < SECRET_CHARACTERS:
            return text
        return text.replace(self._value, HIDDEN)


def read_key(credentials_dir: Path, credentials: str) -> ApiKey:
    """Raises Failure(INVALID_CONFIGURATION), which never repeats what the Secret holds."""
    if credentials == "None":
        return ApiKey(None)
    path = credentials_dir / FOLDER / KEY_FILE
    try:
        value = path.read_bytes().decode("ascii").strip()
    except OSError:
        raise _unusable(f"the Secret has no key {KEY_FILE}. Add it") from None
    except UnicodeDecodeError:
        raise _unusable(_not_one_line()) from None
    if not value:
        raise _unusable(f"{KEY_FILE} of the Secret is empty. Put the API's key there")
    if not all("!" <= sign <= "~" for sign in value):
        raise _unusable(_not_one_line())
    return ApiKey(value)


def _not_one_line() -> str:
    return f"{KEY_FILE} of the Secret is not one line of printable ASCII without blanks. Correct it"


def _unusable(why: str) -> Failure:
    return Failure(ExitCode.INVALID_CONFIGURATION, f"{FIELD}: {why}.")
