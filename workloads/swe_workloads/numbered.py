"""Names for what several pods of one attempt may each write: objects are never replaced, so each takes the next."""

from collections.abc import Iterator

# A queue may suspend and resume an attempt often; the controllers read as many.
MOST_PODS = 100


def numbered(name: str) -> Iterator[str]:
    """name, name-2, name-3, …; with a file's ending after the number."""
    stem, dot, ending = name.rpartition(".") if "." in name.rsplit("/", 1)[-1] else (name, "", "")
    yield name
    for number in range(2, MOST_PODS + 1):
        yield f"{stem}-{number}{dot}{ending}"
