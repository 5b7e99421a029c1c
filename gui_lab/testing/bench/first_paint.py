"""How long from the start of the process to the first painted window, to pages, and to the first batch trained.

Each start is a new process of the real program, `gui_lab.__main__.main`, whose window is watched: it notes when what
has happened, begins to train as soon as it can, and leaves after the first batch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gui_lab.errors import LabError

PAINTED, TRAINED = "first paint", "first batch trained"
_LIMIT_SECONDS = 120
_BY_HAND = "Start it by hand to see more."


def measured(home: Path, starts: int) -> list[dict[str, float]]:
    """So many starts, after one that fills the system's caches: milliseconds by name, and `others`, the part of the
    processors that other programs took.

    Raises:
        LabError: the program did not get so far.
    """
    return [_once(home / "start") for _ in range(starts + 1)][1:]


def _once(home: Path) -> dict[str, float]:
    from gui_lab.testing.bench.processors import Others  # here: the new process imports what the program does

    others = Others()
    environment = {**os.environ, "GUI_LAB_HOME": str(home), "BORN": repr(time.time())}
    command = [sys.executable, "-m", __name__]
    try:
        child = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=_LIMIT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"The program trained nothing within {_LIMIT_SECONDS} s.", _BY_HAND) from error
    lines = child.stdout.splitlines()
    seen: dict[str, float] = json.loads(lines[-1]) if lines else {}
    if TRAINED not in seen:
        raise LabError(f"The program did not start: {child.stderr.strip()[-300:]}", _BY_HAND)
    return {**seen, "others": others.part()}


def main() -> None:
    """In the new process; nothing more than the program itself imports stands before it."""
    born = float(os.environ["BORN"])
    import gui_lab.__main__ as program
    from gui_lab.qt import app

    seen: dict[str, float] = {}
    furnish = app.Lab._furnish

    def note(name: str) -> None:
        seen.setdefault(name, 1000 * (time.time() - born))

    def show(lab: Any) -> None:
        lab.window.painted.connect(lambda: note(PAINTED))
        lab.window.show()

    def failed(failure: Any) -> None:
        print(failure.trace, file=sys.stderr)
        os._exit(1)  # the window would ask a person

    def furnished(lab: Any) -> None:
        furnish(lab)
        note("pages")
        session, control = lab.session, lab.control

        def begin() -> None:
            if not control.running and not control.why_not():
                note("ready to train")
                control.train()

        def advanced() -> None:
            if len(control.history.loss):
                note(TRAINED)
                lab.window.stop_and_quit()

        session.images_changed.connect(begin)
        session.ready_changed.connect(begin)
        control.advanced.connect(advanced)
        control.failed.connect(failed)

    watched: Any = app.Lab
    watched.show, watched._furnish = show, furnished
    program.main([])
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
