"""The softmax ladder of one pinned picture: from the scores to the loss, every step as a number.

One widget paints the picture and the table, so that ten updates a second cost ten small repaints. The numbers are
torch's own (`core/probing.py`); only another temperature is reckoned here, as one turns the knob.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent, QPolygonF, QResizeEvent
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
                painter.setPen(colour("quiet"))
                words = "Press Train, and the steps of the chosen picture appear here."
                wrapped = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
                painter.drawText(self.rect(), wrapped, words)
                return
            self._paint_head(painter, self.said, *self._probed)
            table = _Table(painter, self.said, self.width(), self._line(), self._names_width[self._pixels()])
            self._paint_losses(painter, self.said, table.paint(_PICTURE + M))

    def _paint_head(self, painter: QPainter, words: Said, probed: Probed, place: int) -> None:
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
        mark = {True: "✓ ", False: "✗ ", None: ""}[words.right]
        role = {True: "best", False: "error", None: "text"}[words.right]
        lines = [
            ("text", f"true: {true}" if true else "no true class"),
            (role, f"{mark}most probable: {words.best}"),
            ("quiet", "as the network gets it:"),
            ("quiet", f"{shape}, {span(float(values.min()), float(values.max()))}"),
        ]
        left, step = _PICTURE + M, _PICTURE / len(lines)
        for number, (tone, text) in enumerate(lines):
            room = QRectF(left, number * step, self.width() - left, step)
            painter.setPen(colour(tone))
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

    def _paint_losses(self, painter: QPainter, words: Said, top: float) -> None:
        width, line, metrics = self.width(), self._line(), painter.fontMetrics()
        sign, role = {True: ("= equal", "best"), False: ("≠ differ", "error"), None: ("", "quiet")}[words.agree]
        sign = sign[:1] if width < _NARROW else sign
        lines = [
            ("CrossEntropyLoss", words.cross_entropy, ""),
            ("LogSoftmax + NLLLoss", words.nll, sign),
            (f"{words.loss[0]} of this run", words.loss[1], ""),
        ]
        number = metrics.horizontalAdvance("00.0000") + S
        for place, (name, value, sure) in enumerate(lines):
            y = top + place * line
            painter.setPen(colour("quiet" if place == 2 else "text"))
            names = width - number - (metrics.horizontalAdvance(sure) + S if sure else 0)
            painter.drawText(QRectF(0, y, names, line), _LEFT, _elided(painter, name, names))
            painter.drawText(QRectF(0, y, width, line), _RIGHT, value)
            painter.setPen(colour(role))
            painter.drawText(QRectF(0, y, width - number, line), _RIGHT, sure)


class _Table:
    """A row for each class: how wide its columns are, and painting it. The bar of a class stands before its number, or
    where there is no room below it."""

    def __init__(self, painter: QPainter, words: Said, width: int, line: int, names_width: int) -> None:
        self._painter, self._words, self._width, self._line = painter, words, width, line
        metrics = painter.fontMetrics()
        rows = [*words.rows, *([words.rest] if words.rest else [])]
        score, part = metrics.horizontalAdvance("−00.00"), metrics.horizontalAdvance("0.0000")
        columns = (
            max(metrics.horizontalAdvance(words.score), score, *(metrics.horizontalAdvance(row.score) for row in rows)),
            max(score, *(metrics.horizontalAdvance(row.minus_max) for row in rows)),
            max(part, metrics.horizontalAdvance(words.sums[0])),
        )
        self._part = part
        gap = self._gap = XS if width < _NARROW else line * 0.4
        left = width - _MARK - sum(columns) - part - 4 * gap  # for names and bars
        self._bar: tuple[float, float] | None = None
        names, least = left, min(names_width, _NARROWEST_NAME)
        if left >= least + gap + _NARROWEST_BAR:
            names = min(names_width, max(left * 0.5, least))
            self._bar = (width - part - left + names, left - names - gap)
        self._names = names
        self._ends: list[float] = []
        end = _MARK + names
        for column in columns:
            end += gap + column
            self._ends.append(end)

    def paint(self, top: float) -> float:
        """Returns where it ends."""
        words, line = self._words, self._line
        head = "class" if self._painter.fontMetrics().horizontalAdvance("class") <= self._names else ""
        self._cells(top, (head, words.score, "− max", "exp", "p"), "quiet")
        y = self._rule(top + line)
        for place, row in enumerate(words.rows):
            self._row(y, row, place == words.true)
            y += line
        if words.rest is not None:
            self._row(y, words.rest, False)
            y += line
        y = self._rule(y)
        self._cells(y, ("sum", "", "", *words.sums), "text", name_at=0)
        here = QRectF(0, y + line, self._width, line)
        name = "−log p of the true class"
        room = self._width - self._part - 2 * self._gap
        self._painter.drawText(here, _LEFT, _elided(self._painter, name, room))
        self._painter.drawText(here, _RIGHT, words.surprise)
        return self._rule(y + 2 * line + XS / 2) + XS

    def _rule(self, y: float) -> float:
        self._painter.setPen(colour("line"))
        self._painter.drawLine(QPointF(0, y + 1), QPointF(self._width, y + 1))
        return y + XS

    def _row(self, y: float, row: Row, true: bool) -> None:
        painter, line = self._painter, self._line
        if true:
            painter.fillRect(QRectF(0, y, self._width, line), colour("raised"))
            self._triangle(y + line / 2)
        if row.label >= 0:
            painter.fillRect(QRectF(8, y + 4, 3, line - 8), class_colour(row.label))
        self._cells(y, (row.name, row.score, row.minus_max, row.exp, row.probability), "text")
        role = "best" if true else "training"
        if self._bar is not None:
            left, width = self._bar
            painter.fillRect(QRectF(left, y + 5, width, line - 10), colour("line" if true else "raised"))
            painter.fillRect(QRectF(left, y + 5, max(width * row.part, 0.5), line - 10), colour(role))
        else:
            longest = self._part
            painter.fillRect(QRectF(self._width - longest, y + line - 3, longest * row.part, 2), colour(role))

    def _cells(self, y: float, texts: Sequence[str], role: str, name_at: float = _MARK) -> None:
        painter, line = self._painter, self._line
        name, *numbers = texts
        painter.setPen(colour(role))
        room = (_MARK + self._names if numbers[0] else self._ends[0]) - name_at
        painter.drawText(QRectF(name_at, y, room, line), _LEFT, _elided(painter, name, room))
        for end, text in zip((*self._ends, self._width), numbers, strict=True):
            painter.drawText(QRectF(0, y, end, line), _RIGHT, text)

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
