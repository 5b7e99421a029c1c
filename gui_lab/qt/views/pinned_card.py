"""The card of a pinned picture: what it shows, and where on it that stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from gui_lab.qt.theme import XS, L, S

ROW = 15
PICTURE = 64
AREA = 24  # pixels, the height of the stacked area
NO_NUMBERS = "no numbers"  # NaN left the network


@dataclass(frozen=True, eq=False)
class Pinned:
    """A pinned picture: its index, the picture as an image, and its true class; a person's own has a negative index,
    the label -1 and a `name`."""

    index: int
    image: QImage
    label: int
    name: str = ""


@dataclass(frozen=True)
class Bars:
    """Where the bars of a card stand, in pixels.

    Attributes:
        rows: label and top of each.
        left: of the colours of the classes, before names of the width `names`.
        start, longest: of the bars.
        number: the width of the room behind them.
    """

    rows: tuple[tuple[int, float], ...]
    left: float
    names: int
    start: float
    longest: float
    number: int


def verdict(pin: Pinned, row: npt.NDArray[np.float32]) -> tuple[str, str]:
    """In words, and the role of their colour."""
    if not np.isfinite(row).all():
        return NO_NUMBERS, "quiet"
    return ("✓ right", "best") if int(row.argmax()) == pin.label else ("✗ wrong", "error")


def below(card: QRectF) -> QRectF:
    """The words below the picture of a card."""
    return QRectF(card.left() + S, card.top() + S + PICTURE + XS, PICTURE, 2 * L)


def area_of(card: QRectF) -> QRectF:
    """The run so far, at the bottom of a card."""
    return QRectF(card.left() + S, card.bottom() - S - AREA, card.width() - 2 * S, AREA)
