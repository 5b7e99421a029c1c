"""Finished tiles of pictures: made at once where that is cheap, else in the background, and kept while there is room.

Nothing queues up while a person scrolls: the background is asked for a few tiles at a time, and when it is free again
it is asked for what is visible then. A picture that cannot be read is remembered as broken and not tried again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from gui_lab.core.images import InMemory, Pictures
from gui_lab.errors import DataError
from gui_lab.qt.pictures import scaled, to_image
from gui_lab.qt.threads import Failed, Latest

_AT_ONCE = 64 * 64 * 3  # bytes: a picture in memory up to this size becomes a tile while painting
_CHUNK = 24
_SECONDS_OF_A_FRAME = 0.004
_GROUP = 8  # tiles between two looks at the clock
_KEPT_BYTES = 96_000_000


@dataclass(frozen=True)
class _Recipe:
    """How tiles are made: `side` device pixels large, `ratio` of them to a pixel. Compared by identity."""

    pictures: Pictures
    side: int
    ratio: float

    def make(self, indices: Sequence[int]) -> Iterator[tuple[int, QImage]]:
        """
        Raises:
            DataError: a picture cannot be read.
        """
        for index, picture in zip(indices, self.pictures.take(np.array(indices, np.int64)), strict=True):
            fast_to_paint = to_image(picture).convertToFormat(QImage.Format.Format_RGB32)
            tile = scaled(fast_to_paint, self.side)
            tile.setDevicePixelRatio(self.ratio)
            yield index, tile

    def make_readable(self, indices: Sequence[int]) -> list[tuple[int, QImage | None]]:
        """The same, None for each picture that cannot be read."""
        try:
            return list(self.make(indices))
        except DataError:
            if len(indices) == 1:
                return [(indices[0], None)]
            return [pair for index in indices for pair in self.make_readable([index])]

    @property
    def cheap(self) -> bool:
        kind = self.pictures.kind
        return isinstance(self.pictures, InMemory) and kind.channels * kind.least[0] * kind.least[1] <= _AT_ONCE


@dataclass(frozen=True)
class _Made:
    recipe: _Recipe
    tiles: list[tuple[int, QImage | None]]


class Tiles(QObject):
    """Tiles by index of their picture; the least recently shown are forgotten first."""

    arrived = Signal()
    """More tiles are there: paint, and ask for what is still missing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.broken: set[int] = set()
        self._kept: OrderedDict[int, QImage] = OrderedDict()
        self._bytes = 0
        self._recipe: _Recipe | None = None
        self._next_frame = QTimer(self, singleShot=True, interval=0)
        self._next_frame.timeout.connect(self.arrived)
        self._background = Latest(self)
        self._background.arrived.connect(self._take_in)
        self._background.failed.connect(_raise)

    def begin(self, pictures: Pictures | None, side: int, ratio: float) -> None:
        """Forget all tiles; from now on they are of these pictures, `side` pixels large at `ratio` device pixels."""
        self._recipe = _Recipe(pictures, round(side * ratio), ratio) if pictures is not None else None
        self._kept.clear()
        self.broken.clear()
        self._bytes = 0

    def get(self, index: int) -> QImage | None:
        """A tile if it is there."""
        tile = self._kept.get(index)
        if tile is not None:
            self._kept.move_to_end(index)
        return tile

    def want(self, indices: Sequence[int]) -> None:
        """Have these made: while painting where that is cheap, as far as a frame has time for it, else the first few in
        the background. `arrived` tells when to ask again."""
        missing = [index for index in indices if index not in self._kept and index not in self.broken]
        if not missing or self._recipe is None:
            return
        if self._recipe.cheap:
            self._make_now(self._recipe, missing)
        elif not self._background.busy:
            self._background.ask(_job(self._recipe, missing[:_CHUNK]))

    def _make_now(self, recipe: _Recipe, missing: Sequence[int]) -> None:
        until = time.monotonic() + _SECONDS_OF_A_FRAME
        for start in range(0, len(missing), _GROUP):
            for index, tile in recipe.make(missing[start : start + _GROUP]):  # no picture is taken and then left
                self._keep(index, tile)
            if time.monotonic() > until and start + _GROUP < len(missing):
                self._next_frame.start()
                return

    def close(self) -> None:
        self._next_frame.stop()
        self._background.close()

    def _take_in(self, made: _Made) -> None:
        if made.recipe is self._recipe:
            for index, tile in made.tiles:
                if tile is None:
                    self.broken.add(index)
                else:
                    self._keep(index, tile)
        self.arrived.emit()

    def _keep(self, index: int, tile: QImage) -> None:
        self._kept[index] = tile
        self._bytes += tile.sizeInBytes()
        while self._bytes > _KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].sizeInBytes()


def _job(recipe: _Recipe, indices: Sequence[int]) -> Callable[[], _Made]:
    return lambda: _Made(recipe, recipe.make_readable(indices))


def _raise(failed: Failed) -> None:
    raise failed.error
