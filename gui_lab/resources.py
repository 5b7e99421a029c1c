"""The one place that opens files of `resources/`: in a source tree, in an installed wheel and in a frozen app."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_INSTALLED = _HERE / "_resources"


def path(name: str) -> Path:
    """The path of a resource such as "digits.npz".

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    found = (_INSTALLED if _INSTALLED.is_dir() else _HERE.parent / "resources") / name
    if not found.exists():
        raise FileNotFoundError(f"the resource {name} is missing: this installation of GUI Lab is incomplete")
    return found
