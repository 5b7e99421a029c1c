"""Colours and fonts for painting by hand: kept, of the scheme in force, and nobody's to change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from gui_lab.qt.theme import DARK, LIGHT, THEME, colour, numbers_font
from gui_lab.qt.window import PLACES
from gui_lab.testing.robot import Robot


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[str]:
    before = THEME.scheme
    THEME.choose(request.param)
    yield request.param
    THEME.choose(before)


def test_a_colour_is_that_of_the_scheme_in_force_as_clear_as_it_is_asked_for(scheme: str) -> None:
    tone = (LIGHT if scheme == "light" else DARK).accent
    assert colour("accent") == QColor(tone)
    thin = colour("accent", 40)
    assert (thin.rgb(), thin.alpha()) == (QColor(tone).rgb(), 40)
    assert colour("accent") is colour("accent")


def test_whoever_paints_leaves_the_colours_as_they_are(lab: Robot) -> None:
    lab.train.set(epochs=2)
    lab.train.start().wait_done()
    for page, _ in PLACES:
        lab.lab.window.go(page)
        lab.lab.window.grab()
    for role, tone in asdict(THEME.colours).items():
        assert colour(role) == QColor(tone), role


def test_figures_have_one_width_and_the_font_is_who_asks_for_its_own(qapp: QApplication) -> None:
    mine = numbers_font(12)
    mine.setWeight(QFont.Weight.Black)
    assert numbers_font(12).weight() != QFont.Weight.Black
    assert numbers_font(12).pixelSize() == 12
    assert numbers_font(12).isFeatureSet(QFont.Tag("tnum"))
