"""Curves that speak: all that a run has measured, over one axis of epochs, iterations or time.

The panes draw a history; they keep nothing of it but where its peaks are (`core.pyramid`) and its smoothed line. What
there is to take in is taken in by pieces: a run of ten million iterations that is shown at once, or a slider of
smoothing that is dragged over it, fills its lines within some frames and never holds the window up for longer than
one. While a run goes on the axes grow in steps, so that most news paints lines only, and a plot in which nothing has
changed is not painted at all.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from gui_lab.core.history import History
from gui_lab.core.history_table import Table
from gui_lab.core.smoothing import Smoothing
from gui_lab.errors import StoreError
from gui_lab.qt import words
from gui_lab.qt.theme import S
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views import curve_export
from gui_lab.qt.views.along import Along, Unit
from gui_lab.qt.views.axis import next_step
from gui_lab.qt.views.curve_line import Floats
from gui_lab.qt.views.curve_paint import Best
from gui_lab.qt.views.curve_pane import Pane
from gui_lab.qt.views.curve_tools import CurveTools, Look

_AT_ONCE = 2**15
"""Values of a line that are taken in at once, in well under a millisecond."""
_FRAME_SECONDS = 0.008
"""For taking in, of one frame; then what is there is painted, and the next frame goes on."""
_SHARES = {"loss": 3, "accuracy": 2, "lr": 1, "gradient_norm": 2}
_UNIT_WORDS: dict[Unit, str] = {"epoch": "epoch", "iteration": "iteration", "time": "time"}


class Curves(QWidget):
    """
    `live_changed` says whether the run is followed, `look_changed` carries a `Look` that a person has chosen;
    `export_wanted` asks for a path to `export` to, which ends in `exported` with the path or `export_failed` with a
    `LabError`. `branch_wanted` carries the epoch after which a person wants to branch the run.

    Attributes:
        loss, accuracy, lr, gradient_norm: the panes; `panes` has them by these names.
        live: whether the whole run is shown and followed.
    """

    live_changed = Signal(bool)
    look_changed = Signal(object)
    export_wanted = Signal()
    exported = Signal(object)
    export_failed = Signal(object)
    branch_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.live = True
        self._look = Look()
        self._history = History()
        self._x = (0.0, 1.0)
        self._smooth_loss, self._smooth_norm = Smoothing(0.0), Smoothing(0.0)
        self._catch_up = QTimer(self)
        self._catch_up.setSingleShot(True)
        self._catch_up.setInterval(0)
        self._catch_up.timeout.connect(self._show)
        self._closing = threading.Event()
        self._writing = Latest(self)
        self._writing.arrived.connect(self.exported)
        self._writing.failed.connect(self._writing_failed)
        self._build_panes()
        self.tools = CurveTools({name: pane.title.partition(":")[0] for name, pane in self.panes.items()})
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(S)
        layout.addWidget(self.tools)
        for name, pane in self.panes.items():
            layout.addWidget(pane, _SHARES[name])
        self._arrange()
        self._connect()
        self._begin(self._history)

    def _build_panes(self) -> None:
        self.loss = Pane("plots.loss", "Loss")
        self.loss.add_line("each batch", "training", "raw")
        self.loss.add_line("smoothed", "training", "smooth")
        self.loss.add_line("training, per epoch", "training", "disc")
        self.loss.add_line("re-measured", "training", "ring", optional=True)
        self.loss.add_line("validation", "validation", "diamond")
        self.accuracy = Pane("plots.accuracy", "Accuracy, %", "percent", turn=1)
        self.accuracy.add_line("training, per epoch", "training", "disc")
        self.accuracy.add_line("validation", "validation", "diamond")
        self.lr = Pane("plots.lr", "Learning rate", turn=2)
        self.lr.add_line("learning rate", "accent", "line")
        self.gradient_norm = Pane("plots.gradient_norm", "Gradient norm", turn=3)
        self.gradient_norm.add_line("each batch", "training", "raw")
        self.gradient_norm.add_line("smoothed", "training", "smooth")
        self.panes: dict[str, Pane] = {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "lr": self.lr,
            "gradient_norm": self.gradient_norm,
        }

    def _connect(self) -> None:
        for name, pane in self.panes.items():
            pane.moved.connect(self._look_at)
            pane.pointed.connect(self._point)
            pane.live_wanted.connect(partial(self.set_live, True))
            pane.menu_wanted.connect(self._open_menu)
            pane.logarithmic_chosen.connect(partial(self._set_logarithmic, name))
        tools = self.tools
        tools.show_look(self._look)
        tools.shown.connect(self._set_shown)
        tools.unit_chosen.connect(self._set_unit)
        tools.memory_chosen.connect(self._set_memory)
        tools.boxes_chosen.connect(self._set_boxes)
        tools.live_wanted.connect(partial(self.set_live, True))
        tools.export_wanted.connect(self.export_wanted)

    # ---------------------------------------------------------------- what is shown

    def show_history(self, history: History) -> None:
        """Show a history as it is now; call it again when it has grown."""
        if history is not self._history:
            self._begin(history)
        self._show()

    def _begin(self, history: History) -> None:
        self._history = history
        for pane in self.panes.values():
            pane.forget()
        self._smooth_anew()
        self.set_live(True)

    def _memory(self) -> float:
        """As a person has chosen; else what suits the length of the run, as the history's own smoothed line."""
        if self._look.memory is not None:
            return self._look.memory
        started = self._history.started
        return 1 - 1 / min(max(started.epochs * started.iterations / 50, 5), 200) if started is not None else 0.98

    def _smooth_anew(self) -> None:
        memory = self._memory()
        self._smooth_loss, self._smooth_norm = Smoothing(memory), Smoothing(memory)
        for pane in (self.loss, self.gradient_norm):
            pane.lines["smoothed"].forget()
            pane.redraw()
        self.tools.show_memory(memory)

    def _show(self) -> None:
        """Take in what has come, as much of it as a frame has time for, and show it."""
        history = self._history
        if self._smooth_loss.memory != self._memory():  # the length of the run is known now
            self._smooth_anew()
        self._show_lines(history)
        along = self._along()
        if self.live:
            self._x = self._whole(along)
        for pane in self._shown_panes():
            pane.set_x(along, *self._x)
            pane.show_marks(history.marks)
            pane.fit(self.live)
            pane.tell_place()
        behind = any(pane.behind for pane in self._shown_panes()) or self._smoothing_behind()
        if behind and self.isVisible():
            self._catch_up.start()

    def _show_lines(self, history: History) -> None:
        ends, until = history.epoch_at.values, time.perf_counter() + _FRAME_SECONDS
        if not self.loss.isHidden():
            self.loss.show_line("training, per epoch", history.epoch_loss.values, ends)
            self.loss.show_line("re-measured", history.remeasured_loss.values, ends)
            self.loss.show_line("validation", history.validation_loss.values, ends)
            self._show_batches(self.loss, "each batch", history.loss.values, until)
            self._show_smoothed(self.loss, self._smooth_loss, history.loss.values, until)
        if not self.accuracy.isHidden():
            self.accuracy.show_line("training, per epoch", history.epoch_accuracy.values, ends)
            self.accuracy.show_line("validation", history.validation_accuracy.values, ends)
            self.accuracy.mark_best(_best(history))
        if not self.lr.isHidden():
            self._show_batches(self.lr, "learning rate", history.lr.values, until)
        if not self.gradient_norm.isHidden():
            self._show_batches(self.gradient_norm, "each batch", history.gradient_norm.values, until)
            self._show_smoothed(self.gradient_norm, self._smooth_norm, history.gradient_norm.values, until)

    def _show_batches(self, pane: Pane, name: str, values: Floats, until: float) -> None:
        """Take in a piece, and more while there is time."""
        pane.show_line(name, values, most=_AT_ONCE)
        while pane.lines[name].behind and time.perf_counter() < until:
            pane.show_line(name, values, most=_AT_ONCE)

    def _show_smoothed(self, pane: Pane, smoothing: Smoothing, values: Floats, until: float) -> None:
        smoothing.reserve(min(self._planned(), 2**24))
        smoothing.follow(values, _AT_ONCE)
        while len(smoothing.values) < len(values) and time.perf_counter() < until:
            smoothing.follow(values, _AT_ONCE)
        self._show_batches(pane, "smoothed", smoothing.values, until)

    def _planned(self) -> int:
        started = self._history.started
        return self._history.epochs_planned * started.iterations if started is not None else 0

    def _smoothing_behind(self) -> bool:
        pairs = ((self.loss, self._smooth_loss), (self.gradient_norm, self._smooth_norm))
        return any(
            len(smoothing.values) < len(pane.lines["each batch"].values)
            for pane, smoothing in pairs
            if not pane.isHidden()
        )

    def _along(self) -> Along:
        started = self._history.started
        return Along(self._look.unit, started.iterations if started is not None else 1, self._history.seconds.values)

    def _whole(self, along: Along) -> tuple[float, float]:
        """The ends of an axis with the whole run; while it goes on it grows in steps."""
        done, history = len(self._history.loss), self._history
        if along.unit == "time":
            elapsed = float(along.seconds[-1]) if done else 1.0
            end = elapsed if history.ended else next_step(max(elapsed, 0.1))
        else:
            epochs = max(done / along.iterations, 1.0)
            if history.started is not None and not history.ended:
                epochs = max(min(next_step(epochs), history.epochs_planned), epochs)
            end = epochs * (along.iterations if along.unit == "iteration" else 1)
        return -0.01 * end, 1.02 * end

    def _shown_panes(self) -> list[Pane]:
        return [pane for pane in self.panes.values() if not pane.isHidden()]

    # ---------------------------------------------------------------- what a person chooses

    @property
    def look(self) -> Look:
        """Panes, unit, smoothing and logarithms, as chosen; may be set."""
        return self._look

    @look.setter
    def look(self, look: Look) -> None:
        before, self._look = self._look, look
        if look != before:
            self._arrange()
            self.tools.show_look(look)
            if look.memory != before.memory:
                self._smooth_anew()
            if look.unit != before.unit:  # what was looked at has other numbers now
                self.set_live(True)
            self._show()

    def _choose(self, look: Look) -> None:
        if look != self._look:
            self.look = look
            self.look_changed.emit(look)

    def _set_shown(self, name: str, on: bool) -> None:
        panes = tuple(one for one in self.panes if (on if one == name else one in self._look.panes))
        if panes:
            self._choose(replace(self._look, panes=panes))
        else:  # the last one stays
            self.tools.show_look(self._look)

    def _set_unit(self, unit: Unit) -> None:
        self._choose(replace(self._look, unit=unit))

    def _set_memory(self, memory: float) -> None:
        self._choose(replace(self._look, memory=memory))

    def _set_logarithmic(self, name: str, on: bool) -> None:
        chosen = tuple(one for one in self.panes if (on if one == name else one in self._look.logarithmic))
        self._choose(replace(self._look, logarithmic=chosen))

    def _set_boxes(self, on: bool) -> None:
        for pane in self.panes.values():
            pane.boxes = on

    def _arrange(self) -> None:
        """Show the panes that are chosen: the words of the x axis below the lowest, the signs of marks above."""
        for name, pane in self.panes.items():
            pane.setVisible(name in self._look.panes)
            if pane.grows != "percent":
                pane.set_logarithmic(name in self._look.logarithmic)
        shown = self._shown_panes()
        for pane in shown:
            unit = _UNIT_WORDS[self._look.unit] if pane is shown[-1] else ""
            pane.show_words_of_x(unit, signs=pane is shown[0])

    def set_live(self, live: bool) -> None:
        """Show the whole run and follow it, or stay where the person looks."""
        if live:
            for pane in self.panes.values():
                pane.follow_y()
        if live != self.live:
            self.live = live
            self.tools.live.setEnabled(not live)
            self.live_changed.emit(live)
        if live:
            self._show()

    def _look_at(self, low: float, high: float) -> None:
        """A person chose what of the x axis is seen."""
        self.set_live(False)
        self._x = (low, high)
        self._show()

    def _open_menu(self, trained: int, at: QPoint) -> None:
        """What can be done at a place of the curves."""
        menu, history = QMenu(self), self._history
        menu.setObjectName("plots.place_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if history.started is not None and history.epochs:
            epoch = min(max(round(trained / history.started.iterations), 1), history.epochs)
            branch = menu.addAction(f"Branch after epoch {epoch:,}\u2026")
            branch.setObjectName("plots.branch")
            branch.triggered.connect(partial(self.branch_wanted.emit, epoch))
            menu.addSeparator()
        live = menu.addAction("Back to live")
        live.setObjectName("plots.back_to_live")
        live.setEnabled(not self.live)
        live.triggered.connect(partial(self.set_live, True))
        menu.popup(at)

    def _point(self, trained: int | None) -> None:
        for pane in self._shown_panes():
            pane.point(trained)

    # ---------------------------------------------------------------- files

    def export(self, path: Path, title: str = "") -> None:
        """Write the plots that are shown as .png or .svg, or all values of the run as .csv; the latter may take long
        and is done in the background."""
        try:
            if curve_export.checked(path) == ".csv":
                self._writing.ask(partial(_written, Table.of(self._history), path, self._closing))
            else:
                curve_export.write(self._shown_panes(), title, path)
                self.exported.emit(path)
        except StoreError as error:
            self.export_failed.emit(error)

    def _writing_failed(self, failed: Failed) -> None:
        if not isinstance(failed.error, StoreError):
            raise failed.error
        self.export_failed.emit(failed.error)

    def close_down(self) -> None:
        """Stop writing; what is half written is removed."""
        self._closing.set()
        self._writing.close()
        self._catch_up.stop()

    def showEvent(self, event: QShowEvent) -> None:
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        self._catch_up.stop()


def _best(history: History) -> Best | None:
    if not 0 < history.best_epoch <= history.epochs:
        return None
    trained = int(history.epoch_at.values[history.best_epoch - 1])
    return Best(trained, history.best_accuracy, f"best {words.percent(history.best_accuracy)}")


def _written(table: Table, path: Path, stopped: threading.Event) -> Path:
    table.write(path, stopped.is_set)
    return path
