"""Where the peaks of a long, growing series are, at every zoom.

A screen has a thousand columns and a run ten million losses: what a column shows is the smallest and the largest of
its ten thousand. To look through all of them for each picture takes longer than the picture may. So the ends of every
32 values are noted once, when they arrive, then those of every 64, 128 ... and a picture asks the level whose blocks
just fit into a column. News costs what is new, a picture costs what is drawn, and no peak is lost. Noted is *where* the
ends are, not what they are: so the points that are drawn are points of the series.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_BASE = 32
"""Values in a block of the lowest level; shorter blocks are looked through when they are drawn."""


class Growing:
    """An array that grows at its end, many values at once, in amortised constant time a value."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._values: npt.NDArray[Any] = np.empty(64, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, values: npt.NDArray[Any]) -> None:
        end = self._count + len(values)
        self.reserve(max(end, 2 * len(self._values)) if end > len(self._values) else 0)
        self._values[self._count : end] = values
        self._count = end

    def reserve(self, count: int) -> None:
        """Have room for so many values; memory that is not written yet costs nothing."""
        if count > len(self._values):
            grown = np.empty(count, self._values.dtype)
            grown[: self._count] = self._values[: self._count]
            self._values = grown

    @property
    def values(self) -> npt.NDArray[Any]:
        """A view of what is there; stays unchanged while the array grows."""
        return self._values[: self._count]


class Pyramid:
    """Follows a series that only grows. Values that are missing (NaN) or infinite are not drawn and hide nothing.

    Attributes:
        count: values that are followed so far; what is drawn ends there.
    """

    def __init__(self) -> None:
        self.count = 0
        self._levels: list[tuple[Growing, Growing]] = []

    def follow(self, values: Floats, most: int = 2**62) -> None:
        """Take in what is new of `values`, all of the series so far, float64 (n,); at most so many of them at once."""
        self.count = min(len(values), self.count + most)
        if not self._levels:
            self._levels.append((Growing(np.int64), Growing(np.int64)))
        lows, highs = self._levels[0]
        start, end = len(lows) * _BASE, self.count // _BASE * _BASE
        if start < end:
            low, high = _ends(values[start:end].reshape(-1, _BASE))
            starts = np.arange(start, end, _BASE)
            lows.extend(starts + low)
            highs.extend(starts + high)
            self._follow_above(values)

    def _follow_above(self, values: Floats) -> None:
        """Each level from the one below it, as far up as anything has become whole."""
        level = 0
        while (whole := len(self._levels[level][0]) // 2) > 0:
            if level + 1 == len(self._levels):
                self._levels.append((Growing(np.int64), Growing(np.int64)))
            above = self._levels[level + 1]
            done = len(above[0])
            if done == whole:
                return
            for place, (grown, below) in enumerate(zip(above, self._levels[level], strict=True)):
                pairs = below.values[2 * done : 2 * whole].reshape(-1, 2)
                chosen = _ends(values[pairs])[place]
                grown.extend(pairs[np.arange(len(pairs)), chosen])
            level += 1

    def blocks(
        self, values: Floats, first: int, last: int, columns: int, since: int = 0
    ) -> tuple[Indices, Indices, Indices]:
        """Where values[first:last] begin their blocks, and where each has its smallest and its largest value.

        A block has 2**k values, as many as fit into a column at most, and begins at a multiple of that: so blocks stand
        still while the view moves. The first one may begin before `first` and the last one end behind `last`. There
        are at least as many blocks as columns (or values) and about twice as many at most. A block of nothing but
        missing values names one of those.

        Args:
            values: the series that is followed, float64 (n,).
            first, last: of 0 .. `count`.
            columns: in which they are drawn.
            since: of the same blocks only those from this value on.
        Returns:
            starts, lows, highs: each int64 (blocks,).
        """
        size = 1 << (max((last - first) // max(columns, 1), 1).bit_length() - 1)
        first = max(first, since // size * size)
        if first >= last:
            return (np.empty(0, np.int64),) * 3
        level = (size // _BASE).bit_length() - 1
        starts = np.arange(first // size * size, last, size)
        if level < 0:
            return starts, *_searched(values[: self.count], int(starts[0]), last, size)
        known = self._levels[level] if level < len(self._levels) else (Growing(np.int64), Growing(np.int64))
        lows, highs = (grown.values[first // size : -(-last // size)] for grown in known)
        if len(lows) < len(starts):  # the newest block is not whole yet
            low, high = self._begun(values, int(starts[-1]), last, level)
            lows, highs = np.append(lows, low), np.append(highs, high)
        return starts, lows, highs

    def _begun(self, values: Floats, start: int, last: int, level: int) -> tuple[int, int]:
        """The ends of a block that has only begun, from at most one block of each level below."""
        candidates: list[int] = []
        for below in range(min(level, len(self._levels)) - 1, -1, -1):
            size = _BASE << below
            if start + size <= last:
                candidates += [int(grown.values[start // size]) for grown in self._levels[below]]
                start += size
        places = np.append(np.array(candidates, np.int64), np.arange(start, last))
        (low,), (high,) = _ends(values[places][None, :])
        return int(places[low]), int(places[high])

    def peaks(self, values: Floats, first: int, last: int, columns: int, since: int = 0) -> Indices:
        """Which of values[first:last] draw the same picture as all of them: the smallest and the largest of each block,
        in their order, int64 (m,). See `blocks`."""
        if last - first <= 2 * columns:
            chosen = np.arange(max(first, since), last)
        else:
            _, lows, highs = self.blocks(values, first, last, columns, since)
            chosen = np.stack([np.minimum(lows, highs), np.maximum(lows, highs)], 1).ravel()
            fresh = np.ones(len(chosen), np.bool_)
            fresh[1:] = chosen[1:] != chosen[:-1]  # a block of one value gives one point
            chosen = chosen[fresh]
        return chosen[np.isfinite(values[chosen])]

    def range(self, values: Floats, first: int, last: int) -> tuple[float, float]:
        """The smallest and the largest of values[first:last], NaN where there is none. Blocks are taken whole: it may
        be one of a value up to 1/64 of them away."""
        found = values[self.peaks(values, first, last, 64)]
        return (float(found.min()), float(found.max())) if len(found) else (float("nan"), float("nan"))


def _ends(blocks: Floats) -> tuple[Indices, Indices]:
    """Where each row has its smallest and its largest value, of those that are finite."""
    missing = ~np.isfinite(blocks)
    if missing.any():
        return np.where(missing, np.inf, blocks).argmin(1), np.where(missing, -np.inf, blocks).argmax(1)
    return blocks.argmin(1), blocks.argmax(1)


def _searched(values: Floats, start: int, last: int, size: int) -> tuple[Indices, Indices]:
    """The ends of each block of values[start:last], by looking; the last block may be shorter."""
    part = values[start:last]
    starts = np.arange(start, last, size)
    padded = np.full(len(starts) * size, np.nan)
    padded[: len(part)] = part
    low, high = _ends(padded.reshape(-1, size))
    return starts + low, starts + high
