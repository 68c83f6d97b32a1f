"""What TRL is told, byte by byte, and that TRL's own parser and program take it.

Golden files are written anew with SWE_WRITE_GOLDEN=1; the run files come from config/samples/training-run-gpu.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml
from trl import get_peft_config, get_quantization_config

from engine.run_document import preferences_document, run_document
from swe_workloads import tiny_model
from swe_workloads.engine_option_tables import TABLES
from swe_workloads.engine_options import known_options, read_options
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Method, RunFile
from swe_workloads.trl_config import Paths, parse, parse_anywhere, render, write

GOLDEN = Path(__file__).with_name("golden")
QLORA = ("codellama-7b-qlora", "deepseek-coder-6.7b-qlora", "qwen2.5-coder-7b-qlora")
SEEDS = ("qwen2.5-3b-lora", *QLORA, "qwen2.5-coder-3b-dpo")
PATHS = Paths(model=Path("/work/model"), data=Path("/work/data"), output=Path("/work/output"))
# What an upgrade of TRL adds belongs into one of the tables of engine_option_tables.py, or here.
OPEN_TO_ALL = {
    *("activation_checkpointing_kwargs", "activation_offloading", "adam_beta1", "adam_beta2", "adam_epsilon"),
    *("attn_implementation", "dataloader_drop_last", "dataloader_in_order"),
    *("dataloader_multiprocessing_context", "dataloader_num_workers", "dataloader_persistent_workers"),
    *("dataloader_pin_memory", "dataloader_prefetch_factor", "dataset_num_proc", "ddp_broadcast_buffers"),
    *("ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_static_graph", "ddp_timeout", "debug", "dtype"),
    *("eval_accumulation_steps", "eval_delay", "full_determinism", "gradient_checkpointing_kwargs"),
    *("include_num_input_tokens_seen", "length_column_name", "lora_modules_to_save"),
    *("lora_target_parameters", "lr_scheduler_kwargs", "pad_to_multiple_of"),
    *("pad_token", "prediction_loss_only", "router_aux_loss_coef", "torch_empty_cache_steps"),
    *("train_sampling_strategy", "use_dora", "use_rslora"),
}
OPEN: dict[Method, set[str]] = {
    "SFT": OPEN_TO_ALL
    | {"average_tokens_across_devices", "eos_token", "loss_type", "neftune_noise_alpha", "shuffle_dataset"},
    "DPO": OPEN_TO_ALL | {"f_alpha_divergence_coef", "f_divergence_type", "ld_alpha", "use_weighting"},
}


def run_file(**changes: Any) -> RunFile:
    """The tests' run with some sections changed; a section is merged, anything else replaced."""
    return changed(run_document(Path("/rows.jsonl")), changes)


def comparison(**changes: Any) -> RunFile:
    """The same as a comparison."""
    return changed(preferences_document(Path("/rows.jsonl")), changes)


def changed(document: dict[str, Any], changes: dict[str, Any]) -> RunFile:
    for name, value in changes.items():
        merged = {**document[name], **value} if isinstance(value, dict) and isinstance(document[name], dict) else value
        document[name] = merged
    return RunFile.model_validate_json(json.dumps(document))


def rendered(run: RunFile, *, on_gpu: bool = False, micro_batch: int | None = None) -> dict[str, Any]:
    return render(run, on_gpu=on_gpu, micro_batch=micro_batch or run.batch.per_device, paths=PATHS)


class TheSeedConfigurations(unittest.TestCase):
    def test_are_rendered_byte_by_byte(self) -> None:
        for name in SEEDS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "trl.yaml"
                write(self.of(name), path)
                golden = GOLDEN / f"{name}.trl.yaml"
                if os.environ.get("SWE_WRITE_GOLDEN"):
                    golden.write_bytes(path.read_bytes())
                self.assertEqual(path.read_text(), golden.read_text())

    def test_are_accepted_by_the_real_parser_key_by_key(self) -> None:
        for name in SEEDS:
            with self.subTest(name):
                told = yaml.safe_load((GOLDEN / f"{name}.trl.yaml").read_text())
                parsed = parse_anywhere(told, method_of(name))
                there = {**dataclasses.asdict(parsed.training), **dataclasses.asdict(parsed.model)}
                kept = {key: value for key, value in told.items() if key not in ("dataset_name", "tf32", "report_to")}
                self.assertEqual({key: there[key] for key in kept}, kept)

    def test_compute_4_bit_weights_in_bfloat16(self) -> None:
        for name in QLORA:
            quantization = get_quantization_config(parse_anywhere(self.of(name), "SFT").model)
            self.assertEqual(str(quantization.bnb_4bit_compute_dtype), "torch.bfloat16")
            self.assertEqual(quantization.bnb_4bit_quant_type, "nf4")
            self.assertTrue(quantization.bnb_4bit_use_double_quant)

    def of(self, name: str) -> dict[str, Any]:
        return rendered(golden_run(name), on_gpu=True)


