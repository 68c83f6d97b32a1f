"""What a chat API says: an answer in one document, or in events of a stream. Anything else is rubbish."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from swe_workloads.generation.refusals import Rubbish, TryAgain, words_of

LINE_BYTES = 1 << 20  # of one event, which has a few tokens
DONE = "[DONE]"
# Reasons for which a server ends an answer that the model has not ended.
BROKEN = frozenset({"abort", "error"})


@dataclass(frozen=True)
class Answer:
    """`finish_reason` is the API's word, such as stop or length; `refusal` is what it says instead of an answer."""

    text: str
    finish_reason: str
    refusal: str | None
    prompt_tokens: int
    completion_tokens: int


def answer_in_document(body: bytes) -> Answer:
    """An API may know no streams. Raises TryAgain."""
    said = _Said()
    said.take(_parsed(body.decode("utf-8", "replace")), "message")
    if not said.has_spoken:
        raise Rubbish("the answer has no choices")
    return said.answer()


def answer_in_stream(blocks: Iterable[bytes]) -> Answer:
    """Events as they come, up to their end. Raises TryAgain when the stream breaks off before that."""
    said = _Said()
    for data in _events(blocks):
        if data == DONE:
            said.is_done = True
            break
        said.take(_parsed(data), "delta")
    # Some APIs end without the last word; then the reason for which the model ended is the end.
    if not said.has_spoken or not (said.is_done or said.finish_reason):
        raise TryAgain("the stream broke off before the answer was whole")
    return said.answer()


def _events(blocks: Iterable[bytes]) -> Iterator[str]:
    """The data of server-sent events; comments, which keep a connection alive, and other fields are passed over."""
    for line in _lines(blocks):
        if line.startswith("data:"):
            yield line[len("data:") :].strip()
        elif line.startswith("<"):
            raise Rubbish("a page and not a stream of events")


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > LINE_BYTES:
            raise Rubbish(f"a line of the stream has more than {LINE_BYTES:,} bytes")
        yield from (line.decode("utf-8", "replace").rstrip("\r") for line in lines)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        kind = "a page" if text.lstrip().startswith("<") else "no valid JSON"
        raise Rubbish(f"the answer is {kind}") from None


@dataclass
class _Said:
    """What has come so far of the only choice that was asked for."""

    text: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    has_spoken: bool = False
    is_done: bool = False

    def take(self, document: object, part: str) -> None:
        """`part` is where a choice has its text. Raises TryAgain."""
        if not isinstance(document, dict):
            raise Rubbish("the answer is no JSON object")
        if document.get("error"):
            raise TryAgain(f"an error instead of an answer: {words_of(json.dumps(document).encode())}")
        self._count(document.get("usage"))
        choices = document.get("choices")
        if not isinstance(choices, list):
            raise Rubbish("the answer has no choices")
        for choice in choices:
            if not isinstance(choice, dict) or not isinstance(choice.get(part) or {}, dict):
                raise Rubbish("a choice of the answer is not in the form of a chat")
            self.has_spoken = True
            message = choice.get(part) or {}
            self.text.append(_text(message, "content"))
            self.refusal.append(_text(message, "refusal"))
            self.finish_reason = _text(choice, "finish_reason") or self.finish_reason

    def answer(self) -> Answer:
        """Raises TryAgain where it is a part of one."""
        if self.finish_reason in BROKEN:
            raise TryAgain(f"the server broke the answer off ({self.finish_reason})")
        refusal = _encodable("".join(self.refusal))
        text, reason = _encodable("".join(self.text)), _encodable(self.finish_reason) or "stop"
        return Answer(text, reason, refusal or None, self.prompt_tokens, self.completion_tokens)

    def _count(self, usage: object) -> None:
        """The last figures count; some APIs repeat them with every event."""
        if isinstance(usage, dict):
            self.prompt_tokens = _number(usage.get("prompt_tokens"))
            self.completion_tokens = _number(usage.get("completion_tokens"))


def _text(of: dict[str, object], name: str) -> str:
    value = of.get(name)
    if value is not None and not isinstance(value, str):
        raise Rubbish(f"{name} of the answer is {type(value).__name__} and no text")
    return value or ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else 0


def _encodable(text: str) -> str:
    """JSON can say half a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode()
