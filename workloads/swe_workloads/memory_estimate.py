"""How much GPU memory one process of a run needs: an estimate with its arithmetic, before a GPU is asked for.

Counts of weights are exact, of the real model without its weights. Bytes a weight are those of the libraries the
image has; activations are counted per token from the width of the model's linear layers. What cannot be known
beforehand, kernels and fragmentation, is in OVERHEAD_BYTES and FRAGMENTATION.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["Full", "LoRA", "QLoRA"]
# Where a comparison has its reference from: a second model, the same one with its adapter off, or figures made before.
Reference = Literal["Copy", "SameModel", "Precomputed"]
GIB = 2**30
# A CUDA context and the kernels of torch: transformers' "Model training anatomy" measures 1343 MB before any model.
OVERHEAD_BYTES = 1.3 * GIB
# What torch's allocator holds in blocks too small for the next tensor; its expandable segments keep it low.
FRAGMENTATION = 0.1
# A weight of NF4 with double quantization: 4 bits, a scale of 8 bits for 64, of 32 bits for 256 x 64 (QLoRA, § 3).
NF4_BYTES = (4 + 8 / 64 + 32 / (64 * 256)) / 8
# AdamW keeps two moments of a weight in its dtype; bitsandbytes keeps them in 8 bits.
MOMENTS = 2
# One token of one chunk of TRL's loss: logits in bfloat16 and float32, log-probabilities, entropy and gradients.
LOSS_BYTES = 2 + 6 * 4
LOSS_CHUNK_TOKENS = 256
# The plain loss keeps all logits until the backward pass: as bfloat16, as float32, log-probabilities, gradients.
# A comparison has those of the reference beside its own in the forward pass: measured 13.8 to 14.4, and 12.4 after it.
PLAIN_LOSS_BYTES = 2 + 3 * 4
# What a layer keeps beside the inputs and outputs of its linear layers: two norms, computed in float32.
NORM_BYTES = 16
# What an adapter keeps of its input: a copy in bfloat16 and the mask of its dropout.
ADAPTER_INPUT_BYTES = 2 + 1
# Above this share of the GPU an estimate that fits is worth a warning.
NEAR = 0.9


@dataclass(frozen=True)
class ModelShape:
    """The model as it would be trained. `widths` and `adapted_inputs` are sums of features over linear layers."""

    parameters: int
    linear_parameters: int
    trainable: int
    widths: int
    adapted_inputs: int
    hidden: int
    layers: int
    vocabulary: int


@dataclass(frozen=True)
class Setup:
    """What of the settings changes the memory of one process. `reference` is None where nothing is compared.

    `frozen_adapter`: a copy of the adapter that is continued stays as it was, to be the reference.
    """

    kind: Kind
    float32_weights: bool
    eight_bit_optimizer: bool
    micro_batch: int
    max_length: int
    gradient_checkpointing: bool
    plain_loss: bool
    ranks: int
    reference: Reference | None = None
    frozen_adapter: bool = False

    @property
    def tokens(self) -> int:
        """Of one pass; a pair is two rows, chosen and rejected."""
        return self.micro_batch * self.max_length * (1 if self.reference is None else 2)

    @property
    def rows(self) -> str:
        return f"{self.micro_batch} rows" if self.reference is None else f"2 x {self.micro_batch} rows"


@dataclass(frozen=True)
class Part:
    name: str
    size: float
    arithmetic: str


def parts(shape: ModelShape, setup: Setup) -> list[Part]:
    """In bytes, largest reasons first as a person would look for them."""
    activations = _activations(shape, setup)
    output = _output(shape, setup)
    spare = FRAGMENTATION * (activations.size + output.size)
    return [
        _weights(shape, setup),
        *([_copy(shape, setup)] if setup.reference == "Copy" else []),
        *([_frozen_adapter(shape)] if setup.frozen_adapter else []),
        _training_state(shape, setup),
        activations,
        output,
        Part("CUDA, fragments", OVERHEAD_BYTES + spare, f"1.3 GiB + {FRAGMENTATION:.0%} of the two above"),
    ]


def total_gib(shape: ModelShape, setup: Setup) -> float:
    return sum(part.size for part in parts(shape, setup)) / GIB


def text_of(found: Iterable[Part]) -> str:
    """A line for each part, and the sum."""
    lines = [f"{part.name:<16}{part.size / GIB:8.2f} GiB  {part.arithmetic}" for part in found]
    whole = sum(part.size for part in found) / GIB
    return "\n".join([*lines, f"{'together':<16}{whole:8.2f} GiB"])


@dataclass(frozen=True)
class Change:
    """Named fields with other values, and the setup with them."""

    text: str
    setup: Setup


def alternatives(shape: ModelShape, setup: Setup, accumulation: int, gpu_gib: float) -> list[str]:
    """Changes of single fields with which the run fits, with what it then needs; else all of them together."""
    kinds = _changes(setup, accumulation)
    found = [next((change for change in kind if _fits(shape, change.setup, gpu_gib)), None) for kind in kinds]
    single = [_said(shape, change) for change in found if change is not None]
    if single:
        return single
    together = _together(setup, accumulation)
    return [_said(shape, together)] if _fits(shape, together.setup, gpu_gib) else []


def _changes(setup: Setup, accumulation: int) -> list[list[Change]]:
    """Of each field the mildest change first; a field that is at its least already has none."""
    return [
        _smaller_passes(setup, accumulation),
        [] if setup.gradient_checkpointing else [_recomputing(setup)],
        [
            Change(f"sequence.maxLength {length}", replace(setup, max_length=length))
            for length in range(setup.max_length - 256, 255, -256)
        ],
        [Change("lora.quantization NF4", replace(setup, kind="QLoRA"))] if setup.kind == "LoRA" else [],
        [] if setup.eight_bit_optimizer else [_eight_bit(setup)],
        [_precomputing(setup)] if setup.reference == "Copy" else [],
    ]


def _smaller_passes(setup: Setup, accumulation: int) -> list[Change]:
    """As many rows in a step as before."""
    rows = setup.micro_batch * accumulation
    return [
        Change(
            f"batch.perDevice {fewer} with batch.gradientAccumulation {rows // fewer}",
            replace(setup, micro_batch=fewer),
        )
        for fewer in range(setup.micro_batch - 1, 0, -1)
        if rows % fewer == 0
    ]


def _recomputing(setup: Setup) -> Change:
    return Change("batch.gradientCheckpointing true", replace(setup, gradient_checkpointing=True))


def _eight_bit(setup: Setup) -> Change:
    return Change("optimizer.algorithm PagedAdamW8Bit", replace(setup, eight_bit_optimizer=True))


def _precomputing(setup: Setup) -> Change:
    return Change("dpo.referenceLogProbs Precomputed", replace(setup, reference="Precomputed"))


def _together(setup: Setup, accumulation: int) -> Change:
    """All changes that leave the rows as long as they are."""
    texts = []
    for change in (*_smaller_passes(setup, accumulation)[-1:], _recomputing(setup), _eight_bit(setup)):
        if change.setup != setup:
            texts.append(change.text)
    if setup.kind == "LoRA":
        texts.append("lora.quantization NF4")
    kind: Kind = "QLoRA" if setup.kind == "LoRA" else setup.kind
    reference = setup.reference
    if setup.reference == "Copy":
        texts.append("dpo.referenceLogProbs Precomputed")
        reference = "Precomputed"
    least = replace(
        setup, kind=kind, micro_batch=1, gradient_checkpointing=True, eight_bit_optimizer=True, reference=reference
    )
    return Change(" and ".join(texts), least)


def _fits(shape: ModelShape, setup: Setup, gpu_gib: float) -> bool:
    return total_gib(shape, setup) <= gpu_gib * NEAR


def _said(shape: ModelShape, change: Change) -> str:
    return f"{change.text} ({total_gib(shape, change.setup):.1f} GiB)"


def _weights(shape: ModelShape, setup: Setup) -> Part:
    base = shape.parameters
    if setup.kind == "QLoRA":
        rest = base - shape.linear_parameters
        arithmetic = f"{shape.linear_parameters:,} weights x {NF4_BYTES:.3f} bytes (NF4) + {rest:,} x 2"
        return Part("base model", shape.linear_parameters * NF4_BYTES + rest * 2, arithmetic)
    each = 4 if setup.float32_weights else 2
    return Part("model", base * each, f"{base:,} weights x {each} bytes")


def _copy(shape: ModelShape, setup: Setup) -> Part:
    """Held as the model itself is: at the first step both must say the same."""
    each = 4 if setup.float32_weights else 2
    return Part("reference", shape.parameters * each, f"{shape.parameters:,} weights x {each} bytes (a second model)")


def _frozen_adapter(shape: ModelShape) -> Part:
    """PEFT makes it float32, and TRL narrows only what is trained."""
    size = shape.trainable * 4
    return Part("reference", size, f"{shape.trainable:,} weights x 4 bytes (the adapter as it was)")


def _training_state(shape: ModelShape, setup: Setup) -> Part:
    """Gradients, moments, an adapter's own weights, and what float32 weights and several GPUs need beside them."""
    # TRL makes a QLoRA adapter bfloat16; PEFT makes any other float32.
    wide = setup.float32_weights if setup.kind == "Full" else setup.kind == "LoRA"
    each = 4 if wide else 2
    moments = MOMENTS * (1 if setup.eight_bit_optimizer else each)
    counted = {"gradient": each, "AdamW": moments}
    if setup.kind != "Full":
        counted = {"weight": each, **counted}
    elif setup.float32_weights:
        counted["bfloat16 copy"] = 2  # autocast keeps one of every weight through the forward pass
    if setup.ranks > 1:
        counted["exchange"] = each  # the buckets in which gradients are averaged
    said = ", ".join(f"{name} {size}" for name, size in counted.items())
    size = sum(counted.values())
    what = "training state" if setup.kind == "Full" else "adapter"
    return Part(what, shape.trainable * size, f"{shape.trainable:,} weights x {size} bytes ({said})")