def golden_run(name: str) -> RunFile:
    return RunFile.model_validate_json((GOLDEN / f"{name}.run.json").read_text())


def method_of(name: str) -> Method:
    return golden_run(name).method


class TheRenderedFile(unittest.TestCase):
    def test_keeps_the_rows_of_a_step_when_a_pass_gets_fewer(self) -> None:
        run = run_file(batch={"perDevice": 6, "gradientAccumulation": 2})
        told = [rendered(run, micro_batch=rows) for rows in (6, 3, 2, 1)]
        counts = [(one["per_device_train_batch_size"], one["gradient_accumulation_steps"]) for one in told]
        self.assertEqual(counts, [(6, 2), (3, 4), (2, 6), (1, 12)])

    def test_names_the_module_when_there_is_one(self) -> None:
        lora = get_peft_config(parse(rendered(run_file(lora={"targetModules": ["q_proj"]})), "SFT").model)
        self.assertEqual(lora.target_modules, {"q_proj"})

    def test_trains_the_whole_model_in_float32_below_bfloat16(self) -> None:
        told = rendered(run_file(lora=None), on_gpu=True)
        self.assertEqual((told["dtype"], told["bf16"], told["use_peft"]), ("float32", True, False))
        self.assertIsNone(get_peft_config(parse_anywhere(told, "SFT").model))

    def test_warms_up_over_all_steps_and_not_over_one(self) -> None:
        parsed = parse(rendered(run_file(optimizer={"warmupRatio": "1"})), "SFT")
        self.assertEqual(parsed.training.get_warmup_steps(1000), 1000)

    def test_learns_what_loss_on_says(self) -> None:
        masks = {
            "Completion": (True, False),
            "AssistantMessages": (False, True),
            "All": (False, False),
        }
        for loss_on, expected in masks.items():
            training = parse(rendered(run_file(sequence={"lossOn": loss_on})), "SFT").training
            self.assertEqual((training.completion_only_loss, training.assistant_only_loss), expected)

    def test_evaluates_and_saves_by_strategy(self) -> None:
        never = {"strategy": "No", "everySteps": None}
        told = rendered(run_file(evaluation=never, checkpoint={**never, "strategy": "Epoch"}))
        self.assertEqual((told["eval_strategy"], told["save_strategy"]), ("no", "epoch"))
        self.assertNotIn("eval_steps", told)
        self.assertNotIn("save_steps", told)

    def test_takes_an_adapter_on_the_output_layer(self) -> None:
        self.assertEqual(rendered(run_file(lora={"targetModules": ["q_proj", "lm_head"]}))["loss_type"], "nll")


