"""Facts in rows: each with its formula, and all of it visible in a narrow place too."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from gui_lab.core.exhibits import Fact, Facts
from gui_lab.qt.exhibits.facts import FactsView, words
from gui_lab.qt.theme import THEME

SIZE = Fact("output size", "26", "(W - F + 2P) / S + 1", "(28 - 3 + 0) / 1 + 1", "now")
COST = Fact("multiplications", "6,084", "H × W × F × F", "26 × 26 × 3 × 3")
PLAIN = Fact("receptive field", "3", state="waiting")


@pytest.fixture
def view(qtbot):
    made = FactsView("stage.0.0")
    qtbot.addWidget(made)
    made.show()
    yield made
    THEME.choose("light")


def shown(view: FactsView, width: int, *facts: Fact) -> None:
    view.resize(width, 400)
    view.show_exhibit(Facts(facts=facts, title="Shapes"))
    view.layout().activate()


@pytest.mark.parametrize("width", [200, 630, 1530])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_painted_at_any_width(view, width, scheme):
    THEME.choose(scheme)
    shown(view, width, SIZE, COST, PLAIN)
    assert not view.grab().isNull()


def test_with_room_a_fact_is_one_line_and_without_it_is_several(view):
    shown(view, 1000, SIZE, COST)
    assert view.sheet.broad
    broad = view.sheet.height()
    shown(view, 260, SIZE, COST)
    view.sheet.resize(240, 10)
    assert not view.sheet.broad
    assert view.sheet.height() > broad


def test_rows_stand_below_each_other_and_fill_the_sheet(view):
    shown(view, 400, SIZE, COST, PLAIN)
    rows = view.sheet.rows
    assert [row.top() for row in rows[1:]] == [row.bottom() + 1 for row in rows[:-1]]
    assert view.sheet.height() == rows[-1].bottom() + 1


def test_the_present_one_has_a_mark(view):
    shown(view, 1000, COST, SIZE)
    seen = view.sheet.grab().toImage()
    first, second = (row.center().y() for row in view.sheet.rows)
    assert seen.pixelColor(1, second) == QColor(THEME.colours.accent)
    assert seen.pixelColor(1, first) != QColor(THEME.colours.accent)


def test_it_is_told_in_words(view):
    shown(view, 1000, SIZE, PLAIN)
    assert words(SIZE) == "output size = (W - F + 2P) / S + 1 = (28 - 3 + 0) / 1 + 1 = 26"
    assert view.sheet.accessibleDescription() == f"{words(SIZE)}; receptive field = 3"


def test_the_same_facts_are_not_laid_out_anew(view):
    shown(view, 1000, SIZE, COST)
    rows = view.sheet.rows
    view.show_exhibit(Facts(facts=(SIZE, COST)))
    assert view.sheet.rows is rows
    view.show_exhibit(Facts(facts=(COST,)))
    assert len(view.sheet.rows) == 1
