"""Where things are in a film strip: sizes of columns, cells and captions from the room there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QFont, QFontMetrics

from gui_lab.qt.pictures import fitted
from gui_lab.qt.theme import BASE, CAPTION, XS, M, S, numbers_font
from gui_lab.qt.views.frames import KEPT, Column, Frame

LINE = 15  # of a caption
NAME_LINE = 18
SIGN = 14
CARD = 304
HISTOGRAM = 16
NARROWEST = 88
"""Of a column."""
FEWEST, MOST = 3, 8
"""Rows."""
_WIDEST = 136  # of a column that is not wider for its pictures: what its header needs
_SMALLEST, _LARGEST = 64, 192  # of a cell
_ROOMY = 72  # of a cell that leaves room for a histogram
_ROW_WANTED = 150
_ABOVE = 80


def rows_in(height: int) -> int:
    """How many pictures have room below each other."""
    return min(max((height - _ABOVE) // _ROW_WANTED, FEWEST), MOST)


@dataclass(frozen=True)
class Grid:
    """Where things are, in pixels of the canvas.

    Attributes:
        cell: side of the square that a picture is fitted into.
        width: of a column.
        header: where the first row begins.
        histogram: height of the histograms; 0 where there is no room.
        captions: height of the lines below a picture.
        columns, rows: how many.
    """

    cell: int
    width: int
    header: int
    histogram: int
    captions: int
    columns: int
    rows: int

    def column(self, place: int) -> int:
        return M + place * (self.width + M)

    def row(self, place: int) -> int:
        return self.header + place * self.pitch

    @property
    def pitch(self) -> int:
        return self.cell + self.histogram + self.captions + M

    def size(self, card: bool) -> QSize:
        right = self.column(self.columns) + (CARD + M if card else 0)
        return QSize(right, self.row(self.rows))

    def picture(self, frame: Frame, place: int, row: int) -> QRect:
        """Where a picture lies."""
        height, width = frame.shape[1:]
        if frame.planes:
            width, height = frame.image.width(), frame.image.height()
        wide, high = fitted(width, height, self.cell)
        return QRect(self.column(place), self.row(row), wide, high)

    def below(self, picture: QRect, row: int) -> QRect:
        """Where the histogram of a picture lies, as wide as it."""
        return QRect(picture.left(), self.row(row) + self.cell + XS, picture.width(), self.histogram - XS)

    def said(self, picture: QRect, row: int) -> int:
        """Where the captions of a picture begin."""
        return (self.row(row) + self.cell + self.histogram if self.histogram else picture.bottom() + 1) + XS

    def pin(self, picture: QRect, row: int) -> QRect:
        """Where the pin of a row lies: in the column of the pictures as they came, behind the name of the class."""
        return QRect(self.column(0) + self.width - SIGN, self.said(picture, row), SIGN, SIGN)

    def sign(self, column: Column, place: int) -> QRect:
        """Where the lock of a random column lies, behind its name."""
        lines = broken(column, self.width)
        advance = QFontMetrics(bold()).horizontalAdvance(lines[-1])
        return QRect(self.column(place) + advance + XS, S + (len(lines) - 1) * NAME_LINE + 2, SIGN, SIGN)

    def column_at(self, point: QPoint) -> int | None:
        """Which column a point is in, with half the gaps beside it."""
        place = (point.x() - M + M // 2) // (self.width + M)
        return place if 0 <= place < self.columns else None


def grid(columns: Sequence[Column], room: QSize, rows: int, card: bool) -> Grid:
    """
    Args:
        room: width and height that can be seen at once.
        card: a card stands behind the last column.
    """
    count = max(len(columns), 1)
    lines = max((len(frame.captions) for column in columns for frame in column.frames), default=1)
    width = (room.width() - M - (CARD + M if card else 0)) // count - M
    width = min(max(width, _needed(columns)), _LARGEST)
    captions = XS + lines * LINE
    names = 1
    while True:  # more lines of names make smaller cells and narrower columns, which may need yet more lines
        header = S + names * NAME_LINE + 2 * LINE + M
        tall = (room.height() - header) // rows - captions - M
        histogram = HISTOGRAM + XS if min(tall - HISTOGRAM - XS, width) >= _ROOMY else 0
        cell = min(max(tall - histogram, _SMALLEST), width)
        wide = min(width, max(cell, _WIDEST))
        needed = max((len(broken(column, wide)) for column in columns), default=1)
        if needed <= names:
            return Grid(cell, wide, header, histogram, captions, count, rows)
        names = needed


def _needed(columns: Sequence[Column]) -> int:
    """The least width of a column, in which no line of a header reaches the next one."""
    return max((_advance(line) for column in columns for line in (column.kind, column.span)), default=0) or NARROWEST


@lru_cache(256)
def _advance(caption: str) -> int:
    return max(QFontMetrics(small()).horizontalAdvance(caption), NARROWEST)


def bold() -> QFont:
    font = numbers_font(BASE)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def small() -> QFont:
    return numbers_font(CAPTION)


def broken(column: Column, width: int) -> tuple[str, ...]:
    """A transform's name in lines that fit, broken where a word of it begins."""
    if column.position == KEPT:
        return (column.name,)
    return _broken(ordinal(column), column.name, width - (SIGN + XS if column.random else 0))


@lru_cache(256)
def _broken(first: str, name: str, room: int) -> tuple[str, ...]:
    metrics = QFontMetrics(bold())
    lines = [first]
    for word in re.findall(r"[A-Z]?[^A-Z]+|[A-Z]+", name):
        longer = lines[-1] + word
        fits = metrics.horizontalAdvance(longer) <= room or lines == [first]
        lines = [*lines[:-1], longer] if fits else [*lines, word]
    return tuple(lines)


def ordinal(column: Column) -> str:
    """The number before the name of a transform."""
    return f"{column.position + 1}  " if column.position >= 0 else ""
