"""What trains for a moment before a run: the learning rate finder and the trial of the time budget.

A generator of core goes on a thread of its own. What it says waits in `said` until a timer fetches it, so that a fast
network does not flood the window; stopping it takes as long as the batch in hand. As long as it goes on no run can
start, for torch's generator serves one at a time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from gui_lab.qt.running import RunControl
from gui_lab.qt.threads import Failed, Latest

_PULL_MILLISECONDS = 50
_STOPPED = object()


class Rehearsal(QObject):
    """
    `advanced` carries what was said since the last time, oldest first. Then exactly one follows: `ended` with what the
    generator returned, `stopped`, or `failed` with a `Failed`; by then a run may start again.
    """

    advanced = Signal(object)
    ended = Signal(object)
    stopped = Signal()
    failed = Signal(object)

    def __init__(self, control: RunControl, why: str, parent: QObject) -> None:
        """
        Args:
            why: no run can start meanwhile, in a sentence.
        """
        super().__init__(parent)
        self._control, self._why = control, why
        self._said: deque[Any] = deque()
        self._cancelled = threading.Event()
        self._worker = Latest(self)
        self._worker.arrived.connect(self._arrived)
        self._worker.failed.connect(self._failed)
        self._timer = QTimer(self)
        self._timer.setInterval(_PULL_MILLISECONDS)
        self._timer.timeout.connect(self._pull)

    @property
    def busy(self) -> bool:
        return self._worker.busy

    def begin(self, generator: Callable[[], Generator[Any, None, Any]]) -> None:
        """Make a generator and go through it on the other thread; it must not touch widgets. There must be no run, and
        none of the kind may be under way."""
        assert not self.busy
        assert not self._control.running
        self._said.clear()
        self._cancelled = threading.Event()
        self._timer.start()
        self._worker.ask(partial(_gone_through, generator, self._said, self._cancelled))
        self._control.hold(self._why)

    def stop(self) -> None:
        """End after the batch in hand; twice is harmless."""
        self._cancelled.set()

    def close_down(self) -> None:
        """Stop, wait for the batch in hand, and say no more."""
        self.stop()
        self._timer.stop()
        busy = self.busy
        self._worker.close()
        if busy:
            self._control.hold("")

    def _pull(self) -> None:
        said = [self._said.popleft() for _ in range(len(self._said))]
        if said:
            self.advanced.emit(said)

    def _arrived(self, result: Any) -> None:
        self._over()
        if result is _STOPPED:
            self.stopped.emit()
        else:
            self.ended.emit(result)

    def _failed(self, failed: Failed) -> None:
        self._over()
        self.failed.emit(failed)

    def _over(self) -> None:
        self._timer.stop()
        self._pull()
        self._control.hold("")


def _gone_through(
    generator: Callable[[], Generator[Any, None, Any]], said: deque[Any], cancelled: threading.Event
) -> Any:
    """What the generator returned, or that it was stopped."""
    with closing(generator()) as going:
        while not cancelled.is_set():
            try:
                said.append(next(going))
            except StopIteration as end:
                return end.value
    return _STOPPED
