"""The console script: no verb opens the window, a verb goes to the command line.

Each is imported only when it is asked for, and nothing heavy stands at the top of this module: what a person sees
first is the window, and every import before it is a moment of nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

_OF_QT = frozenset({"-platform", "-style", "-stylesheet", "-reverse", "-qwindowgeometry", "-display", "-session"})
"""Options that Qt reads by itself; a desktop's session manager passes the last one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window or run a verb; returns the exit status.

    Args:
        argv: the words after the program's name; None takes those of this process.
    """
    if getattr(sys, "frozen", False):  # the worker processes of a frozen app start here again, with words of their own
        import multiprocessing

        multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        from gui_lab import __version__

        print(f"gui-lab {__version__}")
        return 0
    if words == ["--tell-start"]:
        return _window([], tell_start=True)
    if not words or words[0] in _OF_QT or _is_experiment(words[0]):
        return _window(words)
    from gui_lab.cli import run

    return run(words)


def _window(words: list[str], tell_start: bool = False) -> int:
    from gui_lab import display
    from gui_lab.errors import DisplayError

    file = next((Path(word) for word in words if _is_experiment(word)), None)
    platform = words[words.index("-platform") + 1 :][:1] if "-platform" in words else []
    try:
        display.check(*platform)
        with display.missing_libraries_told():
            from gui_lab.qt.app import run_window
    except DisplayError as error:
        print(error, file=sys.stderr)
        return 1
    return run_window(file, tell_start)


def _is_experiment(word: str) -> bool:
    return word.lower().endswith(".lab") and not word.startswith("-")


if __name__ == "__main__":
    sys.exit(main())
