"""The official run summary, made by the official package from a folder of logs. Reads cases, answers with files.

{"run": …, "instances": [ids], "predictions": [{instance_id, model_name_or_path, model_patch}],
 "logs": {id: {"report.json": …, "test_output.txt": …, "run_instance.log": …}}}
"""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from swebench.harness.constants import LOG_INSTANCE, LOG_TEST_OUTPUT, RUN_EVALUATION_LOG_DIR
from swebench.harness.infra_failure import classify_logs
from swebench.harness.reporting import make_run_report


def main() -> None:
    cases = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # the package prints
        answers = [answer(case) for case in cases]
    json.dump(answers, sys.stdout)


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """The file's name and text, and what the official classification says of each instance."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        predictions = {one["instance_id"]: one for one in case["predictions"]}
        signs = {}
        for name, files in case["logs"].items():
            model = predictions[name]["model_name_or_path"].replace("/", "__")
            logs = RUN_EVALUATION_LOG_DIR / case["run"] / model / name
            logs.mkdir(parents=True)
            for file, text in files.items():
                (logs / file).write_text(text)
            signs[name] = classify_logs(logs / LOG_TEST_OUTPUT, logs / LOG_INSTANCE)
        instances = [{"instance_id": name} for name in case["instances"]]
        path = make_run_report(predictions, instances, case["run"], report_dir="out")
        answered = {"file": path.name, "text": path.read_text(), "signs": signs}
        os.chdir(Path(folder).parent)
        return answered


if __name__ == "__main__":
    main()
