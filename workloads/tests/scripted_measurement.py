"""A measurement of the held-out rows with the files of the real one. SWE_TEST_MEASUREMENT says how it misbehaves."""

import os
import sys
import time
from pathlib import Path

from swe_workloads.engine_files import EngineFailure, EngineOrder, write_atomically
from swe_workloads.exit_codes import ExitCode
from swe_workloads.perplexity import HeldOutRow


def main() -> None:
    order = EngineOrder.model_validate_json(Path(sys.argv[1]).read_text())
    how = os.environ.get("SWE_TEST_MEASUREMENT", "")
    if how == "hang":
        print("measuring", flush=True)
        time.sleep(60)
    if how == "run out of memory":
        failure = EngineFailure(code=ExitCode.CUDA_OUT_OF_MEMORY, message="CUDA out of memory.")
        write_atomically(order.report.failure(0), failure)
        sys.exit(failure.code)
    if how == "die":
        os.kill(os.getpid(), 9)
    rows = [HeldOutRow(row=number, tokens=10, nll=10 + number % 3) for number in range(1, 31)]
    order.report.held_out.write_text("".join(row.model_dump_json() + "\n" for row in rows))


if __name__ == "__main__":
    main()
