"""A tokenizer that counts words, with the few methods that the programs use."""

from pathlib import Path
from typing import Any


class WordTokenizer:
    """A chat turn costs one token more than its words; asking for an answer costs one."""

    def __init__(self, chat_template: str | None = "words") -> None:
        self.chat_template: Any = chat_template
        self.eos_token: str | None = " <end>"

    def encode(self, text: str) -> list[int]:
        return [0] * len(text.split())

    def apply_chat_template(self, conversation: Any, **options: Any) -> list[int]:
        words = sum(1 + len(turn["content"].split()) for turn in conversation)
        if "forbidden" in str(conversation):
            raise ValueError("roles must alternate")
        return [0] * (words + int(options["add_generation_prompt"]))


def word_tokenizer(folder: Path, uri: str) -> WordTokenizer:
    return WordTokenizer()
