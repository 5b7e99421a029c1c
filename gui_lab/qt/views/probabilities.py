"""Softmax outputs of pinned pictures as bars: a card for each picture, the true class marked by word and shape, below
them how they came about over the run.

One widget paints all cards, so that ten updates a second cost one repaint. One card is chosen, by the mouse or the
arrow keys: its picture is the one that is shown step by step elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from gui_lab.qt.theme import CAPTION, CORNER, THEME, XS, L, M, S, class_colour, colour, numbers_font
from gui_lab.qt.views.over_time import stacked

if TYPE_CHECKING:
    from gui_lab.core.trails import Trails

_ROW = 15
_PICTURE = 64
_AREA = 24  # pixels, the height of the stacked area
_KEY = 7  # the colour of a class before its name
_CARD_WIDTH = 166 + _KEY  # without the names of the classes
_WIDEST_NAME = 96
_MOST_ROWS = 10
_NO_NUMBERS = "no numbers"  # NaN left the network


@dataclass(frozen=True, eq=False)
class Pinned:
    """A pinned picture: its index, the picture as an image, and its true class; a person's own has a negative index,
    the label -1 and a `name`."""

    index: int
    image: QImage
    label: int
    name: str = ""


class Probabilities(QWidget):
    """
    `unpin_wanted` carries the index of a picture whose card was double-clicked, or which was chosen when Delete was
    pressed. `chosen` carries the index of the picture that is the chosen one from now on; there is one as long as any
    picture is pinned.
    """

    unpin_wanted = Signal(int)
    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("train.probabilities")
        self.setAccessibleName("Softmax outputs of the pinned pictures")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._classes: tuple[str, ...] = ()
        self._names_width = 0
        self._pinned: tuple[Pinned, ...] = ()
        self._values: dict[int, npt.NDArray[np.float32]] = {}
        self._trails: Trails | None = None
        self.chosen_index: int | None = None
        self.setToolTip("Click shows a picture step by step, double-click unpins it. Below: the run so far.")
        THEME.changed.connect(self.update)

    def show_pictures(self, pinned: Sequence[Pinned], classes: Sequence[str]) -> None:
        if tuple(classes) != self._classes:
            self._classes, self._names_width = tuple(classes), _width_of(classes)
        place = self._place_of(self.chosen_index)
        self._pinned = tuple(pinned)
        self._values = {pin.index: self._values[pin.index] for pin in pinned if pin.index in self._values}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if pinned else Qt.FocusPolicy.NoFocus)
        self.updateGeometry()
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self.update()
        if not pinned:
            self.chosen_index = None
        elif self._place_of(self.chosen_index) is None:  # its neighbour moves up
            self.choose(pinned[min(place or 0, len(pinned) - 1)].index)

    def choose(self, index: int) -> None:
        """Make a pinned picture the chosen one."""
        if index != self.chosen_index and self._place_of(index) is not None:
            self.chosen_index = index
            self.update()
            self.chosen.emit(index)

    def _place_of(self, index: int | None) -> int | None:
        return next((place for place, pin in enumerate(self._pinned) if pin.index == index), None)

    def show_probabilities(
        self, indices: Sequence[int], values: npt.NDArray[np.float32], trails: Trails | None = None
    ) -> None:
        """
        Args:
            indices: of pictures; those that are not pinned are passed over.
            values: float32 (len(indices), classes), rows sum to 1. An empty one clears all bars.
            trails: the run so far.
        """
        self._values, self._trails = dict(zip(indices, values, strict=True)), trails
        words = [f"{self._said(pin)}" for pin in self._pinned if pin.index in self._values]
        self.setAccessibleDescription("; ".join(words))
        self.update()

    def probabilities(self, index: int) -> npt.NDArray[np.float32] | None:
        """What is shown for a picture, float32 (classes,); None before there is anything."""
        return self._values.get(index)

    def _said(self, pin: Pinned) -> str:
        row = self._values[pin.index]
        guess = int(row.argmax())
        if not math.isfinite(row[guess]):
            return _NO_NUMBERS
        if pin.label < 0:
            return f"{self._classes[guess]} {row[guess]:.0%}, {pin.name}"
        verdict = "right" if guess == pin.label else f"true: {self._classes[pin.label]}"
        return f"{self._classes[guess]} {row[guess]:.0%}, {verdict}"

    # ---------------------------------------------------------------- geometry

    def _columns(self, width: int) -> int:
        narrowest = _CARD_WIDTH + self._names_width
        return max((width + M) // (narrowest + M), 1)

    def _card_height(self) -> int:
        rows = min(len(self._classes), _MOST_ROWS)
        return max(rows * _ROW, _PICTURE + 2 * L) + 3 * S + _AREA

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        rows = -(-len(self._pinned) // self._columns(width))
        return rows * (self._card_height() + M)

    def sizeHint(self) -> QSize:
        return QSize(2 * _CARD_WIDTH + M, self.heightForWidth(2 * _CARD_WIDTH + M))

    def resizeEvent(self, event: object) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()))

    def _rectangle(self, place: int) -> QRectF:
        columns = self._columns(self.width())
        width = (self.width() - (columns - 1) * M - 1) / columns
        row, column = divmod(place, columns)
        return QRectF(column * (width + M) + 0.5, row * (self._card_height() + M) + 0.5, width, self._card_height())

    # ---------------------------------------------------------------- choosing

    def _at(self, point: QPointF) -> int | None:
        """The index of the picture whose card is there."""
        places = enumerate(self._pinned)
        return next((pin.index for place, pin in places if self._rectangle(place).contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.choose(index)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if index is not None:
            self.unpin_wanted.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        place, key = self._place_of(self.chosen_index), Qt.Key(event.key())
        if place is None:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.unpin_wanted.emit(self._pinned[place].index)
        elif (wanted := self._walked(place, key)) is not None:
            self.choose(self._pinned[wanted].index)
            self._bring_to_sight(wanted)
        else:
            super().keyPressEvent(event)

    def _walked(self, place: int, key: Qt.Key) -> int | None:
        """Where a key leads from a card; None where it is no key for this."""
        last, columns = len(self._pinned) - 1, self._columns(self.width())
        ends = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}
        if key in ends:
            return ends[key]
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        if key not in steps:
            return None
        wanted = place + steps[key]
        return wanted if 0 <= wanted <= last else place

    def _bring_to_sight(self, place: int) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        inside = above.widget() if isinstance(above, QScrollArea) else None
        if isinstance(above, QScrollArea) and inside is not None:
            card = self._rectangle(place).toRect()
            middle = self.mapTo(inside, card.center())
            above.ensureVisible(middle.x(), middle.y(), 0, card.height() // 2 + S)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setFont(numbers_font(CAPTION))
            for place, pin in enumerate(self._pinned):
                rectangle = self._rectangle(place)
                if rectangle.intersects(QRectF(event.rect())):
                    self._paint_card(painter, pin, rectangle)

    def _paint_card(self, painter: QPainter, pin: Pinned, card: QRectF) -> None:
        chosen = pin.index == self.chosen_index
        painter.setPen(QPen(colour("accent"), 2 if self.hasFocus() else 1) if chosen else QPen(colour("line")))
        painter.setBrush(colour("surface"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5) if chosen else card, CORNER, CORNER)
        painter.setPen(QPen(colour("line")))
        frame = QRectF(card.left() + S, card.top() + S, _PICTURE, _PICTURE)
        painter.drawImage(frame, pin.image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        row = self._values.get(pin.index)
        below = QRectF(frame.left(), frame.bottom() + XS, _PICTURE, 2 * L)
        painter.setPen(colour("quiet"))
        if row is None:
            words = f"true: {self._classes[pin.label]}" if pin.label >= 0 else pin.name
            painter.drawText(below, _TOP, self._elided(painter, words, _PICTURE))
        else:
            self._paint_verdict(painter, below, pin, row)
        self._paint_bars(painter, pin, row, card.adjusted(2 * S + _PICTURE, S, -S, -2 * S - _AREA))
        self._paint_run(painter, pin, QRectF(card.left() + S, card.bottom() - S - _AREA, card.width() - 2 * S, _AREA))

    def _paint_run(self, painter: QPainter, pin: Pinned, area: QRectF) -> None:
        """The run so far, from its begin on the left to now on the right."""
        trail = self._trails.of(pin.index) if self._trails is not None and pin.index in self._values else None
        painter.fillRect(area, colour("raised"))
        if trail is not None:
            painter.drawImage(area, stacked(trail.means(), pin.label, _AREA))

    def _paint_verdict(self, painter: QPainter, below: QRectF, pin: Pinned, row: npt.NDArray[np.float32]) -> None:
        if pin.label < 0:
            painter.drawText(below, _TOP, self._elided(painter, pin.name, _PICTURE))
            return
        if not np.isfinite(row).all():
            painter.drawText(below, _TOP, self._elided(painter, _NO_NUMBERS, _PICTURE))
            return
        guess = int(row.argmax())
        right = guess == pin.label
        painter.setPen(colour("best" if right else "error"))
        word = "right" if right else "wrong"
        painter.drawText(below, _TOP, f"{'✓' if right else '✗'} {word}")

    def _paint_bars(self, painter: QPainter, pin: Pinned, row: npt.NDArray[np.float32] | None, area: QRectF) -> None:
        shown = self._rows(pin, row)
        metrics = painter.fontMetrics()
        names = min(self._names_width, int(area.width() * 0.42))
        number = metrics.horizontalAdvance("100%")
        left = area.left() + _KEY + names + M
        longest = area.right() - number - XS - left
        top = area.top() + (area.height() - len(shown) * _ROW) / 2
        for place, label in enumerate(shown):
            y = top + place * _ROW
            true = label == pin.label
            painter.setPen(colour("text" if true else "quiet"))
            name = self._elided(painter, self._classes[label], names)
            painter.drawText(QRectF(area.left() + _KEY, y, names, _ROW), _LEFT, name)
            painter.fillRect(QRectF(area.left(), y + 3, 3, _ROW - 6), class_colour(label))
            if true:
                self._paint_mark(painter, area.left() + _KEY + names + 2, y + _ROW / 2)
            track = QRectF(left, y + 4, longest, _ROW - 8)
            painter.fillRect(track, colour("raised"))
            if row is not None and math.isfinite(row[label]):
                part = float(row[label])
                wrong = pin.label >= 0 and label == int(row.argmax())
                role = "best" if true else ("error" if wrong else "training")
                painter.fillRect(QRectF(left, y + 4, max(longest * part, 0.5), _ROW - 8), colour(role))
                painter.drawText(QRectF(track.right(), y, number + XS, _ROW), _RIGHT, f"{part:.0%}")

    def _paint_mark(self, painter: QPainter, x: float, y: float) -> None:
        """A small triangle that points at the bar of the true class."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("text"))
        painter.drawPolygon(QPolygonF([QPointF(x, y - 4), QPointF(x + 6, y), QPointF(x, y + 4)]))
        painter.restore()

    def _rows(self, pin: Pinned, row: npt.NDArray[np.float32] | None) -> list[int]:
        """All classes, or where there are many the true one and the most probable ones, in their own order."""
        if len(self._classes) <= _MOST_ROWS:
            return list(range(len(self._classes)))
        best = list(np.argsort(row)[::-1][:_MOST_ROWS]) if row is not None else list(range(_MOST_ROWS))
        if pin.label >= 0 and pin.label not in best:
            best[-1] = pin.label
        return sorted(int(label) for label in best)

    def _elided(self, painter: QPainter, text: str, width: float) -> str:
        return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_TOP = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


def _width_of(names: Sequence[str]) -> int:
    """Pixels for the widest of these names, measured once: there may be ten thousand."""
    metrics = QFontMetrics(numbers_font(CAPTION))
    widest = max((metrics.horizontalAdvance(name) for name in names), default=0)
    return min(widest + 2, _WIDEST_NAME)  # advances are rounded; without the two a name that fits would be elided
