"""Which part of the plane a plot shows, and where on the screen: ends of axes that suit what there is to see.

Where nothing is fixed, x ends where the lines do, y has a little room, bars stand on 0, and what is not finite counts
for nothing: a run that diverges leaves the plot at its top and does not flatten the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from gui_lab.core.exhibits import Line, Plot

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

_FAR = 20_000.0
"""Pixels: what is further away is drawn from there."""
_LARGEST_RATIO = 1e12
"""Of the ends of a logarithmic axis: a loss that reaches 0 would squeeze all before it together."""
_SPARE = 0.06


@dataclass(frozen=True)
class Plane:
    """
    Attributes:
        x, y: ends of the axes; y of log10 of the values where it is `logarithmic`.
        area: the rectangle between the axes, in pixels.
    """

    x: Ends
    y: Ends
    logarithmic: bool
    area: QRectF

    def across(self, x: Floats) -> Floats:
        """Pixels from the left of the widget."""
        low, high = self.x
        return self.area.left() + _near((x - low) / (high - low) * self.area.width())

    def down(self, y: Floats) -> Floats:
        """Pixels from the top of the widget; a value of 0 has no logarithm and lies far below."""
        low, high = self.y
        level = np.log10(np.maximum(y, 1e-300)) if self.logarithmic else y
        return self.area.bottom() - _near((level - low) / (high - low) * self.area.height())

    def place(self, x: float, y: float) -> QPointF:
        return QPointF(float(self.across(np.array([x]))[0]), float(self.down(np.array([y]))[0]))

    def at(self, pixel: QPointF) -> tuple[float, float]:
        """x and y of a pixel."""
        (left, right), (low, high) = self.x, self.y
        x = left + (pixel.x() - self.area.left()) / self.area.width() * (right - left)
        y = low + (self.area.bottom() - pixel.y()) / self.area.height() * (high - low)
        return x, 10**y if self.logarithmic else y


def _near(pixels: Floats) -> Floats:
    clipped: Floats = np.clip(pixels, -_FAR, _FAR)
    return clipped


def fit(plot: Plot, area: QRectF) -> Plane:
    """The plane that shows a plot in an area of the screen."""
    return Plane(_x_ends(plot), _y_ends(plot), plot.log_y, area)


def bar_width(plot: Plot, line: Line) -> float:
    """Of one bar, in x; a fifth of the room is left between bars."""
    x = np.unique(line.x)
    beside = len(_beside(plot, line))
    return 0.8 * (float(np.diff(x).min()) if len(x) > 1 else 1.0) / max(beside, 1)


def bar_shift(plot: Plot, line: Line) -> float:
    """From the middle of its place to the middle of a line's bar, in x: lines over the same places share the room."""
    beside = _beside(plot, line)
    return (beside.index(id(line)) - (len(beside) - 1) / 2) * bar_width(plot, line)


def _beside(plot: Plot, line: Line) -> list[int]:
    return [id(one) for one in plot.lines if one.bars and np.array_equal(one.x, line.x)]


def _x_ends(plot: Plot) -> Ends:
    if plot.x_range is not None:
        return _apart(*plot.x_range)
    if plot.surface is not None:
        return _apart(*plot.surface.x)
    reach = [bar_width(plot, line) / 2 + abs(bar_shift(plot, line)) for line in plot.lines if line.bars]
    spare = 1.2 * max(reach, default=0.0)
    values = [line.x for line in plot.lines] + [np.array([one.at for one in plot.marks if one.axis == "x"])]
    low, high = _extent([*values, np.array([spot.x for spot in plot.spots])])
    return _apart(low - spare, high + spare)


def _y_ends(plot: Plot) -> Ends:
    if plot.y_range is not None:
        low, high = plot.y_range
        return _apart(*_logs(low, high)) if plot.log_y else _apart(low, high)
    if plot.surface is not None:
        return _apart(*plot.surface.y)
    low, high = _extent(list(_heights(plot)), 0.0 if plot.log_y else -math.inf)
    if plot.log_y:
        low, high = _logs(low, high)
        return _apart(math.floor(10 * low) / 10, math.ceil(10 * high) / 10)
    spare = _SPARE * (high - low)
    bars = any(line.bars for line in plot.lines)
    return _apart(low - (spare if low < 0 or not bars else 0.0), high + spare)


def _heights(plot: Plot) -> Iterator[Floats]:
    for line in plot.lines:
        yield np.append(line.y, 0.0) if line.bars and not plot.log_y else np.asarray(line.y, np.float64)
    beside = [one.at for one in plot.marks if one.axis == "y"] + [spot.y for spot in plot.spots]
    yield np.array(beside, np.float64)


def _extent(parts: list[Floats], above: float = -math.inf) -> Ends:
    values = np.concatenate([np.asarray(part, np.float64).ravel() for part in parts])
    values = values[np.isfinite(values) & (values > above)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _logs(low: float, high: float) -> Ends:
    high = high if high > 0 else 1.0
    low = max(low, high / _LARGEST_RATIO)
    return math.log10(low), math.log10(high)


def _apart(low: float, high: float) -> Ends:
    """Ends that differ, whatever there is."""
    if high - low > 1e-9 * max(abs(low), abs(high)) and high > low:
        return low, high
    spare = 0.05 * abs(high) or 0.5
    return low - spare, high + spare
