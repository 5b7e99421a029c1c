"""Claims: what is equal is equal to the last digit shown, and what is not has a cross."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from gui_lab.core.exhibits import Claim, Claims
from gui_lab.qt.exhibits.claims import ClaimsView, told
from gui_lab.qt.theme import THEME, colour

RIGHT = Claim("−log p is nn.CrossEntropyLoss", 0.4170300, 0.4170301)
WRONG = Claim("two is three", 2.0, 3.0)


@pytest.fixture
def view(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = ClaimsView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(630, 200)
    made.show()
    yield made
    THEME.choose("system")


def painted(view: ClaimsView, tone: QColor) -> int:
    """How many pixels are nearly of this colour: a thin line has none that is wholly so."""
    view.layout().activate()
    picture = view.lines.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(-1, 4)[:, 2::-1].astype(int)
    return int((abs(pixels - (tone.red(), tone.green(), tone.blue())).max(1) < 30).sum())


@pytest.mark.parametrize(
    ("ours", "torchs", "said"),
    [
        (0.4170300, 0.4170301, ("0.417030", "=", "0.417030")),
        (0.4170344, 0.4170306, ("0.41703", "=", "0.41703")),
        (0.41704999, 0.41705001, ("0.417050", "=", "0.417050")),
        (0.5, 0.7, ("0.5000", "≠", "0.7000")),
        (0.5, 0.50003, ("0.50000", "≠", "0.50003")),
        (math.inf, math.inf, ("inf", "=", "inf")),
        (math.nan, 1.0, ("nan", "≠", "1.0000")),
        (1000.0, 1000.005, ("1,000.0000", "≈", "1,000.0050")),
    ],
)
def test_both_numbers_are_written_with_the_digits_they_share(ours: float, torchs: float, said: Any) -> None:
    assert told(Claim("", ours, torchs)) == said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [260, 630, 1530])
def test_what_holds_is_green_and_what_does_not_is_red(view: ClaimsView, scheme: Any, width: int) -> None:
    THEME.choose(scheme)
    view.resize(width, 200)
    view.show_exhibit(Claims(claims=(RIGHT,)))
    assert painted(view, colour("best")) > 0
    assert painted(view, colour("error")) == 0
    view.show_exhibit(Claims(claims=(WRONG,)))
    assert painted(view, colour("error")) > 0
    assert painted(view, colour("best")) == 0


def test_long_words_are_wrapped_and_given_the_height_they_need(view: ClaimsView) -> None:
    view.show_exhibit(Claims(claims=(RIGHT,)))
    one = view.lines.sizeHint().height()
    view.show_exhibit(Claims(claims=(Claim("word " * 60, 1.0, 1.0),)))
    assert view.lines.sizeHint().height() > 2 * one


def test_they_are_read_aloud(view: ClaimsView) -> None:
    view.show_exhibit(Claims(claims=(RIGHT, WRONG)))
    assert "two is three: 2.0000 ≠ 3.0000, does not hold" in view.lines.accessibleDescription()
    assert "0.417030 = 0.417030, holds" in view.lines.accessibleDescription()
