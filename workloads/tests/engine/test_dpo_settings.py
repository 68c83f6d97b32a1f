"""What a comparison tells TRL, and what is refused of it before a GPU is asked for. Runs inside the image."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

from engine.test_render import comparison, rendered, run_file
from engine.world import some_pairs
from swe_workloads import tiny_model
from swe_workloads.engine_options import read_options
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.preflight import check
from swe_workloads.preflight_model import look
from swe_workloads.trl_config import LOSSES, Paths, parse, render, write


class AComparison(unittest.TestCase):
    def test_is_rendered_with_its_loss_and_without_that_of_an_imitation(self) -> None:
        told = rendered(comparison(dpo={"beta": "0.3", "lossType": "Robust", "labelSmoothing": "0.1"}))
        self.assertEqual((told["beta"], told["loss_type"], told["label_smoothing"]), (0.3, ["robust"], 0.1))
        self.assertFalse(told["precompute_ref_log_probs"])
        self.assertNotIn("completion_only_loss", told)
        self.assertNotIn("beta", rendered(run_file()))

    def test_reaches_the_trainer_s_arguments(self) -> None:
        changes: dict[str, Any] = {"lossType": "IPO", "referenceLogProbs": "Precomputed"}
        parsed = parse(rendered(comparison(dpo=changes, engineOptions={"ld_alpha": "0.5"})), "DPO")
        self.assertEqual((parsed.training.loss_type, parsed.training.ld_alpha), (["ipo"], 0.5))
        self.assertTrue(parsed.training.precompute_ref_log_probs)
        self.assertTrue(parsed.training.disable_dropout)

    def test_is_refused_with_options_that_a_field_owns_or_that_would_break_it(self) -> None:
        for name, (text, words) in REFUSALS.items():
            with self.subTest(name), self.assertRaises(Failure) as caught:
                read_options({name: text}, "DPO")
            self.assertEqual(caught.exception.code, ExitCode.INVALID_CONFIGURATION)
            self.assertIn(f"engineOptions.{name}: {words}", caught.exception.message)


REFUSALS = {
    "beta": ("0.2", "set dpo.beta"),
    "loss_type": ("[hinge]", "set dpo.lossType"),
    "precompute_ref_batch_size": ("8", "set batch.perDevice"),
    "sync_ref_model": ("true", "cannot be used: the reference is the model that the run began with"),
    "neftune_noise_alpha": ("5", "cannot be used: model and reference would differ by chance"),
    "loss_weights": ("[1.0]", "cannot be used: one loss is trained"),
    "f_divergence_type": ("js", "must be reverse_kl, forward_kl, js_divergence or alpha_divergence"),
    "train_sampling_strategy": ("group_by_length", "must be random or sequential"),
    "completion_only_loss": ("true", "TRL 1.13.0 has no such option"),
}


class TRLItself(unittest.TestCase):
    def test_trains_from_the_file_as_it_is(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tiny_model.make(folder / "model", seed=1)
            (folder / "data").mkdir()
            for part in ("train", "test"):
                lines = "".join(json.dumps(row) + "\n" for row in some_pairs()[:8])
                (folder / f"data/{part}.jsonl").write_text(lines)
            run = comparison(duration={"maxSteps": 2})
            paths = Paths(model=folder / "model", data=folder / "data", output=folder / "output")
            write(render(run, on_gpu=False, micro_batch=2, paths=paths), folder / "trl.yaml")
            command = [sys.executable, "-m", "trl.scripts.dpo", "--config", str(folder / "trl.yaml")]
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            state = json.loads((folder / "output/checkpoint-2/trainer_state.json").read_text())
            self.assertIn("eval_rewards/margins", state["log_history"][-1])


class ThePreflight(unittest.TestCase):
    folder: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp()) / "tiny"
        tiny_model.make(cls.folder, seed=1)
        for weights in cls.folder.glob("*.safetensors"):
            weights.unlink()

    def test_takes_every_loss_that_can_be_named(self) -> None:
        for loss in LOSSES:
            with self.subTest(loss):
                smoothing = "0.1" if loss == "Robust" else "0"
                found = check(comparison(dpo={"lossType": loss, "labelSmoothing": smoothing}), self.folder, 40)
                self.assertEqual(found.total_steps, 24)

    def test_refuses_a_divergence_that_the_loss_has_no_place_for(self) -> None:
        options = {"f_divergence_type": "js_divergence"}
        check(comparison(engineOptions=options), self.folder, 40)
        with self.assertRaises(Failure) as caught:
            check(comparison(engineOptions=options, dpo={"lossType": "APOZero"}), self.folder, 40)
        self.assertIn("f_divergence_type js_divergence does not go with dpo.lossType APOZero", caught.exception.message)

    def test_counts_all_logits_because_a_comparison_keeps_them(self) -> None:
        self.assertTrue(look(comparison(), self.folder).plain_loss)
        self.assertFalse(look(run_file(), self.folder).plain_loss)


if __name__ == "__main__":
    unittest.main()
