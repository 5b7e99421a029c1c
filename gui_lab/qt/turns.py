"""The window and the run take turns.

Both are Python, of which one line runs at a time. A window that paints beside a run asks for Python's lock with each
line, and gives it back with each of Qt's small objects that it lets go of; each time the other one is woken, mostly for
nothing. Measured with a small network on two cores: painting that takes 9 % of a core alone took 17 % of the run's
speed. So what is painted of a run waits until the run has a batch behind it; the run then sleeps until it is painted.
To fall asleep and come back takes it some tenths of a millisecond more, so what belongs together joins one turn.

A run whose batches take long is neither waited for nor put to sleep: torch computes without the lock then, and on more
than one thread, all of which would stand still for a window that needs one. On two cores, watched without turns, the
two-conv network (30 ms a batch) keeps 0.03 more of its speed than with them, LeNet (7 ms) 0.04 less.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal
from shiboken6 import isValid

_TURN_SECONDS = 0.003
"""No other work is begun in a turn after so long, painting included: the window answers in between."""
_SLEEP_SECONDS = 0.02
"""The run sleeps no longer, whatever the window does."""
_PATIENCE_MILLISECONDS = 15
"""What is to be painted waits no longer for the end of a batch, and not at all where the last one took as long."""


class Turns(QObject):
    """For the thread of the window, but for `pass_on`."""

    _granted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._work: deque[Callable[[], object]] = deque()
        self._runs = self._asked = self._turning = False
        self._took = 0.0  # by the last batch, seconds
        self._passed = float("inf")  # so that the first one did not take long
        self._over = threading.Event()
        self._patience = QTimer(self, singleShot=True)
        self._patience.timeout.connect(self._turn)
        self._granted.connect(self._turn)

    def expect(self, runs: bool) -> None:
        """Whether a run goes on from now on, which will `pass_on`; what still waits is done soon where it does not."""
        self._runs = runs
        if self._work and not runs:
            self._patience.start(0)

    def ask(self, work: Callable[[], object]) -> None:
        """Do this in the next turn and paint what it changes; at once where no run goes on."""
        if not self._runs and not self._work:
            work()
        elif work not in self._work:
            self._work.append(work)
            self._ask()

    def join(self, work: Callable[[], object]) -> bool:
        """Do this too, and paint what it changes, in the turn that goes on, where one does; says whether."""
        if self._turning and work not in self._work:
            self._work.append(work)
        return self._turning

    def _ask(self) -> None:
        if not self._patience.isActive():
            waits = self._runs and 1000 * self._took < _PATIENCE_MILLISECONDS
            self._patience.start(_PATIENCE_MILLISECONDS if waits else 0)
            self._asked = waits

    def close_down(self) -> None:
        """The window closes: what waits is not painted any more."""
        self._work.clear()
        self._patience.stop()
        self._asked = False

    def pass_on(self) -> None:
        """For the thread of the run, between two batches: sleep while the window has its turn, if it asked for one."""
        now = time.perf_counter()
        self._took, self._passed = now - self._passed, now
        if self._asked:
            self._asked = False
            self._over.clear()
            self._granted.emit()
            self._over.wait(_SLEEP_SECONDS)
            self._passed = time.perf_counter()

    def _turn(self) -> None:
        self._patience.stop()
        self._asked, self._turning = False, True
        began = time.perf_counter()
        try:
            while self._work and time.perf_counter() - began < _TURN_SECONDS:
                work = self._work.popleft()
                if isValid(getattr(work, "__self__", None)):  # it may have been closed meanwhile
                    work()
                    QCoreApplication.sendPostedEvents(None, QEvent.Type.UpdateRequest.value)
        finally:
            self._turning = False
            self._over.set()
            if self._work:
                self._ask()


TURNS = Turns()
