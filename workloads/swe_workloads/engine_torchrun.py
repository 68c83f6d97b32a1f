"""Several ranks of the engine under torchrun; ends as the first rank that failed did.

`python -m swe_workloads.engine_torchrun <ranks> <module> <order.json>`. torchrun's own command line ends with 1
whatever happened, after a stack trace of its own that would fill the log's tail.
"""

import os
import signal
import socket
import sys
from contextlib import suppress

from swe_workloads.loading import uncollected
from swe_workloads.pod import say

with uncollected():
    from torch.distributed import HashStore, PrefixStore
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import (
        RendezvousInfo,
        RendezvousParameters,
        RendezvousStoreInfo,
        rendezvous_handler_registry,
    )
    from torch.distributed.elastic.rendezvous.static_tcp_rendezvous import StaticTCPRendezvous
    from torch.distributed.run import parse_args, run

HERE = "127.0.0.1"  # no name needs to resolve
MEETING_SECONDS = 60
BACKEND = "one-machine"


class OneMachine(StaticTCPRendezvous):
    """torchrun's own ways to meet ask for a store with libuv, which Debian builds torch without.

    The agent is alone and needs none; of the ranks the first opens one, and USE_LIBUV tells it how.
    """

    use_agent_store = False

    def get_backend(self) -> str:
        return BACKEND

    def next_rendezvous(self) -> RendezvousInfo:
        place_of_ranks = RendezvousStoreInfo(self.master_addr, self.master_port)
        return RendezvousInfo(PrefixStore(self.run_id, HashStore()), self.rank, self.world_size, place_of_ranks)


def main() -> None:
    ranks, module, order = sys.argv[1:]
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # what ranks ask each other stays on this machine
    rendezvous_handler_registry.register(BACKEND, meet)
    own = ["--rdzv-backend", BACKEND, "--rdzv-endpoint", HERE, "--nproc-per-node", ranks]
    try:
        run(parse_args([*own, "--module", module, order]))
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        end_like(rank, failure.exitcode)


def meet(parameters: RendezvousParameters) -> OneMachine:
    return OneMachine(HERE, free_port(), 0, 1, parameters.run_id, MEETING_SECONDS)


def free_port() -> int:
    with socket.create_server((HERE, 0)) as server:
        return int(server.getsockname()[1])


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
