"""Words on a terminal: what is printed is safe, aligned and says numbers the way the window does.

A document's names and paths are somebody else's text. Control and direction characters in them are printed as escapes,
so that a file cannot move the cursor or hide a line.
"""

from __future__ import annotations

import contextlib
import io
import math
import sys
import time
from collections.abc import Generator, Iterator

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from gui_lab.core.images import Dataset, ImageSet, Progress
from gui_lab.errors import StoreError
from gui_lab.schema import Problem

_SECONDS_BETWEEN_LINES = 5.0


def survive_any_text() -> None:
    """Print what this terminal's encoding does not have as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """A line of the result.

    Raises:
        BrokenPipeError: nobody reads any more.
        StoreError: stdout goes to a file that cannot be written.
    """
    try:
        print(printable(text), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StoreError(f"The output could not be written: {error.strerror}.", "Free some space.") from error


def complain(text: str) -> None:
    """A line about what went wrong or is going on."""
    print(printable(text), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text with everything that does not print, except line ends, written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def problem_lines(problem: Problem) -> list[str]:
    """A problem with its repairs, indented for a list."""
    odd = "warning: " if problem.severity == "warning" else ""
    path = f"{problem.path}: " if problem.path else ""
    remedies = ["Read the code, then add --trust-code" if r.path == "code" else r.label for r in problem.repairs]
    return [f"  {path}{odd}{problem.sentence}", *(f"    remedy: {remedy}" for remedy in remedies)]


def clock(seconds: float) -> str:
    """0:42, 1:02:03; "-" where it is not known."""
    if not math.isfinite(seconds):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(part: float) -> str:
    """93.4 %; "-" where it is not known."""
    return f"{100 * part:.1f} %" if math.isfinite(part) else "-"


def count(number: float) -> str:
    """12,345; "-" where it is not known."""
    return f"{number:,.0f}" if math.isfinite(number) else "-"


def opened(dataset: Dataset, download: bool = False) -> ImageSet:
    """Open a data set and show on stderr how far it is.

    Raises:
        DataError: its pictures cannot be used, or are not here and `download` is not given.
    """
    images: list[ImageSet] = []

    def steps() -> Generator[Progress, None, None]:
        images.append((yield from dataset.open(download)))

    with contextlib.closing(steps()) as opening:
        if Console(stderr=True).is_terminal:
            _show_as_bar(opening)
        else:
            _show_as_lines(opening)
    return images[0]


def busy(doing: str) -> contextlib.AbstractContextManager[object]:
    """Say on stderr what takes a moment, where a person may be waiting."""
    console = Console(stderr=True)
    return console.status(doing) if console.is_terminal else contextlib.nullcontext()


def _show_as_bar(steps: Iterator[Progress]) -> None:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(24), TextColumn("{task.fields[amount]}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, amount="")
        for step in steps:
            total = step.total or None
            bar.update(task, description=printable(step.doing), completed=step.done, total=total, amount=_amount(step))


def _show_as_lines(steps: Iterator[Progress]) -> None:
    doing, told = "", 0.0
    for step in steps:
        now = time.monotonic()
        if step.doing != doing or now - told >= _SECONDS_BETWEEN_LINES:
            amount = _amount(step) if step.doing == doing else ""
            complain(f"{step.doing}  {amount}".rstrip())
            doing, told = step.doing, now


def _amount(step: Progress) -> str:
    if step.unit == "bytes":
        of = f" of {step.total / 1e6:,.1f}" if step.total else ""
        return f"{step.done / 1e6:,.1f}{of} MB"
    if not step.total:
        return f"{step.done:,} {step.unit}".rstrip() if step.done else ""
    return f"{step.done:,} of {step.total:,} {step.unit}".rstrip()
