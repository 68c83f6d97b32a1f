"""Checkpoints with the structure of the trainer's, made without torch."""

import json
import zipfile
from pathlib import Path


def write_checkpoint(folder: Path, step: int, weights: str = "weights", ranks: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(safetensors(weights.encode()))
    (folder / "adapter_config.json").write_text(
        '{"base_model_name_or_path": "/work/model", "target_modules": ["b", "a"]}'
    )
    names = ["rng_state.pth"] if ranks == 1 else [f"rng_state_{rank}.pth" for rank in range(ranks)]
    for name in ["optimizer.pt", "scheduler.pt", *names]:
        write_archive(folder / name, f"{name} of step {step}".encode())
    state = {"global_step": step, "max_steps": 24, "log_history": []}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    return folder


def read_weights(folder: Path) -> str:
    content = (folder / "adapter_model.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    return content[8 + length :].decode()


def safetensors(content: bytes) -> bytes:
    tensor = {"dtype": "U8", "shape": [len(content)], "data_offsets": [0, len(content)]}
    header = json.dumps({"weights": tensor}).encode()
    return len(header).to_bytes(8, "little") + header + content


def write_archive(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("archive/data.pkl"), content)
