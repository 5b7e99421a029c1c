"""Pictures as Qt shows them.

A picture on the screen must be the picture in the data set: its pixels stay square and sharp where there is room for
them, and only pictures larger than their place are averaged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from gui_lab.core.images import Picture


def to_image(picture: Picture) -> QImage:
    """A picture as an image that owns its bytes; may be called from any thread.

    Args:
        picture: uint8 (C, H, W). Three channels or more are shown as RGB (the first three), fewer as grey (the first).
    """
    channels, height, width = picture.shape
    if channels >= 3:
        pixels = np.ascontiguousarray(picture[:3].transpose(1, 2, 0))
        return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    pixels = np.ascontiguousarray(picture[0])
    return QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8).copy()


def reducing_step(longest: int, side: int) -> int:
    """Of a picture whose longest side has so many pixels every n-th one is enough for a place of `side` pixels (0: for
    one of any size): this n. `reduced` makes the same of these as of all of them."""
    return max(longest // (2 * side), 1) if side else 1


def reduced(values: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    """A picture (C, H, W) for a place of `side` pixels: where it is at least twice as large it is reduced to between
    one and two times of it, by leaving pixels out and then by means of two by two; else (or for side 0) unchanged."""
    longest = max(values.shape[1:])
    if side < 1 or longest < 2 * side:
        return values
    step = reducing_step(longest, side)
    taken = values[:, ::step, ::step]
    height, width = (max(length // 2 * 2, 1) for length in taken.shape[1:])
    if min(height, width) < 2:
        return taken
    wide = np.uint16 if values.dtype == np.uint8 else values.dtype
    lines = np.add(taken[:, 0:height:2, :width], taken[:, 1:height:2, :width], dtype=wide)  # rows lie together
    total = lines[..., 0::2] + lines[..., 1::2]
    mean: npt.NDArray[Any] = (total >> 2).astype(np.uint8) if values.dtype == np.uint8 else total * np.float32(0.25)
    return mean


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """The (width, height) at which a picture is shown in a square of `side` pixels: the largest whole multiple where it
    fits, else reduced with its proportions kept."""
    longest = max(width, height)
    if longest <= side:
        times = side // longest
        return width * times, height * times
    return max(round(width * side / longest), 1), max(round(height * side / longest), 1)


def scaled(image: QImage, side: int) -> QImage:
    """An image for a square of `side` pixels: nearest neighbour at a whole multiple, or a smooth reduction."""
    width, height = fitted(image.width(), image.height(), side)
    modes = Qt.TransformationMode
    mode = modes.FastTransformation if width >= image.width() else modes.SmoothTransformation
    return image.scaled(QSize(width, height), Qt.AspectRatioMode.IgnoreAspectRatio, mode)
