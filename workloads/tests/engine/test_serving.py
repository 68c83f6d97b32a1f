"""What the program that asks may rely on: a model of ours behind transformers serve. Runs inside the image."""

import hashlib
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import torch
from fake_artifact_endpoint import FakeEndpoint
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.run_document import ADAPTER_URI, MODEL_URI
from engine.serving_pod import ServingPod
from swe_workloads import tiny_model
from swe_workloads.adapter_files import CONFIG, WEIGHTS

QUESTION = "Why does the test of the parser fail?"
DRAWN = {"temperature": 0.8, "top_p": 0.95, "max_tokens": 24}
LIKELIEST = {"temperature": 0.0, "max_tokens": 24}


class Served(unittest.TestCase):
    """A tiny model in the store, fetched and served as its pod does it."""

    folder: ClassVar[Path]
    tiny: ClassVar[Path]
    endpoint: ClassVar[FakeEndpoint]
    pod: ClassVar[ServingPod]
    verdict: ClassVar[dict[str, Any]]

    @classmethod
    def setUpClass(cls) -> None:
        if cls is Served:
            raise unittest.SkipTest("what the others have in common")
        cls.folder = Path(tempfile.mkdtemp(prefix="swe-serving-"))
        cls.tiny = cls.folder / "tiny"
        tiny_model.make(cls.tiny, seed=1)
        (cls.folder / "endpoint").mkdir()
        cls.endpoint = FakeEndpoint(cls.folder / "endpoint")
        spec = cls.arrange()
        for path in cls.tiny.iterdir():
            cls.endpoint.put(f"{MODEL_URI}/{path.name}", path.read_bytes())
        cls.pod = ServingPod(cls.folder, cls.endpoint, spec)
        cls.verdict = cls.pod.fetch()
        assert cls.verdict["exitCode"] == 0, cls.verdict
        cls.pod.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.pod.stop()
        cls.endpoint.stop()
        shutil.rmtree(cls.folder)

    @classmethod
    def arrange(cls) -> dict[str, Any]:
        """The run file."""
        model = {"kind": "S3", "uri": MODEL_URI, "credentials": "OwnPrefix"}
        return {"version": 1, "owner": {"namespace": "team", "name": "demo", "uid": "0b5e7c1a-run"}, "model": model}

    def prompt(self) -> Any:
        tokenizer = AutoTokenizer.from_pretrained(self.tiny)
        turns = [{"role": "user", "content": QUESTION}]
        return tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)

    def likeliest(self, model: Any) -> str:
        """What a model itself answers, without a server."""
        prompt = self.prompt()
        made = model.generate(**prompt, do_sample=False, max_new_tokens=LIKELIEST["max_tokens"])
        new = made[0][prompt["input_ids"].shape[1] :]
        return str(AutoTokenizer.from_pretrained(self.tiny).decode(new, skip_special_tokens=True))


class AModel(Served):
    def test_answers_in_a_stream_and_says_what_that_took(self) -> None:
        said = self.pod.ask(QUESTION, seed=7, **DRAWN)
        self.assertEqual(said["type"], "text/event-stream")
        self.assertGreater(said["events"], 2)
        self.assertEqual(said["finish_reason"], "length")
        self.assertEqual(said["usage"]["completion_tokens"], DRAWN["max_tokens"])
        self.assertEqual(said["usage"]["prompt_tokens"], self.prompt()["input_ids"].shape[1])

    def test_answers_by_the_seed_of_each_request(self) -> None:
        one, other, again = (self.pod.ask(QUESTION, seed=seed, **DRAWN)["text"] for seed in (7, 8, 7))
        self.assertNotEqual(one, other)
        self.assertEqual(one, again)

    def test_answers_what_the_model_itself_answers(self) -> None:
        model = AutoModelForCausalLM.from_pretrained(self.tiny)
        self.assertEqual(self.pod.ask(QUESTION, **LIKELIEST)["text"], self.likeliest(model))

    def test_draws_from_all_tokens_and_not_from_the_likeliest_fifty(self) -> None:
        model = AutoModelForCausalLM.from_pretrained(self.tiny)
        likeliest = model(**self.prompt()).logits[0, -1].topk(50).indices
        fifty = {AutoTokenizer.from_pretrained(self.tiny).decode(token) for token in likeliest}
        hot = {"temperature": 2.0, "top_p": 1.0, "max_tokens": 1}
        self.assertFalse({self.pod.ask(QUESTION, seed=seed, **hot)["text"] for seed in range(12)} <= fifty)

    def test_answers_to_the_path_that_it_serves_alone(self) -> None:
        self.assertEqual(self.pod.status({"model": "tiny", "messages": [{"role": "user", "content": QUESTION}]}), 400)

    def test_ends_an_answer_at_a_stop_text(self) -> None:
        whole = self.pod.ask(QUESTION, **LIKELIEST)["text"]
        stop = whole[len(whole) // 2 :][:2]
        said = self.pod.ask(QUESTION, stop=[stop], **LIKELIEST)
        self.assertEqual(said["finish_reason"], "stop")
        self.assertTrue(whole.startswith(said["text"]) and len(said["text"]) < len(whole), (whole, said["text"]))

    def test_is_what_its_verdict_freezes(self) -> None:
        self.assertEqual(self.verdict["kind"], "Fetch")
        self.assertEqual(self.verdict["sources"]["model"]["uri"], MODEL_URI)
        self.assertEqual(len(self.verdict["sources"]["model"]["sha256"]), 64)


class AnAdapter(Served):
    """Weights that no training made: they move the answers all the more."""

    @classmethod
    def arrange(cls) -> dict[str, Any]:
        torch.manual_seed(5)
        config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        get_peft_model(AutoModelForCausalLM.from_pretrained(cls.tiny), config).save_pretrained(cls.folder / "adapter")
        files = {name: (cls.folder / "adapter" / name).read_bytes() for name in (CONFIG, WEIGHTS)}
        for name, content in files.items():
            cls.endpoint.put(f"{ADAPTER_URI}/{name}", content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        return {**super().arrange(), "adapter": {"run": "sft", "uri": ADAPTER_URI, "files": digests}}

    def test_answers_what_the_adapted_model_itself_answers(self) -> None:
        bare = AutoModelForCausalLM.from_pretrained(self.tiny)
        without = self.likeliest(bare)
        adapted = PeftModel.from_pretrained(bare, self.folder / "adapter")
        said = self.pod.ask(QUESTION, **LIKELIEST)["text"]
        self.assertEqual(said, self.likeliest(adapted))
        self.assertNotEqual(said, without)


class AModelWithoutTurns(Served):
    @classmethod
    def arrange(cls) -> dict[str, Any]:
        (cls.tiny / "chat_template.jinja").unlink()
        return super().arrange()

    def test_sees_the_prompt_as_it_was_trained_on_prompts(self) -> None:
        tokens = AutoTokenizer.from_pretrained(self.tiny)(QUESTION)["input_ids"]
        self.assertEqual(self.pod.ask(QUESTION, seed=7, **DRAWN)["usage"]["prompt_tokens"], len(tokens))


if __name__ == "__main__":
    unittest.main()
