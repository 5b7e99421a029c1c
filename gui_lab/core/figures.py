"""Numbers as one reads them on a page: four significant digits, a true minus, and vectors in round brackets."""

from __future__ import annotations

import math
from collections.abc import Sequence

_MINUS = "−"
_SHOWN = 4
"""Elements of a vector that are written out; a longer one ends in dots."""


def figure(value: float, digits: int = 4) -> str:
    """12.5, 0.3333, −2, 1.2e-7; nan and inf by these names."""
    value = float(value)
    if not math.isfinite(value):
        return str(value).replace("-", _MINUS)
    if value == 0 or 1e-4 <= abs(value) < 10**digits:
        short = f"{value:.{digits}g}"
    else:
        short = f"{value:,.0f}" if 1 <= abs(value) < 1e7 else f"{value:.{digits - 1}g}".replace("e-0", "e-")
    return (short if float(short.replace(",", "")) != 0 else "0").replace("-", _MINUS, value < 0)


def vector(values: Sequence[float], digits: int = 4, most: int = _SHOWN) -> str:
    """(3, 4); a single number stands alone, with all of its digits, and after `most` of them come dots."""
    if len(values) == 1:
        return figure(values[0])
    words = [figure(value, digits) for value in values]
    return f"({', '.join(words[:most])}{', …' if len(words) > most else ''})"
