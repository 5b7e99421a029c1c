"""What happens to a bug: it is written to a log and shown once, with a button that copies the report. Nothing is sent.

Also faults that kill the process leave a trace: `faulthandler` writes to the same folder.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from types import TracebackType
from typing import IO

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

import gui_lab
from gui_lab import paths

_LOG = logging.getLogger("gui_lab")


class _Reporter(QObject):
    """Carries a report from any thread to the window's."""

    arrived = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._box: QMessageBox | None = None
        self._shown: set[str] = set()
        self._crashes: IO[str] | None = None
        self.arrived.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def write_crashes_to(self, file: IO[str]) -> None:
        self._crashes = file
        faulthandler.enable(file)

    def _show(self, report: str) -> None:
        if self._box is not None or report in self._shown:  # one dialog, not a loop of them; the log has them all
            return
        self._shown.add(report)
        box = self._box = QMessageBox(QApplication.activeWindow())
        box.setObjectName("report")
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("GUI Lab")
        box.setText("Something went wrong inside GUI Lab. Your experiment is still open.")
        box.setInformativeText(f"The report is in {paths.logs() / 'gui-lab.log'}. Nothing was sent anywhere.")
        box.setDetailedText(report)
        copy = box.addButton("Copy report", QMessageBox.ButtonRole.ActionRole)
        copy.setObjectName("report.copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        box.addButton(QMessageBox.StandardButton.Close).setObjectName("report.close")
        box.finished.connect(self._closed)
        box.open()

    def _closed(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            box.deleteLater()


_REPORTER: _Reporter | None = None


def install() -> None:
    """From now on, unexpected errors of every thread are logged and shown."""
    global _REPORTER
    _REPORTER = _Reporter()
    try:
        paths.logs().mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(paths.logs() / "gui-lab.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _LOG.addHandler(handler)
        _REPORTER.write_crashes_to((paths.logs() / "crash.log").open("a", encoding="utf-8"))
    except OSError as error:  # a read-only home must not keep the lab from opening
        print(f"gui-lab: no log is kept: {error}", file=sys.stderr)
    sys.excepthook = _unexpected
    threading.excepthook = _unexpected_in_thread


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    report = f"GUI Lab {gui_lab.__version__}\n" + "".join(traceback.format_exception(kind, error, trace))
    _LOG.error(report)
    print(report, file=sys.stderr)
    if _REPORTER is not None:
        _REPORTER.arrived.emit(report)


def _unexpected_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _unexpected(args.exc_type, args.exc_value, args.exc_traceback)
