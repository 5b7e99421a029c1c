"""`gui-lab list`: the catalogue as text or JSON, straight from the declarations that forms and files come from.

Nothing is computed, so torch is never imported: the list is there in the time that Python takes to start.
"""

from __future__ import annotations

import enum
import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gui_lab import catalog
from gui_lab.cli.terminal import say
from gui_lab.core.concepts import CONCEPTS
from gui_lab.core.images import DATASETS
from gui_lab.core.learning import LOSSES, MODELS, OPTIMIZERS, SCHEDULERS, Training
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.schema import Knob, Registry, Spec, knobs

_WIDEST = 110  # columns; longer lines are hard to read


class Family(enum.StrEnum):
    """What can be listed."""

    datasets = "datasets"
    transforms = "transforms"
    models = "models"
    losses = "losses"
    optimizers = "optimizers"
    schedulers = "schedulers"
    training = "training"
    concepts = "concepts"


def list_entries(
    family: Annotated[Family, typer.Argument(help="What to list; training lists the settings of a run.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List what there is to choose.

    Each entry comes with its fields: their type, default, bounds, unit and help.
    """
    entries = list(_entries(family))
    if as_json:
        say(json.dumps([_record(entry) for entry in entries], indent=2))
        return
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for group in dict.fromkeys(entry.group for entry in entries):
        if group:
            say(f"{group}\n")
        for entry in entries:
            if entry.group == group:
                say("\n".join(_lines(entry, width)) + "\n")


def _entries(family: Family) -> Iterator[type[Spec]]:
    catalog.load()
    if family is Family.training:
        return iter((Training,))
    registries: dict[Family, Registry[Any]] = {
        Family.datasets: DATASETS,
        Family.transforms: TRANSFORMS,
        Family.models: MODELS,
        Family.losses: LOSSES,
        Family.optimizers: OPTIMIZERS,
        Family.schedulers: SCHEDULERS,
        Family.concepts: CONCEPTS,
    }
    return iter(registries[family])


def _record(entry: type[Spec]) -> dict[str, Any]:
    return {
        "name": entry.name_of(),
        "group": entry.group,
        "summary": entry.summary(),
        "fields": [_field(knob) | _holds(entry, knob) for knob in knobs(entry)],
    }


def _field(knob: Knob) -> dict[str, Any]:
    bounds = {("gt" if knob.low_open else "ge"): knob.low, ("lt" if knob.high_open else "le"): knob.high}
    return {
        "name": knob.name,
        "type": knob.kind,
        "default": None if knob.default is None else _plain(knob.default),
        "required": knob.required,
        "optional": knob.optional,
        "bounds": {key: bound for key, bound in bounds.items() if bound is not None},
        "choices": list(knob.choices),
        "unit": knob.unit,
        "help": knob.help,
    }


def _holds(entry: type[Spec], knob: Knob) -> dict[str, str]:
    """Of a field that holds other entries, which."""
    return {"holds": entry.holds[knob.name].noun} if knob.name in entry.holds else {}


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(member) for member in value]
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _lines(entry: type[Spec], width: int) -> Iterator[str]:
    yield f"  {entry.name_of()}"
    yield from textwrap.wrap(entry.summary(), width, initial_indent="    ", subsequent_indent="    ")
    fields = knobs(entry)
    if not fields:
        return
    names = max(len(knob.name) for knob in fields)
    kinds = max(len(_kind(knob)) for knob in fields)
    for knob in fields:
        head = f"      {knob.name:<{names}}  {_kind(knob):<{kinds}}  {_default(knob)}{_bounds(knob)}"
        yield head.rstrip()
        indent = " " * (10 + names)
        text = f"{knob.help} ({', '.join(map(str, knob.choices))})" if knob.choices else knob.help
        yield from textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)


def _kind(knob: Knob) -> str:
    kind = "tables" if knob.kind == "specs" else knob.kind  # as one writes them in a file
    return f"{kind}, {knob.unit}" if knob.unit else kind


def _default(knob: Knob) -> str:
    if knob.required:
        return "required"
    return "none" if knob.default is None else json.dumps(_plain(knob.default))


def _bounds(knob: Knob) -> str:
    low = "" if knob.low is None else f"{'>' if knob.low_open else '>='} {knob.low:,}"
    high = "" if knob.high is None else f"{'<' if knob.high_open else '<='} {knob.high:,}"
    both = " and ".join(bound for bound in (low, high) if bound)
    return f"  ({both})" if both else ""
