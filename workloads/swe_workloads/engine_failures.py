"""What an exception of the engine means. Torch's are known by name and words: they change class between versions."""

import errno

from swe_workloads.engine_files import EngineFailure
from swe_workloads.exit_codes import ExitCode, Failure

# Not every shortage comes from torch's own allocator, which has a class for it.
CUDA_WORDS = ("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
# How a rank notices that another one is gone, over gloo and over NCCL.
PEER_KINDS = ("DistBackendError", "DistNetworkError")
PEER_WORDS = (
    "gloo/transport",
    "Connection closed by peer",
    "NCCL error",
    "Watchdog caught collective operation timeout",
)
HOST_WORDS = ("DefaultCPUAllocator: can't allocate memory",)


def explain(error: Exception) -> EngineFailure:
    """The exit code, and words for the person who wrote the run."""
    if isinstance(error, Failure):
        return EngineFailure(code=error.code, message=error.message)
    memory = memory_that_ran_out(error)
    if memory == ExitCode.CUDA_OUT_OF_MEMORY:
        remedy = (
            "The next attempt takes smaller passes. If it lasts: lower sequence.maxLength, set lora.quantization to "
            "NF4 or batch.gradientCheckpointing to true, or choose a larger compute.pool."
        )
        return EngineFailure(code=memory, message=f"{error}. {remedy}")
    if memory is not None:
        return EngineFailure(code=memory, message="Raise compute.memory or lower batch.perDevice.")
    if peer_was_lost(error):
        return EngineFailure(code=ExitCode.PEER_LOST, message=f"Another rank of this attempt was lost: {error}")
    return EngineFailure(code=ExitCode.ENGINE_FAILED, message=f"{type(error).__name__}: {error}")


def peer_was_lost(error: BaseException) -> bool:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & set(PEER_KINDS)) or any(words in str(error) for words in PEER_WORDS)


def memory_that_ran_out(error: BaseException) -> ExitCode | None:
    """The GPU's, the container's or none; also behind an error that was raised from it."""
    text = str(error)
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return ExitCode.CUDA_OUT_OF_MEMORY
    if any(words in text for words in CUDA_WORDS):
        return ExitCode.CUDA_OUT_OF_MEMORY
    no_pages = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if isinstance(error, MemoryError) or no_pages or any(words in text for words in HOST_WORDS):
        return ExitCode.HOST_OUT_OF_MEMORY
    return memory_that_ran_out(error.__cause__) if error.__cause__ is not None else None
