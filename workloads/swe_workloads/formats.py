"""data.format: how the rows of each format are read."""

from swe_workloads.examples import Convert, messages, prompt_completion
from swe_workloads.instances import swe_bench, swe_bench_pro, swe_smith
from swe_workloads.preferences import preferences

CONVERT: dict[str, Convert] = {
    "SWEBench": swe_bench,
    "SWEBenchPro": swe_bench_pro,
    "SWESmith": swe_smith,
    "PromptCompletion": prompt_completion,
    "Messages": messages,
    "Preferences": preferences,
}
# The column that lists the tests which the gold patch makes pass.
FAIL_TO_PASS = {"SWEBench": "FAIL_TO_PASS", "SWEBenchPro": "fail_to_pass", "SWESmith": "FAIL_TO_PASS"}
