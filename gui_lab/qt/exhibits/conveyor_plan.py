"""Where the tiles and the batches of a conveyor lie in a given room: numbers only, nothing is drawn here.

The batch that is looked at has the upper part, its tiles as large as fits; below it lies the shelf, batches as small
boxes in rows, as many as one can still tell apart. Tiles that find no room even at their smallest are counted instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QRect

INDEX = 13
"""Height of the line with a tile's index, where tiles are wide enough for it."""
HEAD = 18
"""Height of the line above the tiles of a box."""
MIX, LARGE_MIX = 6, 16
"""Height of the bar of classes, of a box and of the batch that is looked at."""
PAD = 5
"""Between the edge of a box and its tiles."""
GAP = 10
"""Between boxes."""
LINE = 18
"""Height of a line of words."""
_LARGEST, _LEAST = 88, 16
_WITH_INDEX = 30
_SHELF_LARGEST, _SHELF_LEAST = 26, 8
_NARROWEST = 48  # of a box: its number has to fit
_ENOUGH = (8, 6, 4, 3)  # boxes that make a shelf, and that will do where the room is smaller
_UPPER = 0.55  # the part of the height for the batch that is looked at
_TWO_PARTS = 230  # pixels of height from which there is room for both


@dataclass(frozen=True)
class Tiling:
    """Tiles in rows: `columns` of them, each `pitch` wide and `step` high; `shown` of them find room."""

    columns: int
    pitch: int
    step: int
    shown: int

    @property
    def rows(self) -> int:
        return -(-self.shown // self.columns)

    @property
    def indexed(self) -> bool:
        """Whether a tile has a line for its index."""
        return self.step > self.pitch

    def tile(self, place: int, left: int, top: int) -> QRect:
        """The room of a tile, without the line of its index."""
        row, column = divmod(place, self.columns)
        return QRect(left + column * self.pitch, top + row * self.step, self.pitch, self.pitch)


@dataclass(frozen=True)
class Shelf:
    """Boxes in rows: `across` beside each other, `down` rows of them in sight."""

    top: int
    width: int
    height: int
    across: int
    down: int
    tiling: Tiling

    def box(self, place: int) -> QRect:
        """The box at a place, 0 for the first in sight."""
        row, column = divmod(place, self.across)
        return QRect(column * (self.width + GAP), self.top + row * (self.height + GAP), self.width, self.height)


@dataclass(frozen=True)
class Plan:
    """`large` is the upper part, or None; its tiles begin at `large_top`."""

    shelf: Shelf
    large: Tiling | None = None
    large_top: int = 0
    large_height: int = 0


def plan(width: int, height: int, size: int, count: int) -> Plan:
    """
    Args:
        width, height: pixels that are there.
        size: tiles of a whole batch.
        count: batches.
    """
    if height < _TWO_PARTS:
        return Plan(_shelf(width, LINE, height - LINE, size, count))
    around = HEAD + LARGE_MIX + 4 * PAD
    large = _large(width - 2 * PAD, int(height * _UPPER) - around, size)
    large_height = around + large.rows * large.step
    top = large_height + GAP + LINE
    return Plan(_shelf(width, top, height - top, size, count), large, HEAD + 2 * PAD, large_height)


def _large(width: int, height: int, size: int) -> Tiling:
    for pitch in range(_LARGEST, _LEAST - 1, -1):
        step = pitch + (INDEX if pitch >= _WITH_INDEX else 0)
        columns = min(max(width // pitch, 1), size)
        if -(-size // columns) * step <= height:
            return Tiling(columns, pitch, step, size)
    columns = max(width // _LEAST, 1)
    return Tiling(columns, _LEAST, _LEAST, min(columns * max(height // _LEAST, 1), size))


def _shelf(width: int, top: int, height: int, size: int, count: int) -> Shelf:
    for enough in _ENOUGH:
        for pitch in range(_SHELF_LARGEST, _SHELF_LEAST - 1, -1):
            found = max((_boxes(width, top, height, tiling) for tiling in _shapes(size, pitch)), key=_in_sight)
            if _in_sight(found) >= min(count, enough):
                return found
    return _crowded(width, top, height, size, min(count, _ENOUGH[-1]))


def _in_sight(shelf: Shelf) -> int:
    return shelf.across * shelf.down


def _shapes(size: int, pitch: int) -> Iterator[Tiling]:
    """Square, and two to eight times as wide as high."""
    for flatness in (1, 2, 4, 8):
        columns = min(max(round((size * flatness) ** 0.5), 1), size)
        yield Tiling(columns, pitch, pitch, size)


def _boxes(width: int, top: int, height: int, tiling: Tiling) -> Shelf:
    wide = max(tiling.columns * tiling.pitch + 2 * PAD, _NARROWEST)
    high = HEAD + tiling.rows * tiling.step + MIX + 3 * PAD
    return Shelf(top, wide, high, max((width + GAP) // (wide + GAP), 0), max((height + GAP) // (high + GAP), 0), tiling)


def _crowded(width: int, top: int, height: int, size: int, across: int) -> Shelf:
    """A few boxes beside each other that show only the first tiles of each batch."""
    across = max(min(across, (width + GAP) // (_NARROWEST + GAP)), 1)
    wide = max((width + GAP) // across - GAP, _NARROWEST)
    columns = max((wide - 2 * PAD) // _SHELF_LEAST, 1)
    rows = max((height - HEAD - MIX - 3 * PAD) // _SHELF_LEAST, 1)
    tiling = Tiling(columns, _SHELF_LEAST, _SHELF_LEAST, min(columns * rows, size))
    high = HEAD + tiling.rows * tiling.step + MIX + 3 * PAD
    return Shelf(top, wide, high, across, 1, tiling)
