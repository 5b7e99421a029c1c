"""Numbers, times and a run's states in the words of the window: thousands separated, thin spaces before units, 0:42."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gui_lab.core.events import Measuring, RunEnded
    from gui_lab.core.history import History

THIN = "\u2009"
NONE = "–"


def count(value: int) -> str:
    """12,345"""
    return f"{value:,}"


def clock(seconds: float) -> str:
    """0:42, 12:05, 1:02:03; a dash where it is not known."""
    if not math.isfinite(seconds):
        return NONE
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def rate(value: float, unit: str) -> str:
    """Three significant digits with their unit: 12,300 pictures/s."""
    if not math.isfinite(value):
        return f"{NONE}{THIN}{unit}"
    digits = max(2 - math.floor(math.log10(abs(value))), 0) if value else 0
    rounded = round(value, 2 - math.floor(math.log10(abs(value)))) if value else 0.0
    return f"{rounded:,.{digits}f}{THIN}{unit}"


def percent(value: float) -> str:
    """98.3 %"""
    return f"{100 * value:.1f}{THIN}%" if math.isfinite(value) else NONE


def loss(value: float) -> str:
    """Fixed decimals, so that the eye compares."""
    return f"{value:.4f}" if math.isfinite(value) else NONE


def number(value: float) -> str:
    """Three significant digits: 0.001, 3e-5, 12.3; a dash where it is not known."""
    if not math.isfinite(value):
        return NONE
    short = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return short.replace("e-0", "e-")


def measured(value: float) -> str:
    """Three significant digits with their zeros, so that a figure that changes keeps its width: 1.50, 0.0123."""
    if not math.isfinite(value):
        return NONE
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2e}".replace("e-0", "e-").replace("e+0", "e")
    digits = max(2 - math.floor(math.log10(abs(value))), 0) if value else 2
    return f"{value:,.{digits}f}"


def size(amount: int) -> str:
    """Bytes: 312 MB, 1.24 GB"""
    return f"{amount / 1e6:,.0f}{THIN}MB" if amount < 1e9 else f"{amount / 1e9:,.2f}{THIN}GB"


# ---------------------------------------------------------------- a run

_MEASURING = {"training": "re-measuring", "validation": "validating", "test": "testing"}
_NOTICED = 1.0  # seconds; measuring that takes less would only flicker


def measuring(now: Measuring, of: str = " of ") -> str:
    """validating 3,000 of 10,000"""
    return f"{_MEASURING[now.part]} {count(now.done)}{of}{count(now.total)}"


def noticed(state: str, history: History) -> Measuring | None:
    """The measuring that goes on or is paused in, once it takes long enough to be told."""
    now, last = history.measuring, history.last
    if now is None or last is None:
        return None
    return now if state == "Paused" or now.seconds - last.seconds >= _NOTICED else None


def doing(state: str, history: History) -> str:
    """A run's state, and where it paused if that was not between two batches: "Paused while validating".

    Args:
        state: "Training", "Paused", "Stopping" ...
    """
    now = noticed(state, history)
    return f"Paused while {_MEASURING[now.part]}" if now is not None and state == "Paused" else state


def ending(ended: RunEnded, patience: int) -> str:
    """Why a run ended: "Stopped: no better validation accuracy for 5 epochs"."""
    if ended.reason == "patience":
        epochs = "an epoch" if patience == 1 else f"{count(patience)} epochs"
        return f"Stopped: no better validation accuracy for {epochs}"
    if ended.reason == "failed":
        return f"Failed: {ended.sentence}"
    return "Finished" if ended.reason == "finished" else "Stopped by you"
