"""The two thread idioms of the window.

`RunThread` is one long stream: it iterates a run and appends what it says to a mailbox, which the window empties ten
times a second. It never calls into the window; between two batches it lets it have its turn (`turns.py`). What it does
for each batch is paid a thousand times a second, so nothing is imported there: beside PySide an import statement takes
ten microseconds even where the module is known. `Latest` is for previews: only the newest request matters, older ones
are dropped before they start, and nothing queues up while a slider moves.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRunnable, QThread, QThreadPool, Signal

from gui_lab.core.concepts import Weights
from gui_lab.core.events import BatchTrained, EpochEnded, RunEnded
from gui_lab.qt.turns import TURNS

if TYPE_CHECKING:
    from gui_lab.core.batch_view import BatchViewer
    from gui_lab.core.own_picture import OwnPicture
    from gui_lab.core.probing import Prober
    from gui_lab.core.runs import Run

_PROBE_SECONDS = 0.09  # a little less than from pull to pull: each of them finds news
_VIEW_SECONDS = 0.5
_COPY_SECONDS = 0.5
_REST_MILLISECONDS = 1_000
"""After which a thread that has nothing to do ends, and with it the team that GNU's OpenMP made for it: where the
threads of all teams are more than the processors none of them waits awake for its next layer, and a run of small layers
takes twice as long."""
_COPIED_AT_MOST = 2_000_000  # parameters: a few milliseconds, a few megabytes


@dataclass(frozen=True)
class Failed:
    """An exception that ended a worker, with its traceback as text."""

    error: BaseException
    trace: str

    @classmethod
    def now(cls, error: BaseException) -> Failed:
        return cls(error, "".join(traceback.format_exception(error)))


class RunThread(QThread):
    """Trains on a thread of its own. Everything it has to say goes into `mailbox`, oldest first: events of the run,
    `Probed` and `BatchView`, and `Failed` as the last thing if it failed."""

    def __init__(self, begin: Callable[[], Run], *, batches: int | None = None, parent: QObject | None = None) -> None:
        """
        Args:
            begin: makes the run; called on the new thread.
            batches: pause after so many batches; None trains on.
        """
        super().__init__(parent)
        self.mailbox: deque[Any] = deque()
        self.pins: tuple[int, ...] = ()
        self.own: tuple[OwnPicture, ...] = ()
        """Pictures of a person's own that are pinned beside those of the data set."""
        self.watched = False
        """Whether the current batch is looked at while it trains on; when it waits it always is."""
        self.weights_wanted = False
        """Whether the weights are copied while it trains on; those of each epoch's end are, where they are small."""
        self.held = 0
        """An epoch that a person may be about to branch from: it is kept as long as this says so."""
        self._begin = begin
        self._allowed = batches
        self._to_epoch_end = False
        self._stopping = False
        self._changes: deque[tuple[str, float]] = deque()
        self._changed = threading.Condition()

    def carry_on(self) -> None:
        """Train until told otherwise."""
        self._tell(allowed=None)

    def pause(self) -> None:
        """Wait after the batch in hand."""
        self._tell(allowed=0)

    def batches(self, count: int) -> None:
        """Train so many more batches, then wait."""
        self._tell(allowed=count)

    def one_epoch(self) -> None:
        """Train to the end of the epoch, validation included, then wait."""
        self._tell(allowed=None, to_epoch_end=True)

    def change(self, setting: str, value: float) -> None:
        """Change a setting of the run before its next batch."""
        with self._changed:
            self._changes.append((setting, value))
            self._changed.notify_all()

    def stop(self) -> None:
        """End after the batch in hand and keep the weights. Calling it twice is harmless."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _tell(self, allowed: int | None, to_epoch_end: bool = False) -> None:
        with self._changed:
            self._allowed, self._to_epoch_end = allowed, to_epoch_end
            self._changed.notify_all()

    def run(self) -> None:
        """Called by Qt on the new thread; nothing may escape from it."""
        try:
            self._train(self._begin())
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: what it is goes to the window, whole
            self.mailbox.append(Failed.now(error))

    def _train(self, run: Run) -> None:
        events, looks = run.events(), _Looks(self, run)
        try:
            for event in events:
                self.mailbox.append(event)
                if run.replaying:  # what another run said: there is nothing to steer yet
                    looks.pass_over(event)
                    if self._stopping:
                        break
                    continue
                self._count(event)
                looks.after(event, last_word=isinstance(event, RunEnded) or self._allowed == 0)
                TURNS.pass_on()
                if not self._may_go_on(run, looks):
                    break
        except Exception as error:  # noqa: BLE001 - handed to the run, which records it and raises it again
            events.throw(error)
        finally:
            events.close()
            if run.ending is not None and run.ending.reason in ("stopped", "failed"):  # nobody was left to yield it to
                self.mailbox.append(run.ending)

    def _count(self, event: object) -> None:
        if not self._allowed and not self._to_epoch_end:
            return
        with self._changed:
            if isinstance(event, BatchTrained) and self._allowed:
                self._allowed -= 1
            elif isinstance(event, EpochEnded) and self._to_epoch_end:
                self._allowed, self._to_epoch_end = 0, False

    def _may_go_on(self, run: Run, looks: _Looks) -> bool:
        """Take over what was changed; wait while paused, showing newly pinned pictures meanwhile; False to stop."""
        self._take_over(run)
        if self.waits and run.ending is None:
            self.mailbox.append(run.paused())
            while self.waits:
                with self._changed:
                    self._changed.wait_for(lambda: not self.waits, 0.1)
                self._take_over(run)
                looks.while_paused()
        return not self._stopping

    @property
    def waits(self) -> bool:
        """Whether it is told to wait for a person after the batch in hand, and not to stop."""
        return self._allowed == 0 and not self._stopping

    def _take_over(self, run: Run) -> None:
        run.keeper.held = self.held
        while self._changes:
            changed = run.change(*self._changes.popleft())
            if changed is not None:
                self.mailbox.append(changed)


class _Looks:
    """What is shown of a run beside its events: softmax outputs of the pinned pictures and the current batch, as often
    as eyes can follow. On the thread of the run."""

    def __init__(self, thread: RunThread, run: Run) -> None:
        self._thread, self._run = thread, run
        self._epoch = self._iteration = 0
        self._probed_at = self._viewed_at = self._copied_at = float("-inf")
        self._last_at = time.monotonic()
        self._probed: tuple[tuple[int, ...], tuple[OwnPicture, ...]] | None = None
        self._prober: Prober | None = None
        self._viewer: BatchViewer | None = None

    def after(self, event: object, last_word: bool) -> None:
        """Look where it is time to, or where nothing comes for a while."""
        trained, of_epoch = isinstance(event, BatchTrained), isinstance(event, EpochEnded)
        self.pass_over(event)
        now = time.monotonic()
        soon, self._last_at = now + (now - self._last_at) / 2, now  # rather a little early than a batch late
        if (last_word or soon - self._probed_at >= _PROBE_SECONDS) and any(self._wanted):
            self._probe()
        due = self._thread.watched and now - self._viewed_at >= _VIEW_SECONDS
        if trained and (last_word or due):
            self._view()
        due = self._thread.weights_wanted and (last_word or now - self._copied_at >= _COPY_SECONDS)
        if (of_epoch or (trained and due)) and self._run.learner.parameters <= _COPIED_AT_MOST:
            self._copy(of_epoch)

    def pass_over(self, event: object) -> None:
        """Note where the run is."""
        if isinstance(event, BatchTrained):
            self._epoch, self._iteration = event.epoch, event.iteration

    def while_paused(self) -> None:
        if self._wanted != self._probed:
            self._probe()

    @property
    def _wanted(self) -> tuple[tuple[int, ...], tuple[OwnPicture, ...]]:
        return self._thread.pins, self._thread.own

    def _probe(self) -> None:
        if self._prober is None:
            from gui_lab.core.probing import Prober

            self._prober = Prober(self._run.learner)
        pins, own = self._probed = self._wanted
        self._probed_at = time.monotonic()
        self._thread.mailbox.append(self._prober.look(pins, self._epoch, self._iteration, own))

    def _copy(self, of_epoch: bool) -> None:
        self._copied_at = time.monotonic()
        state = {key: value.detach().cpu().clone() for key, value in self._run.learner.model.state_dict().items()}
        self._thread.mailbox.append(Weights(self._epoch, self._iteration, state, of_epoch))

    def _view(self) -> None:
        if self._viewer is None:
            from gui_lab.core.batch_view import BatchViewer

            self._viewer = BatchViewer(self._run.learner)
        self._thread.mailbox.append(self._viewer.look(self._epoch, self._iteration))
        self._viewed_at = time.monotonic()  # asked when it is done: a look at a large network is not cheap


class _Job(QRunnable):
    def __init__(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        super().__init__()
        self._work, self._done = work, done

    def run(self) -> None:
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: handed on whole
            result = Failed.now(error)
        self._done(result)


class Latest(QObject):
    """Computes on one background thread; of several requests only the newest is computed and delivered.

    `arrived` carries the result of the newest request, on the window's thread; `failed` carries a `Failed`.
    """

    arrived = Signal(object)
    failed = Signal(object)
    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setExpiryTimeout(_REST_MILLISECONDS)
        self._waiting: Callable[[], Any] | None = None
        self._closed = False
        self.busy = False
        self._finished.connect(self._deliver)

    def ask(self, work: Callable[[], Any]) -> None:
        """Compute `work()` in the background. It must not touch widgets."""
        self._waiting = work
        if not self.busy and not self._closed:
            self._start()

    def forget(self) -> None:
        """Drop what waits and what is computed now."""
        self._waiting = None if not self.busy else _nothing

    def close(self) -> None:
        """Wait for the job in hand; nothing is delivered any more. Twice is harmless."""
        self._waiting, self._closed = None, True
        self._pool.waitForDone()

    def _start(self) -> None:
        work, self._waiting = self._waiting, None
        assert work is not None
        self.busy = True
        self._pool.start(_Job(work, self._finished.emit))

    def _deliver(self, result: Any) -> None:
        self.busy = False
        if self._closed:
            return
        if self._waiting is not None:  # a newer request makes this result stale
            self._start()
        elif isinstance(result, Failed):
            self.failed.emit(result)
        elif result is not _NOTHING:
            self.arrived.emit(result)


_NOTHING = object()


def _nothing() -> object:
    return _NOTHING
