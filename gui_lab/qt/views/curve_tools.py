"""The row above the curves: what is seen, along what, how smooth, and what to do with it. One row that fits the
narrowest window: what is chosen seldom stands in a menu."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QSlider, QToolButton, QWidget

from gui_lab.qt.theme import CAPTION, XS, label, numbers_font, set_role, with_icon
from gui_lab.qt.views.along import UNITS, Unit

_UNIT_WORDS: Mapping[Unit, str] = {"epoch": "Epoch", "iteration": "Iteration", "time": "Time"}
_STEPS = 150  # of the slider: 10 ** (150 / 50) = 1000 values remembered
_DECADE = 50
_ROOMY = 430  # pixels from which on the slider has its word beside it, not only in its tool tip


@dataclass(frozen=True)
class Look:
    """How a person wants to see curves; what a window may remember.

    Attributes:
        panes: names of those that are shown, in their order.
        unit: of the x axis.
        memory: of the smoothed lines, 0..0.999; None where it follows from the length of the run.
        logarithmic: names of panes whose y axis is.
    """

    panes: tuple[str, ...] = ("loss", "accuracy")
    unit: Unit = "epoch"
    memory: float | None = None
    logarithmic: tuple[str, ...] = ()


def written(look: Look) -> str:
    """A look as a line of text, for a window to remember."""
    return json.dumps(asdict(look))


def read(text: str, panes: Collection[str]) -> Look:
    """The look that was written; what is odd in it, or names none of these panes, counts as not being there."""
    usual = Look()
    try:
        kept = json.loads(text)
        memory = None if kept["memory"] is None else min(max(float(kept["memory"]), 0.0), 0.999)
        return Look(
            tuple(name for name in kept["panes"] if name in panes) or usual.panes,
            kept["unit"] if kept["unit"] in UNITS else usual.unit,
            memory,
            tuple(name for name in kept["logarithmic"] if name in panes),
        )
    except (ValueError, TypeError, KeyError):
        return usual


def memory_at(step: int) -> float:
    """What a place of the slider means: 0, 0.5, 0.9, 0.99, 0.999 at equal distances, about."""
    return 1 - 10 ** (-step / _DECADE)


def step_of(memory: float) -> int:
    return round(-_DECADE * math.log10(1 - memory))


class CurveTools(QWidget):
    """
    `shown` carries the name of a pane and whether it is to be seen, `unit_chosen` a unit, `memory_chosen` a memory,
    `boxes_chosen` whether a drag frames; `live_wanted` and `export_wanted` come with their buttons.
    """

    shown = Signal(str, bool)
    unit_chosen = Signal(str)
    memory_chosen = Signal(float)
    boxes_chosen = Signal(bool)
    live_wanted = Signal()
    export_wanted = Signal()

    def __init__(self, panes: Mapping[str, str]) -> None:
        """
        Args:
            panes: titles by name.
        """
        super().__init__()
        self.actions_of: dict[str, QAction] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(XS)
        for part in (self._view(panes), self._units()):
            row.addWidget(part)
        row.addSpacing(XS)
        self._word = label("Smoothing", "caption", name="plots.smoothing.word")
        row.addWidget(self._word)
        row.addWidget(self._smoothing(), 1)
        row.addWidget(self.value)
        row.addSpacing(XS)
        for button in self._buttons():
            row.addWidget(button)

    def _view(self, panes: Mapping[str, str]) -> QToolButton:
        menu = QMenu(self)
        menu.setObjectName("plots.menu")
        for name, title in panes.items():
            action = menu.addAction(title)
            action.setObjectName(f"plots.show.{name}")
            action.setCheckable(True)
            action.toggled.connect(lambda on, name=name: self.shown.emit(name, on))
            self.actions_of[name] = action
        button = QToolButton()
        button.setObjectName("plots.view")
        button.setText("Plots")
        button.setAccessibleName("Plots that are shown")
        button.setToolTip("Choose which plots are shown")
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _units(self) -> QComboBox:
        self.units = QComboBox()
        self.units.setObjectName("plots.unit")
        self.units.setAccessibleName("What the x axis counts")
        self.units.setToolTip("What the x axis counts. Pauses are left out of the time.")
        for unit in UNITS:
            self.units.addItem(_UNIT_WORDS[unit], unit)
        self.units.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.units.activated.connect(lambda place: self.unit_chosen.emit(self.units.itemData(place)))
        return self.units

    def _smoothing(self) -> QSlider:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("plots.smoothing")
        self.slider.setAccessibleName("Smoothing")
        self.slider.setRange(0, _STEPS)
        self.slider.setPageStep(_DECADE // 5)
        self.slider.setMinimumSize(40, 20)
        self.slider.valueChanged.connect(lambda step: self.memory_chosen.emit(memory_at(step)))
        self.value: QLabel = label("", "caption", name="plots.smoothing.value")
        self.value.setFont(numbers_font(CAPTION))
        self.value.setFixedWidth(self.value.fontMetrics().horizontalAdvance("0.999") + 2)
        return self.slider

    def _buttons(self) -> tuple[QToolButton, ...]:
        self.box = _button("box", "Frame with the mouse", "selection", "Drag a box around what is to be seen")
        self.box.setCheckable(True)
        self.box.toggled.connect(self.boxes_chosen)
        self.live = _button("live", "Back to live", "arrows-out", "Back to live: show the whole run and follow it")
        self.live.clicked.connect(self.live_wanted)
        self.live.setEnabled(False)
        self.export = _button("export", "Export", "export", "Write the plots as PNG or SVG, or all values as CSV")
        self.export.clicked.connect(self.export_wanted)
        return self.box, self.live, self.export

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._word.setVisible(event.size().width() >= _ROOMY)

    def show_memory(self, memory: float) -> None:
        """Put the slider there, silently."""
        self.slider.blockSignals(True)
        self.slider.setValue(step_of(memory))
        self.slider.blockSignals(False)
        self.value.setText(f"{memory:.3f}".rstrip("0").rstrip("."))
        self.slider.setToolTip(f"Smoothing: about the last {1 / (1 - memory):,.0f} iterations count")

    def show_look(self, look: Look) -> None:
        """Put everything but the slider as it is there; emits what differs."""
        for name, action in self.actions_of.items():
            action.setChecked(name in look.panes)
        self.units.setCurrentIndex(UNITS.index(look.unit))


def _button(name: str, words: str, sign: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(f"plots.{name}")
    button.setAccessibleName(words)
    button.setToolTip(tip)
    with_icon(button, sign)
    set_role(button, "icon")
    return button
