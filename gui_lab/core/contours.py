"""Lines of equal height on a surface, and shades for it: what a map of a loss needs.

Levels are not evenly spaced: a loss that rises with the fourth power would have all its lines at the rim. They are
spaced so that half of the area lies below the middle one, which leaves a saddle's as they are and spreads a valley's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

_STEEPEST = 6.0


def shades(heights: Floats) -> npt.NDArray[np.float64]:
    """Heights as 0..1, the lowest 0, half of them about below 0.5; what is not finite is 1.

    Args:
        heights: float (rows, columns).
    """
    part = _parts(heights)
    shade: npt.NDArray[np.float64] = part ** (1 / _power(part))
    return shade


def levels(heights: Floats, count: int) -> list[float]:
    """So many heights between the lowest and the highest, as far apart as their shades."""
    low, high = _ends(heights)
    power = _power(_parts(heights))
    return [low + (high - low) * (number / (count + 1)) ** power for number in range(1, count + 1)]


def _parts(heights: Floats) -> npt.NDArray[np.float64]:
    low, high = _ends(heights)
    return (np.where(np.isfinite(heights), heights, high).astype(np.float64) - low) / (high - low)


def _ends(heights: Floats) -> tuple[float, float]:
    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def _power(part: npt.NDArray[np.float64]) -> float:
    middle = float(np.median(part))
    return min(max(math.log(middle) / math.log(0.5), 1.0), _STEEPEST) if 0 < middle < 1 else 1.0


def contour(heights: Floats, level: float) -> npt.NDArray[np.float64]:
    """The line of one height by marching squares: pieces as (n, 2, 2), each from (column, row) to (column, row).

    A cell whose corners alternate has two pieces, joined as the mean of its corners says.

    Args:
        heights: float (rows, columns), at whole rows and columns.
    """
    over = heights - level
    corners = [over[:-1, :-1], over[:-1, 1:], over[1:, 1:], over[1:, :-1]]
    kind = np.stack([(corner > 0) << place for place, corner in enumerate(corners)]).sum(axis=0)
    rows, columns = np.nonzero((kind > 0) & (kind < 15))
    cells = np.stack([corner[rows, columns] for corner in corners])
    kinds, places = kind[rows, columns], np.stack([columns, rows], axis=1)
    found = [np.empty((0, 2, 2))]
    for case in np.unique(kinds).tolist():
        here = kinds == case
        for flip in (False, True) if case in _TWO_WAYS else (None,):
            some = here if flip is None else here & ((cells.sum(axis=0) > 0) == flip)
            for sides in _pieces(case, flip):
                found.append(np.stack([places[some] + _crossing(cells[:, some], side) for side in sides], axis=1))
    line = np.concatenate(found)
    whole: npt.NDArray[np.float64] = line[np.isfinite(line).all(axis=(1, 2))]
    return whole


_TWO_WAYS = (0b0101, 0b1010)
_AT = ((0, 0), (1, 0), (1, 1), (0, 1))  # column and row of each corner; a side goes from a corner to the next


def _pieces(case: int, flip: bool | None) -> list[tuple[int, int]]:
    """Which sides of a cell each piece joins: those between a corner above the level and one below it."""
    above = [bool(case >> corner & 1) for corner in range(4)]
    sides = [side for side in range(4) if above[side] != above[(side + 1) % 4]]
    if len(sides) == 2:
        return [(sides[0], sides[1])]
    return [(0, 1), (2, 3)] if above[0] == flip else [(3, 0), (1, 2)]  # those unlike the middle are cut off


def _crossing(cells: Floats, side: int) -> npt.NDArray[np.float64]:
    """Where the line crosses a side of cells, from the first corner of each; column and row, (n, 2)."""
    first, second = side, (side + 1) % 4
    with np.errstate(invalid="ignore"):
        part = cells[first] / (cells[first] - cells[second])
    return np.stack([_AT[first][axis] + part * (_AT[second][axis] - _AT[first][axis]) for axis in (0, 1)], axis=1)
