"""Numbers as colours: grey, blue - neutral - red around zero, and cividis; and the same numbers as words in a cell.

A scale is a table of 256 colours that values are looked up in. What is no number has no colour: its cell stays empty,
which is how a map that is not finished yet looks.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from gui_lab.core.exhibits import Floats, Picture
from gui_lab.qt.pictures import reduced
from gui_lab.qt.views.frames import image_of

_STEPS = 255
_CIVIDIS = (  # red, green, blue as polynomials of a share 0..1, constant term first
    (-4.54, -35.34, 2381.73, -6402.7, 7024.72, -2710.57),
    (32.49, 170.73, 52.82, -131.46, 176.58, -67.37),
    (81.24, 442.36, -2482.43, 6167.24, -6614.94, 2475.67),
)
_BRIGHT = 140  # of 255: on brighter cells words are dark
_MINUS = "\u2212"

Colours = npt.NDArray[np.uint8]
"""(H, W, 4): red, green, blue, and 0 where nothing is."""


def colours_of(picture: Picture, *, dark: bool, side: int = 0) -> Colours:
    """
    Args:
        dark: for a dark ground.
        side: pixels of the place; what is at least twice as large is reduced (`qt.pictures.reduced`).
    """
    values = picture.values if picture.values.ndim == 3 else picture.values[None]
    values = reduced(values, side)
    if len(values) == 3:
        planes = values if values.dtype == np.uint8 else np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
        return np.dstack([planes.transpose(1, 2, 0), np.full(planes.shape[1:], 255, np.uint8)])
    numbers = values[0].astype(np.float32)
    there = np.isfinite(numbers)
    low, high = ends(picture)
    share = (np.where(there, numbers, low) - low) / max(high - low, 1e-12)
    place = np.round(np.clip(share, 0, 1) * _STEPS).astype(np.intp)
    return np.dstack([_scale(picture.scale, dark)[place], np.where(there, 255, 0).astype(np.uint8)])


def ends(picture: Picture) -> tuple[float, float]:
    """Of its scale: those that are given, else those of its values."""
    low, high = picture.low, picture.high
    if low is None or high is None:
        numbers = picture.values[np.isfinite(picture.values)]
        low = float(numbers.min()) if low is None and numbers.size else low or 0.0
        high = float(numbers.max()) if high is None and numbers.size else high or 0.0
    if picture.scale == "diverging":
        furthest = max(abs(low), abs(high), 1e-12)
        return -furthest, furthest
    return low, high


def image(colours: Colours) -> QImage:
    """As an image that owns its bytes."""
    height, width, _ = colours.shape
    return QImage(colours.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def bright(colours: Colours) -> npt.NDArray[np.bool_]:
    """On which cells words are dark, bool (H, W)."""
    red, green, blue = (colours[..., channel].astype(np.float32) for channel in range(3))
    return np.asarray(0.299 * red + 0.587 * green + 0.114 * blue > _BRIGHT)


@cache
def _scale(name: str, dark: bool) -> Colours:
    """(256, 3)."""
    share = np.linspace(0, 1, _STEPS + 1)
    if name == "sequential":
        planes = [np.polynomial.polynomial.polyval(share, terms) for terms in _CIVIDIS]
        return np.round(np.clip(np.stack(planes, 1), 0, 255)).astype(np.uint8)
    if name == "diverging":
        line = image_of(2 * share[None, None] - 1, -1, 1, dark=dark).convertToFormat(QImage.Format.Format_RGBA8888)
        return np.frombuffer(line.constBits(), np.uint8).reshape(-1, 4)[: _STEPS + 1, :3].copy()
    return np.repeat(np.round(share * 255).astype(np.uint8)[:, None], 3, 1)


# ---------------------------------------------------------------- numbers


def cell_words(values: npt.NDArray[np.generic]) -> list[list[str]]:
    """The numbers of a picture (H, W) as they stand in its cells: with equally many decimals, so that one compares."""
    numbers = np.asarray(values, np.float64)
    decimals = _decimals(numbers)
    return [[cell_word(value, decimals) for value in row] for row in numbers.tolist()]


def cell_word(value: float, decimals: int) -> str:
    """With a true minus; nothing for what is no number, and 0 where it is exactly that."""
    if math.isnan(value):
        return ""
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    short = f"{value:.{decimals}f}"
    if not short.strip("-0."):  # it would look like zero and is not
        short = f"{value:.0e}".replace("e-0", "e-")
    return short.replace("-", _MINUS)


def compact(word: str) -> str:
    """Without the zero before the point, where there is no room for it."""
    return word.removeprefix("0") if word.startswith("0.") else word.replace(f"{_MINUS}0.", f"{_MINUS}.")


def whole_word(value: float) -> str:
    """With six digits, for who asks for a number."""
    return f"{value:.6g}".replace("-", _MINUS)


def _decimals(numbers: Floats) -> int:
    there = numbers[np.isfinite(numbers)]
    if not there.size or np.array_equal(there, np.round(there)):
        return 0
    most = float(np.abs(there).max())
    return 0 if most >= 1000 else 1 if most >= 100 else 2 if most >= 0.1 else 3
