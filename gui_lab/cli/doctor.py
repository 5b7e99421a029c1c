"""`gui-lab doctor`: what this installation is made of, where it keeps things, and whether it works.

It is the first thing to ask for when something does not start, so it needs no display and no picture, and every part
of it is tried on its own: one that fails is told and the others go on.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from gui_lab import __version__, display, paths, resources
from gui_lab.cli.terminal import say
from gui_lab.errors import DisplayError

_PACKAGES = (
    "torch", "torchvision", "numpy", "pillow", "PySide6_Essentials", "pydantic", "safetensors", "qtawesome", "tomlkit",
)  # fmt: skip
_PATHS: dict[str, Callable[[], Path]] = {
    "runs": paths.runs,
    "datasets": paths.datasets,
    "config": paths.config,
    "logs": paths.logs,
}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say what is installed, which devices there are, and try whether it all works.

    Exits with 1 where a part does not work.
    """
    found = {
        "gui_lab": {"version": __version__, "frozen": bool(getattr(sys, "frozen", False))},
        "versions": _versions(),
        "machine": _machine(),
        "display": _display(),
        "paths": {name: _place(path()) for name, path in _PATHS.items()},
        "self_test": {name: _tried(test) for name, test in _TESTS.items()},
    }
    works = all(result["works"] for result in found["self_test"].values())
    if as_json:
        say(json.dumps(found | {"works": works}, indent=2))
    else:
        _print(found)
        say("Everything works." if works else "Not everything works: see above.")
    raise typer.Exit(0 if works else 1)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not there"
    return found


def _machine() -> dict[str, Any]:
    facts: dict[str, Any] = {"system": platform.platform(), "processors": os.cpu_count()}
    try:
        import psutil

        facts["memory_gb"] = round(psutil.virtual_memory().total / 2**30, 1)
    except (ImportError, OSError) as error:  # a system that keeps it to itself
        facts["memory_gb"] = f"not told: {error}"
    try:
        from gui_lab.core import machine

        facts["devices"] = list(machine.devices())
    except (ImportError, OSError) as error:
        facts["devices"] = f"PyTorch cannot be loaded: {error}"
    return facts


def _display() -> dict[str, str]:
    """Whether a window could be opened, and what is missing for it."""
    facts = {key: os.environ.get(key, "") for key in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")}
    try:
        display.check()
    except DisplayError as error:
        return {**facts, "window": str(error)}
    return {**facts, "window": "can be opened"}


def _place(path: Path) -> dict[str, Any]:
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    return {"path": str(path), "writable": os.access(there, os.W_OK)}


# -------------------------------------------------------------------- trying


def _tried(test: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"works": True, "what": test()}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the doctor was called for
        return {"works": False, "what": f"{type(error).__name__}: {error}"}


def _resources() -> str:
    names = ("digits.npz", "lab.qss", "lessons")
    for name in names:
        resources.path(name)
    return f"{len(names)} of {len(names)} resources are there"


def _catalogue() -> str:
    from gui_lab import catalog
    from gui_lab.core.concepts import CONCEPTS
    from gui_lab.core.learning import MODELS
    from gui_lab.core.pipeline import TRANSFORMS

    catalog.load()
    return f"{len(TRANSFORMS.names())} transforms, {len(MODELS.names())} models, {len(CONCEPTS.names())} concepts"


def _transforms() -> str:
    import torch

    functional = importlib.import_module("torchvision.transforms.v2.functional")
    picture = torch.arange(64, dtype=torch.uint8).reshape(1, 8, 8)
    turned = functional.rotate(picture, 90)
    if turned[0, 0].tolist() != picture[0, :, -1].tolist():
        raise ValueError("a picture turned by 90 degrees is not what it should be")
    return "torchvision turns a picture"


def _training() -> str:
    from gui_lab import catalog
    from gui_lab.core import experiment
    from gui_lab.core.events import BatchTrained
    from gui_lab.core.images import opened
    from gui_lab.core.learner import Learner
    from gui_lab.core.training import train

    catalog.load()
    recipe = experiment.default().edited("training.epochs", 3).edited("training.device", "cpu")
    losses = [event.loss for event in train(Learner(recipe, opened(recipe.dataset))) if isinstance(event, BatchTrained)]
    if not losses[-1] < losses[0]:
        raise ValueError(f"the loss did not fall: from {losses[0]:.3f} to {losses[-1]:.3f}")
    return f"loss fell from {losses[0]:.2f} to {losses[-1]:.2f} in {len(losses)} batches"


def _writing() -> str:
    folder = paths.runs()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"gui-lab")
    return "runs can be kept"


def _qt() -> str:
    with display.missing_libraries_told():
        from gui_lab.qt.selftest import painted
    return painted()


_TESTS: dict[str, Callable[[], str]] = {
    "resources": _resources,
    "catalogue": _catalogue,
    "transforms": _transforms,
    "training": _training,
    "writing": _writing,
    "qt": _qt,
}


def _print(found: dict[str, Any]) -> None:
    for part, facts in found.items():
        say(part.replace("_", " "))
        width = max(len(name) for name in facts)
        for name, fact in facts.items():
            say(f"  {name:<{width}}  {_line(fact)}")
        say("")


def _line(fact: Any) -> str:
    if isinstance(fact, dict) and "works" in fact:
        return f"{'ok  ' if fact['works'] else 'FAIL'}  {fact['what']}"
    if isinstance(fact, dict):
        return f"{fact['path']}{'' if fact['writable'] else '  (cannot be written)'}"
    if isinstance(fact, list):
        return ", ".join(map(str, fact))
    return {True: "yes", False: "no"}.get(fact, str(fact)) if isinstance(fact, bool) else str(fact) or "-"
