"""Softmax outputs of pinned pictures as bars: a card for each picture, the true class marked by word and shape, below
them how they came about over the run.

One widget paints all cards, so that ten updates a second cost one repaint: of bars and numbers alone, over a picture of
all that stands. The run below them changes by a column of pixels at most, so while it goes on one card after the other
has it painted anew. One card is chosen, by the mouse or the
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
from PySide6.QtGui import QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from gui_lab.qt.theme import CAPTION, CORNER, THEME, XS, L, M, S, class_colour, colour, numbers_font
from gui_lab.qt.views.over_time import stacked

if TYPE_CHECKING:
    from gui_lab.core.trails import Trails

_ROW = 15
_PICTURE = 64
_AREA = 24  # pixels, the height of the stacked area
_TURNS = 2  # paints for one area
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


@dataclass(frozen=True)
class _Bars:
    """Where the bars of a card stand, in pixels.

    Attributes:
        rows: label and top of each.
        left: of the colours of the classes, before names of the width `names`.
        start, longest: of the bars.
        number: the width of the room behind them.
    """

    rows: tuple[tuple[int, float], ...]
    left: float
    names: int
    start: float
    longest: float
    number: int


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
        self._ground: tuple[object, QPixmap] | None = None
        self._areas: dict[int, QImage] = {}
        self._old_areas: list[int] = []
        self._all_areas = True
        self._turns = 0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setToolTip("Click shows a picture step by step, double-click unpins it. Below: the run so far.")
        THEME.changed.connect(self._redraw)

    def _redraw(self) -> None:
        """Paint all of it anew."""
        self._ground = None
        self._areas.clear()
        self.update()

    def show_pictures(self, pinned: Sequence[Pinned], classes: Sequence[str]) -> None:
        if tuple(classes) != self._classes:
            self._classes, self._names_width = tuple(classes), _width_of(classes)
        place = self._place_of(self.chosen_index)
        self._pinned = tuple(pinned)
        self._values = {pin.index: self._values[pin.index] for pin in pinned if pin.index in self._values}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if pinned else Qt.FocusPolicy.NoFocus)
        self.updateGeometry()
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self._redraw()
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
        self,
        indices: Sequence[int],
        values: npt.NDArray[np.float32],
        trails: Trails | None = None,
        goes_on: bool = False,
    ) -> None:
        """
        Args:
            indices: of pictures; those that are not pinned are passed over.
            values: float32 (len(indices), classes), rows sum to 1. An empty one clears all bars.
            trails: the run so far.
            goes_on: whether there will be more of it soon: then not all of it need be shown at once.
        """
        if trails is not self._trails:
            self._areas.clear()
        self._values, self._trails, self._all_areas = dict(zip(indices, values, strict=True)), trails, not goes_on
        self._old_areas += [pin.index for pin in self._pinned if pin.index not in self._old_areas]
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
        seen = QRectF(event.rect())
        cards = [
            (pin, card) for place, pin in enumerate(self._pinned) if (card := self._rectangle(place)).intersects(seen)
        ]
        with QPainter(self) as painter:
            painter.setFont(numbers_font(CAPTION))
            painter.drawPixmap(0, 0, self._standing())
            self._renew_areas([pin for pin, _ in cards])
            for pin, card in cards:
                self._paint_now(painter, pin, self._values.get(pin.index), card)
                if pin.index == self.chosen_index:
                    self._paint_frame(painter, card)

    def _standing(self) -> QPixmap:
        """All that stands while the numbers move, painted once."""
        rows = [self._rows(pin, self._values.get(pin.index)) for pin in self._pinned]
        known = [pin.index in self._values for pin in self._pinned]
        ratio = self.devicePixelRatioF()
        looks = (self.size(), ratio, rows, known)
        if self._ground is None or self._ground[0] != looks:
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(colour("window"))
            with QPainter(ground) as painter:
                painter.setFont(numbers_font(CAPTION))
                for place, pin in enumerate(self._pinned):
                    self._paint_card(painter, pin, rows[place], self._rectangle(place))
            self._ground = looks, ground
        return self._ground[1]

    def _paint_card(self, painter: QPainter, pin: Pinned, rows: Sequence[int], card: QRectF) -> None:
        painter.setPen(colour("line"))
        painter.setBrush(colour("surface"))
        painter.drawRoundedRect(card, CORNER, CORNER)
        frame = QRectF(card.left() + S, card.top() + S, _PICTURE, _PICTURE)
        painter.drawImage(frame, pin.image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        painter.setPen(colour("quiet"))
        if pin.label < 0:
            painter.drawText(_below(card), _TOP, self._elided(painter, pin.name, _PICTURE))
        elif pin.index not in self._values:
            words = self._elided(painter, f"true: {self._classes[pin.label]}", _PICTURE)
            painter.drawText(_below(card), _TOP, words)
        painter.fillRect(_area(card), colour("raised"))
        self._paint_names(painter, pin, self._bars(painter, rows, card))

    def _paint_names(self, painter: QPainter, pin: Pinned, bars: _Bars) -> None:
        for label, y in bars.rows:
            true = label == pin.label
            painter.setPen(colour("text" if true else "quiet"))
            name = self._elided(painter, self._classes[label], bars.names)
            painter.drawText(QRectF(bars.left + _KEY, y, bars.names, _ROW), _LEFT, name)
            painter.fillRect(QRectF(bars.left, y + 3, 3, _ROW - 6), class_colour(label))
            if true:
                self._paint_mark(painter, bars.left + _KEY + bars.names + 2, y + _ROW / 2)
            painter.fillRect(QRectF(bars.start, y + 4, bars.longest, _ROW - 8), colour("raised"))

    def _bars(self, painter: QPainter, rows: Sequence[int], card: QRectF) -> _Bars:
        """Where the bars of a card stand."""
        room = card.adjusted(2 * S + _PICTURE, S, -S, -2 * S - _AREA)
        names = min(self._names_width, int(room.width() * 0.42))
        number = painter.fontMetrics().horizontalAdvance("100%")
        start = room.left() + _KEY + names + M
        top = room.top() + (room.height() - len(rows) * _ROW) / 2
        places = tuple((label, top + place * _ROW) for place, label in enumerate(rows))
        return _Bars(places, room.left(), names, start, room.right() - number - XS - start, number + XS)

    # ---------------------------------------------------------------- what moves

    def _paint_now(self, painter: QPainter, pin: Pinned, row: npt.NDArray[np.float32] | None, card: QRectF) -> None:
        if row is None:
            return
        self._paint_verdict(painter, _below(card), pin, row)
        self._paint_bars(painter, pin, row, self._bars(painter, self._rows(pin, row), card))
        if pin.index in self._areas:
            painter.drawImage(_area(card), self._areas[pin.index])

    def _paint_verdict(self, painter: QPainter, below: QRectF, pin: Pinned, row: npt.NDArray[np.float32]) -> None:
        if pin.label < 0:
            return
        if not np.isfinite(row).all():
            painter.setPen(colour("quiet"))
            painter.drawText(below, _TOP, self._elided(painter, _NO_NUMBERS, _PICTURE))
            return
        right = int(row.argmax()) == pin.label
        painter.setPen(colour("best" if right else "error"))
        painter.drawText(below, _TOP, "✓ right" if right else "✗ wrong")

    def _paint_bars(self, painter: QPainter, pin: Pinned, row: npt.NDArray[np.float32], bars: _Bars) -> None:
        guess = int(row.argmax())
        for label, y in bars.rows:
            part = float(row[label])
            if not math.isfinite(part):
                continue
            role = "best" if label == pin.label else "error" if pin.label >= 0 and label == guess else "training"
            painter.fillRect(QRectF(bars.start, y + 4, max(bars.longest * part, 0.5), _ROW - 8), colour(role))
            painter.setPen(colour("text" if label == pin.label else "quiet"))
            painter.drawText(QRectF(bars.start + bars.longest, y, bars.number, _ROW), _RIGHT, f"{part:.0%}")

    def _paint_frame(self, painter: QPainter, card: QRectF) -> None:
        """Around the chosen card."""
        painter.setPen(QPen(colour("accent"), 2 if self.hasFocus() else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), CORNER, CORNER)

    def _renew_areas(self, seen: Sequence[Pinned]) -> None:
        """The run so far, from its begin on the left to now on the right: of cards that have none yet, of the one that
        has the oldest, and of all where the run waits or other cards have come into sight."""
        labels = {pin.index: pin.label for pin in seen}
        old = [index for index in self._old_areas if index in labels]
        every, self._all_areas = self._all_areas, True
        due = old if every else [index for index in old if index not in self._areas]
        self._turns += 1
        if not due and self._turns % _TURNS == 0:
            due = old[:1]
        for index in due:
            self._old_areas.remove(index)
            trail = self._trails.of(index) if self._trails is not None and index in self._values else None
            if trail is not None:
                self._areas[index] = stacked(trail.means(), labels[index], _AREA)
            else:
                self._areas.pop(index, None)

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


def _below(card: QRectF) -> QRectF:
    """The words below the picture of a card."""
    return QRectF(card.left() + S, card.top() + S + _PICTURE + XS, _PICTURE, 2 * L)


def _area(card: QRectF) -> QRectF:
    """The run so far, at the bottom of a card."""
    return QRectF(card.left() + S, card.bottom() - S - _AREA, card.width() - 2 * S, _AREA)


def _width_of(names: Sequence[str]) -> int:
    """Pixels for the widest of these names, measured once: there may be ten thousand."""
    metrics = QFontMetrics(numbers_font(CAPTION))
    widest = max((metrics.horizontalAdvance(name) for name in names), default=0)
    return min(widest + 2, _WIDEST_NAME)  # advances are rounded; without the two a name that fits would be elided
