"""Softmax outputs of pinned pictures as bars: a card for each picture, the true class marked by word and shape, below
them how they came about over the run.

One widget paints all cards, so that ten updates a second cost one repaint: of those bars and numbers alone that have
changed, over a picture of all that stands. The run below them changes by a column of pixels at most, so while it goes
on one card after the other has it painted anew. One card is chosen, by the mouse or the arrow keys: its picture is the
one that is shown step by step elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QRegion,
)
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from gui_lab.qt.theme import CAPTION, CORNER, THEME, XS, L, M, S, class_colour, colour, numbers_font
from gui_lab.qt.views.cells import Cells
from gui_lab.qt.views.digits import Numbers
from gui_lab.qt.views.over_time import stacked
from gui_lab.qt.views.pinned_card import AREA, NO_NUMBERS, PICTURE, ROW, Bars, Pinned, area_of, below, verdict

if TYPE_CHECKING:
    from gui_lab.core.trails import Trails

_TURNS = 4  # paints for one area
_KEY = 7  # the colour of a class before its name
_CARD_WIDTH = 166 + _KEY  # without the names of the classes
_WIDEST_NAME = 96
_MOSTROWS = 10


@dataclass(frozen=True, eq=False)
class _Card:
    """What stands of a card: its `rectangle`, all pixels of it, and where its bars are, with a number behind each."""

    pin: Pinned
    rectangle: QRectF
    place: QRect
    bars: Bars
    numbers: list[Numbers]


@dataclass(frozen=True, eq=False)
class _Ground:
    """What stands while the numbers move, and what decides how that `looks`."""

    looks: object
    cells: Cells
    cards: list[_Card]


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
        self._ground: _Ground | None = None
        self._aloud: object = None
        self._fresh = QRegion()
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
        self._say()
        seen = self.visibleRegion().boundingRect()
        if self._ground is None or seen.isEmpty() or self._ground.looks != self._looks():
            self.update()
        else:
            self._bring_up_to_date(self._ground, seen)
            changed = self._ground.cells.changed()
            self._fresh += changed
            self.update(changed)

    def _say(self) -> None:
        """The guesses in words, for a screen reader."""
        shown = [(pin, self._values[pin.index]) for pin in self._pinned if pin.index in self._values]
        guesses = [int(row.argmax()) for _, row in shown]
        numbers = [float(row[guess]) for (_, row), guess in zip(shown, guesses, strict=True)]
        percents = [round(100 * part) if math.isfinite(part) else None for part in numbers]
        aloud = self._pinned, self._classes, guesses, percents
        if aloud != self._aloud:
            self._aloud = aloud
            self.setAccessibleDescription("; ".join(self._said(pin) for pin, _ in shown))

    def probabilities(self, index: int) -> npt.NDArray[np.float32] | None:
        """What is shown for a picture, float32 (classes,); None before there is anything."""
        return self._values.get(index)

    def _said(self, pin: Pinned) -> str:
        row = self._values[pin.index]
        guess = int(row.argmax())
        if not math.isfinite(row[guess]):
            return NO_NUMBERS
        if pin.label < 0:
            return f"{self._classes[guess]} {row[guess]:.0%}, {pin.name}"
        verdict = "right" if guess == pin.label else f"true: {self._classes[pin.label]}"
        return f"{self._classes[guess]} {row[guess]:.0%}, {verdict}"

    # ---------------------------------------------------------------- geometry

    def _columns(self, width: int) -> int:
        narrowest = _CARD_WIDTH + self._names_width
        return max((width + M) // (narrowest + M), 1)

    def _card_height(self) -> int:
        rows = min(len(self._classes), _MOSTROWS)
        return max(rows * ROW, PICTURE + 2 * L) + 3 * S + AREA

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
        ground, fresh, self._fresh = self._standing(), self._fresh, QRegion()
        cells = ground.cells
        if not event.region().subtracted(fresh).isEmpty():  # more than what was brought up to date is seen
            self._bring_up_to_date(ground, event.rect())
            cells.changed()  # all of it is painted now
        with QPainter(self) as painter:
            cells.show(painter, event.rect())
            place = self._place_of(self.chosen_index)
            if place is not None:
                self._paint_frame(painter, self._rectangle(place), event.region())

    def _bring_up_to_date(self, ground: _Ground, seen: QRect) -> None:
        """Paint what has changed of the cards that are seen."""
        cards = [card for card in ground.cards if card.place.intersects(seen)]
        self._renew_areas([card.pin for card in cards])
        with QPainter(ground.cells.picture) as painter:
            painter.setFont(numbers_font(CAPTION))
            for card in cards:
                self._paint_now(painter, ground.cells, card)

    def _looks(self) -> object:
        """What decides how that looks which stands while the numbers move."""
        rows = [self._rows(pin, self._values.get(pin.index)) for pin in self._pinned]
        known = [pin.index in self._values for pin in self._pinned]
        return self.size(), self.devicePixelRatioF(), rows, known

    def _standing(self) -> _Ground:
        """All that stands while the numbers move, painted once."""
        looks, ratio = self._looks(), self.devicePixelRatioF()
        if self._ground is None or self._ground.looks != looks:
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(colour("window"))
            cards = []
            with QPainter(ground) as painter:
                painter.setFont(numbers_font(CAPTION))
                for place, pin in enumerate(self._pinned):
                    card = self._rectangle(place)
                    bars = self._bars(painter, self._rows(pin, self._values.get(pin.index)), card)
                    self._paint_card(painter, pin, bars, card)
                    end = bars.start + bars.longest + bars.number
                    numbers = [Numbers([(end, y)], ROW, CAPTION) for _, y in bars.rows]
                    cards.append(_Card(pin, card, card.toAlignedRect(), bars, numbers))
            self._ground = _Ground(looks, Cells(ground), cards)
        return self._ground

    def _paint_card(self, painter: QPainter, pin: Pinned, bars: Bars, card: QRectF) -> None:
        painter.setPen(colour("line"))
        painter.setBrush(colour("surface"))
        painter.drawRoundedRect(card, CORNER, CORNER)
        frame = QRectF(card.left() + S, card.top() + S, PICTURE, PICTURE)
        painter.drawImage(frame, pin.image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        painter.setPen(colour("quiet"))
        if pin.label < 0:
            painter.drawText(below(card), _TOP, self._elided(painter, pin.name, PICTURE))
        elif pin.index not in self._values:
            words = self._elided(painter, f"true: {self._classes[pin.label]}", PICTURE)
            painter.drawText(below(card), _TOP, words)
        painter.fillRect(area_of(card), colour("raised"))
        self._paint_names(painter, pin, bars)

    def _paint_names(self, painter: QPainter, pin: Pinned, bars: Bars) -> None:
        for label, y in bars.rows:
            true = label == pin.label
            painter.setPen(colour("text" if true else "quiet"))
            name = self._elided(painter, self._classes[label], bars.names)
            painter.drawText(QRectF(bars.left + _KEY, y, bars.names, ROW), _LEFT, name)
            painter.fillRect(QRectF(bars.left, y + 3, 3, ROW - 6), class_colour(label))
            if true:
                self._paint_mark(painter, bars.left + _KEY + bars.names + 2, y + ROW / 2)
            painter.fillRect(QRectF(bars.start, y + 4, bars.longest, ROW - 8), colour("raised"))

    def _bars(self, painter: QPainter, rows: Sequence[int], card: QRectF) -> Bars:
        """Where the bars of a card stand."""
        room = card.adjusted(2 * S + PICTURE, S, -S, -2 * S - AREA)
        names = min(self._names_width, int(room.width() * 0.42))
        number = painter.fontMetrics().horizontalAdvance("100%")
        start = room.left() + _KEY + names + M
        top = room.top() + (room.height() - len(rows) * ROW) / 2
        places = tuple((label, top + place * ROW) for place, label in enumerate(rows))
        return Bars(places, room.left(), names, start, room.right() - number - XS - start, number + XS)

    # ---------------------------------------------------------------- what moves

    def _paint_now(self, painter: QPainter, cells: Cells, card: _Card) -> None:
        pin, row = card.pin, self._values.get(card.pin.index)
        if row is None:
            return
        if pin.label >= 0:
            words, role = verdict(pin, row)
            room = below(card.rectangle)
            if cells.cleared(painter, (pin.index, "verdict"), room, words):
                painter.setPen(colour(role))
                painter.drawText(room, _TOP, self._elided(painter, words, PICTURE))
        self._paint_bars(painter, cells, card, row)
        area = self._areas.get(pin.index)
        if area is not None:
            where = area_of(card.rectangle)
            if cells.cleared(painter, (pin.index, "area"), where, area.cacheKey()):
                painter.drawImage(where, area)

    def _paint_bars(self, painter: QPainter, cells: Cells, card: _Card, row: npt.NDArray[np.float32]) -> None:
        pin, bars, guess, ratio = card.pin, card.bars, int(row.argmax()), self.devicePixelRatioF()
        parts = row.tolist()
        for (label, y), number in zip(bars.rows, card.numbers, strict=True):
            part = parts[label]
            known = math.isfinite(part)
            role = "best" if label == pin.label else "error" if pin.label >= 0 and label == guess else "training"
            length, words = (max(bars.longest * part, 0.5), f"{part:.0%}") if known else (0.0, "")
            where = QRectF(bars.start, y, bars.longest + bars.number, ROW)
            end = math.floor((bars.start + length) * ratio + 0.5)  # as Qt rounds it
            if cells.cleared(painter, (pin.index, label), where, (end, words, role)) and known:
                painter.fillRect(QRectF(bars.start, y + 4, length, ROW - 8), colour(role))
                painter.setPen(colour("text" if label == pin.label else "quiet"))
                number.draw(painter, [words])

    def _paint_frame(self, painter: QPainter, card: QRectF, seen: QRegion) -> None:
        """Around the chosen card, where its edge is seen."""
        if seen.subtracted(QRegion(card.toAlignedRect().adjusted(CORNER, CORNER, -CORNER, -CORNER))).isEmpty():
            return
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
                self._areas[index] = stacked(trail.means(), labels[index], AREA)
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
        if len(self._classes) <= _MOSTROWS:
            return list(range(len(self._classes)))
        best = list(np.argsort(row)[::-1][:_MOSTROWS]) if row is not None else list(range(_MOSTROWS))
        if pin.label >= 0 and pin.label not in best:
            best[-1] = pin.label
        return sorted(int(label) for label in best)

    def _elided(self, painter: QPainter, text: str, width: float) -> str:
        return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_TOP = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


def _width_of(names: Sequence[str]) -> int:
    """Pixels for the widest of these names, measured once: there may be ten thousand."""
    metrics = QFontMetrics(numbers_font(CAPTION))
    widest = max((metrics.horizontalAdvance(name) for name in names), default=0)
    return min(widest + 2, _WIDEST_NAME)  # advances are rounded; without the two a name that fits would be elided
