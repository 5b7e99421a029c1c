"""`gui-lab own`: begin a transform of one's own, and try whether it keeps to what a run needs.

Without `--trust-code` a file is only read: its classes and their fields are listed, and nothing of it is run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gui_lab import catalog, resources
from gui_lab.cli.documents import TrustCode
from gui_lab.cli.terminal import say
from gui_lab.core import own_code, trust
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.core.trust import Code
from gui_lab.errors import InvalidExperiment, StoreError

_SIDE = 32


def own(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="A Python file; written as an example if not there.")],
    trust_code: TrustCode = False,
) -> None:
    """Begin a transform of your own, or try the ones in a file.

    A file that is not there is written as an example. One that is there is read and its transforms are listed; with
    --trust-code they are run on a few pictures, and what would spoil a run is found.
    """
    if file.suffix != ".py":
        raise typer.BadParameter(f"{str(file)!r} does not end in .py.", param_hint="'FILE.py'")
    if not file.exists():
        _begin(file)
        return
    catalog.load()
    code = own_code.read(file)
    found = own_code.signatures(code)
    if not found:
        say(f"{file} has no transform: a class with __call__(self, picture).")
        raise typer.Exit(2)
    for one in found:
        fields = ", ".join(argument.name for argument in one.arguments) or "no fields"
        say(f"{one.name} ({fields}){', random' if one.random else ''}\n    {one.summary}")
    if not trust_code:
        say(f"\nNothing of it was run. To try it, read it and add --trust-code. {trust.NOT_CAGED}")
    elif not _try_all(code):
        raise typer.Exit(2)


def _begin(file: Path) -> None:
    try:
        file.write_text(resources.path("own_transform.py").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{file} could not be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    say(f"Wrote {file}. Try it with: gui-lab own {file} --trust-code")


def _try_all(code: Code) -> bool:
    """Whether all transforms of a file keep to the contract; those that need arguments are named and left out."""
    import torch

    from gui_lab.core.own_contract import kept

    trust.trust_for_this_process(code)
    pictures = torch.arange(4 * 3 * _SIDE * _SIDE).remainder(251).to(torch.uint8).view(4, 3, _SIDE, _SIDE)
    good = True
    for one in own_code.signatures(code):
        say(f"\n{one.name}")
        table = {"name": "Own", "file": str(code.path), "transform": one.name}
        try:
            transform = TRANSFORMS.parse(table, "transform")
        except InvalidExperiment:
            say("    not tried: it has fields without a default")
            continue
        for point in kept(transform, pictures):
            say(f"    {'no ' if point.fault else 'yes'}  {point.sentence}{': ' if point.fault else ''}{point.fault}")
            good = good and not point.fault
    return good
