"""Where each picture of a wall lies, by arithmetic: a million pictures cost as little to lay out as a hundred."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gui_lab.core.dice import Indices

HEADING = 28  # pixels above the first row of a section
EDGE = 2  # pixels left free beside the first tile, for the ring of a chosen one
GAP = 4
_AFTER = 12


class Shelves:
    """Sections one below the other, each a heading and rows of square tiles.

    A picture is addressed by its position, counted from 0 through all sections; lengths are in pixels.
    """

    def __init__(self, counts: Indices, width: int, side: int) -> None:
        """
        Args:
            counts: pictures in each section, int64 (sections,), none of them 0.
            width: of the wall.
            side: of a tile.
        """
        self.side = side
        self.pitch = side + GAP
        self.columns = max((width - 2 * EDGE + GAP) // self.pitch, 1)
        rows = -(-counts // self.columns)
        self.tops = np.concatenate([[0], np.cumsum(HEADING + rows * self.pitch + _AFTER)]).astype(np.int64)
        self.firsts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    @property
    def height(self) -> int:
        return int(self.tops[-1])

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def section_of(self, position: int) -> int:
        return int(np.searchsorted(self.firsts, position, "right")) - 1

    def section_at(self, y: int) -> int:
        """The section at a height, the first or last one beyond the ends."""
        return min(max(int(np.searchsorted(self.tops, y, "right")) - 1, 0), len(self.tops) - 2)

    def held(self, section: int) -> int:
        """How many pictures a section has."""
        return int(self.firsts[section + 1] - self.firsts[section])

    def corner(self, position: int) -> tuple[int, int]:
        """(x, y) of a tile's upper left corner on the wall."""
        section = self.section_of(position)
        return next((x, y) for _, x, y in self.tiles(section, range(position, position + 1)))

    def tiles(self, section: int, positions: range) -> Iterator[tuple[int, int, int]]:
        """(position, x, y) of some tiles of one section."""
        first, top = int(self.firsts[section]), int(self.tops[section]) + HEADING
        for position in positions:
            row, column = divmod(position - first, self.columns)
            yield position, EDGE + column * self.pitch, top + row * self.pitch

    def position_at(self, x: int, y: int) -> int | None:
        """The picture at a point of the wall; None between tiles."""
        if not len(self) or not 0 <= y < self.height or not EDGE <= x < EDGE + self.columns * self.pitch:
            return None
        section = self.section_at(y)
        row, below = divmod(y - int(self.tops[section]) - HEADING, self.pitch)
        column, right = divmod(x - EDGE, self.pitch)
        place = row * self.columns + column
        inside = row >= 0 and below < self.side and right < self.side and place < self.held(section)
        return int(self.firsts[section]) + place if inside else None

    def between(self, top: int, bottom: int) -> Iterator[tuple[int, range]]:
        """The sections that show between two heights, each with the positions of its tiles there."""
        if not len(self):
            return
        for section in range(self.section_at(top), self.section_at(bottom - 1) + 1):
            start = int(self.tops[section]) + HEADING
            first, end = int(self.firsts[section]), int(self.firsts[section + 1])
            before = max((top - start) // self.pitch, 0) * self.columns
            until = max(-(-(bottom - start) // self.pitch), 0) * self.columns
            yield section, range(min(first + before, end), min(first + until, end))

    def moved(self, position: int, rows: int) -> int:
        """The picture so many rows further down (up where negative) in about the same column, across sections."""
        section = self.section_of(position)
        row, column = divmod(position - int(self.firsts[section]), self.columns)
        row += rows
        while row < 0 and section > 0:
            section -= 1
            row += self._rows(section)
        while row >= self._rows(section) and section < len(self.tops) - 2:
            row -= self._rows(section)
            section += 1
        row = min(max(row, 0), self._rows(section) - 1)
        return int(self.firsts[section]) + min(row * self.columns + column, self.held(section) - 1)

    def _rows(self, section: int) -> int:
        return -(-self.held(section) // self.columns)
