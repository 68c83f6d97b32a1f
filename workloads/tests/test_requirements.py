import re
from pathlib import Path

WORKLOADS = Path(__file__).parents[1]
# What the CPU image must not have, or has from Debian.
CUDA = ("bitsandbytes", "torch", "triton", "nvidia-")


def pinned(name: str) -> dict[str, str]:
    lines = (WORKLOADS / name).read_text().splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)==(\S+)", line) for line in lines if not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in found if match is not None}


def test_both_images_have_the_same_versions() -> None:
    cpu, gpu = pinned("requirements-cpu.txt"), pinned("requirements-gpu.txt")
    assert {name: gpu.get(name) for name in cpu} == cpu


def test_the_harness_image_shares_the_versions_of_the_trainer_s() -> None:
    gpu, harness = pinned("requirements-gpu.txt"), pinned("requirements-harness.txt")
    shared = harness.keys() & gpu.keys()
    assert {"pydantic", "boto3", "datasets", "pyarrow", "huggingface-hub"} <= shared
    assert {name: harness[name] for name in shared} == {name: gpu[name] for name in shared}


def test_the_checks_compare_with_the_official_harness_of_the_image() -> None:
    checks, harness = pinned("requirements-checks.txt"), pinned("requirements-harness.txt")
    assert {name: harness[name] for name in ("swebench", "unidiff")} == {
        name: checks[name] for name in ("swebench", "unidiff")
    }


def test_every_requirement_is_pinned() -> None:
    for name in ("requirements-cpu.txt", "requirements-gpu.txt", "requirements-harness.txt"):
        lines = [line for line in (WORKLOADS / name).read_text().splitlines() if not line.startswith("#")]
        assert len(lines) == len(pinned(name))


def test_only_the_gpu_image_has_cuda_and_4_bit_weights() -> None:
    assert [name for name in pinned("requirements-cpu.txt") if name.startswith(CUDA)] == []
    gpu = pinned("requirements-gpu.txt")
    assert {"bitsandbytes", "torch", "nvidia-nccl-cu12"} <= gpu.keys()
    assert "vllm" not in gpu


def test_both_images_have_the_same_layout() -> None:
    """From the first COPY of programs on, the two Dockerfiles are one."""
    cpu, gpu = ((WORKLOADS / f"Dockerfile.{kind}").read_text() for kind in ("cpu", "gpu"))
    assert cpu[cpu.index("COPY swe_workloads") :] == gpu[gpu.index("COPY swe_workloads") :]
