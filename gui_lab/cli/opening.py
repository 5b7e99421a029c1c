"""`gui-lab open`: the window with an experiment or a lesson in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gui_lab import display


def open_file(file: Annotated[Path, typer.Argument(help="An experiment or a lesson (*.lab).")]) -> None:
    """Open the window with an experiment or a lesson.

    What cannot be read is told here, before a window opens.
    """
    from gui_lab import catalog
    from gui_lab.core import experiment, lessons

    catalog.load()
    lessons.load(file) if lessons.is_lesson(file) else experiment.load(file)
    display.check()
    with display.missing_libraries_told():
        from gui_lab.qt.app import run_window
    raise typer.Exit(run_window(file))
