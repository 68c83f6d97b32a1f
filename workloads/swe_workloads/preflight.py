"""What is certain to go wrong is refused before a GPU is asked for, with the field and what to write instead."""

import math
from dataclasses import dataclass
from pathlib import Path

from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.loading import uncollected
from swe_workloads.memory_estimate import (
    GIB,
    NEAR,
    ModelShape,
    Reference,
    Setup,
    alternatives,
    parts,
    text_of,
    total_gib,
)
from swe_workloads.preflight_look import Look, Seen
from swe_workloads.run_file import RunFile

# A run that never chose a distance has this one, whatever its length.
DEFAULT_CHECKPOINT_STEPS = 50


@dataclass(frozen=True)
class Preflight:
    """`estimate` is the arithmetic of the GPU memory, a line each; None without a GPU."""

    total_steps: int
    notes: list[str]
    gpu_memory_gib: float | None
    estimate: str | None


def look_at_model(run: RunFile, model_dir: Path) -> Seen:
    """Imports the engine's libraries only now: the other checks do not need them."""
    with uncollected():
        from swe_workloads.preflight_model import look

    return look(run, model_dir)


def check(run: RunFile, model_dir: Path, train_rows: int, look: Look = look_at_model) -> Preflight:
    """`model_dir` needs everything of the model but its weights, and below adapter/ the settings of one to continue.

    Raises Failure(INVALID_CONFIGURATION) that names every field that is wrong, and Failure(MODEL_UNUSABLE).
    """
    seen = look(run, model_dir)
    steps = total_steps(run, train_rows)
    memory = _memory(run, seen)
    problems = [*_device(run), *_rows(run, train_rows), *_schedule(run, steps), *seen.problems]
    if memory is not None and memory.missing is not None:
        problems.append(memory.missing)
    if problems:
        raise Failure(ExitCode.INVALID_CONFIGURATION, ". ".join(problems) + ".")
    return Preflight(
        total_steps=steps,
        notes=[*_notes(run, train_rows, steps), *([memory.near] if memory is not None and memory.near else [])],
        gpu_memory_gib=memory.gib if memory is not None else None,
        estimate=memory.text if memory is not None else None,
    )


def rows_per_step(run: RunFile) -> int:
    return run.batch.per_device * run.batch.gradient_accumulation * run.compute.ranks


def total_steps(run: RunFile, train_rows: int) -> int:
    """Optimizer steps as the trainer will count them: whatever is left at the end of an epoch makes a step too."""
    if run.duration.max_steps is not None:
        return run.duration.max_steps
    assert run.duration.epochs is not None  # the run file's own check
    return math.ceil(run.duration.epochs * steps_of_an_epoch(run, train_rows))


def steps_of_an_epoch(run: RunFile, train_rows: int) -> int:
    batches = math.ceil(train_rows / (run.batch.per_device * run.compute.ranks))
    return max(1, math.ceil(batches / run.batch.gradient_accumulation))


def _device(run: RunFile) -> list[str]:
    if run.compute.gpus > 0:
        return []
    remedy = "name a pool with GPUs in compute.pool, or leave it out"
    needing = {
        "lora.quantization NF4": run.lora is not None and run.lora.quantization == "NF4",
        "optimizer.algorithm PagedAdamW8Bit": run.optimizer.algorithm == "PagedAdamW8Bit",
    }
    return [f"{field} needs a GPU: {remedy}" for field, asked in needing.items() if asked]


def _rows(run: RunFile, train_rows: int) -> list[str]:
    found = []
    at_once = run.batch.per_device * run.compute.ranks
    if at_once > train_rows:
        processes = f" x {run.compute.ranks} GPUs" if run.compute.ranks > 1 else ""
        found.append(
            f"batch.perDevice {run.batch.per_device}{processes} is more than the {train_rows} rows that are trained "
            f"on: lower it to at most {max(1, train_rows // run.compute.ranks)}"
        )
    conversations = run.data.has_conversations
    if run.sequence.loss_on == "AssistantMessages" and not conversations:
        found.append(f"sequence.lossOn AssistantMessages is for Messages, not {run.data.format}: set Completion")
    if run.sequence.loss_on == "Completion" and conversations:
        found.append("sequence.lossOn Completion is not for Messages, which have none: set AssistantMessages or All")
    return found


def _schedule(run: RunFile, steps: int) -> list[str]:
    evaluation, checkpoint = run.evaluation, run.checkpoint
    found = []
    if evaluation.every_steps is not None and evaluation.every_steps > steps:
        found.append(_beyond("evaluation.everySteps", evaluation.every_steps, steps))
    every = checkpoint.every_steps
    if every is not None and every > steps and every != DEFAULT_CHECKPOINT_STEPS:
        found.append(_beyond("checkpoint.everySteps", every, steps))
    if evaluation.early_stop is not None and evaluation.strategy == "No":
        found.append("evaluation.earlyStop needs evaluations: set evaluation.strategy to Steps or Epoch")
    if checkpoint.result == "Best":
        found += _best(run)
    if run.optimizer.warmup_ratio >= 1 and run.optimizer.scheduler != "Constant":
        found.append("optimizer.warmupRatio 1 never reaches the learning rate: set it to at most 0.5")
    return found