def _activations(shape: ModelShape, setup: Setup) -> Part:
    layer = (2 * shape.widths + ADAPTER_INPUT_BYTES * shape.adapted_inputs) / shape.layers + NORM_BYTES * shape.hidden
    tokens = f"{setup.rows} x {setup.max_length:,} tokens"
    if not setup.gradient_checkpointing:
        arithmetic = f"{tokens} x {shape.layers} layers x {layer:,.0f} bytes"
        return Part("activations", setup.tokens * shape.layers * layer, arithmetic)
    # The input of every layer is kept; one layer at a time is computed again, and has its gradients beside it.
    kept = (4 if setup.float32_weights else 2) * shape.hidden
    arithmetic = f"{tokens} x ({shape.layers} layers x {kept:,} bytes + 2 x {layer:,.0f})"
    return Part("activations", setup.tokens * (shape.layers * kept + 2 * layer), arithmetic)


def _output(shape: ModelShape, setup: Setup) -> Part:
    each, tokens = PLAIN_LOSS_BYTES, setup.tokens
    if not setup.plain_loss:
        each, tokens = LOSS_BYTES, min(setup.tokens, LOSS_CHUNK_TOKENS)
    size = tokens * shape.vocabulary * each
    arithmetic = f"{tokens:,} tokens x {shape.vocabulary:,} words x {each} bytes"
    if setup.kind == "Full" and not setup.plain_loss:
        # Each chunk has the head in bfloat16 and a gradient of it.
        head = shape.vocabulary * shape.hidden * (2 + 4)
        return Part("output layer", size + head, f"{arithmetic} + {shape.vocabulary:,} x {shape.hidden:,} x 6")
    return Part("output layer", size, arithmetic)
