"""`gui-lab bench`: how fast the lab is on this machine, beside what it promises.

It opens the real window, so it says what a person gets who watches. Progress goes to stderr, the table or the record to
stdout; a goal that is missed is a figure and no error.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gui_lab import display, paths
from gui_lab.cli.terminal import complain, say
from gui_lab.errors import DisplayError

if TYPE_CHECKING:
    from gui_lab.testing.bench.figures import Figure

_FAIR = (
    "Both sides train the same pictures in batches of 64 with the same optimiser, measure on the same pictures after "
    "each epoch, and have opened their data set before the clock starts; they take turns, and each figure is the "
    "median of the rounds. others: the largest part of the processors that other programs took meanwhile."
)


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer pictures and a few seconds for each figure.")] = False,
    root: Annotated[
        Path | None,
        typer.Option("--root", metavar="DIR", help="Where MNIST and CIFAR-10 are, as torchvision lays them out."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Measure this alone; may be given many times.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.01, help="Of heartbeat for each network.", show_default="1")
    ] = None,
    offscreen: Annotated[bool, typer.Option("--offscreen", help="Draw in memory; no display is needed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document when all is measured.")] = False,
) -> None:
    """Measure how fast the lab is on this machine.

    Trains in the real window, without it, and by a script as the PyTorch tutorials write it, and compares. Nothing is
    downloaded: where MNIST or CIFAR-10 are missing, pictures of the same shape are made. Leave the machine alone while
    it runs.
    """
    from gui_lab.testing.bench.bench import OTHERS, QUICK, Bench, Effort, can_run, machine
    from gui_lab.testing.bench.cases import CASES

    can_run()
    names = [*(case.name for case in CASES), *OTHERS]
    unknown = [name for name in only or () if name not in names]
    if unknown:
        raise typer.BadParameter(f"there is no {unknown[0]!r}; there are {', '.join(names)}.", param_hint="'--only'")
    effort = QUICK if quick else Effort()
    if minutes is not None:
        effort = dataclasses.replace(effort, beat_seconds=60 * minutes)
    measured = Bench((root or paths.datasets()).absolute(), effort, complain)
    if not quick:
        complain("This takes about half an hour; --quick takes a few minutes.")
    on = {**machine(_chosen_display(offscreen)), "quick": quick}
    if as_json:
        figures = [figure.record() for figure in measured.figures(only or ())]
        say(json.dumps({"machine": on, "notes": measured.notes, "figures": figures}, indent=2))
        return
    for line in _heading(on):
        say(line)
    _show(measured.figures(only or ()))
    say()
    for note in (*measured.notes, _FAIR):
        say(note)


def _chosen_display(offscreen: bool) -> str:
    """Where the window is drawn: on the display, or in memory where there is none; of the children too."""
    if not offscreen:
        try:
            display.check()
        except DisplayError as error:
            complain(f"{error.sentence} The window is drawn in memory.")
            offscreen = True
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return os.environ.get("QT_QPA_PLATFORM") or ("wayland" if os.environ.get("WAYLAND_DISPLAY") else "default")


def _heading(on: dict[str, Any]) -> Iterator[str]:
    from gui_lab.testing.bench.figures import heading

    memory, usable = f"{on['memory_gib']:.0f} GiB", on["usable"]
    yield f"{on['name']}: {on['processor']}, {on['cores']} cores ({usable} usable), {memory}, {on['system']}"
    versions = ", ".join(f"{name} {on[name]}" for name in ("torch", "torchvision", "numpy", "PySide6"))
    yield f"GUI Lab {on['gui_lab']}, Python {on['python']}, {versions}; window: {on['qt_platform']}"
    if on["quick"]:
        yield "Quick: few pictures and short times, so figures scatter, and short epochs cost more than long ones."
    yield ""
    yield from heading()


def _show(figures: Iterator[Figure]) -> None:
    """Line by line as they come, under the title of what belongs together."""
    from gui_lab.testing.bench.figures import aligned

    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            say(group)
        say(aligned(figure.cells()))
