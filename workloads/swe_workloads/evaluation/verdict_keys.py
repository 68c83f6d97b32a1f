"""Names for what verdicts depend on: two predictions of one name come to the same verdict, whoever made them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from swe_workloads.evaluation.eval_file import EvalFile
from swe_workloads.evaluation.image_digests import ImagePins
from swe_workloads.evaluation.index import WORKDIR, Plan
from swe_workloads.evaluation.shelf import Place, Shelf

SCHEMA = 1  # another number forgets every verdict that was kept before
OWN_CODE = ("*.py", "*.sh")


def environment_of(spec: EvalFile) -> str:
    """What is the same for all predictions of an evaluation, this program's own code included: a tag may move."""
    return _digest(
        {
            "schema": SCHEMA,
            "environment": spec.cache.environment.model_dump() if spec.cache else None,
            "harness": spec.harness_version,
            "code": _code(),
            "format": spec.instances.format,
            "workdir": WORKDIR[spec.instances.format],
            "timeoutSeconds": spec.sandbox.timeout_seconds,
        }
    )


def verdict_keys(plan: Plan, spec: EvalFile, pins: ImagePins, shelf: Shelf) -> dict[int, str]:
    """By ordinal. What does not run by digest has none: its tests may be others tomorrow."""
    environment = environment_of(spec)
    instances: dict[Place, str] = {}
    keys: dict[int, str] = {}
    for ordinal, one in enumerate(plan.sandboxes):
        image = pins.pinned.get(one.instance.image)
        if image is None:
            continue
        place = one.instance.document
        if place not in instances:
            instances[place] = _digest(_without_names(json.loads(b"{" + shelf.get(place) + b"}")))
        patch = json.loads(shelf.get(one.document))["model_patch"]
        keys[ordinal] = _digest(
            {
                "environment": environment,
                "image": image.partition("@")[2],
                "instance": instances[place],
                "patch": patch,
            }
        )
    return keys


def _without_names(part: dict[str, object]) -> dict[str, object]:
    """Of an instance all but the name of its image: the same bytes may have several."""
    instance = part["instance"]
    assert isinstance(instance, dict)
    return {**part, "instance": {name: value for name, value in instance.items() if name != "image"}}


def _code() -> str:
    folder = Path(__file__).parent
    files = sorted(path for pattern in OWN_CODE for path in folder.glob(pattern))
    return _digest([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files])


def _digest(document: Mapping[str, object] | list[list[str]]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
