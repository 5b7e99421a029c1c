"""One line of a plot: its values, all of them, and the few points that draw the same picture on a screen.

A line is told by how many iterations were trained at each of its values, so that it needs no places of its own on the
axis: ten million of them would have to be computed again each time the axis changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPolygonF
from shiboken6 import VoidPtr

from gui_lab.core.pyramid import Indices, Pyramid
from gui_lab.qt.views.along import Along

Floats = npt.NDArray[np.float64]
Style = Literal["raw", "smooth", "line", "disc", "diamond", "ring"]
"""`raw` is a thin line on its band of smallest and largest values, `smooth` two pixels wide, `line` one; the others
have a sign of that shape at values that are far enough apart."""

SIGNLESS: tuple[Style, ...] = ("raw", "smooth", "line")
SIGNS_APART = 18  # pixels, at least
_MOST_WIDTH = 6  # pixels on each side of a point that its sign takes
_FAR = 20_000.0
"""Pixels: what is further away is drawn from there."""
_BAND = 6  # pixels of a column of the band
_BAND_VALUES = 8  # at least, in one


@dataclass(frozen=True, eq=False)
class View:
    """Which part of the plane is drawn where.

    Attributes:
        along: what x counts.
        x, y: ends of the axes; y of log10 of the values where it is `logarithmic`.
        area: the rectangle between the axes, in pixels.
    """

    along: Along
    x: tuple[float, float]
    y: tuple[float, float]
    logarithmic: bool
    area: QRectF

    @property
    def columns(self) -> int:
        return max(int(self.area.width()), 50)

    def across(self, x: Floats) -> Floats:
        """Pixels from the left of the widget."""
        low, high = self.x
        return self.area.left() + _near((x - low) / (high - low) * self.area.width())

    def down(self, values: Floats) -> Floats:
        """Pixels from the top of the widget; a value of 0 has no logarithm and lies far below."""
        low, high = self.y
        level = np.log10(np.maximum(values, 1e-300)) if self.logarithmic else values
        return self.area.bottom() - _near((level - low) / (high - low) * self.area.height())

    def x_at(self, pixel: float) -> float:
        low, high = self.x
        return low + (pixel - self.area.left()) / self.area.width() * (high - low)

    def y_at(self, pixel: float) -> float:
        """A place on the axis: log10 of a value where it is logarithmic."""
        low, high = self.y
        return low + (self.area.bottom() - pixel) / self.area.height() * (high - low)


@dataclass(frozen=True, eq=False)
class Drawn:
    """How far a line was drawn: so many values, its end by these points at these pixels, in columns of so many values
    (those of its band too, 0 where it has none), with a sign at every n-th point; and whether all its points are so
    `few` that each can be told from its neighbours."""

    count: int
    points: Indices
    x: Floats
    block: int
    block_of_band: int
    every: int
    few: bool


class Line:
    """
    Attributes:
        values: all of them, float64 (n,); NaN where something was not measured.
        trained: how many iterations were trained at each, float64 (n,); None where there is one value an iteration.
        few: whether all that was drawn last are so few points that each can be told from its neighbours.
    """

    def __init__(self, name: str, role: str, style: Style, optional: bool = False) -> None:
        """
        Args:
            name: what the legend says.
            role: of its colour.
            optional: named in the legend only where it has values.
        """
        self.name, self.role, self.style, self.optional = name, role, style, optional
        self.forget()

    def forget(self) -> None:
        """Another series begins."""
        self.values: Floats = np.empty(0)
        self.trained: Floats | None = None
        self._pyramid = Pyramid()
        self._points: Indices = np.empty(0, np.int64)
        self._x: Floats = np.empty(0)
        self._every, self.few = 1, True
        self._placed: tuple[tuple[View, int, int], tuple[Floats, Floats]] | None = None
        self._ends = (float("inf"), float("-inf"))
        self._usual = (0, float("nan"), float("nan"))

    def show(self, values: Floats, trained: Floats | None, most: int) -> bool:
        """Take in what has come; at most so many values at once. Says whether anything new is drawn."""
        before = self._pyramid.count
        if len(values) < before:
            self.forget()
        self.values, self.trained = values, trained
        self._pyramid.follow(values, most)
        now = self._pyramid.count
        if now != before:
            low, high = _extent(values[before:now])
            self._ends = min(self._ends[0], low), max(self._ends[1], high)
        return now != before

    @property
    def count(self) -> int:
        """How many values are drawn so far."""
        return self._pyramid.count

    @property
    def behind(self) -> bool:
        """Whether there are more than are drawn."""
        return self.count < len(self.values)

    @property
    def known(self) -> bool:
        """Whether it has any value."""
        return self._ends[0] <= self._ends[1]

    def seen(self, view: View) -> tuple[int, int]:
        """Which values lie between the ends of the x axis, first and last, with one more beyond each end."""
        low, high = (view.along.trained(x) for x in view.x)
        if self.trained is None:
            first, last = int(np.ceil(low)) - 1, int(np.floor(high))
        else:
            first = int(np.searchsorted(self.trained, low))
            last = int(np.searchsorted(self.trained, high, "right"))
        return min(max(first - 1, 0), self.count), min(max(last + 1, 0), self.count)

    def at(self, indices: Indices) -> Floats:
        """How many iterations were trained at these values."""
        return (indices + 1).astype(np.float64) if self.trained is None else self.trained[indices]

    def points(self, view: View, since: int = 0) -> tuple[Floats, Floats]:
        """What is drawn, in pixels: no peak of a column is lost.

        Args:
            since: of all that only what is drawn from this value on; those with signs are always found whole.
        """
        since = since if self.style in SIGNLESS else 0
        key = view, self.count, since
        if self._placed is not None and self._placed[0] == key:
            return self._placed[1]
        chosen = self._points = self._pyramid.peaks(self.values, *self.seen(view), _columns(view), since)
        x = self._x = view.across(view.along.place(self.at(chosen)))
        if not since:
            self.few = len(chosen) < view.columns / 6
        if self.style not in SIGNLESS:
            self._every = _every(x)
        found = x, view.down(self.values[chosen])
        self._placed = key, found
        return found

    def place_of(self, since: int) -> int:
        """Of the points found last the first that is drawn from a value on."""
        return int(np.searchsorted(self._points, since))

    def signed(self, start: int) -> list[int]:
        """Which of the points found last have a sign, from one on: so many that signs do not touch, and the last."""
        count = len(self._points)
        places = range(self._every - 1, count, self._every)
        return [place for place in dict.fromkeys((*places, count - 1)) if place >= start]

    def band(self, view: View, since: int = 0) -> tuple[Floats, Floats] | None:
        """The outline of all between the smallest and the largest values, in pixels, or of that from a value on; None
        where there are too few."""
        first, last = self.seen(view)
        columns = _columns_of_band(view, last - first)
        if columns < 2:
            return None
        since -= 2 * _block(last - first, columns)  # an end of a block is where its neighbour reaches, too
        starts, lows, highs = self._pyramid.blocks(self.values, first, last, columns, max(since, 0))
        low, high = self.values[lows], self.values[highs]
        known = np.isfinite(low) & np.isfinite(high)
        starts, low, high = starts[known], low[known], high[known]
        if len(starts) < 2:
            return None
        ends = np.append(starts, min(last, self.count) - 1)
        places = view.along.place(self.at(np.minimum(np.maximum(ends, 0), self.count - 1)))
        x = np.empty(2 * len(starts) + 1)  # an end of a block, its middle, the next end ...
        x[::2], x[1::2] = places, (places[:-1] + places[1:]) / 2
        x = view.across(x)
        y = np.concatenate([_hull(low, np.minimum), _hull(high, np.maximum)[::-1]])
        return np.concatenate([x, x[::-1]]), view.down(y)

    def drawn(self, view: View) -> Drawn:
        """How far it is drawn in a view, to be kept for `news`."""
        first, last = self.seen(view)
        values = last - first
        band = _block(values, _columns_of_band(view, values)) if self.style == "raw" else 0
        block = _block(values, _columns(view))
        return Drawn(self.count, self._points, self._x, block, band, self._every, self.few)

    def news(self, view: View, before: Drawn) -> float | None:
        """From which pixel on it looks different since it was drawn in the same view; None where it may everywhere."""
        if self.count == before.count or not self.known:
            return view.area.right()
        now, signless = self.drawn(view), self.style in SIGNLESS
        if (now.block, now.block_of_band) != (before.block, before.block_of_band) or not len(before.points):
            return None
        if before.few if signless else _every(self.points(view)[0]) != before.every:
            return None
        changed = before.count // now.block * now.block
        if now.block_of_band:
            changed = min(changed, (before.count // now.block_of_band - 2) * now.block_of_band)
        still = int(np.searchsorted(before.points, changed)) - 1
        if still < 0:
            return None
        return math.floor(float(before.x[still])) - (2 if signless else _MOST_WIDTH)

    def is_in(self, pixel: float, before: Drawn) -> bool:
        """Whether anything of it may be seen from this pixel on: it has news since it was drawn, or was drawn there."""
        return self.count != before.count or (len(before.x) > 0 and float(before.x[-1]) >= pixel)

    def extent(self, view: View | None) -> tuple[float, float]:
        """The smallest and the largest value in view (of all without one); NaN where there is none."""
        if view is None:
            return self._ends if self.known else (float("nan"), float("nan"))
        return self._pyramid.range(self.values, *self.seen(view))

    def usual(self) -> float:
        """The largest value, unless single outbursts would squeeze all the rest to the bottom; NaN without values. It
        is found again when there is a larger one, or one value more for each fifty that there are."""
        _, largest = self.extent(None)
        at, then, found = self._usual
        if at == 0 or largest != then or self.count > at + at // 50:
            found = self._found_usual(largest)
            self._usual = self.count, largest, found
        return found

    def _found_usual(self, largest: float) -> float:
        newest = self.values[max(self.count - 4096, 0) : self.count : 10 if self.count > 4096 else 1]
        newest = newest[np.isfinite(newest)]
        if not len(newest):
            return largest
        _, start = self._pyramid.range(self.values, 0, min(max(self.count // 50, 5), self.count))
        place = int(0.99 * (len(newest) - 1))
        high = 2.5 * float(np.partition(newest, place)[place])
        return min(largest, max(high, start) if start == start else high)

    def smallest_positive(self) -> float:
        """As far as it is drawn; NaN without one."""
        drawn = self.values[self._pyramid.peaks(self.values, 0, self.count, 200)]
        positive = drawn[drawn > 0]
        return float(positive.min()) if len(positive) else float("nan")

    def nearest(self, trained: float) -> int | None:
        """Which value is nearest to so many trained iterations, where there is one that is measured."""
        if not self.count:
            return None
        if self.trained is None:
            index = round(trained) - 1
        else:
            index = int(np.searchsorted(self.trained[: self.count], trained))
            before = index - 1 if index else 0
            index = min(index, self.count - 1)
            if trained - self.trained[before] < self.trained[index] - trained:
                index = before
        return index if 0 <= index < self.count and np.isfinite(self.values[index]) else None


def _columns(view: View) -> int:
    """Of 0.7 to 1.4 pixels: two points a pixel on average."""
    return int(view.columns / 1.4)


def _columns_of_band(view: View, values: int) -> int:
    return min(view.columns // _BAND, values // _BAND_VALUES)


def _block(values: int, columns: int) -> int:
    """How many values there are in a column, as the pyramid has them."""
    return 1 << (max(values // max(columns, 1), 1).bit_length() - 1)


def _near(pixels: Floats) -> Floats:
    return np.minimum(np.maximum(pixels, -_FAR), _FAR)  # np.clip says the same in five times the time


def _every(x: Floats) -> int:
    """At each how many points a sign stands, so that none touches another. It doubles: signs do not wander with each
    value that comes.

    Args:
        x: where the points are, pixels, never falling.
    """
    if len(x) < 2:
        return 1
    every = max(int(np.ceil(SIGNS_APART * (len(x) - 1) / max(float(x[-1] - x[0]), 1.0))), 1)
    return 1 << (every - 1).bit_length()


def _extent(values: Floats) -> tuple[float, float]:
    """The smallest and the largest value of those that are finite; the other way round where there is none."""
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[np.isfinite(values)]
        return (float(finite.min()), float(finite.max())) if len(finite) else (math.inf, -math.inf)
    return low, high


def _hull(ends: Floats, outer: np.ufunc) -> Floats:
    """The ends of n blocks as a line over their edges and middles, float64 (2n + 1,), with all values on one side."""
    hull = np.empty(2 * len(ends) + 1)
    hull[1::2] = ends
    hull[2:-1:2] = outer(ends[:-1], ends[1:])
    hull[0], hull[-1] = ends[0], ends[-1]
    return hull


def polygon(x: Floats, y: Floats) -> QPolygonF:
    """Points as Qt wants them, written into its own memory: a loop over them would take longer than to draw them."""
    made = QPolygonF()
    made.resize(len(x))
    if len(x):
        memory: Any = VoidPtr  # its stubs know one argument only
        places = np.frombuffer(memory(made.data(), 16 * len(x), True), np.float64).reshape(-1, 2)
        places[:, 0], places[:, 1] = x, y
    return made
