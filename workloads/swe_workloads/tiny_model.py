"""Makes a tiny random Qwen2 with its own tokenizer, so that everything can be tried without a download.

    python -m swe_workloads.tiny_model <folder> [--seed 42]
    python -m swe_workloads.tiny_model <folder> --upload s3://bucket/prefix --credentials <folder of a mounted Secret>

Equal seeds give equal files. It can learn, but knows nothing.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swe_workloads.loading import uncollected
from swe_workloads.pod import say
from swe_workloads.sources import s3_client, split_uri

VOCABULARY = 2048
HIDDEN = 64
LAYERS = 2
# Five times the usual: with smaller frozen embeddings no adapter could move the loss far.
INITIALIZER_RANGE = 0.1
END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--upload", metavar="S3_URI")
    parser.add_argument("--credentials", type=Path, default=Path("/etc/swe-operator-credentials/model"))
    options = parser.parse_args()
    make(options.folder, options.seed)
    if options.upload:
        upload(options.folder, options.upload, options.credentials)


def make(folder: Path, seed: int, *, hidden: int = HIDDEN, layers: int = LAYERS) -> None:
    with uncollected():
        import torch
        import transformers
        from transformers import Qwen2Config, Qwen2ForCausalLM

    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(seed)
    tokenizer = make_tokenizer()
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=layers,
        initializer_range=INITIALIZER_RANGE,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids(TURN_END),
        pad_token_id=tokenizer.convert_tokens_to_ids(END_OF_TEXT),
        dtype=torch.float32,
    )
    model = Qwen2ForCausalLM(config)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    say(f"{folder}: {sum(weight.numel() for weight in model.parameters())} parameters, {len(tokenizer)} tokens.")


def make_tokenizer() -> Any:
    """Byte-level BPE, so every text can be written; trained on the source of this package's libraries."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END_OF_TEXT, TURN_START, TURN_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_text(), trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=TURN_END, pad_token=END_OF_TEXT)
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped


def training_text() -> Iterator[str]:
    """Source code and English that every Python has: the standard library's modules on text and tests."""
    import argparse as a
    import difflib as b
    import inspect
    import json.decoder as c
    import textwrap as d
    import unittest.case as e

    for module in (a, b, c, d, e):
        yield inspect.getsource(module)


def upload(folder: Path, uri: str, credentials: Path) -> None:
    client = s3_client(credentials)
    bucket, prefix = split_uri(uri.rstrip("/"))
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        client.upload_file(str(path), bucket, f"{prefix}/{path.name}")
        say(f"Uploaded {uri.rstrip('/')}/{path.name}")


if __name__ == "__main__":
    main()
