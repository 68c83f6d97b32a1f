from dataclasses import replace

import pytest

from swe_workloads.memory_estimate import GIB, ModelShape, Setup, alternatives, parts, text_of, total_gib

# As the libraries count them; the image's tests derive the same from the real config.json.
QWEN_3B = ModelShape(
    parameters=3_085_938_688,
    linear_parameters=2_774_532_096,
    trainable=29_933_568,
    widths=1_843_200 + 27_648 * 5,
    adapted_inputs=765_952,
    hidden=2048,
    layers=36,
    vocabulary=151_936,
)
LORA = Setup(
    kind="LoRA",
    float32_weights=False,
    eight_bit_optimizer=False,
    micro_batch=4,
    max_length=2048,
    gradient_checkpointing=True,
    plain_loss=False,
    ranks=1,
)


def sizes(shape: ModelShape, setup: Setup) -> dict[str, float]:
    return {part.name: part.size / GIB for part in parts(shape, setup)}


def test_an_adapter_of_3_billion_weights_fits_40_gib() -> None:
    found = sizes(QWEN_3B, LORA)
    assert found["model"] == pytest.approx(5.75, abs=0.01)
    assert found["adapter"] == pytest.approx(0.45, abs=0.01)
    assert 10 < total_gib(QWEN_3B, LORA) < 20


def test_4_bit_weights_take_a_quarter() -> None:
    found = sizes(QWEN_3B, replace(LORA, kind="QLoRA"))
    assert found["base model"] == pytest.approx((2_774_532_096 * 0.5159 + 311_406_592 * 2) / GIB, rel=1e-3)
    assert found["adapter"] == pytest.approx(29_933_568 * 8 / GIB)


def test_full_fine_tuning_takes_18_bytes_a_weight() -> None:
    full = replace(LORA, kind="Full", float32_weights=True)
    shape = replace(QWEN_3B, trainable=QWEN_3B.parameters, adapted_inputs=0)
    found = sizes(shape, full)
    assert (found["model"] + found["training state"]) * GIB == pytest.approx(18 * QWEN_3B.parameters)
    paged = sizes(shape, replace(full, eight_bit_optimizer=True))
    assert (found["training state"] - paged["training state"]) * GIB == pytest.approx(6 * QWEN_3B.parameters)


def test_the_plain_loss_keeps_all_logits() -> None:
    found = sizes(QWEN_3B, replace(LORA, plain_loss=True))
    assert found["output layer"] * GIB == 4 * 2048 * 151_936 * 14


def test_a_comparison_reads_two_rows_for_one_and_keeps_all_their_logits() -> None:
    alone, pair = (sizes(QWEN_3B, replace(LORA, plain_loss=True, reference=one)) for one in (None, "SameModel"))
    assert pair["activations"] == pytest.approx(2 * alone["activations"])
    assert pair["output layer"] == pytest.approx(2 * alone["output layer"])
    assert "reference" not in pair
    continued = replace(LORA, plain_loss=True, reference="SameModel", frozen_adapter=True)
    assert sizes(QWEN_3B, continued)["reference"] * GIB == 4 * QWEN_3B.trainable


def test_a_whole_model_needs_a_second_one_as_reference_unless_it_was_asked_before() -> None:
    full = replace(LORA, kind="Full", float32_weights=True, plain_loss=True, reference="Copy")
    shape = replace(QWEN_3B, trainable=QWEN_3B.parameters, adapted_inputs=0)
    assert sizes(shape, full)["reference"] * GIB == 4 * QWEN_3B.parameters
    assert "reference" not in sizes(shape, replace(full, reference="Precomputed"))
    needed = total_gib(shape, full)
    [spared] = [text for text in alternatives(shape, full, 1, needed) if text.startswith("dpo.referenceLogProbs")]
    assert spared.startswith(f"dpo.referenceLogProbs Precomputed ({needed - 4 * QWEN_3B.parameters / GIB:.1f} GiB)")
    assert "dpo.referenceLogProbs Precomputed" in alternatives(shape, full, 1, 60)[0]


def test_several_gpus_exchange_gradients() -> None:
    more = sizes(QWEN_3B, replace(LORA, ranks=4))["adapter"] - sizes(QWEN_3B, LORA)["adapter"]
    assert more * GIB == pytest.approx(4 * QWEN_3B.trainable)


def test_what_would_fit_is_named_with_what_it_needs() -> None:
    greedy = replace(LORA, micro_batch=16, gradient_checkpointing=False)
    found = alternatives(QWEN_3B, greedy, 2, 40)
    assert found[0].startswith("batch.perDevice 1 with batch.gradientAccumulation 32 (")
    assert found[1].startswith("batch.gradientCheckpointing true (")
    [halved] = [text for text in alternatives(QWEN_3B, LORA, 3, 14) if text.startswith("batch.perDevice")]
    assert halved.startswith("batch.perDevice 3 with batch.gradientAccumulation 4 (")
    assert all(float(text.split("(")[1].split()[0]) <= 36 for text in found)


def test_changes_are_combined_when_none_is_enough() -> None:
    greedy = replace(LORA, micro_batch=16, gradient_checkpointing=False)
    [found] = alternatives(QWEN_3B, greedy, 1, 7)
    assert "batch.perDevice 1 with batch.gradientAccumulation 16 and batch.gradientCheckpointing true and " in found
    assert "lora.quantization NF4" in found
    assert alternatives(QWEN_3B, greedy, 1, 2) == []


def test_the_arithmetic_is_shown_and_adds_up() -> None:
    lines = text_of(parts(QWEN_3B, LORA)).splitlines()
    assert lines[0] == "model               5.75 GiB  3,085,938,688 weights x 2 bytes"
    assert float(lines[-1].split()[1]) == pytest.approx(sum(float(line[16:24]) for line in lines[:-1]), abs=0.05)
