"""Where the image of an instance comes from: a naming scheme of another publisher, then a mirror."""

import re
from typing import Literal

from pydantic import Field

from swe_workloads.settings_file import Section

# How publishers spell an instance's id in the name of its image. None of them has capital letters.
_SPELLINGS = {"instance_id": "__", "instance_id_1776": "_1776_", "instance_id_s": "_s_"}
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")

# Whether images are run by digest: all of them, those whose digest can be had, or those alone whose name has one.
PinDigests = Literal["Required", "BestEffort", "Never"]


class Mirror(Section):
    """`replacement` takes the place of `prefix`."""

    prefix: str
    replacement: str


class Images(Section):
    template: str | None = None
    mirrors: list[Mirror] = Field(default_factory=list)
    pin_digests: PinDigests = "Never"


def image_of(instance_id: str, image: str, rules: Images) -> str:
    """The name to pull; of several mirrors the first one that fits counts."""
    named = image if rules.template is None else _filled(rules.template, instance_id.lower(), image)
    fitting = next((mirror for mirror in rules.mirrors if named.startswith(mirror.prefix)), None)
    return named if fitting is None else fitting.replacement + named.removeprefix(fitting.prefix)


def _filled(template: str, instance_id: str, image: str) -> str:
    words = {name: instance_id.replace("__", spelling) for name, spelling in _SPELLINGS.items()} | {"image": image}
    return _PLACEHOLDER.sub(lambda match: words[match[1]], template)