def _beyond(field: str, every: int, steps: int) -> str:
    return f"{field} {every} is more than the {steps} steps of this run: lower it to at most {steps}"


def _best(run: RunFile) -> list[str]:
    """A step can only be chosen if it has both an evaluation and a checkpoint."""
    evaluation, checkpoint = run.evaluation, run.checkpoint
    if evaluation.strategy == "No":
        return ["checkpoint.result Best needs evaluations to choose by: set evaluation.everySteps"]
    if evaluation.strategy != checkpoint.strategy:
        remedy = f"set checkpoint.strategy to {evaluation.strategy}"
        return [f"checkpoint.result Best needs a checkpoint at every evaluation, by {evaluation.strategy}: {remedy}"]
    wanted, every = evaluation.every_steps, checkpoint.every_steps
    if wanted is not None and every is not None and wanted % every != 0:
        remedy = f"set checkpoint.everySteps to {wanted} or a divisor of it"
        return [
            f"checkpoint.result Best needs a checkpoint at every evaluation, evaluation.everySteps {wanted}: {remedy}"
        ]
    return []


def _notes(run: RunFile, train_rows: int, steps: int) -> list[str]:
    found = []
    if rows_per_step(run) > train_rows:
        found.append(f"A step is to see {rows_per_step(run)} rows and there are {train_rows}: each step is an epoch.")
    every = run.checkpoint.every_steps
    if run.checkpoint.strategy == "No" or (every is not None and every > steps):
        found.append("There is no checkpoint before the last step: an interrupted run starts again at step 0.")
    if 0 < run.optimizer.warmup_ratio < 1 and math.ceil(run.optimizer.warmup_ratio * steps) >= steps:
        found.append(
            f"All {steps} steps are warm-up, so the learning rate is never reached: set optimizer.warmupRatio 0."
        )
    return found + _rate_of_a_comparison(run)


def _rate_of_a_comparison(run: RunFile) -> list[str]:
    """A comparison needs far less than an imitation: at its rate the answers fall apart while the margin grows."""
    usual, most = ("5e-6", 1e-4) if run.lora is not None else ("5e-7", 5e-6)
    if run.dpo is None or run.optimizer.learning_rate <= most:
        return []
    rate = f"optimizer.learningRate {run.optimizer.learning_rate:g}"
    return [f"{rate} is one of supervised fine-tuning; with method DPO {usual} is usual. Watch logps/chosen."]


@dataclass(frozen=True)
class _Memory:
    gib: float
    text: str
    missing: str | None
    near: str | None


def _memory(run: RunFile, seen: Seen) -> _Memory | None:
    """What the run needs of its GPU, and whether that is too much or nearly so. None without a GPU."""
    available = run.compute.gpu_memory_gi
    if available is None or seen.shape is None:
        return None
    setup = _setup(run, seen)
    found = parts(seen.shape, setup)
    needed = sum(part.size for part in found) / GIB
    gpu = f"{run.compute.gpu_name or 'GPU'} with {available} GiB"
    near = f"The run needs about {needed:.1f} GiB of one {gpu}: if that proves too much, batch.perDevice is lowered."
    return _Memory(
        gib=needed,
        text=text_of(found),
        missing=_too_much(run, seen.shape, setup, gpu) if needed > available else None,
        near=near if needed > available * NEAR else None,
    )


def _setup(run: RunFile, seen: Seen) -> Setup:
    nf4 = run.lora is not None and run.lora.quantization == "NF4"
    return Setup(
        kind="Full" if run.lora is None else "QLoRA" if nf4 else "LoRA",
        float32_weights=seen.float32_weights,
        eight_bit_optimizer=run.optimizer.algorithm == "PagedAdamW8Bit",
        micro_batch=run.batch.per_device,
        max_length=run.sequence.max_length,
        gradient_checkpointing=run.batch.gradient_checkpointing,
        plain_loss=seen.plain_loss,
        ranks=run.compute.ranks,
        reference=_reference(run),
        frozen_adapter=run.dpo is not None and run.adapter is not None,
    )


def _reference(run: RunFile) -> Reference | None:
    if run.dpo is None:
        return None
    if run.dpo.reference_log_probs == "Precomputed":
        return "Precomputed"
    return "Copy" if run.lora is None else "SameModel"


def _too_much(run: RunFile, shape: ModelShape, setup: Setup, gpu: str) -> str:
    """The arithmetic, and what would fit."""
    assert run.compute.gpu_memory_gi is not None  # of the GPU that is too small
    sums = " + ".join(f"{part.name} {part.size / GIB:.1f}" for part in parts(shape, setup))
    needed = total_gib(shape, setup)
    fitting = alternatives(shape, setup, run.batch.gradient_accumulation, run.compute.gpu_memory_gi)
    if run.lora is None:
        fitting.append("lora {} (an adapter in place of the whole model)")
    remedy = f"What fits: {', or '.join(fitting)}" if fitting else "No smaller setting fits"
    larger = f"a compute.pool with at least {math.ceil(needed / NEAR)} GiB a GPU"
    return (
        f"One {gpu} does not hold this run, which needs about {needed:.1f} GiB ({sums}). {remedy}; or choose {larger}"
    )
