"""`gui-lab demo`: the lab drives itself, for a first look, for screenshots and to try an installation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gui_lab import display


def demo(
    offscreen: Annotated[bool, typer.Option("--offscreen", help="Draw in memory; no display is needed.")] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="How long it may take.")] = 30.0,
    screenshots: Annotated[
        Path | None, typer.Option("--screenshots", metavar="DIR", help="Keep a picture of each place here.")
    ] = None,
) -> None:
    """Let the lab show itself in its window.

    It walks through pictures, transforms, a training and the concepts on its own.
    """
    if offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    display.check()
    with display.missing_libraries_told():
        from gui_lab.testing.demo import run_demo
    raise typer.Exit(run_demo(offscreen, seconds, screenshots))
