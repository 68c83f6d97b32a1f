"""A stand-in for an endpoint with which everything goes wrong that does, and a program that is one on a cluster."""

import argparse
import time
from pathlib import Path

from fake_chat_api import (
    FakeChatApi,
    break_off,
    break_off_chunk,
    break_off_document,
    document,
    repeat_key,
    status,
)

TROUBLES = (
    status(429, "slow down"),
    break_off,
    document(b"<html>Welcome</html>"),
    repeat_key,
    break_off_document,
    status(503, "busy"),
    break_off_chunk,
)


def make_bad(api: FakeChatApi, cursed: str) -> None:
    """Slow, with one trouble after the other, words with the key in them, and no answer to prompts with `cursed`."""
    api.delay_seconds, api.retry_after = 0.3, "1"
    api.faults = list(TROUBLES)
    api.fault_of = lambda body: status(500, "CUDA error") if cursed in body["messages"][0]["content"] else None
    api.answer = lambda _: f"I was sent {api.key} and have no patch."


def main() -> None:
    """Says how often it was asked, whenever that has changed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--cursed", required=True)
    told = parser.parse_args()
    api = FakeChatApi(key=told.key_file.read_text().strip(), address="0.0.0.0", port=told.port)
    make_bad(api, told.cursed)
    said = -1
    while True:
        if len(api.asked) != said:
            said = len(api.asked)
            print(f"asked {said} times", flush=True)
        time.sleep(0.2)


if __name__ == "__main__":
    main()
