"""A pinned picture's probabilities over the run as a stacked area: a column of pixels for each slice, the true class at
the bottom.

It is computed as an image in numpy, a few thousand pixels that are drawn once: the area costs a card a tenth of a
millisecond, and ten thousand classes no more than ten, for only the strongest have a colour.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from gui_lab.qt.theme import class_colour, colour

LAYERS = 10
"""Classes that have a colour of their own; what is left above them is neutral."""
_FAINT = 0.45  # of its colour that a class keeps which is not the true one


def layers(means: npt.NDArray[np.float32], label: int) -> list[int]:
    """Which classes are drawn, from the bottom up: the true one (where there is one), then the others in their own
    order, where there are many only those that are the strongest on average.

    Args:
        means: float32 (slices, classes), NaN where nothing was seen.
        label: the true class, negative where there is none.
    """
    classes = means.shape[1]
    strength = np.nan_to_num(means).sum(0)
    if label >= 0:
        strength[label] = np.inf
    strongest = sorted(np.argsort(-strength, kind="stable")[: min(LAYERS, classes)].tolist())
    return sorted(strongest, key=lambda one: one != label)  # stable: the others keep their order


def stacked(means: npt.NDArray[np.float32], label: int, height: int) -> QImage:
    """The area as an image, one pixel wide for each slice; transparent where nothing was seen.

    Args:
        means: float32 (slices, classes), rows sum to 1 or are NaN.
        label: the true class, drawn at the bottom in its full colour under a line; negative where there is none.
        height: of the image, pixels.
    """
    drawn = layers(means, label)
    ends = means[:, drawn].cumsum(1)  # where each layer ends, 0..1 from below
    middles = (np.arange(height, dtype=np.float32)[::-1] + 0.5) / height
    which = (ends[:, None, :] <= middles[None, :, None]).sum(2)  # (slices, height): the layer of each pixel
    tones = [_tone(class_colour(one).rgba(), colour("surface").rgba(), one == label or label < 0) for one in drawn]
    ink = np.array([*tones, colour("line").rgba()], np.uint32)
    pixels = ink[which]
    if label >= 0:
        border = height - np.round(np.nan_to_num(ends[:, 0]) * height).astype(np.intp)
        pixels[np.arange(len(pixels)), border.clip(0, height - 1)] = colour("text").rgba()
    pixels[np.isnan(ends[:, -1])] = 0
    made = np.ascontiguousarray(pixels.T)
    return QImage(made.data, len(means), height, 4 * len(means), QImage.Format.Format_ARGB32_Premultiplied).copy()


@functools.lru_cache(maxsize=256)
def _tone(full: int, ground: int, whole: bool) -> int:
    """The colour of a layer as a pixel, thinned on the ground unless it is `whole`."""
    if whole:
        return full
    pairs = zip(_rgb(QColor(full)), _rgb(QColor(ground)), strict=True)
    return QColor(*(round(_FAINT * part + (1 - _FAINT) * below) for part, below in pairs)).rgba()


def _rgb(tone: QColor) -> tuple[int, int, int]:
    return tone.red(), tone.green(), tone.blue()
