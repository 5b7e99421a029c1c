"""Nine epochs of one picture at one place of the chain: what the random transforms before that place make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from gui_lab.qt.pictures import fitted
from gui_lab.qt.theme import CAPTION, THEME, XS, Elided, M, S, colour, numbers_font, set_role
from gui_lab.qt.views.cell import LEFT, paint_legend, paint_picture, paint_ring
from gui_lab.qt.views.frames import Frame
from gui_lab.qt.views.segments import Segments

COUNT = 9
_ACROSS = 3
_LINE = 16
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -_ACROSS, Qt.Key.Key_Down: _ACROSS}


@dataclass(frozen=True, eq=False)
class Variant:
    """A picture as it is in one epoch; `told` is all that was drawn for it on its way."""

    epoch: int
    frame: Frame
    told: str


class Variants(QWidget):
    """
    `chosen` carries an epoch; `closed` says that the strip is wanted again, `moved` that another place of the chain is.
    """

    chosen = Signal(int)
    closed = Signal()
    moved = Signal()

    def __init__(self, name: str) -> None:
        """
        Args:
            name: start of the objectNames: `name.where`, `name.grid`.
        """
        super().__init__()
        self.title = Elided(f"{name}.title")
        set_role(self.title, "section")
        self.where = Segments(f"{name}.where", {"end": "At the end", "chosen": "After the chosen one"})
        self.where.chosen.connect(self.moved)
        self.grid = Nine(f"{name}.grid")
        self.grid.chosen.connect(self.chosen)
        self.grid.closed.connect(self.closed)
        self.setFocusProxy(self.grid)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.where)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addLayout(head)
        column.addWidget(self.grid, 1)

    def show_variants(self, title: str, variants: Sequence[Variant]) -> None:
        self.title.setText(title)
        self.grid.show_variants(title, variants)


class Nine(QWidget):
    """
    `chosen` carries an epoch; `closed` says that another view is wanted.
    """

    chosen = Signal(int)
    closed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName("Nine variants of one picture")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(360, 300)
        self.variants: tuple[Variant, ...] = ()
        self._title = ""
        self.current = 0
        THEME.changed.connect(self.update)

    @property
    def side(self) -> int:
        """Device pixels of a picture."""
        return round(self._cell(0).height() * self.devicePixelRatioF())

    def show_variants(self, title: str, variants: Sequence[Variant]) -> None:
        self._title, self.variants = title, tuple(variants)
        self._tell()
        self.update()

    def _cell(self, place: int) -> QRect:
        wide = (self.width() - (_ACROSS - 1) * M) // _ACROSS
        high = (self.height() - 3 - (_ACROSS - 1) * M) // _ACROSS
        side = max(min(wide, high - 2 * _LINE - XS), 16)
        return QRect(place % _ACROSS * (wide + M), 3 + place // _ACROSS * (high + M), wide, side)

    def _picture(self, place: int) -> QRect:
        where, frame = self._cell(place), self.variants[place].frame
        height, width = frame.shape[1:]
        if frame.planes:
            width, height = frame.image.width(), frame.image.height()
        wide, high = fitted(width, height, min(where.width(), where.height()))
        return QRect(where.left() + 3, where.top(), wide, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            elide = Qt.TextElideMode.ElideRight
            for place, variant in enumerate(self.variants):
                where, cell = self._picture(place), self._cell(place)
                paint_picture(painter, variant.frame, where)
                painter.setFont(numbers_font(CAPTION))
                painter.setPen(colour("quiet"))
                paint_legend(painter, variant.frame, where)
                if self.hasFocus() and place == self.current:
                    paint_ring(painter, where)
                painter.setPen(colour("text"))
                line = QRect(where.left(), where.bottom() + XS + 1, cell.width() - 3, _LINE)
                painter.drawText(line, LEFT, f"epoch {variant.epoch:,}")
                painter.setPen(colour("quiet"))
                told = painter.fontMetrics().elidedText(variant.told, elide, line.width())
                painter.drawText(line.translated(0, _LINE - 2), LEFT, told)

    def _at(self, point: QPoint) -> int | None:
        return next((place for place in range(len(self.variants)) if self._picture(place).contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.variants[place].epoch)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _STEPS and self.variants:
            self.current = min(max(self.current + _STEPS[key], 0), len(self.variants) - 1)
            self._tell()
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.variants:
            self.chosen.emit(self.variants[self.current].epoch)
        elif key == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _tell(self) -> None:
        if self.variants:
            here = self.variants[self.current]
            self.setAccessibleDescription(f"{self._title}; epoch {here.epoch}: {here.told}")

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        """All that was drawn, as a tool tip."""
        if isinstance(event, QHelpEvent):
            place = self._at(event.pos())
            words = f"epoch {self.variants[place].epoch}: {self.variants[place].told}" if place is not None else ""
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)
