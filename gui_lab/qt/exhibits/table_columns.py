"""Where the columns of a table stand, and how its cells are written.

Figures take what they need and keep it while they change, so that nothing dances as a knob is pulled; bars share the
rest of the width. On a large screen the type grows as far as all columns still fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtGui import QFontMetricsF

from gui_lab.core.exhibits import Cell, Column, Table
from gui_lab.qt.theme import BASE, numbers_font

MARK, END = 20, 8
"""Pixels before the first column, for the triangle of a marked row and the colour of its class, and after the last."""

_SIZES = ((1300, 18), (1000, 16), (760, 14), (0, BASE))  # the largest type from so many pixels of width on
_SMALLEST = 10
_NARROW, _GAP, _WIDE = 8.0, 16.0, 28.0  # between columns: at least, where there is room, where there are no bars
_BAR = 34.0  # the shortest that is still one
_PULLED, _SIGNED = 1.8, 1.4  # a bar that can be pulled, or goes both ways, is so many times as long as others
_LONGEST_BAR = 340.0
_NAME = 40.0
_MINUS = "\u2212"


@dataclass(frozen=True)
class Place:
    """A column, in pixels: where its cells begin and end, and its bar where there is one (left, width)."""

    left: float
    right: float
    bar: tuple[float, float] | None = None


@dataclass(frozen=True)
class Layout:
    """The size of the type and a place for each column."""

    pixels: int
    places: tuple[Place, ...]


def written(cell: Cell, digits: int) -> str:
    """A cell as it stands in its column: fixed digits, thousands separated, a true minus; what is too small or too
    large for that with an exponent."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    if math.isnan(cell):
        return "nan"
    if math.isinf(cell):
        return "inf" if cell > 0 else f"{_MINUS}inf"
    if abs(cell) >= 1e6 or 0 < abs(cell) < 0.5 * 10.0 ** -max(digits, 4):
        mantissa, _, exponent = f"{cell:.1e}".partition("e")
        return f"{mantissa}e{int(exponent)}".replace("-", _MINUS)
    text = f"{cell:,.{digits}f}"
    return f"{_MINUS}{text[1:]}" if text.startswith("-") and float(text.replace(",", "")) != 0 else text.lstrip("-")


def in_full(cell: Cell) -> str:
    """A number to nine digits, which tell any two float32 apart; text as it is."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    return f"{cell:,.9g}".replace("-", _MINUS)


def high_of(table: Table, number: int) -> float:
    """What the full bar of a column stands for: above 0."""
    column = table.columns[number]
    if column.high > 0:
        return column.high
    values = [abs(cell) for row in table.rows if isinstance(cell := row[number], (int, float)) and math.isfinite(cell)]
    return max(values, default=0.0) or 1.0


def set_out(table: Table, width: float) -> Layout:
    """Columns as wide as they need, bars in the rest of `width` pixels."""
    metrics = QFontMetricsF(numbers_font(BASE))
    needs = [_needed(table, number, metrics) for number in range(len(table.columns))]
    bars = sum(_bars(column) > 0 for column in table.columns)
    largest = next(pixels for least, pixels in _SIZES if width >= least)
    for pixels in range(largest, _SMALLEST - 1, -1):
        scale = pixels / BASE
        widths = [need * scale for need in needs]
        fixed = MARK + END + sum(widths) + (len(widths) - 1 + bars) * _NARROW
        if fixed + bars * 2 * _BAR * scale <= width or pixels == _SMALLEST:
            break
    missing = fixed + bars * _BAR - width
    if missing > 0:
        widths = _narrowed(table.columns, widths, missing)
    return Layout(pixels, _placed(table.columns, widths, width, _LONGEST_BAR * scale))


def _needed(table: Table, number: int, metrics: QFontMetricsF) -> float:
    """Pixels at the base size, for all that stands in a column and for the numbers that it may come to hold."""
    column = table.columns[number]
    cells = [written(row[number], column.digits) for row in (*table.rows, *table.foot)]
    if column.kind != "text":
        largest = high_of(table, number) if column.sets else 0.0
        cells.append(written(-max(largest, 1.0), column.digits))
    title = 0.0 if column.kind in ("bar", "signed") else metrics.horizontalAdvance(column.title)
    return max([title, *(metrics.horizontalAdvance(text) for text in cells)]) + 2


def _narrowed(columns: Sequence[Column], widths: Sequence[float], missing: float) -> list[float]:
    """Where nothing else helps the text gives way, in proportion, and is elided."""
    spare = [max(width - _NAME, 0.0) if one.kind == "text" else 0.0 for one, width in zip(columns, widths, strict=True)]
    part = min(missing / sum(spare), 1.0) if sum(spare) else 0.0
    return [width - part * less for width, less in zip(widths, spare, strict=True)]


def _placed(columns: Sequence[Column], widths: Sequence[float], width: float, longest: float) -> tuple[Place, ...]:
    bars = [_bars(column) for column in columns]
    spaces, shares = len(columns) - 1 + sum(bar > 0 for bar in bars), sum(bars)
    room = width - MARK - END - sum(widths)
    if shares:
        gap = _GAP if (room - spaces * _GAP) / shares >= 2 * _BAR else _NARROW
        unit = min(max((room - spaces * gap) / shares, 0.0), longest)
    else:
        gap, unit = min(max(room / max(spaces, 1), _NARROW), _WIDE), 0.0
    places, left = [], float(MARK)
    for needed, bar in zip(widths, bars, strict=True):
        if bar:
            places.append(Place(left, left + bar * unit + gap + needed, (left, bar * unit)))
        else:
            places.append(Place(left, left + needed))
        left = places[-1].right + gap
    return tuple(places)


def _bars(column: Column) -> float:
    """How many parts of the room for bars are its own."""
    if column.kind not in ("bar", "signed"):
        return 0.0
    return _PULLED if column.sets else _SIGNED if column.kind == "signed" else 1.0
