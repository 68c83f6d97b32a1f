"""The code that a prompt shows: whole files with numbered lines, as many as its tokens allow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# An estimate: code with numbered lines has about 3 bytes in a token, and an endpoint does not say which tokens it has.
BYTES_PER_TOKEN = 3


@dataclass(frozen=True)
class Code:
    """Contents by path. `readmes` are those of the repository's root, `files` what is to be read for the problem."""

    readmes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitting:
    """The files that there is room for, and the names of the others."""

    code: Code
    cut: tuple[str, ...]


def fitting(code: Code, most_tokens: int) -> Fitting:
    """By name, files before readmes. One that is too long is left out whole, and a shorter one may follow it."""
    left = most_tokens * BYTES_PER_TOKEN
    parts: list[dict[str, str]] = []
    cut: list[str] = []
    for contents in (code.files, code.readmes):
        taken: dict[str, str] = {}
        for name, content in sorted(contents.items()):
            size = len(numbered({name: content}).encode())
            if size > left:
                cut.append(name)
                continue
            left -= size
            taken[name] = content
        parts.append(taken)
    return Fitting(Code(readmes=parts[1], files=parts[0]), tuple(cut))


def numbered(contents: Mapping[str, str]) -> str:
    """In the official form, by name."""
    return "\n".join(_numbered(name, content) for name, content in sorted(contents.items()))


def _numbered(name: str, content: str) -> str:
    lines = "\n".join(f"{number} {line}" for number, line in enumerate(content.split("\n"), start=1))
    return f"[start of {name}]\n{lines}\n[end of {name}]"
