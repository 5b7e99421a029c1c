"""Values as pictures that can be trusted: what is an image looks like one, what is signed looks signed.

A tensor around zero has no natural look. Stretching it to grey would hide where zero is, so it is drawn from blue
through a neutral tone to red, with the same scale for all pictures of a column; colour channels then stand side by
side as planes. Pictures much larger than their place are reduced before they are coloured, which is what keeps a
preview of photographs fast. Arithmetic here is numpy's alone, and it may run on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from gui_lab.core.pipeline import Kind
from gui_lab.qt.pictures import reduced, to_image
from gui_lab.qt.views.facts import Facts, Histogram, facts_of, number, span

_DIVERGING = {  # below zero, at zero, above zero; for a light and a dark ground
    False: ((33, 102, 172), (247, 247, 247), (178, 24, 43)),
    True: ((106, 165, 255), (40, 45, 56), (255, 123, 127)),
}
_UNITS = {"angle": "°", "degrees": "°"}
_LARGE = 10**9  # an integer beyond is the seed of a field of noise, of which a person sees whether it changed


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture at one place.

    Attributes:
        image: as it is drawn; reduced where the picture is much larger than its place.
        shape: (C, H, W).
        numbers: computes the values where that was not necessary before.
        kind: of the values.
        told: what was drawn for it, in words; of the picture as it came its class.
        captions: lines below it.
        ends: what black and white have become here, (2, C, 1, 1); None where that is not known.
        histogram, bars: of the values, and drawn.
        planes: the channels stand side by side in the image.
    """

    image: QImage
    shape: tuple[int, int, int]
    numbers: Callable[[], npt.NDArray[Any]]
    kind: Kind
    told: str = ""
    captions: tuple[str, ...] = ()
    ends: npt.NDArray[Any] | None = None
    histogram: Histogram | None = None
    bars: QImage | None = None
    planes: bool = False

    @cached_property
    def values(self) -> npt.NDArray[Any]:
        """(C, H, W), what stands behind it."""
        return self.numbers()

    @cached_property
    def facts(self) -> Facts:
        """Computed when first asked for."""
        return facts_of(self.values, self.kind)


@dataclass(frozen=True, eq=False)
class Column:
    """A place of the chain with a frame for each picture; none where they are not computed yet.

    `position` is that in the list of transforms, `SOURCE` for the pictures as they came, `KEPT` for the end of another
    chain. `off` says that the transform is left out for the moment: its pictures are those before it.
    """

    position: int
    name: str
    random: bool
    kind: str
    span: str
    frames: tuple[Frame, ...] = ()
    off: bool = False


SOURCE, KEPT = -1, -3


def kind_words(kind: Kind) -> str:
    """uint8 1x28x28"""
    dtype = "PIL" if kind.pil else kind.dtype
    size = f"{kind.height}x{kind.width}" if kind.size else "various sizes"
    return f"{dtype} {kind.channels}x{size}" if kind.size else f"{dtype} {kind.channels} ch, {size}"


def range_words(kind: Kind) -> str:
    """−0.42 to 2.82"""
    return span(kind.low, kind.high) if kind.bounded else "any value"


def drawn_words(drawn: Mapping[str, Any]) -> str:
    """What was drawn, as a caption: "angle −7.3°", "top 3, left 1", "not flipped"."""
    return ", ".join(_drawn_word(name.replace("_", " "), value) for name, value in drawn.items())


def _drawn_word(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if isinstance(value, (list, tuple)):
        return f"{name} {' '.join(_member(member) for member in value)}"
    return f"{name} {_member(value)}{_UNITS.get(name, '')}"


def _member(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"({' '.join(_member(member) for member in value)})"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "yes" if value is True else "no" if value is False else str(value)
    return f"…{value % 10_000:04d}" if isinstance(value, int) and abs(value) >= _LARGE else number(value)


def image_of(
    values: npt.NDArray[Any], low: float, high: float, *, dark: bool, side: int = 0, planes: bool = True
) -> QImage:
    """
    Args:
        values: (C, H, W), uint8 0..255 or floats.
        low, high: the range that can occur; below zero it is drawn by signed colours.
        dark: for a dark ground.
        side: pixels of the place; what is at least twice as large is reduced to between one and two times of it.
        planes: channels of signed values side by side; else of each pixel the one that is farthest from zero.
    """
    if values.dtype == np.uint8:
        return to_image(reduced(values, side))
    if low >= 0:
        unit = (reduced(values, side) - low) / max(high - low, 1e-12)
        return to_image(np.round(np.clip(unit, 0, 1) * 255).astype(np.uint8))
    plane = _planes(reduced(values, side // 2 if len(values) > 1 else side)) if planes else farthest(values)
    return to_image(_signed(plane, max(-low, high, 1e-12), dark))


def farthest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(H, W): of each pixel's channels the value that is farthest from zero, so that no difference is hidden."""
    if len(values) == 1:
        return np.asarray(values[0])
    which = np.abs(values).argmax(0)
    return np.asarray(np.take_along_axis(values, which[None], 0)[0])


def _planes(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The channels as one plane (H', W'), two by two where there are several; what is left over is zero."""
    channels, height, width = values.shape
    if channels == 1:
        return np.asarray(values[0])
    plane = np.zeros((-(-channels // 2) * height, 2 * width), np.float32)
    for channel in range(channels):
        top, left = channel // 2 * height, channel % 2 * width
        plane[top : top + height, left : left + width] = values[channel]
    return plane


_STEPS = 127  # of the colour scale on each side of zero


def _signed(plane: npt.NDArray[Any], limit: float, dark: bool) -> npt.NDArray[np.uint8]:
    """uint8 (3, H, W): blue below zero, red above, the neutral tone at zero and where there is no number."""
    share = plane * np.float32(_STEPS / limit)
    share = np.where(np.isnan(share), np.float32(0), share).clip(-_STEPS, _STEPS).round()
    return _scale(dark).take(share.astype(np.int16) + _STEPS, axis=1)


@cache
def _scale(dark: bool) -> npt.NDArray[np.uint8]:
    """The diverging colours as a table, uint8 (3, 2 * _STEPS + 1)."""
    below, zero, above = (np.array(tone, np.float32)[:, None] for tone in _DIVERGING[dark])
    share = np.linspace(-1, 1, 2 * _STEPS + 1, dtype=np.float32)
    toned = np.where(share < 0, zero + (zero - below) * share, zero + (above - zero) * share)
    return np.round(toned).astype(np.uint8)


def as_picture(values: npt.NDArray[Any], ends: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values with what was done to black and white undone: 0 is black again and 1 white.

    Args:
        values: (C, H, W).
        ends: (2, C, 1, 1), what black and white have become.
    """
    black, white = ends
    undone: npt.NDArray[Any] = (values - black) / (white - black)
    return undone


__all__ = [
    "KEPT", "SOURCE", "Column", "Frame", "as_picture", "drawn_words", "farthest", "image_of", "kind_words", "number",
    "range_words", "span",
]  # fmt: skip
