"""A run file as the operator writes it, for the tests to change."""

from pathlib import Path
from typing import Any

MODEL_URI = "s3://swe-operator/team/models/tiny"
# What an earlier run of the namespace left.
ADAPTER_URI = "s3://swe-operator/team/sft-uid/result/a1/adapter"
TOTAL_STEPS = 24
CHECKPOINT_EVERY = 4


def run_document(rows: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "run": {"namespace": "team", "name": "demo", "uid": "0b5e7c1a-run"},
        "method": "SFT",
        "engine": "TRL",
        "seed": 42,
        "model": {"kind": "S3", "uri": MODEL_URI, "credentials": "OwnPrefix"},
        "data": {
            "kind": "Files",
            "source": {"configMapFile": str(rows)},
            "format": "PromptCompletion",
            "select": {"seed": 42},
        },
        "split": {"trainPercent": 80, "by": "Instance", "seed": 42},
        "sequence": {"maxLength": 512, "lossOn": "Completion"},
        "lora": {
            "rank": 8,
            "alpha": 16,
            "dropout": "0.05",
            "targetModules": ["all-linear"],
            "quantization": "None",
        },
        "optimizer": {
            "algorithm": "AdamW",
            "learningRate": "5e-3",
            "scheduler": "Cosine",
            "warmupRatio": "0.05",
            "weightDecay": "0",
            "maxGradNorm": "1.0",
        },
        "batch": {"perDevice": 2, "gradientAccumulation": 2, "gradientCheckpointing": False},
        "duration": {"maxSteps": TOTAL_STEPS},
        "evaluation": {"strategy": "Steps", "everySteps": 6, "earlyStop": None},
        "checkpoint": {"strategy": "Steps", "everySteps": CHECKPOINT_EVERY, "keep": 3, "result": "Last"},
        "logging": {"everySteps": 1},
        "compute": {"gpus": 0, "ranks": 1, "gpuName": None, "gpuMemoryGi": None},
        "stallAfterSeconds": 1800,
        "engineOptions": {},
    }


def preferences_document(rows: Path) -> dict[str, Any]:
    """The same run as a comparison of answers."""
    document = run_document(rows)
    document["method"] = "DPO"
    document["data"] |= {"kind": "Preferences", "format": "Preferences"}
    document["sequence"] = {"maxLength": 512}
    document["lora"]["dropout"] = "0"
    document["dpo"] = {
        "beta": "0.1",
        "lossType": "Sigmoid",
        "labelSmoothing": "0",
        "referenceLogProbs": "EveryStep",
    }
    return document


def continuing(document: dict[str, Any], **files: str) -> dict[str, Any]:
    """The same run, beginning with the adapter of an earlier one; digests by the names of its files."""
    return document | {"adapter": {"run": "sft", "uri": ADAPTER_URI, "files": files}}
