"""A box for one number, whole or not, that shows it as a person would write it.

Qt's own boxes round to a fixed number of decimals and end at 2,147,483,647; a learning rate of 1e-08 and a seed of
2**31 fit neither. The box takes any number that is typed: what is out of bounds is said under the field in a sentence,
never silently corrected. The arrows stay within the bounds.
"""

from __future__ import annotations

import math
import re

from PySide6.QtCore import QLocale
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QWidget

from gui_lab.schema import Knob

_LARGEST = 1e15  # whole numbers are exact below it
_ON_THE_WAY = re.compile(r"[-+]?[\d,]*\.?\d*(e[-+]?\d*)?", re.IGNORECASE)
_SMALLEST_STEP = 1e-12
_FIRST_STEP = 1e-5


def written(value: float) -> str:
    """The shortest decimal that reads back as this number; whole ones with thousands separated."""
    if isinstance(value, int):
        return f"{value:,}"
    return repr(float(value)).removesuffix(".0")


def step_of(knob: Knob) -> float:
    """The step of a bounded knob: as declared, else the power of ten that makes 50 to 500 of them."""
    if knob.step is not None:
        return knob.step
    if knob.low is None or knob.high is None:
        return 1.0 if knob.kind in ("int", "ints") else 0.1
    fine = float(10 ** math.floor(math.log10(max(knob.high - knob.low, 1e-9) / 50)))
    return max(fine, 1.0) if knob.kind in ("int", "ints") else fine


class NumberBox(QDoubleSpinBox):
    """Typing acts on Enter or when the box is left, the arrows act at once; both say `valueChanged`."""

    def __init__(self, knob: Knob, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._knob = knob
        self._whole = knob.kind == "int"
        self.setLocale(QLocale.c())
        self.setDecimals(0 if self._whole else 60)
        self.setRange(-_LARGEST, _LARGEST)
        self.setKeyboardTracking(False)
        self.setMinimumWidth(64)
        self.lineEdit().setTextMargins(6, 0, 0, 0)  # the sheet's padding does not reach into a spin box
        if knob.unit:
            self.setSuffix(f"\u2009{knob.unit}")

    def plain(self) -> int | float:
        """Its number, an int where the knob is one."""
        return round(self.value()) if self._whole else self.value()

    def textFromValue(self, value: float) -> str:
        return written(round(value) if self._whole else value)

    def valueFromText(self, text: str) -> float:
        found = self._read(text)
        return self.value() if found is None else found

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Everything that may become a number can be typed; what is none yet is not taken."""
        bare = text.removesuffix(self.suffix()).strip()
        if not _ON_THE_WAY.fullmatch(bare):
            return QValidator.State.Invalid, text, position
        found = self._read(text)
        acceptable = found is not None and abs(found) <= _LARGEST and (not self._whole or found.is_integer())
        return QValidator.State.Acceptable if acceptable else QValidator.State.Intermediate, text, position

    def _read(self, text: str) -> float | None:
        bare = text.removesuffix(self.suffix()).strip()
        try:  # a comma separates thousands in a whole number and is some people's decimal point in others
            found = float(bare.replace(",", "" if self._whole else "."))
        except ValueError:
            return None
        return found if math.isfinite(found) else None

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        up = self._knob.high is None or self.value() < self._knob.high
        down = self._knob.low is None or self.value() > self._knob.low
        enabled = QAbstractSpinBox.StepEnabledFlag.StepNone
        if up:
            enabled |= QAbstractSpinBox.StepEnabledFlag.StepUpEnabled
        if down:
            enabled |= QAbstractSpinBox.StepEnabledFlag.StepDownEnabled
        return enabled

    def stepBy(self, steps: int) -> None:
        self.interpretText()
        value = self.value()
        for _ in range(abs(steps)):
            value = self._next(value, steps > 0)
        self.setValue(value)
        self.selectAll()

    def _next(self, value: float, up: bool) -> float:
        knob = self._knob
        if self._whole or knob.felt or knob.step is not None or knob.low is None or knob.low < 0:
            step = 1.0 if self._whole and knob.step is None else step_of(knob)
            moved = round(value + (step if up else -step), 12)
        else:
            moved = _along_the_decades(value, up)
        if (knob.low is not None and moved < knob.low) or (knob.low_open and moved == knob.low):
            return value if knob.low_open else float(knob.low or 0.0)
        if knob.high is not None and (moved > knob.high or (knob.high_open and moved == knob.high)):
            return value if knob.high_open else float(knob.high)
        return moved


def _along_the_decades(value: float, up: bool) -> float:
    """The next of ... 0.001, 0.002, 0.005, 0.01 ...: what is set by orders of magnitude is stepped by them."""
    if value <= 0:
        return _FIRST_STEP if up else 0.0
    decade = math.floor(math.log10(value))
    ladder = [float(f"{digit}e{power}") for power in range(decade - 1, decade + 2) for digit in (1, 2, 5)]
    if up:
        return min(rung for rung in ladder if rung > value * (1 + 1e-9))
    lower = max(rung for rung in ladder if rung < value * (1 - 1e-9))
    return lower if lower >= _SMALLEST_STEP else 0.0
