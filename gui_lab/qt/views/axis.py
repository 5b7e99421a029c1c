"""Where an axis has its ticks and what is written at them: round numbers, powers of ten, or minutes and seconds."""

from __future__ import annotations

import math

from gui_lab.qt import words

Ticks = list[tuple[float, str]]
"""Places and their words; no words where there would be no room."""

_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def next_step(value: float) -> float:
    """The end of an axis that follows a positive value: the next of 1, 1.2, 1.5, 2 ... 8 times a power of ten."""
    decade = 10.0 ** math.floor(math.log10(value))
    return next((step * decade for step in _STEPS if step * decade >= value), 10 * decade)


def linear(low: float, high: float, most: int, whole: bool = False) -> Ticks:
    """Round numbers from `low` to `high`, at most so many; with `whole` none between whole numbers."""
    step = _round_step((high - low) / max(most, 1), whole)
    decimals = max(-math.floor(math.log10(step) + 1e-9), 0)
    small = decimals > 3 and max(abs(low), abs(high)) < 0.01
    return [(at, _figure(at, decimals, small)) for at in _multiples(low, high, step)]


def percents(low: float, high: float, most: int) -> Ticks:
    """Of 0..1, as percent."""
    return [(at / 100, text) for at, text in linear(100 * low, 100 * high, most)]


def clock(low: float, high: float, most: int) -> Ticks:
    """Seconds as 0:42; parts of a second with their unit."""
    wanted = (high - low) / max(most, 1)
    if wanted <= 0.5:
        return [(at, f"{text}{words.THIN}s") for at, text in linear(low, high, most)]
    step = next((float(step) for step in _SECONDS if step >= wanted), _round_step(wanted / 86400, True) * 86400)
    return [(at, words.clock(at)) for at in _multiples(low, high, step)]


def logarithmic(low: float, high: float, most: int) -> Ticks:
    """Powers of ten and, where they are few, what is round between them. All are places on the axis: log10 of what is
    written."""
    decades = high - low
    if decades <= 0.7:
        inner = linear(10**low, 10**high, most)
        return [(math.log10(value), text) for value, text in inner if value > 0]
    factors = (1, 2, 5) if 3 * decades <= most else (1, 3) if 2 * decades <= most else (1,)
    every = max(math.ceil(decades / max(most, 1)), 1)
    found: Ticks = []
    for decade in range(math.floor(low), math.ceil(high) + 1):
        if decade % every == 0:
            found += [(decade + math.log10(factor), power(factor, decade)) for factor in factors]
    return [(at, text) for at, text in found if low <= at <= high]


def power(factor: int, decade: int) -> str:
    """0.001 to 10,000 written out, others as 3e-5."""
    return f"{factor * 10.0**decade:,.{max(-decade, 0)}f}" if -3 <= decade <= 4 else f"{factor}e{decade}"


def _round_step(wanted: float, whole: bool) -> float:
    decade = 10.0 ** math.floor(math.log10(wanted))
    step = next(step * decade for step in (1.0, 2.0, 5.0, 10.0) if step * decade >= wanted * (1 - 1e-9))
    return max(step, 1.0) if whole else step


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _figure(value: float, decimals: int, small: bool) -> str:
    if small:
        return f"{round(value, decimals):g}".replace("e-0", "e-")
    return f"{value:,.{decimals}f}"
