"""What a test must not leave behind: running threads, active timers, busy pools, windows.

A leak crashes another test minutes later, far from its cause; so each is looked for after the test that made it. Only
objects that Python knows are found: Qt's own inner ones are Qt's affair. What was there before is remembered weakly,
since a watch that kept it alive would be a leak itself.

A process that has imported torch holds half a million objects, and to look through them takes half a second, twice a
test. So what is there at the start of a watch is frozen (`gc.freeze`), and only what came later is looked through.
"""

from __future__ import annotations

import atexit
import gc
import threading
from weakref import WeakSet

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QThread, QThreadPool, QTimer
from PySide6.QtWidgets import QApplication, QWidget

_KINDS = (QThread, QTimer, QThreadPool)
_ALREADY_THERE: WeakSet[QObject] = WeakSet()
"""What could be at work and is frozen by now: a timer that has long been there may be started by a test."""

atexit.register(gc.unfreeze)  # else libraries that count their objects at the end find them alive


class Watch:
    """Notes what is there, and later names what has come to it."""

    def __init__(self) -> None:
        gc.collect()
        _ALREADY_THERE.update(_watched())
        gc.freeze()
        self._before: WeakSet[QObject] = WeakSet([*_at_work(), *_windows()])
        self._threads: WeakSet[threading.Thread] = WeakSet(threading.enumerate())

    def left_behind(self) -> list[str]:
        """What was not there before and still is, in words; empty where all is clean."""
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        found = [_told(one) for one in _at_work() if one not in self._before]
        found += [f"window {_name(window)} is left" for window in _windows() if window not in self._before]
        found += [
            f"thread {thread.name!r} is running"
            for thread in threading.enumerate()
            if thread not in self._threads and not isinstance(thread, threading._DummyThread)  # Qt's, told above
        ]
        return found


def _at_work() -> list[QObject]:
    """Threads that run, timers that tick, and pools with a job in hand."""
    found = dict.fromkeys([QThreadPool.globalInstance(), *_ALREADY_THERE, *_watched()])
    return [one for one in found if shiboken6.isValid(one) and _works(one)]


def _watched() -> list[QObject]:
    """What could be at work, of all that is not frozen. A type is asked only once what it is."""
    watched: dict[type, bool] = {}
    found = []
    for one in gc.get_objects():
        kind = type(one)
        if kind not in watched:
            watched[kind] = issubclass(kind, _KINDS)
        if watched[kind]:
            found.append(one)
    return found


def _works(one: QObject) -> bool:
    if isinstance(one, QThread):
        return one.isRunning() and one is not QThread.currentThread()
    if isinstance(one, QTimer):
        return one.isActive()
    return isinstance(one, QThreadPool) and one.activeThreadCount() > 0


def _windows() -> list[QWidget]:
    app = QApplication.instance()
    return [top for top in app.topLevelWidgets() if shiboken6.isValid(top)] if isinstance(app, QApplication) else []


def _told(one: QObject) -> str:
    if isinstance(one, QThread):
        return f"QThread {_name(one)} is running"
    if isinstance(one, QTimer):
        return f"QTimer {_name(one)} of {_name(one.parent())} is active, every {one.interval()} ms"
    return f"QThreadPool {_name(one)} of {_name(one.parent())} is busy"


def _name(thing: QObject | None) -> str:
    return f"{type(thing).__name__} {thing.objectName()!r}" if thing is not None else "nobody"
