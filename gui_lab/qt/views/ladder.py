"""The softmax ladder of one pinned picture: from the scores to the loss, every step as a number.

One widget paints the picture and the table, so that ten updates a second cost ten small repaints: of the numbers, and
only where one has changed, over a picture of all that stands. The numbers are torch's own (`core/probing.py`); only
another temperature is reckoned here, as one turns the knob.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QToolButton, QVBoxLayout, QWidget

from gui_lab.qt.pictures import scaled
from gui_lab.qt.theme import (
    BASE,
    CAPTION,
    THEME,
    L,
    M,
    S,
    colour,
    label,
    numbers_font,
    set_role,
    with_icon,
)
from gui_lab.qt.views.cells import Cells
from gui_lab.qt.views.digits import Numbers, width_of
from gui_lab.qt.views.facts import span
from gui_lab.qt.views.frames import image_of
from gui_lab.qt.views.ladder_table import LEFT, NARROW, RIGHT, WIDE, Plan, Table, elided
from gui_lab.qt.views.ladder_words import MOST_ROWS, Said, degree, said

if TYPE_CHECKING:
    from gui_lab.core.looks import Probed

_PICTURE = 64
_STEPS = 100  # of the slider for each factor of ten
_EQUAL = {True: "= equal", False: "≠ differ"}
_MARKS = {True: "✓ ", False: "✗ ", None: ""}
_TINTS = {True: "best", False: "error", None: "text"}


class Ladder(QWidget):
    """The steps of one picture, and a slider for the temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ladder")
        self.setAccessibleName("Softmax ladder")
        self._seen: tuple[Probed, int, tuple[str, ...]] | None = None
        self.steps = _Steps()
        self.note = label("", "caption", wrap=True, name="ladder.note")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addWidget(self.steps)
        column.addLayout(self._knob())
        column.addWidget(self.note)
        self.note.hide()
        THEME.changed.connect(self.steps.update)

    def _knob(self) -> QHBoxLayout:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("ladder.temperature")
        self.slider.setAccessibleName("Temperature of the softmax")
        self.slider.setToolTip("Divide the scores by T before exp: 0.1 to 10. The network itself does not change.")
        self.slider.setRange(-_STEPS, _STEPS)
        self.slider.setPageStep(_STEPS // 4)
        self.slider.setMinimumSize(52, 20)  # the sheet's handle is higher than Qt's own
        self.slider.valueChanged.connect(self._temper)
        self.reset = QToolButton()
        self.reset.setObjectName("ladder.reset")
        self.reset.setAccessibleName("Temperature 1")
        self.reset.setToolTip("Back to T = 1, the network's own softmax")
        set_role(self.reset, "mini")
        with_icon(self.reset, "arrow-counter-clockwise", "quiet")
        self.reset.setIconSize(QSize(14, 14))
        self.reset.setEnabled(False)
        self.reset.clicked.connect(lambda: self.slider.setValue(0))
        self.degree = label("1.00", "number", name="ladder.degree")
        self.degree.setMinimumWidth(QFontMetrics(numbers_font(BASE)).horizontalAdvance("10.0") + 2)
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(label("Temperature", "caption"))
        row.addWidget(self.slider, 1)
        row.addWidget(self.degree)
        row.addWidget(self.reset)
        return row

    @property
    def temperature(self) -> float:
        """0.1 to 10, exactly 1 in the middle."""
        return float(10 ** (self.slider.value() / _STEPS))

    def show_probed(self, probed: Probed | None, index: int | None, classes: Sequence[str]) -> None:
        """
        Args:
            probed: the newest look; None before there is one.
            index: which of its pictures; where it is not among them nothing is shown.
            classes: names of the classes.
        """
        known = probed is not None and index is not None and index in probed.indices
        assert probed is not None or not known
        self._seen = (probed, probed.indices.index(index), tuple(classes)) if probed is not None and known else None
        self._say()

    def said(self) -> Said | None:
        """What is written; None where nothing is."""
        return self.steps.said

    def _temper(self) -> None:
        self.degree.setText(degree(self.temperature))
        self.reset.setEnabled(self.slider.value() != 0)
        self._say()

    def _say(self) -> None:
        if self._seen is None:
            self.steps.show_nothing()
        else:
            probed, place, classes = self._seen
            words = said(probed, place, classes, self.temperature)
            self.steps.show_said(words, probed, place, classes)
        note = self.steps.said.note if self.steps.said is not None else ""
        if note != self.note.text():
            self.note.setText(note)
            self.note.setVisible(bool(note))


class _Steps(QWidget):
    """The picture, the table and the losses, painted."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("ladder.steps")
        self.setAccessibleName("Softmax step by step")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(210)
        self.said: Said | None = None
        self._classes: tuple[str, ...] = ()
        self._names_width = dict.fromkeys((CAPTION, BASE), 0)
        self._picture: tuple[object, int, bool, float, QImage] | None = None
        self._probed: tuple[Probed, int] | None = None
        self._painted: tuple[object, Cells] | None = None
        self._numbers = self._own_loss = self._sure = Numbers((), 1, CAPTION)
        self._fresh = QRegion()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_nothing(self) -> None:
        if self.said is not None:
            self.said = self._probed = self._picture = None
            self.setAccessibleDescription("")
            self.updateGeometry()
        self.update()

    def show_said(self, words: Said, probed: Probed, place: int, classes: tuple[str, ...]) -> None:
        fresh = self.said is None or classes != self._classes
        if classes != self._classes:
            self._classes = classes
            self._names_width = {pixels: _width_of(classes, pixels) for pixels in self._names_width}
        self.said, self._probed = words, (probed, place)
        if fresh:
            self.updateGeometry()
        self.setAccessibleDescription(_aloud(words))
        before = self._painted
        if before is None or self.visibleRegion().isEmpty():
            self.update()
            return
        cells = self._bring_up_to_date(words, probed, place)
        changed = cells.changed() if cells is before[1] else QRegion(self.rect())
        self._fresh += changed
        self.update(changed)

    # ---------------------------------------------------------------- geometry

    def _pixels(self) -> int:
        return BASE if self.width() >= WIDE else CAPTION

    def _line(self) -> int:
        return self._pixels() + 7

    def sizeHint(self) -> QSize:
        if self.said is None:
            return QSize(320, 3 * L)
        classes = len(self._classes)
        rows = min(classes, MOST_ROWS) + (classes > MOST_ROWS)
        head, table, losses = _PICTURE + M, (rows + 1) * self._line() + S, 5 * self._line() + 2 * S
        return QSize(320, head + table + losses)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.updateGeometry()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        fresh, self._fresh = self._fresh, QRegion()
        with QPainter(self) as painter:
            if self.said is None or self._probed is None:
                painter.setFont(numbers_font(self._pixels()))
                painter.fillRect(self.rect(), colour("window"))
                painter.setPen(colour("quiet"))
                words = "Press Train, and the steps of the chosen picture appear here."
                wrapped = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
                painter.drawText(self.rect(), wrapped, words)
                return
            if self._painted is None or not event.region().subtracted(fresh).isEmpty():
                self._bring_up_to_date(self.said, *self._probed).changed()  # all of it is painted now
            assert self._painted is not None
            self._painted[1].show(painter, event.rect())

    def _bring_up_to_date(self, words: Said, probed: Probed, place: int) -> Cells:
        """Paint what has changed."""
        pixels = self._pixels()
        plan = Plan.of(words, pixels, self.width(), self._line(), self._names_width[pixels])
        table = Table(words, plan, _PICTURE + M)
        cells = self._ground(words, probed, place, plan, table)
        with QPainter(cells.picture) as painter:
            painter.setFont(numbers_font(pixels))
            self._paint_guess(painter, cells, words)
            self._paint_numbers(painter, cells, words, table)
        return cells

    def _ground(self, words: Said, probed: Probed, place: int, plan: Plan, table: Table) -> Cells:
        """All that stands while the numbers move, painted once."""
        ratio, image = self.devicePixelRatioF(), self._image(probed, place)
        rows = [(row.label, row.name) for row in words.rows], words.rest.name if words.rest else ""
        said = rows, words.true, words.score, words.loss[0], words.agree
        looks = plan, self.height(), ratio, image.cacheKey(), place, said
        if self._painted is None or self._painted[0] != looks:
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(colour("window"))
            with QPainter(ground) as painter:
                painter.setFont(numbers_font(self._pixels()))
                self._paint_head(painter, probed, place)
                table.paint_what_stands(painter)
                self._paint_names_of_losses(painter, words, table.end)
            self._painted = looks, Cells(ground)
            losses = [(plan.width, table.end + loss * plan.line) for loss in range(3)]
            self._numbers = Numbers([*table.places(), *losses[:2]], plan.line, plan.pixels)
            self._own_loss = Numbers(losses[2:], plan.line, plan.pixels)
        return self._painted[1]

    def _paint_head(self, painter: QPainter, probed: Probed, place: int) -> None:
        image = self._image(probed, place)
        ratio = image.devicePixelRatio()
        width, height = image.width() / ratio, image.height() / ratio
        frame = QRectF((_PICTURE - width) / 2, (_PICTURE - height) / 2, width, height)
        painter.drawImage(frame, image)
        painter.setPen(colour("line"))
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        values = probed.pictures[place]
        shape = "x".join(str(side) for side in values.shape)
        true = self._classes[probed.labels[place]] if probed.labels[place] >= 0 else ""
        painter.setPen(colour("text"))
        self._paint_fact(painter, 0, f"true: {true}" if true else "no true class")
        painter.setPen(colour("quiet"))
        self._paint_fact(painter, 2, "as the network gets it:")
        self._paint_fact(painter, 3, f"{shape}, {span(float(values.min()), float(values.max()))}")

    def _paint_guess(self, painter: QPainter, cells: Cells, words: Said) -> None:
        """The number apart where there is room for all of it: the words stay, and take as long as all other numbers."""
        room, pixels, (name, number) = self._fact(1), self._pixels(), words.guess
        text, tint = f"{_MARKS[words.right]}most probable: {name}, p ", colour(_TINTS[words.right])
        start = room.left() + width_of(text, pixels)
        end = start + width_of(number, pixels)
        fits = end <= room.right()
        text = text if fits else f"{text}{number}"
        if cells.cleared(painter, "guess", room, (text, end)):
            painter.setPen(tint)
            painter.drawText(room, LEFT, elided(painter, text, room.width()))
            self._sure = Numbers([(end, room.top())], room.height(), pixels)
        rest = QRectF(start, room.top(), room.right() - start, room.height())
        if fits and cells.cleared(painter, "sure", rest, (text, number)):
            painter.setPen(tint)
            self._sure.draw(painter, [number])

    def _fact(self, number: int) -> QRectF:
        """One of the four lines beside the picture."""
        left, step = _PICTURE + M, _PICTURE / 4
        return QRectF(left, number * step, self.width() - left, step)

    def _paint_fact(self, painter: QPainter, number: int, text: str) -> None:
        room = self._fact(number)
        painter.drawText(room, LEFT, elided(painter, text, room.width()))

    def _image(self, probed: Probed, place: int) -> QImage:
        """Made once for each picture, scheme and screen."""
        key = (probed.pictures, place, THEME.dark, self.devicePixelRatioF())
        before = self._picture
        if before is not None and before[0] is key[0] and before[1:4] == key[1:]:
            return before[4]
        values = probed.pictures[place]
        low, high = probed.low, probed.high
        if high - low > 1e5:  # own code may give any value: then those of the picture itself
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
        made = image_of(values, low, high, dark=THEME.dark, side=round(_PICTURE * key[3]))
        made = scaled(made, round(_PICTURE * key[3]))
        made.setDevicePixelRatio(key[3])
        self._picture = (*key, made)
        return made

    def _paint_names_of_losses(self, painter: QPainter, words: Said, top: float) -> None:
        metrics, line = painter.fontMetrics(), self._line()
        room = self.width() - self._number(metrics)
        sure = metrics.horizontalAdvance(_EQUAL[True][:1] if self.width() < NARROW else _EQUAL[False]) + S
        names = (
            ("CrossEntropyLoss", room),
            ("LogSoftmax + NLLLoss", room - sure),
            (f"{words.loss[0]} of this run", room),
        )
        for place, (name, width) in enumerate(names):
            painter.setPen(colour("quiet" if place == 2 else "text"))
            where = QRectF(0, top + place * line, width, line)
            painter.drawText(where, LEFT, elided(painter, name, width))
        if words.agree is not None:
            sign = _EQUAL[words.agree]
            painter.setPen(colour("best" if words.agree else "error"))
            painter.drawText(QRectF(0, top + line, room, line), RIGHT, sign[:1] if self.width() < NARROW else sign)

    def _paint_numbers(self, painter: QPainter, cells: Cells, words: Said, table: Table) -> None:
        width, line, ratio = self.width(), self._line(), self.devicePixelRatioF()
        numbers, bars = [*table.numbers(), words.cross_entropy, words.nll], table.bars()
        looks = numbers, [math.floor(bar.right() * ratio + 0.5) for bar in bars]  # as Qt rounds it
        top, own = table.first, table.end + 2 * line
        if cells.cleared(painter, "numbers", QRectF(0, top, width, own - top), looks):
            painter.setPen(colour("text"))
            self._numbers.draw(painter, numbers)
            for place, bar in enumerate(bars):
                painter.fillRect(bar, colour("best" if place == words.true else "training"))
        if cells.cleared(painter, "loss of this run", QRectF(0, own, width, line), words.loss[1]):
            painter.setPen(colour("quiet"))
            self._own_loss.draw(painter, [words.loss[1]])

    def _number(self, metrics: QFontMetrics) -> int:
        """The room of a loss."""
        return metrics.horizontalAdvance("00.0000") + S


def _width_of(names: Sequence[str], pixels: int) -> int:
    """Pixels for the widest of these names, measured once: there may be ten thousand."""
    metrics = QFontMetrics(numbers_font(pixels))
    words = [*names, *(f"{len(names):,} others" for _ in range(len(names) > MOST_ROWS))]
    return max(metrics.horizontalAdvance(word) for word in words) + 2


def _aloud(words: Said) -> str:
    """The numbers for a screen reader."""
    rows = [f"{row.name}: {words.score} {row.score}, p {row.probability}" for row in words.rows]
    if words.true is None:
        return "; ".join(rows)
    losses = f"CrossEntropyLoss {words.cross_entropy}, LogSoftmax and NLLLoss {words.nll}"
    return "; ".join([*rows, f"true: {words.rows[words.true].name}, minus log p {words.surprise}", losses])
