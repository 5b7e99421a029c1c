"""Numbers that stay in their places, drawn in one call.

A table of numbers that moves ten times a second costs most where Qt lays out each of them as it would a sentence. All
figures are of one width (`numbers_font`): which glyph a character is, and where it stands in numbers of these shapes,
is asked once, and all are drawn as a single run of glyphs. It looks to the pixel as if Qt had drawn one after the
other.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetricsF, QGlyphRun, QPainter, QRawFont, QTextLayout

from gui_lab.qt.theme import numbers_font

_CHARACTERS = "0123456789.\u2212-+%e\u221e\u2013"
_ALIKE = str.maketrans("123456789", "000000000")
_MOST_SHAPES = 256


def width_of(number: str, pixels: int) -> float:
    """Pixels, in the numbers' font of this size."""
    return _measured(shape_of(number), pixels)


def shape_of(numbers: str) -> str:
    """The same for all numbers that are equally wide and have their figures in the same places."""
    return numbers.translate(_ALIKE)


class Numbers:
    """Numbers of one size."""

    def __init__(self, places: Sequence[tuple[float, float]], height: float, pixels: int) -> None:
        """
        Args:
            places: for each number where it ends, and the top of its row, of this height.
            pixels: the size of the font.
        """
        metrics = QFontMetricsF(numbers_font(pixels))
        down = (height - metrics.height()) / 2 + metrics.ascent()
        self._ends = [QPointF(math.floor(64 * right) / 64, top + down) for right, top in places]  # as Qt counts pixels
        self._pixels = pixels
        self._runs: dict[str, QGlyphRun] = {}

    def draw(self, painter: QPainter, numbers: Sequence[str]) -> None:
        """Those in these places; the painter has the numbers' font of this size."""
        try:
            glyphs = list(map(_glyphs(self._pixels).__getitem__, "".join(numbers)))
        except KeyError:  # a sign that another font has to lend
            for end, number in zip(self._ends, numbers, strict=True):
                painter.drawText(end - QPointF(width_of(number, self._pixels), 0), number)
            return
        shapes = shape_of(" ".join(numbers))
        run = self._runs.get(shapes) or self._laid_out(shapes)
        run.setGlyphIndexes(glyphs)
        painter.drawGlyphRun(QPointF(), run)

    def _laid_out(self, shapes: str) -> QGlyphRun:
        """A run of glyphs that have their places already."""
        places: list[QPointF] = []
        for end, shape in zip(self._ends, shapes.split(" "), strict=True):
            widths = [_measured(character, self._pixels) for character in shape]
            lefts = itertools.accumulate(widths, initial=end.x() - sum(widths))
            places += [QPointF(left, end.y()) for left, _ in zip(lefts, widths, strict=False)]
        if len(self._runs) >= _MOST_SHAPES:
            self._runs.clear()
        run = self._runs[shapes] = QGlyphRun()
        run.setRawFont(_glyph("0", self._pixels)[1])
        run.setPositions(places)
        return run


@functools.lru_cache(maxsize=1024)
def _measured(shape: str, pixels: int) -> float:
    return QFontMetricsF(numbers_font(pixels)).horizontalAdvance(shape)


@functools.lru_cache(maxsize=8)
def _glyphs(pixels: int) -> dict[str, int]:
    """The glyphs that Qt draws these characters with; without those that another font has to lend."""
    found = {character: _glyph(character, pixels) for character in _CHARACTERS}
    return {character: index for character, (index, font) in found.items() if font == found["0"][1]}


def _glyph(character: str, pixels: int) -> tuple[int, QRawFont]:
    layout = QTextLayout(character, numbers_font(pixels))
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    run = layout.glyphRuns()[0]
    return run.glyphIndexes()[0], run.rawFont()
