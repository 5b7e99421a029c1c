"""The equation: matrices keep to their width, large ones are cut short and say so, each cell tells its whole number."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from gui_lab.core.exhibits import Equation, Matrix
from gui_lab.qt.exhibits.equation import EquationView
from gui_lab.qt.theme import THEME, colour

V = Matrix(np.array([[1.0]]), "v")
J = Matrix(np.array([[1 / 3, 0.5], [-2.0, 0.0]]), "J", ("z_0", "z_1"), ("y_0", "y_1"), frozenset({(0, 1)}), "now")
SHORT = Equation(title="v @ J", terms=(V, "@", J, "=", V))
LARGE = Equation(terms=(Matrix(np.arange(240.0).reshape(20, 12), "W"),))


@pytest.fixture
def view(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    around = QWidget()
    qtbot.addWidget(around)
    made = EquationView("stage.0.0")
    column = QVBoxLayout(around)
    column.addWidget(made)
    around.resize(700, 300)
    made.show_exhibit(SHORT)
    with qtbot.waitExposed(around):
        around.show()
    yield made
    THEME.choose("system")


@pytest.mark.parametrize("width", [260, 700, 1800])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shown", [SHORT, LARGE])
def test_it_is_painted_and_keeps_to_its_width(view, qtbot, width, scheme, shown):
    THEME.choose(scheme)
    view.window().resize(width, 500)
    view.show_exhibit(shown)
    board = view.board
    qtbot.waitUntil(lambda: max(line.width for line in board.lines) * board.scale <= board.width() + 1)
    image = board.grab().toImage().convertToFormat(QImage.Format.Format_ARGB32)
    assert colour("text").rgb() in set(np.frombuffer(image.constBits(), np.uint32).tolist())


def test_what_does_not_fit_in_a_line_goes_on_in_the_next_before_a_sign(view, qtbot):
    terms = (V, *(part for _ in range(9) for part in ("@", J)))
    view.show_exhibit(Equation(terms=terms))
    view.window().resize(400, 900)
    qtbot.waitUntil(lambda: len(view.board.lines) > 1)
    lines = view.board.lines
    assert all(line.terms[0].term == "@" for line in lines[1:])
    assert [term.term for line in lines for term in line.terms] == list(terms)


def test_a_wider_room_makes_it_larger_and_a_line_less_high_than_two(view):
    view.window().resize(1500, 600)
    QTest.qWait(0)
    large = view.board.scale
    view.window().resize(300, 600)
    QTest.qWait(0)
    assert view.board.scale < large


def test_a_large_matrix_is_cut_short_and_tells_its_shape(view):
    view.show_exhibit(LARGE)
    (term,) = view.board.lines[0].terms
    assert (term.rows, term.columns) == ((0, 1, 2, 3, -1, 18, 19), (0, 1, 2, 3, -1, 10, 11))
    assert "20 by 12" in view.board.accessibleDescription()


def test_each_cell_tells_its_whole_number_and_its_names(view):
    said = {view.board.words_at(QPointF(x, y)) for x in range(0, 700, 4) for y in range(0, view.board.height(), 4)}
    assert said == {"", "1.0", f"z_0, y_0: {1 / 3!r}", "z_0, y_1: 0.5", "z_1, y_0: -2.0", "z_1, y_1: 0.0"}


def test_a_large_matrix_tells_the_last_cell_where_it_stands(view):
    view.show_exhibit(LARGE)
    QTest.qWait(0)
    board = view.board
    said = {board.words_at(QPointF(x, y)) for x in range(0, board.width(), 4) for y in range(0, board.height(), 4)}
    assert "239.0" in said
    assert "20 rows, 12 columns" in said


def test_the_same_equation_is_not_laid_out_again(view):
    before = view.board.laid_out
    view.show_exhibit(SHORT)
    assert view.board.laid_out == before
    view.show_exhibit(Equation(terms=(V,)))
    assert view.board.laid_out == before + 1


def test_a_screen_reader_hears_the_numbers(view):
    assert view.board.accessibleDescription() == "v [1] @ J [0.3333 0.5; −2 0] = v [1]"
