"""One cell of the film strip, large: the picture before and after, their difference, and all that is known of it.

It lies over the strip, so the knobs on the left stay in reach and act on what is seen here. What cannot be compared is
not: pictures of two sizes stand side by side without a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui_lab.qt.theme import THEME, XS, Elided, L, M, S, label, set_role, with_icon
from gui_lab.qt.views.fact_sheet import WIDE, Fact, FactSheet
from gui_lab.qt.views.facts import fact_lines, number, span
from gui_lab.qt.views.frames import SOURCE, Column, Frame, as_picture, image_of
from gui_lab.qt.views.panes import Pane, Panes
from gui_lab.qt.views.seen_words import pin_words
from gui_lab.qt.views.strip_grid import ordinal

_ROOMY = 760  # pixels, from which on the facts stand beside the pictures
_SIZES_DIFFER = "Not comparable: the sizes differ ({} before, {} after)."


class Inspector(QWidget):
    """
    `closed` says that the strip is wanted again; `went` carries how many columns and rows to go on; `pin_wanted` says
    that the picture is to be pinned, or unpinned where it is.
    """

    closed = Signal()
    went = Signal(int, int)
    pin_wanted = Signal()

    def __init__(self, name: str) -> None:
        """
        Args:
            name: start of the objectNames: `name.back`, `name.panes` and so on.
        """
        super().__init__()
        self._name = name
        self.panes = Panes(f"{name}.panes")
        self.panes.pointed.connect(self._show_facts)
        self._shown: tuple[Frame, Frame | None] | None = None
        self.sheet = FactSheet(f"{name}.facts")
        self.title = Elided(f"{name}.title")
        set_role(self.title, "section")
        self.told = label("", "body", wrap=True, name=f"{name}.told")
        self._side = QWidget()
        self._body = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._body.setSpacing(L)
        self._body.addWidget(self.panes, 1)
        self._body.addWidget(self._side)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(S)
        side.addWidget(self.told)
        side.addWidget(self.sheet)
        side.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(M)
        column.addLayout(self._head())
        column.addLayout(self._body, 1)

    def _head(self) -> QHBoxLayout:
        self.back = QPushButton("Back")
        self.back.setObjectName(f"{self._name}.back")
        self.back.setAccessibleName("Back to the strip")
        self.back.setToolTip("Back to the strip (Esc)")
        with_icon(self.back, "arrow-left")
        self.back.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.setSpacing(XS)
        head.addWidget(self.back)
        head.addSpacing(S)
        head.addWidget(self.title, 1)
        self.pin = self._tool("pin", "push-pin", "Pin", self.pin_wanted.emit)
        self.pin.setCheckable(True)
        head.addWidget(self.pin)
        self.show_pinned(False)
        for verb, sign, tip, step in (
            ("previous", "caret-left", "The cell before it (Page up)", (-1, 0)),
            ("next", "caret-right", "The next cell (Page down)", (1, 0)),
        ):
            head.addWidget(self._tool(verb, sign, tip, partial(self.went.emit, *step)))
        for verb, sign, tip, act in (
            ("out", "magnifying-glass-minus", "Zoom out (\u2212)", lambda: self.panes.zoom_by(0.5)),
            ("in", "magnifying-glass-plus", "Zoom in (+)", lambda: self.panes.zoom_by(2.0)),
            ("fit", "arrows-out", "All of the picture (0)", self.panes.fit),
        ):
            head.addWidget(self._tool(verb, sign, tip, act))
        return head

    def _tool(self, verb: str, sign: str, tip: str, act: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"{self._name}.{verb}")
        button.setAccessibleName(tip.partition(" (")[0])
        button.setToolTip(tip)
        set_role(button, "plain")
        with_icon(button, sign)
        button.clicked.connect(act)
        return button

    # ---------------------------------------------------------------- what is shown

    def show_cell(self, columns: Sequence[Column], place: int, row: int, whose: str) -> None:
        """
        Args:
            columns: those of the strip.
            place, row: which cell.
            whose: of which picture, in words.
        """
        column, here = columns[place], columns[place].frames[row]
        before = columns[place - 1] if place else None
        earlier = before.frames[row] if before is not None else None
        self.title.setText(f"{ordinal(column)}{column.name}, {whose}")
        drawn = column.position != SOURCE and here.told
        self.told.setText(f"Drawn: {here.told}" if drawn else "")
        self.told.setVisible(bool(drawn))
        self.panes.show_panes(panes_of(column, here, before, earlier, dark=THEME.dark))
        self._shown = here, earlier
        self._show_facts()

    def show_pinned(self, pinned: bool) -> None:
        """Whether the picture is pinned."""
        self.pin.setChecked(pinned)
        with_icon(self.pin, "push-pin-fill" if pinned else "push-pin")
        self.pin.setToolTip(pin_words(pinned))
        self.pin.setAccessibleName("Unpin the picture" if pinned else "Pin the picture")

    def _show_facts(self) -> None:
        if self._shown is not None:
            here, earlier = self._shown
            at = [Fact("at", self.panes.place_words() or "\u2013")]
            self.sheet.show_facts([*at, *_facts(here, earlier)], here.histogram)

    # ---------------------------------------------------------------- Qt's calls

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= _ROOMY
        directions = QBoxLayout.Direction
        self._body.setDirection(directions.LeftToRight if beside else directions.TopToBottom)
        self._side.setMinimumWidth(WIDE if beside else 0)
        self._side.setMaximumWidth(WIDE if beside else 16_777_215)
        self.sheet.lay_out(beside)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_PageUp: (-1, 0), Qt.Key.Key_PageDown: (1, 0)}
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() == Qt.Key.Key_P and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self.pin_wanted.emit()
        elif Qt.Key(event.key()) in steps:
            across, down = steps[Qt.Key(event.key())]
            other_picture = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            self.went.emit(*((down, across) if other_picture else (across, down)))
        else:
            super().keyPressEvent(event)


def _facts(here: Frame, earlier: Frame | None) -> list[Fact]:
    then = dict(fact_lines(earlier.facts)) if earlier is not None else {}
    return [
        Fact(name, value, then[name] if then.get(name, value) != value else "")
        for name, value in fact_lines(here.facts)
    ]


def panes_of(column: Column, here: Frame, before: Column | None, earlier: Frame | None, *, dark: bool) -> list[Pane]:
    """Before, after, after as a picture where values are signed, and the difference."""
    panes = []
    if before is not None and earlier is not None:
        panes.append(_pane(f"Before: {before.name}", earlier, dark))
    panes.append(_pane(f"After: {column.name}" if panes else column.name, here, dark))
    if here.ends is not None and here.kind.low < 0:
        undone = as_picture(here.values, here.ends)
        panes.append(Pane("As a picture", image_of(undone, 0, 1, dark=dark), undone, "normalisation undone"))
    if earlier is not None:
        panes.append(difference_of(earlier, here, dark=dark))
    return panes


def _pane(title: str, frame: Frame, dark: bool) -> Pane:
    kind, values = frame.kind, frame.values
    image = image_of(values, kind.low, kind.high, dark=dark, planes=False)
    note = f"{span(kind.low, kind.high)}, " + ("blue below zero, red above" if kind.low < 0 else "black to white")
    several = kind.low < 0 and len(values) > 1
    return Pane(title, image, values, note + (", the channel farthest from zero" if several else ""))


def difference_of(earlier: Frame, here: Frame, *, dark: bool) -> Pane:
    """After less before, signed; uint8 counts as 0..1 where the other one is a tensor."""
    one, other = earlier.values, here.values
    if one.shape[1:] != other.shape[1:]:
        sizes = (f"{values.shape[1]}x{values.shape[2]}" for values in (one, other))
        return Pane("Difference", note=_SIZES_DIFFER.format(*sizes))
    if len(one) != len(other) and 1 not in (len(one), len(other)):
        return Pane("Difference", note=f"Not comparable: {len(one)} channels before, {len(other)} after.")
    mixed = one.dtype != other.dtype
    changed: npt.NDArray[np.float32] = _common(other, mixed) - _common(one, mixed)
    limit = float(np.abs(changed).max())
    if limit == 0:
        note = "nothing has changed" + (", the scale apart" if mixed else "")
    else:
        note = f"±{number(limit)}, after \u2212 before" + (", uint8 as 0 to 1" if mixed else "")
    image = image_of(changed, -max(limit, 1e-6), max(limit, 1e-6), dark=dark, planes=False)
    return Pane("Difference", image, changed, note)


def _common(values: npt.NDArray[np.generic], mixed: bool) -> npt.NDArray[np.float32]:
    scale = 1 / 255 if mixed and values.dtype == np.uint8 else 1
    return (values.astype(np.float32) * np.float32(scale)).astype(np.float32)
