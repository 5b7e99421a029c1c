"""Where pictures hang: side by side or in rows, their cells as large as the room allows.

Pictures that are told together have cells of one size, so that a map that shrinks is seen to shrink, and a kernel
covers as many pixels as it has numbers. Where they are too different for that, each fills its own place. Pure
arithmetic: a test can ask for any room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PySide6.QtCore import QPoint, QRect

from gui_lab.qt.theme import XS, M, S

MOST_CELL = 88  # pixels: a picture of one number need not fill a wall
TITLE = 17
_EDGE = 3  # of room around all, for rings
_SIGN = 22
_MANY = 12  # pictures: from here on they hang closer
_UNLIKE, _SEEN = 5, 20  # pictures that differ by more times have cells of one size from so many pixels on


@dataclass(frozen=True)
class Room:
    """What there is to hang, and where.

    Attributes:
        sizes: (height, width) of each picture, in cells.
        titles: the pixels that each title needs; 0 for none.
        signs: whether something stands between pictures: all are then in one row.
        columns: pictures in a row; 0 for as many as make them largest.
        width, height: pixels.
    """

    sizes: tuple[tuple[int, int], ...]
    titles: tuple[int, ...]
    signs: bool
    columns: int
    width: int
    height: int


class Wall:
    """The places of all pictures in a room."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.places: list[QRect] = []
        self.titles: list[QRect] = []
        self.signs: list[QRect] = []
        if room.sizes:
            self._hang_in_line() if room.signs or self.columns == len(room.sizes) else self._hang_in_rows()

    # ---------------------------------------------------------------- how large

    @cached_property
    def columns(self) -> int:
        return max(self._choices, key=lambda columns: (self._scale(columns), columns))

    @cached_property
    def _choices(self) -> set[int]:
        """How many may hang in a row; no more places than rows need."""
        count = len(self.room.sizes)
        if self.room.columns or self.room.signs:
            return {min(self.room.columns, count) or count}
        return {math.ceil(count / rows) for rows in range(1, count + 1)}

    @cached_property
    def cell(self) -> float:
        """Pixels of a cell: whole, or less than one where pictures are larger than their places."""
        return self._scale(self.columns)

    @cached_property
    def _alike(self) -> bool:
        """Whether all have cells of one size: not where those of the smallest could hardly be seen."""
        smallest, largest = (take(max(size) for size in self.room.sizes) for take in (min, max))
        if self.room.signs or largest <= _UNLIKE * smallest:
            return True
        return max(map(self._one_scale, self._choices)) >= _SEEN

    @property
    def _roomy(self) -> bool:
        """Whether each title has the room that it needs; in a wall of many it is cut off."""
        return len(self.room.sizes) < _MANY

    @property
    def _title(self) -> int:
        return TITLE if any(self.room.titles) else 0

    @property
    def gap(self) -> int:
        return _SIGN if self.room.signs else S if len(self.room.sizes) >= _MANY else M + XS

    def _scale(self, columns: int) -> float:
        """Pixels of a cell with so many pictures in a row; of pictures that are not alike, of the one that has most."""
        if self._alike:
            return self._one_scale(columns)
        width, height = self._free(columns)
        longest = max(max(size) for size in self.room.sizes)
        return _whole(min(width / columns, height / self._rows(columns)) / longest)

    def _one_scale(self, columns: int) -> float:
        """The same where cells of all pictures are of one size."""
        heights, widths = zip(*self.room.sizes, strict=True)
        width, height = self._free(columns)
        cells = sum(widths) if columns == len(widths) else columns * max(widths)
        cell = _whole(min(width / cells, height / self._rows(columns) / max(heights)))
        while self._roomy and cell > 1 and self._width_of(columns, cell) > self.room.width:
            cell -= 1
        return cell

    def _rows(self, columns: int) -> int:
        return math.ceil(len(self.room.sizes) / columns)

    def _free(self, columns: int) -> tuple[float, float]:
        """Width and height in pixels, without titles and what is between pictures."""
        rows = self._rows(columns)
        width = self.room.width - 2 * _EDGE - (columns - 1) * self.gap
        return width, self.room.height - 2 * _EDGE - (rows - 1) * self.gap - rows * self._title

    def _width_of(self, columns: int, cell: float) -> float:
        """Pixels that all need beside each other with their titles."""
        wide = [max(size[1] * cell, title) for size, title in zip(self.room.sizes, self.room.titles, strict=True)]
        needed = sum(wide) if columns == len(wide) else columns * max(wide)
        return needed + (columns - 1) * self.gap + 2 * _EDGE

    def _extent(self, number: int) -> tuple[int, int]:
        """(height, width) of a picture in pixels."""
        height, width = self.room.sizes[number]
        cell = self.cell
        if not self._alike:
            side = self.cell * max(max(size) for size in self.room.sizes)
            cell = _whole(side / max(height, width))
        return max(int(height * cell), 1), max(int(width * cell), 1)

    # ---------------------------------------------------------------- where

    def _hang_in_line(self) -> None:
        extents = [self._extent(number) for number in range(len(self.room.sizes))]
        tallest, left = max(height for height, _ in extents), _EDGE
        for number, ((height, width), title) in enumerate(zip(extents, self.room.titles, strict=True)):
            place = max(width, title if self._roomy else 0)
            shift = (place - width) // 2 * self.room.signs
            top = _EDGE + self._title + (tallest - height) // 2 * self.room.signs
            self._hang(QRect(left + shift, top, width, height), left, place)
            if number + 1 < len(extents) and self.room.signs:
                self.signs.append(QRect(left + place, _EDGE + self._title, _SIGN, tallest))
            left += place + self.gap

    def _hang_in_rows(self) -> None:
        extents = [self._extent(number) for number in range(len(self.room.sizes))]
        tallest, broadest = max(height for height, _ in extents), max(width for _, width in extents)
        broadest = max(broadest, *self.room.titles) if self._roomy else broadest
        for number, (height, width) in enumerate(extents):
            row, column = divmod(number, self.columns)
            left = _EDGE + column * (broadest + self.gap)
            top = _EDGE + row * (tallest + self.gap + self._title) + self._title
            self._hang(QRect(left, top, width, height), left, broadest)

    def _hang(self, place: QRect, left: int, width: int) -> None:
        self.places.append(place)
        title = width + (0 if self.room.signs else self.gap - XS)
        self.titles.append(QRect(left, place.top() - self._title, title, self._title))

    @property
    def height(self) -> int:
        """Pixels from the top to the last picture's foot."""
        return max((place.bottom() + 1 + _EDGE for place in self.places), default=0)

    def at(self, point: QPoint) -> tuple[int, int, int] | None:
        """The picture at a point, and the row and the column of its cell."""
        for number, place in enumerate(self.places):
            if place.contains(point):
                height, width = self.room.sizes[number]
                return (
                    number,
                    (point.y() - place.top()) * height // place.height(),
                    (point.x() - place.left()) * width // place.width(),
                )
        return None

    def cells(self, number: int, row: int, column: int, height: int = 1, width: int = 1) -> QRect:
        """Where some cells of a picture lie."""
        place, (rows, columns) = self.places[number], self.room.sizes[number]
        left, right = (place.left() + round(at * place.width() / columns) for at in (column, column + width))
        top, bottom = (place.top() + round(at * place.height() / rows) for at in (row, row + height))
        return QRect(left, top, max(right - left, 1), max(bottom - top, 1))


def natural_height(sizes: Sequence[tuple[int, int]], titled: bool, cell: int) -> int:
    """The pixels that one row of pictures needs with cells of so many."""
    return 2 * _EDGE + (TITLE if titled else 0) + cell * max((height for height, _ in sizes), default=0)


def _whole(cell: float) -> float:
    """A whole multiple where there is one."""
    return min(max(float(math.floor(cell)), 1.0), MOST_CELL) if cell >= 1 else max(cell, 0.01)
