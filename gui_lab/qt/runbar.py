"""The run bar: always on screen, it steers the run and says where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.core.history import History
from gui_lab.qt import words
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.theme import THEME, XS, Elided, L, M, S, colour, set_role, with_icon
from gui_lab.qt.views.curve_line import polygon
from gui_lab.qt.views.steady import Figures, Progress

_BATCHES = (1, 10, 100)
_ROOM_FOR_A_CURVE = 1120  # pixels: in a narrower bar its place is needed for words


class Sparkline(QWidget):
    """The loss as a tiny curve."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run.sparkline")
        self.setAccessibleName("Loss so far")
        self.setFixedSize(QSize(96, 28))
        self._values: npt.NDArray[np.float64] = np.empty(0)
        THEME.changed.connect(self.update)

    def show_values(self, values: npt.NDArray[np.float64]) -> None:
        """float64 (n,), smooth already: one value is taken for each pixel column, the last one always."""
        width = self.width()
        if len(values) > width:
            values = values[np.arange(width) * (len(values) - 1) // (width - 1)]
        self._values = values
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if len(self._values) < 2:
            return
        low, high = float(self._values.min()), float(self._values.max())
        x = np.linspace(1, self.width() - 2, len(self._values))
        y = (self.height() - 3) - (self._values - low) / max(high - low, 1e-12) * (self.height() - 6)
        with QPainter(self) as painter:
            painter.setPen(QPen(colour("training")))
            painter.drawPolyline(polygon(x, y))


class _More(QToolButton):
    """The arrow beside a button: what else it could do, in a menu above it."""

    def __init__(self, name: str, words_of_it: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(words_of_it)
        self.setToolTip(words_of_it)
        self.setFixedWidth(24)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)  # as high as the button beside it
        set_role(self, "more")
        with_icon(self, "caret-up")
        self.setIconSize(QSize(12, 12))
        self.menu_above = QMenu(self)
        self.menu_above.setObjectName(f"{name}.menu")
        self.menu_above.setToolTipsVisible(True)
        self.clicked.connect(self._open)

    def offer(self, name: str, text: str, act: Callable[[], object], tip: str) -> QAction:
        action = self.menu_above.addAction(text)
        action.setObjectName(name)
        action.setToolTip(tip)
        action.triggered.connect(lambda: act())
        return action

    def _open(self) -> None:
        menu = self.menu_above
        menu.popup(self.mapToGlobal(QPoint(0, -menu.sizeHint().height() - XS)))


class _Steady(QPushButton):
    """A button that is as wide for each of its words: what stands beside it never moves under the pointer."""

    def __init__(self, *texts: str) -> None:
        super().__init__(texts[0])
        self._texts = texts

    def sizeHint(self) -> QSize:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        words = max(map(self.fontMetrics().horizontalAdvance, self._texts))
        contents = QSize(self.iconSize().width() + XS + words, self.fontMetrics().height())
        return self.style().sizeFromContents(QStyle.ContentsType.CT_PushButton, option, contents, self)


class RunBar(QFrame):
    """Train, Pause, One batch, Stop; epoch and iteration; progress; speed; time left; device.

    `training_wanted` tells that a person asked for training, however much of it.
    """

    training_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "runbar")
        self.setObjectName("run")
        self.control: RunControl | None = None
        self.train = self._button("Train", "train", "play", "F5", _Steady("Train", "Carry on"))
        self.train.setProperty("role", "primary")
        with_icon(self.train, "play", "on_accent")
        self.pause = self._button("Pause", "pause", "pause", "F6")
        self.one_batch = self._button("One batch", "one_batch", "skip-forward", "F7")
        self.more_batches = _More("run.more_batches", "More batches, or to the end of the epoch")
        self.stop = self._button("Stop", "stop", "stop", "Shift+F5")
        self.stop.setToolTip("Stop and keep the weights (Shift+F5)")
        self.more_stop = _More("run.more_stop", "Stop and keep, or discard")
        self.state = Elided("run.state")
        self.state.setText("PyTorch is loading")
        self.where = Figures("run.where", 0)
        self.speed = Figures("run.speed", 116)
        self.left = Figures("run.left", 76)
        self.device = Figures("run.device", 44)
        self.sparkline = Sparkline()
        self.epoch_progress, self.run_progress = Progress(), Progress()
        for bar, name in ((self.epoch_progress, "epoch"), (self.run_progress, "run")):
            bar.setObjectName(f"run.progress_{name}")
            bar.setAccessibleName(f"Progress within the {name}")
            bar.setToolTip(f"Progress within the {name}")
            bar.setTextVisible(False)
            bar.setRange(0, 1000)
        self._arrange()
        for button in self._buttons():
            button.setEnabled(False)

    def _buttons(self) -> tuple[QPushButton | QToolButton, ...]:
        return self.train, self.pause, self.one_batch, self.more_batches, self.stop, self.more_stop

    def _button(self, text: str, name: str, icon: str, keys: str, button: QPushButton | None = None) -> QPushButton:
        button = button or QPushButton(text)
        button.setObjectName(f"run.{name}")
        button.setAccessibleName(text)
        button.setShortcut(QKeySequence(keys))
        button.setToolTip(f"{text} ({keys})")
        with_icon(button, icon)
        return button

    def _arrange(self) -> None:
        progress = QVBoxLayout()
        progress.setSpacing(3)
        words_line = QHBoxLayout()
        words_line.setSpacing(M)
        words_line.addWidget(self.state, 1)
        words_line.addWidget(self.where)
        progress.addStretch(1)
        progress.addLayout(words_line)
        progress.addWidget(self.epoch_progress)
        progress.addWidget(self.run_progress)
        progress.addStretch(1)
        figures = QVBoxLayout()
        figures.setSpacing(0)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        upper.addWidget(self.speed)
        lower.addWidget(self.left)
        lower.addWidget(self.device)
        figures.addLayout(upper)
        figures.addLayout(lower)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(L, S, L, S)
        layout.setSpacing(S)
        layout.addWidget(self.train)
        layout.addWidget(self.pause)
        for button, more in ((self.one_batch, self.more_batches), (self.stop, self.more_stop)):
            pair = QHBoxLayout()
            pair.setSpacing(2)
            pair.addWidget(button)
            pair.addWidget(more)
            layout.addLayout(pair)
            layout.setAlignment(pair, Qt.AlignmentFlag.AlignVCenter)
        layout.addSpacing(XS)
        layout.addLayout(progress, 1)
        layout.addSpacing(XS)
        layout.addWidget(self.sparkline)
        layout.addLayout(figures)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.sparkline.setVisible(self.width() >= _ROOM_FOR_A_CURVE)

    def steer(self, control: RunControl) -> None:
        """Connect it with the run."""
        self.control = control
        self.train.clicked.connect(control.train)
        self.pause.clicked.connect(control.pause)
        self.one_batch.clicked.connect(control.one_batch)
        self.stop.clicked.connect(control.stop)
        for button in (self.train, self.one_batch):
            button.clicked.connect(self.training_wanted)
        self._offer(control)
        control.state_changed.connect(self.refresh)
        control.said.connect(self._show_figures)
        for changed in (
            control.session.ready_changed,
            control.session.problems_changed,
            control.session.images_changed,
            control.session.experiment_changed,
        ):
            changed.connect(self.refresh)
        self.refresh()

    def _offer(self, control: RunControl) -> None:
        """Fill the menus; a choice acts at once."""
        more, stop = self.more_batches, self.more_stop
        for count in _BATCHES:
            text = "One batch" if count == 1 else f"{count} batches"
            more.offer(f"run.batches.{count}", text, partial(control.batches, count), "Train so many, then pause")
        more.menu_above.addSeparator()
        tip = "Train on, validate, then pause"
        more.offer("run.one_epoch", "To the end of the epoch", control.one_epoch, tip)
        more.menu_above.triggered.connect(self._ask_for_training)
        tip = "End after the batch in hand and keep the weights (Shift+F5)"
        stop.menu_above.setDefaultAction(stop.offer("run.stop_and_keep", "Stop and keep", control.stop, tip))
        tip = "End after the batch in hand; the run with its weights goes to the bin"
        stop.offer("run.discard", "Discard", control.discard, tip)

    def _ask_for_training(self, _: QAction) -> None:
        self.training_wanted.emit()

    def refresh(self) -> None:
        """Show state, progress and figures as they are now."""
        control = self.control
        if control is None:
            return
        state, why_not, blocked = control.state, control.why_not(), self._blocked(control)
        self.train.setText("Carry on" if state in (State.PAUSED, State.PAUSING) else "Train")
        self.train.setEnabled(state in (State.PAUSED, State.PAUSING) or (not control.running and not why_not))
        self.pause.setEnabled(state in (State.STARTING, State.TRAINING))
        self.one_batch.setEnabled(state == State.PAUSED or (not control.running and not why_not))
        self.more_batches.setEnabled(self.one_batch.isEnabled())
        self.stop.setEnabled(control.running and state != State.STOPPING)
        self.more_stop.setEnabled(self.stop.isEnabled())
        self.state.setText(why_not if blocked else control.in_words())
        set_role(self.state, "error" if blocked and control.session.ready and control.session.images else "body")
        self.train.setToolTip(why_not if blocked else "Train (F5)")
        self.train.setAccessibleDescription(why_not if blocked else "")
        self._show_figures()

    def _blocked(self, control: RunControl) -> bool:
        """Whether no run goes on, and none can begin."""
        return not control.running and bool(control.why_not())

    def _show_figures(self) -> None:
        control = self.control
        if control is None:
            return
        history, blocked = control.history, self._blocked(control)
        started, last = history.started, history.last
        self.device.setText(started.device if started else "")
        if started is None or last is None:
            self.epoch_progress.setValue(0)
            self.run_progress.setValue(0)
            self.where.setText(self._planned(control) if not blocked else "")
            self.speed.setText("")
            self.left.setText("")
            self.sparkline.show_values(np.empty(0))
            return
        planned = max(history.epochs_planned, last.epoch)
        self.where.setText("" if blocked else _where(control.in_words(), history))
        self.epoch_progress.setValue(1000 * last.iteration // started.iterations)
        self.run_progress.setValue(1000 * len(history.loss) // (planned * started.iterations))
        self.speed.setText(words.rate(history.rate(), "pictures/s"))
        over = history.ended is not None or not control.running
        self.left.setText(words.clock(last.seconds) if over else f"{words.clock(history.seconds_left())} left")
        self.sparkline.show_values(history.smooth.values)

    def _planned(self, control: RunControl) -> str:
        training, images = control.session.experiment.training, control.session.images
        if images is None:
            return ""
        return f"{training.epochs:,} epochs of {training.iterations(len(images.train)):,} iterations"


def _where(state: str, history: History) -> str:
    """epoch 2/10   iteration 417/938, or what is measured in its place."""
    started, last = history.started, history.last
    if started is None or last is None:
        return ""
    measuring = words.noticed(state, history)
    place = f"iteration {last.iteration:,}/{started.iterations:,}"
    return f"epoch {last.epoch}/{max(history.epochs_planned, last.epoch)}   " + (
        place if measuring is None else words.measuring(measuring, "/")
    )
