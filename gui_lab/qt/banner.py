"""The banner under the title: an expected error with its remedy, a bug with its report. It never covers the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton

from gui_lab.errors import LabError
from gui_lab.qt.theme import L, M, S, label, with_icon
from gui_lab.qt.views.problem_lines import retire
from gui_lab.schema import Repair


class Banner(QFrame):
    """Hidden until there is something to say; stays until it is closed or replaced.

    `repair_chosen` carries the `Repair` whose button was pressed.
    """

    repair_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.setObjectName("banner")
        self.setAccessibleName("Message")
        self._action: Callable[[], None] = _nothing
        self.text = label("", "body", wrap=True, name="banner.text")
        self.act = QPushButton()
        self.act.setObjectName("banner.act")
        self.act.clicked.connect(lambda: self._action())
        self._repairs: list[QPushButton] = []
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(S)
        self.dismiss = QToolButton()
        self.dismiss.setObjectName("banner.close")
        self.dismiss.setAccessibleName("Close the message")
        self.dismiss.setToolTip("Close")
        self.dismiss.setProperty("role", "plain")
        with_icon(self.dismiss, "x")
        self.dismiss.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(L, S, S, S)
        layout.setSpacing(M)
        layout.addWidget(self.text, 1)
        layout.addLayout(self._buttons)
        layout.addWidget(self.act)
        layout.addWidget(self.dismiss)
        self.hide()

    def show_error(self, error: LabError, report: str = "") -> None:
        """A sentence and its remedy, with a button for each repair; with a report, a button copies it."""
        self.text.setText(f"{error.sentence} {error.remedy}".strip())
        self._action = (lambda: QGuiApplication.clipboard().setText(report)) if report else _nothing
        self.act.setText("Copy report")
        self.act.setAccessibleName("Copy report")
        self.act.setVisible(bool(report))
        self._show_repairs(error.repairs)
        self.show()

    def _show_repairs(self, repairs: Sequence[Repair]) -> None:
        for button in self._repairs:
            retire(button)
            self._buttons.removeWidget(button)
        self._repairs = []
        for number, repair in enumerate(repairs):
            button = QPushButton(repair.label)
            button.setObjectName(f"banner.repair.{number}")
            button.setAccessibleName(f"Repair: {repair.label}")
            with_icon(button, "wrench")
            button.clicked.connect(partial(self._choose, repair))
            self._buttons.addWidget(button)
            self._repairs.append(button)

    def _choose(self, repair: Repair) -> None:
        self.hide()
        self.repair_chosen.emit(repair)


def _nothing() -> None:
    """What the button does while it is hidden."""
