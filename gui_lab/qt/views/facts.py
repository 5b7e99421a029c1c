"""What a picture is in numbers: kind, shape, range, mean, deviation, and how its values are distributed.

Minimum, maximum, mean and deviation are those of all values. The histogram of a large picture counts one value in n
and says so: a shape needs no more, and a slider that is dragged has no time for more. numpy only, on any thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor, QImage, QPainter

from gui_lab.core.pipeline import Kind
from gui_lab.qt.theme import colour

BINS = 32
_ALL = 16_384  # values up to which a histogram counts all of them
_COUNTED = 4_096  # of those of a larger picture, at least
_MINUS = "\u2212"


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values are in each of `BINS` equal parts of low..high; of each `every` values one was counted."""

    low: float
    high: float
    counts: npt.NDArray[np.int64]
    every: int = 1

    @property
    def signed(self) -> bool:
        return self.low < 0 < self.high


@dataclass(frozen=True)
class Facts:
    """Of all values of a picture."""

    what: str
    dtype: str
    shape: tuple[int, ...]
    low: float
    high: float
    mean: float
    std: float


def number(value: float) -> str:
    """Three significant digits with a true minus."""
    short = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return short.replace("-", _MINUS)


def span(low: float, high: float) -> str:
    """−0.42 to 2.82"""
    return f"{number(low)} to {number(high)}"


def what_words(kind: Kind) -> str:
    """uint8 image, float tensor, PIL picture"""
    if kind.pil:
        return "PIL picture"
    return "float tensor" if kind.dtype == "float32" else "uint8 image"


def counted_step(values: int) -> int:
    """Of so many values a histogram may leave out all but each n-th pixel of each n-th row: this n, which is odd, for
    an even one could meet one column of a pattern for ever."""
    step = math.isqrt(values // _COUNTED) if values > _ALL else 1
    return step - 1 + step % 2


def counted_words(histogram: Histogram) -> str:
    """How many of the values were counted: "one value in 25"."""
    return f"one value in {histogram.every:,}"


def histogram_of(values: npt.NDArray[Any], low: float, high: float, each: int = 1) -> Histogram:
    """
    Args:
        values: of any shape; those outside of low..high are counted in the first or the last part.
        each: of so many values these are one already.
    """
    flat = values.reshape(-1)
    every = flat.size // _COUNTED if flat.size > _ALL else 1
    every -= 1 - every % 2  # an even step could meet one column of each row for ever
    taken = flat[::every]
    if taken.dtype == np.uint8:
        return Histogram(low, high, np.bincount(taken >> 3, minlength=BINS), every * each)
    place = (taken - np.float32(low)) * np.float32(BINS / max(high - low, 1e-12))
    place = np.minimum(np.fmax(place, 0), BINS - 1)  # what is no number counts as low
    return Histogram(low, high, np.bincount(place.astype(np.intp), minlength=BINS), every * each)


def bars_of(histogram: Histogram, height: int, tint: str) -> QImage:
    """The histogram as an image with a column for each part, `height` pixels high: each bar as high as the root of its
    part of the highest, so that rare values stay visible."""
    share = np.sqrt(histogram.counts / max(int(histogram.counts.max()), 1))
    pixels = _bars(height, tint)[:, np.ceil(share * height).astype(np.intp)]
    return QImage(pixels.tobytes(), BINS, height, 4 * BINS, QImage.Format.Format_ARGB32_Premultiplied).copy()


@cache
def _bars(height: int, tint: str) -> npt.NDArray[np.uint32]:
    """One bar for each length from 0 to `height`, side by side, (height, height + 1)."""
    filled = np.arange(height + 1)[None, :] > np.arange(height)[::-1, None]
    return np.where(filled, np.uint32(QColor(tint).rgba()), np.uint32(0))


def facts_of(values: npt.NDArray[Any], kind: Kind) -> Facts:
    mean, std = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    return Facts(what_words(kind), str(values.dtype), values.shape, float(values.min()), float(values.max()), mean, std)


def fact_lines(facts: Facts) -> list[tuple[str, str]]:
    """Names and values, one pair a line."""
    return [
        ("kind", facts.what),
        ("dtype", facts.dtype),
        ("shape", "x".join(str(side) for side in facts.shape)),
        ("min", number(facts.low)),
        ("max", number(facts.high)),
        ("mean", number(facts.mean)),
        ("std", number(facts.std)),
    ]


def paint_histogram(painter: QPainter, room: QRect, histogram: Histogram, bars: QImage) -> None:
    """The bars above a hairline, and a mark at zero where the range is signed."""
    painter.drawImage(room.adjusted(0, 0, 0, -1), bars)
    painter.setPen(colour("line"))
    painter.drawLine(room.bottomLeft(), room.bottomRight())
    if histogram.signed:
        zero = room.left() - histogram.low / (histogram.high - histogram.low) * room.width()
        painter.setPen(colour("accent"))
        painter.drawLine(QPointF(zero, room.top()), QPointF(zero, room.bottom() + 2))
