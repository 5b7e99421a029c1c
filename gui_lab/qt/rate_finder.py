"""The learning rate finder: a curve that grows while a copy of the network is tried, and rates to take from it."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui_lab.errors import LabError
from gui_lab.qt import words
from gui_lab.qt.rehearsal import Rehearsal
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import CAPTION, THEME, L, M, S, label, numbers_font, set_role, with_icon
from gui_lab.qt.threads import Failed
from gui_lab.qt.views.number_box import written
from gui_lab.qt.views.rate_plot import Dot, RatePlot, paint_dot

if TYPE_CHECKING:
    from gui_lab.core.finder import Suggestion, Tried

_SIZE = QSize(680, 600)
_BEGIN = "Start the search, and the loss is drawn here over the learning rates that are tried."
_NOTHING_FELL = "The loss never fell clearly. Use a larger batch size, or another optimiser, and search again."
_TOO_FEW = "Stopped before a rate could be suggested."


class RateFinder(QDialog):
    """Made once torch is there; `open()` shows it, and closing it stops what it does. `close_down()` before the window
    goes."""

    def __init__(self, session: Session, control: RunControl, parent: QWidget) -> None:
        from gui_lab.core.finder import HIGH, LOW, SUGGESTED

        super().__init__(parent)
        self.setObjectName("rate_finder")
        self.setWindowTitle("Learning rate finder")
        self.resize(_SIZE)
        self.session, self.control = session, control
        self._tried: list[Tried] = []
        self._found: tuple[Suggestion, ...] = ()
        self._rehearsal = Rehearsal(control, "The learning rate finder is at work.", self)
        self._rehearsal.advanced.connect(self._advance)
        self._rehearsal.ended.connect(lambda _: self._finish(_NOTHING_FELL))
        self._rehearsal.stopped.connect(lambda: self._finish(_TOO_FEW))
        self._rehearsal.failed.connect(self._fail)
        self.plot = RatePlot(LOW, HIGH)
        self.plot.show_words(_BEGIN)
        self.plot.chosen.connect(self.take)
        self.status = label("", "quiet", wrap=True, name="rate_finder.status")
        self.takers = [self._taker(place, name) for place, name in enumerate(SUGGESTED)]
        self._lay_out(list(SUGGESTED.items()))
        self.finished.connect(self._rehearsal.stop)
        for changed in (session.experiment_changed, session.problems_changed, session.images_changed):
            changed.connect(self._refresh)
        control.state_changed.connect(self._refresh)
        self._refresh()

    # ---------------------------------------------------------------- building

    def _lay_out(self, suggested: list[tuple[str, str]]) -> None:
        about = (
            "Trains a copy of the network for up to 100 steps while the learning rate grows from far too small to far "
            "too large. Where the loss falls is where to begin. Network and settings stay as they are until you take "
            "a rate."
        )
        rows = QGridLayout()
        rows.setHorizontalSpacing(M)
        rows.setVerticalSpacing(S)
        rows.setColumnStretch(1, 1)
        for row, (name, why) in enumerate(suggested):
            said = QVBoxLayout()
            said.setSpacing(0)
            said.addWidget(label(name))
            said.addWidget(label(why, "caption", wrap=True))
            rows.addWidget(_Badge(row + 1), row, 0, Qt.AlignmentFlag.AlignVCenter)
            rows.addLayout(said, row, 1)
            rows.addWidget(self.takers[row], row, 2, Qt.AlignmentFlag.AlignVCenter)
        self.run = QPushButton()
        self.run.setObjectName("rate_finder.run")
        self.run.setDefault(True)
        self.run.clicked.connect(self.start_or_stop)
        leave = QPushButton("Close")
        leave.setObjectName("rate_finder.close")
        leave.setAccessibleName("Close the learning rate finder")
        leave.setAutoDefault(False)
        leave.clicked.connect(self.reject)
        foot = QHBoxLayout()
        foot.setSpacing(S)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.run)
        foot.addWidget(leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(L, L, L, L)
        column.setSpacing(M)
        column.addWidget(label(about, "quiet", wrap=True))
        column.addWidget(self.plot, 1)
        column.addLayout(rows)
        column.addLayout(foot)

    def _taker(self, place: int, name: str) -> QPushButton:
        button = QPushButton()
        button.setObjectName(f"rate_finder.take_{name.lower().replace(' ', '_')}")
        button.setAutoDefault(False)
        button.setMinimumWidth(112)
        button.clicked.connect(partial(self.take, place))
        return button

    # ---------------------------------------------------------------- the search

    @property
    def busy(self) -> bool:
        return self._rehearsal.busy

    def start_or_stop(self) -> None:
        """What the button does: start a search, or end the one under way after the batch in hand."""
        if self.busy:
            self._rehearsal.stop()
            self.run.setText("Stopping")
        elif not self._why_not():
            self._start()

    def close_down(self) -> None:
        """Stop and wait for the batch in hand; before the window is gone."""
        self._rehearsal.close_down()

    def _start(self) -> None:
        from gui_lab.core.finder import search

        images = self.session.images
        assert images is not None
        self._tried, self._found = [], ()
        self._show_curve()
        self.plot.show_words("The network is being built.")
        self._say("")
        self._rehearsal.begin(partial(search, self.session.experiment, images))

    def _advance(self, said: list[Tried]) -> None:
        from gui_lab.core.finder import STEPS

        self._tried += said
        self._show_curve()
        last = self._tried[-1]
        self._say(f"Step {len(self._tried)} of {STEPS}: learning rate {last.lr:.1e}, loss {words.loss(last.loss)}")

    def _finish(self, otherwise: str) -> None:
        """Suggest rates, or say why there are none."""
        from gui_lab.core.finder import suggestions

        self._found = suggestions(self._tried)
        dots = [Dot(one.lr, one.loss, f"{one.name}, {written(one.lr)}. {one.why}") for one in self._found]
        self.plot.show_dots(dots)
        self.plot.show_words(_BEGIN)
        self._say("Click a dot, or its button, to take its learning rate." if dots else otherwise)
        self._refresh()

    def _fail(self, failed: Failed) -> None:
        self.plot.show_words(_BEGIN)
        self._refresh()
        if not isinstance(failed.error, LabError):
            raise failed.error
        self._say(f"{failed.error.sentence} {failed.error.remedy}", "error")

    def _say(self, said: str, role: str = "quiet") -> None:
        self.status.setText(said)
        set_role(self.status, role)

    def _show_curve(self) -> None:
        from gui_lab.core.finder import curve

        rates, losses = (np.array([getattr(one, name) for one in self._tried]) for name in ("lr", "loss"))
        self.plot.show_curve(rates, losses, curve(self._tried) if self._tried else np.empty(0))
        if not self._found:
            self.plot.show_dots(())

    # ---------------------------------------------------------------- what can be done

    def take(self, place: int) -> None:
        """Set the learning rate that is suggested at this place; one step back undoes it."""
        self.session.try_edit("optimizer.lr", self._found[place].lr)

    def _why_not(self) -> str:
        return "Once the run has ended." if self.control.running else self.control.why_not()

    def _refresh(self) -> None:
        """The buttons as they can be used now, and the rate that is set."""
        busy, now = self.busy, self.session.experiment.optimizer.lr
        why = "" if busy else self._why_not()
        self.run.setText("Stop" if busy else "Search again" if self._tried else "Start the search")
        self.run.setAccessibleName("Stop the search" if busy else "Start the search")
        with_icon(self.run, "stop" if busy else "play", "text" if busy else "on_accent")
        set_role(self.run, "" if busy else "primary")
        self.run.setEnabled(not why)
        self.run.setToolTip(why)
        self.plot.show_now(now)
        for place, button in enumerate(self.takers):
            lr = self._found[place].lr if place < len(self._found) else math.nan
            taken = math.isclose(lr, now)
            button.setText(words.NONE if math.isnan(lr) else f"{written(lr)} is set" if taken else f"Use {written(lr)}")
            button.setAccessibleName("No rate to use yet" if math.isnan(lr) else f"Use learning rate {written(lr)}")
            button.setEnabled(not math.isnan(lr) and not taken)


class _Badge(QWidget):
    """The number of a dot, beside its words."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.setFixedSize(22, 22)
        THEME.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(numbers_font(CAPTION))
            paint_dot(painter, QPointF(11, 11), self._number)
