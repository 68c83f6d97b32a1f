"""spec.engineOptions: what a run may tell TRL beyond the typed fields, read by TRL's own parser."""

import dataclasses
import difflib
import re
from argparse import Action, ArgumentError
from collections.abc import Mapping
from typing import Any

import trl
import yaml
from trl import DPOConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser

from swe_workloads.engine_option_tables import TABLES
from swe_workloads.exit_codes import ExitCode, Failure
from swe_workloads.run_file import Method

# What TRL's program of a method is configured with, beside what all have.
CONFIGS = {"SFT": SFTConfig, "DPO": DPOConfig}


class Refused(Exception):
    """Why one option cannot be used."""


def trl_parser(method: Method) -> Any:
    """The parser of `trl sft` or `trl dpo`; raises instead of ending the process."""
    return TrlParser(_dataclasses(method), exit_on_error=False)


def known_options(method: Method) -> frozenset[str]:
    return frozenset(field.name for kind in _dataclasses(method) for field in dataclasses.fields(kind) if field.init)


def read_options(options: Mapping[str, str], method: Method) -> dict[str, Any]:
    """Their values as TRL understands them. Raises Failure(INVALID_CONFIGURATION) that names every wrong one."""
    read: dict[str, Any] = {}
    problems = []
    for name, text in sorted(options.items()):
        try:
            read[name] = _read(name, text, method)
        except Refused as why:
            problems.append(f"engineOptions.{name}: {why}")
    if problems:
        raise Failure(ExitCode.INVALID_CONFIGURATION, "; ".join(problems) + ".")
    return read


def _dataclasses(method: Method) -> tuple[Any, ...]:
    return ScriptArguments, CONFIGS[method], ModelConfig


def _read(name: str, text: str, method: Method) -> Any:
    _refuse_name(name, method)
    parser = trl_parser(method)
    action = next(action for action in parser._actions if action.dest == name)
    try:
        # As on the command line, one option at a time: it knows types and choices, and says which one is wrong.
        value = getattr(parser.parse_known_args(_words(action, text))[0], name)
    except ArgumentError as error:
        raise Refused(f"must be {_expected(action)}, not {text!r}") from error
    possible = TABLES[method].possible.get(name)
    if possible is not None and value not in possible:
        raise Refused(f"must be {_any_of(possible)} in this trainer image, not {text!r}")
    if name in CONFIGS[method]._VALID_DICT_FIELDS:
        return _mapping(text)
    return [getattr(item, "value", item) for item in value] if isinstance(value, list) else value


def _mapping(text: str) -> dict[str, Any]:
    read = _yaml(text)
    if not isinstance(read, dict):
        raise Refused(f'must be a mapping such as {{"name": 1}}, not {text!r}')
    return read


def _refuse_name(name: str, method: Method) -> None:
    owned, refused = TABLES[method].owned, TABLES[method].refused
    if name in owned:
        raise Refused(f"set {owned[name]}")
    if name in refused:
        raise Refused(f"cannot be used: {refused[name]}")
    known = known_options(method)
    if name in known:
        return
    near = difflib.get_close_matches(_as_python(name), sorted(known - refused.keys()), n=1, cutoff=0.5)
    remedy = (
        f"; the nearest is {near[0]}" + (f", which is {owned[near[0]]}" if near[0] in owned else "") if near else ""
    )
    raise Refused(f"TRL {trl.__version__} has no such option{remedy}")


def _as_python(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def _words(action: Action, text: str) -> list[str]:
    flag = f"--{action.dest}"
    if action.nargs != "+":
        return [f"{flag}={text}"]
    items = _yaml(text)
    # A list as the documentation writes it, or words as the command line takes them.
    return [flag, *(map(str, items) if isinstance(items, list) else text.split())]


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _expected(action: Action) -> str:
    if action.choices:
        return _any_of([str(choice) for choice in action.choices])
    names = {"int": "a whole number", "float": "a number", "string_to_bool": "true or false"}
    kind = names.get(getattr(action.type, "__name__", ""), "text")
    return f"a list such as [a, b], each {kind}" if action.nargs == "+" else kind


def _any_of(words: Any) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else str(last)
