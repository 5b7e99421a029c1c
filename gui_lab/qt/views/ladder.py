"""The softmax ladder of one pinned picture: from the scores to the loss, every step as a number.

One widget paints the picture and the table, so that ten updates a second cost ten small repaints: of the numbers alone,
over a picture of all that stands. The numbers are torch's own (`core/probing.py`); only another temperature is reckoned
here, as one turns the knob.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QToolButton, QVBoxLayout, QWidget

from gui_lab.qt.pictures import scaled
from gui_lab.qt.theme import (
    BASE,
    CAPTION,
    THEME,
    XS,
    L,
    M,
    S,
    class_colour,
    colour,
    label,
    numbers_font,
    set_role,
    with_icon,
)
from gui_lab.qt.views.facts import span
from gui_lab.qt.views.frames import image_of
from gui_lab.qt.views.ladder_words import MOST_ROWS, Row, Said, degree, said

if TYPE_CHECKING:
    from gui_lab.core.probing import Probed

_PICTURE = 64
_NARROW, _WIDE = 230, 380  # pixels: below, all is closer; from the other on the table is as large as other text
_MARK = 14  # the triangle of the true class and the colour of each
_NARROWEST_BAR, _NARROWEST_NAME = 28, 48
_STEPS = 100  # of the slider for each factor of ten
_EQUAL = {True: "= equal", False: "≠ differ"}
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


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
        self._painted: tuple[object, QPixmap] | None = None
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
        self.update()

    # ---------------------------------------------------------------- geometry

    def _pixels(self) -> int:
        return BASE if self.width() >= _WIDE else CAPTION

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
        with QPainter(self) as painter:
            painter.setFont(numbers_font(self._pixels()))
            if self.said is None or self._probed is None:
                painter.fillRect(self.rect(), colour("window"))
                painter.setPen(colour("quiet"))
                words = "Press Train, and the steps of the chosen picture appear here."
                wrapped = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
                painter.drawText(self.rect(), wrapped, words)
                return
            metrics, names = painter.fontMetrics(), self._names_width[self._pixels()]
            plan = _Plan.of(metrics, self.said, self.width(), self._line(), names)
            painter.drawPixmap(0, 0, self._ground(self.said, *self._probed, plan))
            table = _Table(painter, self.said, plan, _PICTURE + M)
            table.paint_numbers()
            self._paint_best(painter, self.said)
            self._paint_losses(painter, self.said, table.end)

    def _ground(self, words: Said, probed: Probed, place: int, plan: _Plan) -> QPixmap:
        """All that stands while the numbers move, painted once."""
        ratio, image = self.devicePixelRatioF(), self._image(probed, place)
        rows = tuple((row.label, row.name) for row in words.rows), words.rest.name if words.rest else ""
        looks = (plan, self.height(), image.cacheKey(), place, rows, words.true, words.score, words.loss[0])
        if self._painted is None or self._painted[0] != looks:
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(colour("window"))
            with QPainter(ground) as painter:
                painter.setFont(numbers_font(self._pixels()))
                self._paint_head(painter, probed, place)
                table = _Table(painter, words, plan, _PICTURE + M)
                table.paint_what_stands()
                self._paint_names_of_losses(painter, words, table.end)
            self._painted = looks, ground
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

    def _paint_best(self, painter: QPainter, words: Said) -> None:
        mark = {True: "✓ ", False: "✗ ", None: ""}[words.right]
        painter.setPen(colour({True: "best", False: "error", None: "text"}[words.right]))
        self._paint_fact(painter, 1, f"{mark}most probable: {words.best}")

    def _paint_fact(self, painter: QPainter, number: int, text: str) -> None:
        """One of the four lines beside the picture."""
        left, step = _PICTURE + M, _PICTURE / 4
        room = QRectF(left, number * step, self.width() - left, step)
        painter.drawText(room, _LEFT, _elided(painter, text, room.width()))

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
        sure = metrics.horizontalAdvance(_EQUAL[True][:1] if self.width() < _NARROW else _EQUAL[False]) + S
        names = (
            ("CrossEntropyLoss", room),
            ("LogSoftmax + NLLLoss", room - sure),
            (f"{words.loss[0]} of this run", room),
        )
        for place, (name, width) in enumerate(names):
            painter.setPen(colour("quiet" if place == 2 else "text"))
            where = QRectF(0, top + place * line, width, line)
            painter.drawText(where, _LEFT, _elided(painter, name, width))

    def _paint_losses(self, painter: QPainter, words: Said, top: float) -> None:
        width, line = self.width(), self._line()
        for place, value in enumerate((words.cross_entropy, words.nll, words.loss[1])):
            painter.setPen(colour("quiet" if place == 2 else "text"))
            painter.drawText(QRectF(0, top + place * line, width, line), _RIGHT, value)
        if words.agree is not None:
            sign = _EQUAL[words.agree]
            painter.setPen(colour("best" if words.agree else "error"))
            where = QRectF(0, top + line, width - self._number(painter.fontMetrics()), line)
            painter.drawText(where, _RIGHT, sign[:1] if width < _NARROW else sign)

    def _number(self, metrics: QFontMetrics) -> int:
        """The room of a loss."""
        return metrics.horizontalAdvance("00.0000") + S


@dataclass(frozen=True)
class _Plan:
    """How wide the columns of the table are. The bar of a class stands before its number, or where there is no room
    below it.

    Attributes:
        width, line: of the table and of a row, in pixels.
        gap: between columns.
        names: the width of the names of the classes.
        ends: where the columns of numbers end on their right.
        part: the width of a probability.
        bar: left and width of the bars; None where they are below their numbers.
    """

    width: int
    line: int
    gap: float
    names: float
    ends: tuple[float, ...]
    part: int
    bar: tuple[float, float] | None

    @classmethod
    def of(cls, metrics: QFontMetrics, words: Said, width: int, line: int, names_width: int) -> _Plan:
        rows = [*words.rows, *([words.rest] if words.rest else [])]
        score, part = metrics.horizontalAdvance("−00.00"), metrics.horizontalAdvance("0.0000")

        def widest(*texts: str) -> int:  # figures are of one width: of many the longest is measured
            return metrics.horizontalAdvance(max(texts, key=len))

        columns = (
            max(metrics.horizontalAdvance(words.score), score, widest(*(row.score for row in rows))),
            max(score, widest(*(row.minus_max for row in rows))),
            max(part, widest(words.sums[0])),
        )
        gap = XS if width < _NARROW else line * 0.4
        left = width - _MARK - sum(columns) - part - 4 * gap  # for names and bars
        names, least, bar = left, min(names_width, _NARROWEST_NAME), None
        if left >= least + gap + _NARROWEST_BAR:
            names = min(names_width, max(left * 0.5, least))
            bar = (width - part - left + names, left - names - gap)
        starts = accumulate((_MARK + names, *columns), lambda end, column: end + gap + column)
        return cls(width, line, gap, names, (*list(starts)[1:], width), part, bar)


class _Table:
    """A row for each class. What stands is painted once, the numbers each time."""

    def __init__(self, painter: QPainter, words: Said, plan: _Plan, top: float) -> None:
        rows = (*words.rows, *([words.rest] if words.rest is not None else []))
        self._painter, self._words, self._plan, self._rows, self._top = painter, words, plan, rows, top
        line = plan.line
        self._first = top + line + XS
        self._sums = self._first + len(rows) * line + XS
        self.end = self._sums + 2 * line + XS / 2 + 2 * XS

    def paint_what_stands(self) -> None:
        painter, plan, words, line = self._painter, self._plan, self._words, self._plan.line
        head = "class" if painter.fontMetrics().horizontalAdvance("class") <= plan.names else ""
        painter.setPen(colour("quiet"))
        self._name(self._top, head, _MARK, plan.names)
        self._numbers(self._top, (words.score, "− max", "exp", "p"))
        for place, row in enumerate(self._rows):
            self._stand(self._first + place * line, row, place == words.true)
        painter.setPen(colour("text"))
        self._name(self._sums, "sum", 0, plan.ends[0])
        self._name(self._sums + line, "−log p of the true class", 0, plan.width - plan.part - 2 * plan.gap)
        painter.setPen(colour("line"))
        for y in (self._first, self._sums, self.end - XS):
            painter.drawLine(QPointF(0, y - XS + 1), QPointF(plan.width, y - XS + 1))

    def _stand(self, y: float, row: Row, true: bool) -> None:
        painter, line, plan = self._painter, self._plan.line, self._plan
        if true:
            painter.fillRect(QRectF(0, y, plan.width, line), colour("raised"))
            self._triangle(y + line / 2)
        if row.label >= 0:
            painter.fillRect(QRectF(8, y + 4, 3, line - 8), class_colour(row.label))
        painter.setPen(colour("text"))
        self._name(y, row.name, _MARK, plan.names if row.score else plan.ends[0] - _MARK)
        if plan.bar is not None:
            left, width = plan.bar
            painter.fillRect(QRectF(left, y + 5, width, line - 10), colour("line" if true else "raised"))

    def paint_numbers(self) -> None:
        painter, words, line = self._painter, self._words, self._plan.line
        painter.setPen(colour("text"))
        for place, row in enumerate(self._rows):
            y = self._first + place * line
            self._numbers(y, (row.score, row.minus_max, row.exp, row.probability))
            self._bar(y, row.part, colour("best" if place == words.true else "training"))
        self._numbers(self._sums, ("", "", *words.sums))
        painter.drawText(QRectF(0, self._sums + line, self._plan.width, line), _RIGHT, words.surprise)

    def _bar(self, y: float, part: float, tint: QColor) -> None:
        plan, line = self._plan, self._plan.line
        if plan.bar is not None:
            left, width = plan.bar
            self._painter.fillRect(QRectF(left, y + 5, max(width * part, 0.5), line - 10), tint)
        else:
            self._painter.fillRect(QRectF(plan.width - plan.part, y + line - 3, plan.part * part, 2), tint)

    def _name(self, y: float, name: str, left: float, room: float) -> None:
        where = QRectF(left, y, room, self._plan.line)
        self._painter.drawText(where, _LEFT, _elided(self._painter, name, room))

    def _numbers(self, y: float, numbers: Sequence[str]) -> None:
        for end, text in zip(self._plan.ends, numbers, strict=True):
            if text:
                self._painter.drawText(QRectF(0, y, end, self._plan.line), _RIGHT, text)

    def _triangle(self, y: float) -> None:
        """A small triangle that points at the true class."""
        painter = self._painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("text"))
        painter.drawPolygon(QPolygonF([QPointF(0, y - 4), QPointF(6, y), QPointF(0, y + 4)]))
        painter.restore()


def _elided(painter: QPainter, text: str, width: float) -> str:
    return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))


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
