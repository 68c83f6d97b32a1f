"""Makes prompts with the official package, in a process of its own: it clones, changes folders and logs.

Only its tokenizers are left out, which nothing here counts with: they need packages that the checks do not have.
Reads {"style", "rows", "remote"} and writes the rows as its progress file has them.
"""

import json
import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

REMOTE = "https://git@github.com/swe-bench-repos/"
Row = dict[str, Any]


def official_prompts(style: str, rows: Iterable[Mapping[str, Any]], remotes: Path) -> list[Row]:
    """`remotes` has a repository <owner>__<name>.git for each repo of the rows."""
    environment = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remotes.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": REMOTE,
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps({"style": style, "rows": list(rows)}),
        env={**nobody_elses_repository(), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    made: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return made


def nobody_elses_repository() -> dict[str, str]:
    """The environment without what a rebase and a hook name in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def main() -> None:
    told = json.load(sys.stdin)
    name = "swebench.inference.make_datasets.tokenize_dataset"
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].TOKENIZER_FUNCS = {}  # type: ignore[attr-defined]
    from swebench.inference.make_datasets.create_instance import add_text_inputs

    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "progress.jsonl"
        rows = {row["instance_id"]: row for row in told["rows"]}
        add_text_inputs(rows, None, None, told["style"], "oracle", progress_file=str(progress))
        print(json.dumps([json.loads(line) for line in progress.read_text().splitlines()]))


if __name__ == "__main__":
    main()
