"""In the image of an instance, by its own interpreter, whichever version that is: which of these files compile.

python -E -S compile_files.py FILE, where FILE lists paths below the working folder. Nothing of them is run or imported.
Prints "ready", then "ok", "bad" or "gone", the path, and of a bad one what is the matter, with tabs between them.
"""

import io
import os
import sys

MOST_BYTES = 64 << 20


def main():  # type: () -> None
    with io.open(sys.argv[1], encoding="utf-8") as listed:
        paths = listed.read().splitlines()
    sys.stdout.write("ready\n")
    for path in paths:
        sys.stdout.write("\t".join(said_of(path)) + "\n")
        sys.stdout.flush()


def said_of(path):  # type: (str) -> list[str]
    # A link may lead anywhere, and a FIFO to nowhere.
    if os.path.islink(path) or not os.path.isfile(path):
        return ["gone", path]
    try:
        with open(path, "rb") as opened:
            source = opened.read(MOST_BYTES)
        compile(source, path, "exec", 0, True)
    except SyntaxError as error:
        return ["bad", path, "line {}: {}".format(error.lineno, one_line(error.msg))]
    except Exception as error:
        return ["bad", path, one_line("{}: {}".format(type(error).__name__, error))]
    return ["ok", path]


def one_line(text):  # type: (object) -> str
    return " ".join(str(text).split())[:300]


if __name__ == "__main__":
    main()
