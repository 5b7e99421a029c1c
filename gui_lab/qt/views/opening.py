"""How far the opening of a data set is, how long it still takes, and a way out."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui_lab.core.images import Progress
from gui_lab.qt import words
from gui_lab.qt.theme import M, label, with_icon

_WIDTH = 400
_STEPS = 1000
_TOLD_AFTER = 2.0  # seconds, before which a rate says nothing
_WORTH_TELLING = 10.0  # seconds


class Opening(QWidget):
    """What is done, a bar, the amount, and `cancel`."""

    def __init__(self) -> None:
        super().__init__()
        self._doing = ""
        self._since = 0.0
        self.doing = label("", "section", wrap=True, name="dataset.opening.doing")
        self.amount = label("", "quiet", name="dataset.opening.amount")
        self.bar = QProgressBar()
        self.bar.setObjectName("dataset.opening.bar")
        self.bar.setAccessibleName("Progress of opening")
        self.cancel = QPushButton("Cancel")
        self.cancel.setObjectName("dataset.cancel")
        self.cancel.setAccessibleName("Cancel opening")
        with_icon(self.cancel, "x")
        column = QVBoxLayout()
        column.setSpacing(M)
        column.addStretch(2)
        for part in (self.doing, self.bar, self.amount):
            part.setFixedWidth(_WIDTH)
            column.addWidget(part)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(3)
        middle = QHBoxLayout(self)
        middle.addStretch(1)
        middle.addLayout(column)
        middle.addStretch(1)

    def forget(self) -> None:
        """The next progress is that of another opening."""
        self._doing = ""

    def show_progress(self, progress: Progress) -> None:
        if progress.doing != self._doing:
            self._doing, self._since = progress.doing, time.monotonic()
        self.doing.setText(progress.doing)
        self.bar.setRange(0, _STEPS if progress.total else 0)
        if progress.total:
            self.bar.setValue(min(_STEPS * progress.done // progress.total, _STEPS))
        seconds = time.monotonic() - self._since
        self.amount.setText(_amount(progress) + _left(progress, seconds))


def _amount(progress: Progress) -> str:
    if not progress.unit:
        return ""
    if progress.unit == "bytes":
        done, total, unit = progress.done / 1e6, progress.total / 1e6, f"{words.THIN}MB"
        return f"{done:,.1f} of {total:,.1f}{unit}" if total else f"{done:,.1f}{unit}"
    of = f" of {words.count(progress.total)}" if progress.total else ""
    return f"{words.count(progress.done)}{of} {progress.unit}"


def _left(progress: Progress, seconds: float) -> str:
    """How long it still takes, once that can be told and is worth telling."""
    if not progress.total or not progress.done or seconds < _TOLD_AFTER:
        return ""
    left = seconds * (progress.total - progress.done) / progress.done
    return f", {words.clock(left)} left" if seconds + left >= _WORTH_TELLING else ""
