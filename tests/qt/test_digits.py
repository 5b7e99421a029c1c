"""Numbers drawn as one run of glyphs look as if Qt had laid out each of them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from gui_lab.qt.theme import BASE, CAPTION, colour, numbers_font
from gui_lab.qt.views.digits import Numbers, shape_of, width_of

_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_HEIGHT = 19
PLACES = [(right, top) for top in (2.0, 23.0, 44.5) for right in (70.0, 145.4, 220.0, 300.0)]
NUMBERS = ["0.0000", "−12.34", "100%", "9.9e7", "−1.00", "7", "0.5718", "−∞", "–", "99.87", "−0.01", "1.0000"]


def painted(paint, pixels, ratio=1.0) -> QImage:
    picture = QImage(round(320 * ratio), round(70 * ratio), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(ratio)
    picture.fill(colour("surface"))
    with QPainter(picture) as painter:
        painter.setFont(numbers_font(pixels))
        painter.setPen(colour("text"))
        paint(painter)
    return picture


def laid_out(numbers, pixels, ratio=1.0) -> QImage:
    """As Qt does it: each in a room that ends where it is to end."""

    def paint(painter) -> None:
        for (right, top), number in zip(PLACES, numbers, strict=True):
            painter.drawText(QRectF(0, top, right, _HEIGHT), _RIGHT, number)

    return painted(paint, pixels, ratio)


@pytest.mark.parametrize("pixels", [CAPTION, BASE])
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_they_look_to_the_pixel_as_qt_draws_them(qapp, pixels, ratio):
    numbers = Numbers(PLACES, _HEIGHT, pixels)
    assert painted(lambda painter: numbers.draw(painter, NUMBERS), pixels, ratio) == laid_out(NUMBERS, pixels, ratio)


def test_they_may_change_as_often_and_as_much_as_they_like(qapp):
    numbers = Numbers(PLACES, _HEIGHT, CAPTION)
    for shift in range(2 * len(NUMBERS)):
        moved = [*NUMBERS[shift % len(NUMBERS) :], *NUMBERS[: shift % len(NUMBERS)]]
        assert painted(lambda painter, moved=moved: numbers.draw(painter, moved), CAPTION) == laid_out(moved, CAPTION)


def test_what_was_laid_out_is_forgotten_before_it_is_much(qapp, monkeypatch):
    monkeypatch.setattr("gui_lab.qt.views.digits._MOST_SHAPES", 3)
    numbers = Numbers([(300.0, 2.0)], _HEIGHT, CAPTION)
    for digits in range(1, 12):
        painted(lambda painter, text="1" * digits: numbers.draw(painter, [text]), CAPTION)
        assert len(numbers._runs) <= 3


def test_a_sign_that_is_no_figure_is_drawn_too(qapp):
    words = ["p ≈ 0.5", *NUMBERS[1:]]
    numbers = Numbers(PLACES, _HEIGHT, BASE)
    found = painted(lambda painter: numbers.draw(painter, words), BASE)
    assert found != painted(lambda painter: numbers.draw(painter, ["", *words[1:]]), BASE)
    assert found.copy(80, 0, 240, 70) == laid_out(words, BASE).copy(80, 0, 240, 70)


def test_all_figures_are_of_one_width(qapp):
    assert shape_of("−12.95e8") == shape_of("−87.60e3") == "−00.00e0"
    assert len({width_of(figure, BASE) for figure in "0123456789"}) == 1
    assert width_of("1.25", BASE) > width_of("1.2", BASE)
