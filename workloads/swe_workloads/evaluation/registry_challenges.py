"""What a registry answers where it wants to know who asks."""

import re
import urllib.parse
from dataclasses import dataclass
from email.message import Message

from swe_workloads.evaluation.image_references import ImageReference

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Challenge:
    """`token_url` is where a token is given for this image; None where user and password themselves are asked for."""

    registry: str
    token_url: str | None


def challenge_in(headers: Message, image: ImageReference) -> Challenge | None:
    """None where nothing is asked for that we could give."""
    asked = [str(value) for value in headers.get_all("WWW-Authenticate") or []]
    for text in asked:
        scheme, _, rest = text.partition(" ")
        if scheme.lower() == "bearer":
            said = dict(_PARAMETER.findall(rest))
            if "realm" in said:
                return Challenge(image.registry, _token_url(said, image))
    if any(text.lower().startswith("basic") for text in asked):
        return Challenge(image.registry, None)
    return None


def _token_url(said: dict[str, str], image: ImageReference) -> str:
    query = {"scope": said.get("scope") or f"repository:{image.repository}:pull"}
    if "service" in said:
        query = {"service": said["service"], **query}
    return f"{said['realm']}{'&' if '?' in said['realm'] else '?'}{urllib.parse.urlencode(query)}"
