"""A table: its figures stand in columns, its rows can be clicked, its numbers pulled."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui_lab.core.exhibits import Column, Table
from gui_lab.qt.exhibits.table import TableView
from gui_lab.qt.exhibits.table_columns import set_out, written
from gui_lab.qt.theme import THEME, colour

SCORES = Column("score", "signed", digits=1, high=10.0, sets="scores")
COLUMNS = (Column("class", "text"), SCORES, Column("exp"), Column("p", "bar", high=1.0), Column("p − y", "signed"))


def ladder(*scores: float, **parts: Any) -> Table:
    rows = tuple((f"class {k}", score, math.exp(score), 0.5, 0.1 * k - 0.1) for k, score in enumerate(scores))
    return Table(columns=COLUMNS, rows=rows, foot=(("sum", None, 3.0, 1.0, 0.0),), **parts)


@pytest.fixture
def view(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = TableView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(630, 300)
    made.show_exhibit(ladder(2.0, 1.0, -3.0))
    made.show()
    made.edits = []
    made.edited.connect(made.edits.append)
    yield made
    THEME.choose("system")


def spot(view: TableView, row: int, column: int, part: float = 0.5) -> QPoint:
    """A point on a bar: 0 at its left end, 1 at its right."""
    left, width = view.rows.layout_now().places[column].bar
    return QPointF(left + part * width, view.rows.row_middle(row)).toPoint()


def painted(view: TableView, tone: QColor) -> int:
    picture = view.rows.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return int((np.frombuffer(picture.constBits(), np.uint32) == tone.rgb()).sum())


# figures


@pytest.mark.parametrize(
    ("cell", "digits", "text"),
    [
        (0.65900, 4, "0.6590"), (-1.0, 2, "−1.00"), (-0.0, 2, "0.00"), (22026.46579, 4, "22,026.4658"), (None, 4, ""),
        (5.184705e21, 4, "5.2e21"), (1.4e-7, 4, "1.4e−7"), (math.inf, 4, "inf"), (-math.inf, 4, "−inf"), ("7", 2, "7"),
        (math.nan, 4, "nan"), (3, 0, "3"),
    ],
)  # fmt: skip
def test_a_number_is_written_short_and_true(cell: Any, digits: int, text: str) -> None:
    assert written(cell, digits) == text


@pytest.mark.parametrize("width", [430, 630, 890, 1530])
def test_columns_stand_beside_each_other_in_the_room_there_is(width: int, qapp: QApplication) -> None:
    places = set_out(ladder(2.0, 1.0), width).places
    assert all(one.right < other.left for one, other in pairwise(places))
    assert places[-1].right <= width
    assert all(place.bar is None or place.bar[1] >= 20 for place in places)


def test_columns_keep_their_place_while_numbers_change(qapp: QApplication) -> None:
    assert set_out(ladder(2.0, 1.0), 630) == set_out(ladder(-2.0, 1.1), 630)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(300, 120), (630, 300), (1530, 700)])
def test_it_is_painted_at_any_size(view: TableView, scheme: Any, size: tuple[int, int]) -> None:
    THEME.choose(scheme)
    view.show_exhibit(ladder(math.inf, math.nan, -3.0, marked=(1,), classes=(0, 1, 2), edits=({}, {}, {})))
    view.resize(*size)
    assert painted(view, colour("best")) > 0
    view.show_exhibit(Table(columns=(), rows=()))
    view.grab()


def test_twelve_rows_have_room_in_a_small_window(view: TableView) -> None:
    view.show_exhibit(ladder(*[0.5] * 12))
    assert view.minimumSizeHint().height() <= 300
    view.resize(630, view.minimumSizeHint().height())
    assert view.rows.row_height() >= 16


def test_a_larger_window_has_larger_type(view: TableView) -> None:
    small = view.rows.layout_now().pixels
    view.resize(1530, 700)
    QApplication.sendPostedEvents()
    assert view.rows.layout_now().pixels > small


def test_a_tool_tip_tells_a_number_in_full(view: TableView) -> None:
    view.show_exhibit(Table(columns=(Column("p"),), rows=((0.6590011715888977,),)))
    here = QPointF(view.rows.layout_now().places[0].right - 2, view.rows.row_middle(0))
    assert view.rows.tip_at(here) == "0.659001172"
    assert view.rows.tip_at(QPointF(2, 2)) == ""
    event = QHelpEvent(QEvent.Type.ToolTip, here.toPoint(), view.rows.mapToGlobal(here.toPoint()))
    assert view.rows.event(event)


def test_it_is_read_aloud_row_by_row(view: TableView) -> None:
    assert "class class 0, score 2.0, exp 7.3891" in view.rows.accessibleDescription()


# clicks


def test_a_click_on_a_row_asks_for_what_the_row_sets(view: TableView) -> None:
    assert view.rows.focusPolicy() & Qt.FocusPolicy.TabFocus
    view.show_exhibit(ladder(2.0, 1.0, edits=({"label": 0}, {"label": 1})))
    QTest.mouseClick(view.rows, Qt.MouseButton.LeftButton, pos=QPoint(24, int(view.rows.row_middle(1))))
    assert view.edits == [{"label": 1}]


def test_the_keyboard_goes_through_the_rows_and_clicks(view: TableView) -> None:
    view.show_exhibit(ladder(2.0, 1.0, 0.0, edits=tuple({"label": k} for k in range(3))))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Space):
        QTest.keyClick(view.rows, key)
    assert view.edits == [{"label": 1}] * 2


def test_a_table_that_only_shows_takes_neither_keyboard_nor_clicks(view: TableView) -> None:
    view.show_exhibit(Table(columns=(Column("p"),), rows=((0.5,),)))
    QTest.mouseClick(view.rows, Qt.MouseButton.LeftButton, pos=QPoint(24, int(view.rows.row_middle(0))))
    assert view.rows.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert not view.edits


# pulling


def test_a_number_follows_the_pointer_and_asks_for_all_of_its_field(view: TableView) -> None:
    QTest.mousePress(view.rows, Qt.MouseButton.LeftButton, pos=spot(view, 1, 1, 0.75))
    QTest.mouseMove(view.rows, spot(view, 1, 1, 1.2))
    QTest.mouseRelease(view.rows, Qt.MouseButton.LeftButton, pos=spot(view, 1, 1, 1.2))
    (first, *_, last) = [edit["scores"] for edit in view.edits]
    assert first[0::2] == last[0::2] == (2.0, -3.0)
    assert first[1] == pytest.approx(5.0, abs=0.2)
    assert last[1] == 10.0


def test_the_scale_stands_still_while_a_number_is_pulled(view: TableView) -> None:
    QTest.mousePress(view.rows, Qt.MouseButton.LeftButton, pos=spot(view, 1, 1, 0.5))
    columns = (COLUMNS[0], replace(SCORES, high=1000.0), *COLUMNS[2:])
    view.show_exhibit(replace(ladder(2.0, 0.0, -3.0), columns=columns))
    QTest.mouseMove(view.rows, spot(view, 1, 1, 1.0))
    assert view.edits[-1]["scores"][1] == pytest.approx(10.0, abs=0.2)
    QTest.mouseRelease(view.rows, Qt.MouseButton.LeftButton)


def test_arrow_keys_change_the_number_by_its_step(view: TableView) -> None:
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_PageUp, Qt.Key.Key_Right):
        QTest.keyClick(view.rows, key)
    assert [edit["scores"][1] for edit in view.edits] == [0.9, 0.8, 1.8, 1.9]
    for _ in range(20):
        QTest.keyClick(view.rows, Qt.Key.Key_PageUp)
    assert view.edits[-1]["scores"] == (2.0, 10.0, -3.0)


def test_clicking_a_slider_does_not_click_its_row(view: TableView) -> None:
    view.show_exhibit(ladder(2.0, 1.0, edits=({"label": 0}, {"label": 1})))
    QTest.mouseClick(view.rows, Qt.MouseButton.LeftButton, pos=spot(view, 0, 1, 0.2))
    assert [list(edit) for edit in view.edits] == [["scores"]]


def test_what_can_be_done_is_told_by_the_pointer(view: TableView) -> None:
    QTest.mouseMove(view.rows, spot(view, 0, 1))
    assert view.rows.cursor().shape() == Qt.CursorShape.SizeHorCursor
    view.show_exhibit(ladder(2.0, 1.0, edits=({"label": 0}, {"label": 1})))
    QTest.mouseMove(view.rows, QPoint(24, int(view.rows.row_middle(1))))
    assert view.rows.cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_the_same_table_is_not_laid_out_anew(view: TableView) -> None:
    same = ladder(1.0, 2.0)
    view.show_exhibit(same)
    layout = view.rows.layout_now()
    view.show_exhibit(same)
    assert view.rows.layout_now() is layout