class TRLItself(unittest.TestCase):
    def test_trains_from_the_file_as_it_is(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tiny_model.make(folder / "model", seed=1)
            for part in ("train", "test"):
                rows = [{"prompt": f"say {count}", "completion": f" {count}"} for count in range(8)]
                (folder / "data").mkdir(exist_ok=True)
                (folder / f"data/{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            run = run_file(duration={"maxSteps": 2}, engineOptions={"neftune_noise_alpha": "5"})
            paths = Paths(model=folder / "model", data=folder / "data", output=folder / "output")
            write(render(run, on_gpu=False, micro_batch=2, paths=paths), folder / "trl.yaml")
            command = [sys.executable, "-m", "trl.scripts.sft", "--config", str(folder / "trl.yaml")]
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            state = json.loads((folder / "output/checkpoint-2/trainer_state.json").read_text())
            self.assertEqual(state["global_step"], 2)
            self.assertIn("eval_loss", state["log_history"][-1])


class EngineOptions(unittest.TestCase):
    def test_every_field_of_trl_is_owned_refused_or_open(self) -> None:
        for method, table in TABLES.items():
            with self.subTest(method):
                tables = [table.owned.keys(), table.refused.keys(), OPEN[method]]
                self.assertEqual(set().union(*tables), known_options(method))
                self.assertEqual(sum(map(len, tables)), len(known_options(method)))
                self.assertLessEqual(table.possible.keys(), OPEN[method])

    def test_are_read_as_on_the_command_line(self) -> None:
        texts = {
            "neftune_noise_alpha": ("5", 5.0),
            "adam_epsilon": ("1e-6", 1e-6),
            "use_rslora": ("true", True),
            "dataloader_num_workers": ("2", 2),
            "lora_modules_to_save": ("[embed_tokens, lm_head]", ["embed_tokens", "lm_head"]),
            "lora_target_parameters": ("a b", ["a", "b"]),
            "lr_scheduler_kwargs": ('{"num_cycles": 0.5}', {"num_cycles": 0.5}),
            "loss_type": ("dft", "dft"),
        }
        told = rendered(run_file(engineOptions={name: text for name, (text, _) in texts.items()}))
        self.assertEqual({name: told[name] for name in texts}, {name: value for name, (_, value) in texts.items()})

    def test_reach_the_trainer_s_arguments(self) -> None:
        options = {"adam_beta2": "0.95", "lr_scheduler_kwargs": '{"num_cycles": 0.25}', "use_dora": "yes"}
        parsed = parse(rendered(run_file(engineOptions=options)), "SFT")
        self.assertEqual((parsed.training.adam_beta2, parsed.model.use_dora), (0.95, True))
        self.assertEqual(parsed.training.lr_scheduler_kwargs, {"num_cycles": 0.25})

    def test_that_cannot_be_used_are_refused_by_name(self) -> None:
        for name, (text, words) in REFUSALS.items():
            with self.subTest(name), self.assertRaises(Failure) as caught:
                read_options({name: text}, "SFT")
            self.assertEqual(caught.exception.code, ExitCode.INVALID_CONFIGURATION)
            self.assertIn(f"engineOptions.{name}: {words}", caught.exception.message)

    def test_are_all_named_at_once(self) -> None:
        with self.assertRaises(Failure) as caught:
            read_options({"foo_bar_baz": "1", "adam_beta1": "x", "use_dora": "true"}, "SFT")
        self.assertIn("engineOptions.adam_beta1", caught.exception.message)
        self.assertIn("engineOptions.foo_bar_baz", caught.exception.message)


REFUSALS = {
    "neftune_noise_alpa": ("5", "TRL 1.13.0 has no such option; the nearest is neftune_noise_alpha"),
    "learningRate": (
        "1",
        "TRL 1.13.0 has no such option; the nearest is learning_rate, which is optimizer.learningRate",
    ),
    "qqq": ("1", "TRL 1.13.0 has no such option."),
    "learning_rate": ("1e-4", "set optimizer.learningRate"),
    "load_in_4bit": ("true", "set lora.quantization"),
    "packing": ("true", "cannot be used: it needs FlashAttention"),
    "output_dir": ("/tmp", "cannot be used: the operator keeps checkpoints"),
    "deepspeed": ("zero3.json", "cannot be used: each GPU has one process"),
    "report_to": ("wandb", "cannot be used: progress and metrics go to the operator"),
    "adam_beta1": ("high", "must be a number, not 'high'"),
    "dataloader_num_workers": ("2.5", "must be a whole number, not '2.5'"),
    "use_dora": ("perhaps", "must be true or false, not 'perhaps'"),
    "lora_modules_to_save": ("[]", "must be a list such as [a, b], each text, not '[]'"),
    "lr_scheduler_kwargs": ("num_cycles", "must be a mapping"),
    "train_sampling_strategy": ("odd", "must be random, sequential, group_by_length or batch_rebalance, not 'odd'"),
    "dtype": ("float16", "must be bfloat16 or float32 in this trainer image"),
    "attn_implementation": ("flash_attention_2", "must be eager or sdpa in this trainer image"),
}


if __name__ == "__main__":
    unittest.main()
