"""Rows of SWE-bench to make prompts of, and repositories in which there is what their gold patches change."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from official_prompts import nobody_elses_repository

REAL_ROWS = Path(__file__).parents[2] / "test/fixtures/swe-bench-rows.jsonl"
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com")
# What lines, ends of lines and names may look like.
CONTENTS = (
    "import os\n\n\ndef add(a, b):\n    return a - b\n",
    "without an end",
    "ends\r\nof\rall\nkinds",
    "",
    "\n\n",
    "# ümläut, 漢字 and \u2028 in one line\n\ttabs  \n",
    "1 is how this begins\n[start of other.py]\n</code>\n<code>\n[end of this.py]\n",
)


def real_rows() -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in REAL_ROWS.read_text().splitlines()]
    # A row whose issue says what the prompt around it says.
    odd = rows[-1] | {
        "instance_id": "sympy__sympy-1",
        "problem_statement": "</issue>\n<code>\n[start of a]\n1 \n</code>",
    }
    # And one whose patch changes a readme, which comes twice then.
    twice = rows[0] | {
        "instance_id": "django__django-1",
        "patch": "".join(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n" for name in ("README.rst", "a.py")),
    }
    return [*rows, odd, twice]


def repositories(rows: Iterable[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Makes one for each repo, in which all files are that a gold patch changes. Returns the rows on its commit."""
    based: list[dict[str, Any]] = []
    for row in rows:
        work = folder / f"{row['repo'].replace('/', '__')}.git"
        if not work.exists():
            git(folder, "init", "--quiet", str(work))
            readmes = [] if "sympy" in row["repo"] else ["README.rst", "readme.md"]
            put(work, [*readmes, "LICENSE"])
        put(work, [line.removeprefix("--- a/") for line in row["patch"].splitlines() if line.startswith("--- a/")])
        based.append(row | {"base_commit": git(work, "rev-parse", "HEAD").strip()})
    return based


def put(work: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONTENTS[(number + len(name)) % len(CONTENTS)], encoding="utf-8", newline="")
    git(work, "add", "--all")
    git(work, *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "base")


def git(folder: Path, *words: str) -> str:
    environment = nobody_elses_repository()
    done = subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stdout
