"""Settings against the real libraries, models without their weights, and estimates against what autograd keeps."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from engine.test_render import GOLDEN, run_file
from swe_workloads import tiny_model
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.memory_estimate import Setup, parts
from swe_workloads.preflight import check
from swe_workloads.preflight_model import base_shape, look, read_config, without_weights
from swe_workloads.run_file import RunFile

# The sizes in the published config.json of the four seed models.
LLAMA = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "max_position_embeddings": 16384}
MODELS = {
    "qwen2.5-3b-lora": Qwen2Config(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=11008,
        num_hidden_layers=36,
        num_attention_heads=16,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        tie_word_embeddings=True,
    ),
    "codellama-7b-qlora": LlamaConfig(vocab_size=32016, intermediate_size=11008, tie_word_embeddings=False, **LLAMA),
    "deepseek-coder-6.7b-qlora": LlamaConfig(
        vocab_size=32256, intermediate_size=11008, tie_word_embeddings=False, **LLAMA
    ),
    "qwen2.5-coder-7b-qlora": Qwen2Config(
        vocab_size=152064,
        hidden_size=3584,
        intermediate_size=18944,
        num_hidden_layers=28,
        num_attention_heads=28,
        num_key_value_heads=4,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
    ),
}
MODELS["qwen2.5-coder-3b-dpo"] = MODELS["qwen2.5-3b-lora"]
PARAMETERS = {
    "qwen2.5-3b-lora": 3_085_938_688,
    "codellama-7b-qlora": 6_738_546_688,
    "deepseek-coder-6.7b-qlora": 6_740_512_768,
    "qwen2.5-coder-7b-qlora": 7_615_616_512,
    "qwen2.5-coder-3b-dpo": 3_085_938_688,
}
# Expected need in GiB: the weights are certain, the rest is checked below against what autograd keeps.
EXPECTED_GIB = {
    "qwen2.5-3b-lora": (12, 15),
    "codellama-7b-qlora": (11, 15),
    "deepseek-coder-6.7b-qlora": (11, 15),
    "qwen2.5-coder-7b-qlora": (15, 20),
    "qwen2.5-coder-3b-dpo": (16, 22),
}


class TheSeedConfigurations(unittest.TestCase):
    def test_fit_the_gpu_they_ask_for(self) -> None:
        for name, config in MODELS.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                config.save_pretrained(folder)
                run = RunFile.model_validate_json((GOLDEN / f"{name}.run.json").read_text())
                seen = look(run, Path(folder))
                self.assertEqual(seen.problems, [])
                assert seen.shape is not None
                self.assertEqual(seen.shape.parameters, PARAMETERS[name])
                found = check(run, Path(folder), 4500, lambda _run, _folder, seen=seen: seen)
                low, high = EXPECTED_GIB[name]
                assert found.gpu_memory_gib is not None
                self.assertTrue(low < found.gpu_memory_gib < high, f"{found.gpu_memory_gib}\n{found.estimate}")

    def test_count_the_adapter_as_peft_does(self) -> None:
        run = RunFile.model_validate_json((GOLDEN / "qwen2.5-3b-lora.run.json").read_text())
        with tempfile.TemporaryDirectory() as folder:
            MODELS["qwen2.5-3b-lora"].save_pretrained(folder)
            shape = look(run, Path(folder)).shape
        assert shape is not None
        self.assertEqual(shape.trainable, 29_933_568)


class TheTinyModel(unittest.TestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.folder, seed=1)
        for weights in cls.folder.glob("*.safetensors"):
            weights.unlink()

    def test_passes_with_the_tests_own_run(self) -> None:
        found = check(run_file(), self.folder, 40)
        self.assertEqual((found.total_steps, found.notes, found.estimate), (24, [], None))

    def test_is_refused_with_the_field_and_a_remedy(self) -> None:
        for words, changes in REFUSALS.items():
            with self.subTest(words), self.assertRaises(Failure) as caught:
                check(run_file(**changes), self.folder, 40)
            self.assertEqual(caught.exception.code, ExitCode.INVALID_CONFIGURATION)
            self.assertIn(words, caught.exception.message)

    def test_takes_an_adapter_on_its_output_layer(self) -> None:
        check(run_file(lora={"targetModules": ["lm_head"]}), self.folder, 40)

    def test_learns_what_the_assistant_says_where_the_template_marks_it(self) -> None:
        template = self.folder / "chat_template.jinja"
        plain = template.read_text()
        for name, data in CONVERSATIONS.items():
            run = run_file(data=data, sequence={"lossOn": "AssistantMessages"})
            with self.subTest(name), self.assertRaises(Failure) as caught:
                check(run, self.folder, 40)
            self.assertIn("the chat template does not mark what the assistant says", caught.exception.message)
            template.write_text("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}")
            try:
                check(run, self.folder, 40)
            finally:
                template.write_text(plain)


ATTEMPTS = {"maxPerInstance": 3, "style": "XML", "allowEvaluationSets": False}
CONVERSATIONS: dict[str, dict[str, Any]] = {
    "messages": {"format": "Messages"},
    "resolved predictions": {"kind": "Trajectories", "format": "Resolved", "resolved": ATTEMPTS},
    "a folder": {"kind": "Trajectories", "format": "Trajectory", "folder": {**ATTEMPTS, "onlyResolved": True}},
}
REFUSALS: dict[str, dict[str, Any]] = {
    "lora.targetModules: the model has no module q_prj to adapt; the nearest is q_proj; it has": {
        "lora": {"targetModules": ["q_prj", "v_proj"]}
    },
    "lora.targetModules: the model has no module mlp to adapt": {"lora": {"targetModules": ["mlp"]}},
    "engineOptions.lora_modules_to_save: the model has no module embed": {
        "engineOptions": {"lora_modules_to_save": "[embed]"}
    },
    "sequence.maxLength 40000 is more than the model has positions: lower it to at most 32768": {
        "sequence": {"maxLength": 40000}
    },
    "engineOptions.adam_bata1: TRL": {"engineOptions": {"adam_bata1": "0.9"}},
    "engineOptions: the optimizer or its scheduler refuses them: Invalid beta": {
        "engineOptions": {"adam_beta1": "1.5"}
    },
    "unexpected keyword argument 'cycles'": {"engineOptions": {"lr_scheduler_kwargs": '{"cycles": 1}'}},
    "TRL refuses the settings: --dataloader_prefetch_factor": {"engineOptions": {"dataloader_prefetch_factor": "2"}},
    "engineOptions.dtype: 4-bit weights are computed in it": {
        "engineOptions": {"dtype": "float32"},
        "lora": {"quantization": "NF4"},
    },
    "engineOptions.loss_type chunked_nll cannot train an adapter on the output layer": {
        "engineOptions": {"loss_type": "chunked_nll"},
        "lora": {"targetModules": ["lm_head"]},
    },
    "engineOptions.eos_token: the tokenizer has no token <|end|>": {"engineOptions": {"eos_token": "<|end|>"}},
    "lora.quantization NF4 needs a GPU": {"lora": {"quantization": "NF4"}},
}


class AModel(unittest.TestCase):
    def test_that_cannot_be_trained_is_named(self) -> None:
        refusals = {
            '{"model_type": "mystery"}': "The config.json of s3://a/b cannot be used",
            '{"model_type": "t5"}': "s3://a/b is no causal language model",
            '{"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}': "is quantized already (gptq)",
        }
        for config, words in refusals.items():
            with self.subTest(words), tempfile.TemporaryDirectory() as folder, self.assertRaises(Failure) as caught:
                (Path(folder) / "config.json").write_text(config)
                without_weights(read_config(Path(folder), "s3://a/b"), "s3://a/b")
            self.assertEqual(caught.exception.code, ExitCode.MODEL_UNUSABLE)
            self.assertIn(words, caught.exception.message)


class TheEstimatedActivations(unittest.TestCase):
    """Of one layer, against the bytes that autograd keeps for it under bfloat16 autocast, as on a GPU."""

    def test_of_an_adapter_are_those_that_are_kept(self) -> None:
        self.assert_near(full=False)

    def test_of_a_whole_model_are_those_that_are_kept(self) -> None:
        self.assert_near(full=True)

    def assert_near(self, *, full: bool) -> None:
        kept = (kept_bytes(layers=3, full=full) - kept_bytes(layers=1, full=full)) / 2
        config = a_config(1)
        shape = base_shape(without_weights(config, "test"), config)
        inputs = sum(4 * [HIDDEN] + 2 * [HIDDEN] + [INNER])
        setup = Setup(
            kind="Full" if full else "LoRA",
            float32_weights=full,
            eight_bit_optimizer=False,
            micro_batch=ROWS,
            max_length=TOKENS,
            gradient_checkpointing=False,
            plain_loss=False,
            ranks=1,
        )
        estimated = parts(replace(shape, adapted_inputs=0 if full else inputs), setup)[2].size
        self.assertLess(abs(estimated - kept) / kept, 0.25, f"estimated {estimated}, kept {kept}")


HIDDEN, INNER, ROWS, TOKENS = 256, 688, 2, 96


def a_config(layers: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=128,
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
    )


def kept_bytes(*, layers: int, full: bool) -> int:
    """What is saved for the backward pass, the weights and their copies left out."""
    model: Any = AutoModelForCausalLM.from_config(a_config(layers), dtype=torch.float32 if full else torch.bfloat16)
    if not full:
        lora = LoraConfig(task_type="CAUSAL_LM", r=16, lora_dropout=0.05, target_modules="all-linear")
        model = get_peft_model(model, lora)
        model.enable_input_require_grads()
    model.train()
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if {TOKENS, ROWS * TOKENS} & set(tensor.shape):  # of the rows, not of the weights
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    body = model.model if full else model.base_model.model.model
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept), torch.autocast("cpu", torch.bfloat16):
        alive = body(torch.zeros(ROWS, TOKENS, dtype=torch.long))
    del alive
    return sum(kept.values())


if __name__ == "__main__":
    unittest.main()
