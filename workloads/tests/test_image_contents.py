"""What each image runs it has: no program imports a module that its .dockerignore leaves out."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

WORKLOADS = Path(__file__).parents[1]
PACKAGE = "swe_workloads"
# What the operator and TRL's launcher start in the trainer image.
PROGRAMS = ("prepare", "train", "engine_sft", "engine_dpo", "engine_perplexity", "engine_torchrun", "tiny_model")
PROGRAMS_IN_FOLDERS = ("publishing.publish", "serving.fetch")


def left_out() -> tuple[str, ...]:
    lines = (WORKLOADS / "Dockerfile.cpu.dockerignore").read_text().splitlines()
    return tuple(f"{line.replace('/', '.')}." for line in lines if line.startswith(f"{PACKAGE}/"))


def imported_by(module: str) -> Iterator[str]:
    path = WORKLOADS / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE}."):
            yield node.module


def closure(module: str) -> set[str]:
    found, waiting = {module}, [module]
    while waiting:
        new = set(imported_by(waiting.pop())) - found
        found |= new
        waiting.extend(new)
    return found


@pytest.mark.parametrize("program", [*PROGRAMS, *PROGRAMS_IN_FOLDERS])
def test_a_program_of_the_trainer_image_imports_nothing_that_only_the_harness_image_has(program: str) -> None:
    modules = closure(f"{PACKAGE}.{program}")
    assert len(modules) > 1
    assert sorted(module for module in modules if module.startswith(left_out())) == []
