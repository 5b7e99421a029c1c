"""A figure beside what is promised, for a person as a line and for a program as a record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

COLUMNS = ("what", "figure", "goal", "", "measured", "others")
_WIDTHS = (48, 11, 11, 8, 45, 6)


@dataclass(frozen=True)
class Figure:
    """What was measured.

    Attributes:
        group: what belongs together in the table: a recipe.
        name: what of it.
        value, unit: the median of the rounds.
        goal: what is promised; None where the figure is only told. Reached is a value `at least` or `at most` this.
        measured: both sides in words.
        others: the part of the processors that other programs took meanwhile, 0..1, the largest of the rounds.
        rounds: the value of each round.
    """

    group: str
    name: str
    value: float
    unit: str
    goal: float | None = None
    sense: Literal["at least", "at most"] = "at least"
    measured: str = ""
    others: float = float("nan")
    rounds: tuple[float, ...] = field(default=())

    @property
    def reached(self) -> bool | None:
        """None where nothing is promised or nothing could be measured."""
        if self.goal is None or not math.isfinite(self.value):
            return None
        return self.value >= self.goal if self.sense == "at least" else self.value <= self.goal

    def record(self) -> dict[str, Any]:
        """As plain data; what is not finite is None."""
        return {
            "group": self.group,
            "name": self.name,
            "value": _finite(self.value),
            "unit": self.unit,
            "goal": self.goal,
            "sense": self.sense,
            "reached": self.reached,
            "measured": self.measured,
            "others": _finite(self.others),
            "rounds": [_finite(one) for one in self.rounds],
        }

    def cells(self) -> tuple[str, ...]:
        """As the columns of the table."""
        reached = {True: "reached", False: "missed", None: ""}[self.reached]
        goal = "" if self.goal is None else f"{'>=' if self.sense == 'at least' else '<='} {self._told(self.goal)}"
        others = f"{self.others:.0%}" if math.isfinite(self.others) else "-"
        return f"  {self.name}", self._told(self.value), goal, reached, self.measured, others

    def _told(self, value: float) -> str:
        if not math.isfinite(value):
            return "-"
        digits = max(2 - math.floor(math.log10(abs(value))), 0) if value else 2
        return f"{value:.{min(digits, 2)}f} {self.unit}".rstrip()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def aligned(cells: Sequence[str]) -> str:
    """A line of the table: names and words to the left, numbers to the right."""
    parts = [
        f"{cell:>{width}}" if place in (1, 2, 5) else f"{cell:<{width}}"
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return " ".join(parts).rstrip()


def heading() -> Iterator[str]:
    yield aligned(COLUMNS)
    yield "-" * (sum(_WIDTHS) + len(_WIDTHS) - 1)
