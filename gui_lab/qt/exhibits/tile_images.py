"""The pictures of tiles, made when they are first painted and kept while their batches are on screen."""

from __future__ import annotations

from PySide6.QtGui import QPixmap

from gui_lab.core.exhibits import Tile
from gui_lab.qt.pictures import reduced, scaled, to_image

_KEPT = 6000


class TileImages:
    """Pixmaps by index of the picture and side."""

    def __init__(self) -> None:
        self._ratio = 1.0
        self._kept: dict[tuple[int, int], QPixmap] = {}

    def begin(self, ratio: float) -> None:
        """From now on so many device pixels make a pixel."""
        if ratio != self._ratio or len(self._kept) > _KEPT:
            self._kept.clear()
        self._ratio = ratio

    def clear(self) -> None:
        self._kept.clear()

    def get(self, tile: Tile, side: int) -> QPixmap | None:
        """The picture of a tile for a square of `side` pixels; None for a tile without one."""
        if tile.picture is None:
            return None
        key = (tile.index, side)
        if key not in self._kept:
            real = max(round(side * self._ratio), 1)
            made = QPixmap.fromImage(scaled(to_image(reduced(tile.picture, real)), real))
            made.setDevicePixelRatio(self._ratio)
            self._kept[key] = made
        return self._kept[key]
