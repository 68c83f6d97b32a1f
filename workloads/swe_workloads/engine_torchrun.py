"""Several ranks of the engine under torchrun; ends as the first rank that failed did.

`python -m swe_workloads.engine_torchrun <ranks> <module> <order.json>`. torchrun's own command line ends with 1
whatever happened, after a stack trace of its own that would fill the log's tail.
"""

import os
import signal
import sys
from contextlib import suppress

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import parse_args, run

from swe_workloads.pod import say


def main() -> None:
    ranks, module, order = sys.argv[1:]
    # Names need not resolve in a pod: everything happens on this machine.
    own = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", ranks]
    try:
        run(parse_args([*own, "--module", module, order]))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        end_like(rank, failure.exitcode)


def end_like(rank: int, code: int) -> None:
    if code < 0:
        say(f"Rank {rank} was killed by {signal.Signals(-code).name}.")
        with suppress(OSError):  # SIGKILL has no other way anyhow
            signal.signal(-code, signal.SIG_DFL)
        # So that the wrapper sees of one rank what it would see of a single process.
        os.kill(os.getpid(), -code)
    say(f"Rank {rank} ended with code {code}.")
    sys.exit(code)


if __name__ == "__main__":
    main()
