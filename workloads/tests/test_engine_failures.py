import errno
from pathlib import Path

import pytest

from swe_workloads.engine_failures import explain, memory_that_ran_out
from swe_workloads.engine_files import EngineFailure, EngineReport, read_failure, write_atomically
from swe_workloads.exit_codes import ExitCode, Failure


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


class AcceleratorError(RuntimeError):
    """As torch names what a CUDA call outside its allocator ends with."""


class DistBackendError(RuntimeError):
    """As torch names what a collective ends with on GPUs."""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OutOfMemoryError("Tried to allocate 2.00 GiB"), ExitCode.CUDA_OUT_OF_MEMORY, "smaller passes"),
        (AcceleratorError("CUDA error: out of memory\nSearch for"), ExitCode.CUDA_OUT_OF_MEMORY, "sequence.maxLength"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when"), ExitCode.CUDA_OUT_OF_MEMORY, "CUBLAS"),
        (MemoryError(), ExitCode.HOST_OUT_OF_MEMORY, "compute.memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you"),
            ExitCode.HOST_OUT_OF_MEMORY,
            "compute.memory",
        ),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), ExitCode.HOST_OUT_OF_MEMORY, "compute.memory"),
        (AcceleratorError("CUDA error: an illegal memory access"), ExitCode.ENGINE_FAILED, "AcceleratorError: CUDA"),
        (OSError(errno.ENOSPC, "No space left on device"), ExitCode.ENGINE_FAILED, "No space left"),
        (
            RuntimeError(
                "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1"
            ),
            ExitCode.PEER_LOST,
            "Another rank",
        ),
        (DistBackendError("NCCL communicator was aborted on rank 1"), ExitCode.PEER_LOST, "rank 1"),
        (ValueError("x"), ExitCode.ENGINE_FAILED, "ValueError: x"),
        (Failure(ExitCode.DIVERGED, "loss is nan"), ExitCode.DIVERGED, "loss is nan"),
    ],
)
def test_each_way_to_fail_has_its_code_and_words(error: Exception, code: ExitCode, words: str) -> None:
    failure = explain(error)
    assert failure.code == code
    assert words in failure.message


def test_memory_is_seen_behind_the_error_that_hides_it() -> None:
    hiding = RuntimeError("the model cannot be built")
    hiding.__cause__ = OutOfMemoryError("2 GiB")
    assert memory_that_ran_out(hiding) == ExitCode.CUDA_OUT_OF_MEMORY
    assert memory_that_ran_out(RuntimeError("out of luck")) is None


def test_the_rank_that_failed_explains_more_than_those_that_lost_it(tmp_path: Path) -> None:
    report = EngineReport(folder=tmp_path)
    assert read_failure(report) is None
    write_atomically(report.failure(0), EngineFailure(code=ExitCode.PEER_LOST, message="gone"))
    assert read_failure(report) == EngineFailure(code=ExitCode.PEER_LOST, message="gone")
    out_of_memory = EngineFailure(code=ExitCode.CUDA_OUT_OF_MEMORY, message="2 GiB")
    write_atomically(report.failure(1), out_of_memory)
    write_atomically(report.failure(2), EngineFailure(code=ExitCode.ENGINE_FAILED, message="later"))
    report.failure(3).write_text("{")
    assert read_failure(report) == out_of_memory
