"""Composition: which parts there are and in which order they come to life.

The empty frame is painted first; pages and catalogue follow in the next turn of the event loop; torch and
torchvision are imported by a thread, and what needs them starts when they are there. On Windows a frozen app must load
torch's libraries before Qt's: there, and only there, torch comes first.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform == "win32" and getattr(sys, "frozen", False):
    import torch  # noqa: F401 - for the order of the libraries

from PySide6.QtCore import QSocketNotifier, Qt, QThread, QTimer, Signal
from PySide6.QtWidgets import QApplication

from gui_lab.core import memory
from gui_lab.qt.settings import Settings
from gui_lab.qt.theme import THEME
from gui_lab.qt.window import Window

if TYPE_CHECKING:
    from gui_lab.qt.pages.page import Page

_TURN_SECONDS = 0.001


class Loader(QThread):
    """Imports the heavy libraries. `loaded` comes when training can start; torchvision follows after it."""

    loaded = Signal()
    failed = Signal(str)

    def run(self) -> None:
        """Called by Qt on the new thread."""
        try:
            for name in ("torch", "gui_lab.core.probing", "gui_lab.core.runs"):
                importlib.import_module(name)
            self.loaded.emit()
            importlib.import_module("torchvision.transforms.v2")
        except ImportError as error:
            self.failed.emit(str(error))


class Lab:
    """A furnished window with all that belongs to it; what tests, the demo and `run_window` build alike."""

    def __init__(self, *, file: Path | None = None, runs: Path | None = None) -> None:
        self.settings = Settings()
        THEME.hold_icons()
        THEME.choose(self.settings.scheme())
        self.window = Window(self.settings)
        self.loader = Loader()
        self._file, self._runs = file, runs
        self._pending = QTimer()
        self._pending.setSingleShot(True)
        self._pending.timeout.connect(self._furnish)
        self.window.painted.connect(lambda: self._pending.start(0))

    def show(self) -> None:
        """Show the frame; the rest follows its first paint."""
        self.window.show()

    def _furnish(self) -> None:
        if self.window.closed:
            return
        THEME.show_icons()
        from gui_lab import catalog

        catalog.load()

        from gui_lab.core import experiment
        from gui_lab.qt.runbar import RunBar
        from gui_lab.qt.running import RunControl
        from gui_lab.qt.session import Session

        self.session = Session(experiment.default(), parent=self.window)
        self.control = RunControl(self.session, self._runs)
        makers: dict[str, Callable[[], Page]] = {
            "Dataset": self._dataset,
            "Transforms": self._transforms,
            "Model": self._model,
            "Train": self._train,
            "Concepts": self._concepts,
        }
        self.window.furnish(self.session, self.control, makers, RunBar())
        if self._file is not None:
            self.window.open_file(self._file)
        if self.session.images is None:
            self.session.open_images()
        self.loader.loaded.connect(self.session.set_ready)
        self.loader.failed.connect(self._torch_is_missing)
        self.loader.start()

    def _dataset(self) -> Page:
        from gui_lab.qt.pages.dataset import DatasetPage

        return DatasetPage(self.session)

    def _transforms(self) -> Page:
        from gui_lab.qt.pages.transforms import TransformsPage

        return TransformsPage(self.session)

    def _model(self) -> Page:
        from gui_lab.qt.pages.model import ModelPage

        page = ModelPage(self.session)
        page.go.connect(self.window.go)
        return page

    def _train(self) -> Page:
        from gui_lab.qt.pages.train import TrainPage
        from gui_lab.qt.views.curve_tools import read, written

        page = TrainPage(self.session, self.control)
        page.curves.look = read(self.settings.curves(), page.curves.panes)
        page.curves.look_changed.connect(lambda look: self.settings.keep_curves(written(look)))
        return page

    def _concepts(self) -> Page:
        from gui_lab.qt.pages.concepts import ConceptsPage

        page = ConceptsPage(self.session, self.control)
        page.go.connect(self.window.go)
        return page

    def _torch_is_missing(self, reason: str) -> None:
        from gui_lab.errors import LabError

        self.window.banner.show_error(LabError(f"PyTorch cannot be loaded: {reason}.", "Install GUI Lab again."))

    def close(self) -> None:
        """Close without questions and wait for every thread."""
        self.window.stop_and_quit()
        if self.window.control is not None:
            self.window.control.close()
        self.window.close()
        self.loader.wait()
        self.window.deleteLater()


def application() -> QApplication:
    """The QApplication of this process, dressed; made where there is none.

    Threads take turns at Python every millisecond instead of every five: a window that waits for its turn five times
    in a frame has missed it.
    """
    memory.keep_freed()
    sys.setswitchinterval(_TURN_SECONDS)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
        app.setApplicationName("gui-lab")
        app.setApplicationDisplayName("GUI Lab")
        app.setDesktopFileName("org.gui_lab.GuiLab")
    THEME.install(app)
    return app


def run_window(file: Path | None = None, tell_start: bool = False) -> int:
    """Open the lab and stay until its window is closed; returns the exit status.

    Args:
        file: an experiment or a lesson to open.
        tell_start: print the seconds from the start of the process to the first paint, and leave.
    """
    from gui_lab.qt import report

    app = application()
    report.install()
    lab = Lab(file=file)
    lab.loader.finished.connect(memory.set_aside)
    interrupt = _Interrupt(lab)
    if tell_start:
        lab.window.painted.connect(lambda: _tell_start(lab), Qt.ConnectionType.QueuedConnection)
    lab.window.fit_screen()
    lab.show()
    status = app.exec()
    interrupt.close()
    lab.loader.wait()
    return interrupt.status or status


def _tell_start(lab: Lab) -> None:
    print(f"{_age():.3f}", flush=True)
    lab.window.stop_and_quit()


def _age() -> float:
    """Seconds since this process began. On Linux to a hundredth; psutil rounds the time of boot to whole seconds."""
    now, known = time.time(), Path("/proc/self/stat")
    if known.exists():
        ticks = known.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks) / os.sysconf("SC_CLK_TCK")
    import psutil

    return now - float(psutil.Process().create_time())


class _Interrupt:
    """Ctrl+C and SIGTERM end the run, keep its weights and close the window. Qt's loop does not run Python between
    events, so the signal's byte on a socket wakes it."""

    def __init__(self, lab: Lab) -> None:
        self.status = 0
        self._lab = lab
        self._reads, self._writes = socket.socketpair()
        self._writes.setblocking(False)
        signal.set_wakeup_fd(self._writes.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self._notifier = QSocketNotifier(self._reads.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._arrived)

    def _arrived(self) -> None:
        number = self._reads.recv(1)[0]
        if number in (signal.SIGINT, signal.SIGTERM):
            self.status = 128 + number
            self._lab.window.stop_and_quit()

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        self._notifier.setEnabled(False)
        self._reads.close()
        self._writes.close()


def use_offscreen() -> None:
    """Draw into memory instead of on a display; before the application is made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
