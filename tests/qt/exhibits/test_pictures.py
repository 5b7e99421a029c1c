"""Pictures as they hang: cells one can count, numbers where they fit, and clicks and keys that set the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from gui_lab.core.exhibits import Frame, Picture, Pictures
from gui_lab.qt.exhibits import tones
from gui_lab.qt.exhibits.pictures import PicturesView
from gui_lab.qt.exhibits.wall import Room, Wall
from gui_lab.qt.theme import THEME

KEYS = Qt.Key


@pytest.fixture
def view(qtbot) -> Iterator[PicturesView]:
    made = PicturesView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(630, 420)
    made.show()
    yield made
    THEME.choose("light")


def numbers(height: int, width: int) -> Any:
    return np.arange(height * width, dtype=np.float32).reshape(height, width) / 10 - 1


def shown(view: PicturesView, *pictures: Picture, **more: Any) -> list[Any]:
    """Show them; what their clicks set is collected."""
    view.show_exhibit(Pictures(pictures=pictures, **more))
    QApplication.sendPostedEvents()
    view.layout().activate()
    edits: list[Any] = []
    view.edited.connect(edits.append)
    return edits


def middle(view: PicturesView, number: int, row: int, column: int) -> QPoint:
    return view.canvas.wall.cells(number, row, column).center()


def click(view: PicturesView, number: int, row: int, column: int) -> None:
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=middle(view, number, row, column))


# ---------------------------------------------------------------- where they hang


def wall(*sizes: tuple[int, int], signs: bool = False, columns: int = 0, width: int = 630, height: int = 400) -> Wall:
    return Wall(Room(sizes, (0,) * len(sizes), signs, columns, width, height))


@pytest.mark.parametrize(("width", "height"), [(630, 400), (1530, 900), (200, 90)])
@pytest.mark.parametrize(
    "sizes", [((28, 28), (26, 26)), ((3, 3), (3, 3), (3, 3), (1, 1)), ((26, 26),) * 64, ((500, 300), (3, 3)), ((1, 1),)]
)
def test_all_pictures_hang_in_the_room_and_none_over_another(sizes, width, height):
    places = wall(*sizes, width=width, height=height).places
    assert len(places) == len(sizes)
    for number, place in enumerate(places):
        assert place.left() >= 0
        assert place.top() >= 0
        assert place.right() < width
        assert not any(place.intersects(other) for other in places[:number])


def test_cells_of_pictures_told_together_are_of_one_whole_size():
    hung = wall((28, 28), (26, 26), (13, 13))
    sides = {place.width() / size for place, size in zip(hung.places, (28, 26, 13), strict=True)}
    assert sides == {hung.cell}
    assert hung.cell == int(hung.cell) >= 2


def test_a_kernel_beside_a_large_picture_is_not_left_as_a_dot():
    small = wall((28, 28), (3, 3)).places[1]
    assert small.width() > 60
    assert small.width() % 3 == 0


def test_a_single_pixel_beside_a_small_picture_is_one_of_its_cells():
    picture, pooled = wall((8, 8), (1, 1), height=420).places
    assert pooled.width() * 8 == picture.width() > 300


def test_a_picture_larger_than_its_place_is_reduced():
    (place,) = wall((1000, 500), width=200, height=200).places
    assert place.height() <= 200
    assert place.width() == pytest.approx(place.height() / 2, abs=1)


def test_a_wall_of_64_has_no_row_with_one_picture_left_over():
    hung = wall(*((4, 4),) * 64)
    rows = {place.top() for place in hung.places}
    last = [place for place in hung.places if place.top() == max(rows)]
    assert len(last) > hung.columns // 2


def test_a_larger_room_makes_larger_cells():
    assert wall((8, 8), (6, 6), width=1500, height=900).cell > wall((8, 8), (6, 6)).cell


def test_between_the_pictures_of_an_equation_is_room_for_their_signs():
    hung = wall((3, 3), (3, 3), (1, 1), signs=True)
    for left, sign, right in zip(hung.places, hung.signs, hung.places[1:], strict=False):
        assert left.right() < sign.left()
        assert sign.right() < right.left()
    assert max(abs(place.center().y() - hung.places[0].center().y()) for place in hung.places) <= 1


# ---------------------------------------------------------------- how they look


@pytest.mark.parametrize("size", [(120, 90), (630, 420), (1530, 900)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_painted_at_any_size(view, size, scheme):
    THEME.choose(scheme)
    holes = numbers(5, 5)
    holes[3:] = np.nan
    picture = np.random.default_rng(0).integers(0, 255, (3, 40, 30)).astype(np.uint8)
    shown(
        view,
        Picture(picture, "a photograph", frames=(Frame(38, 28, 4, 4),)),
        Picture(holes, "half a map", scale="diverging", numbers=True, state="now", place=("row", "column")),
        Picture(np.full((2, 2), np.nan, np.float32), "nothing", scale="sequential", numbers=True, state="waiting"),
        Picture(np.array([[np.inf, -np.inf]]), "endless", numbers=True),
        title="All kinds",
    )
    view.resize(*size)
    assert not view.grab().isNull()


def test_no_pictures_are_no_trouble(view):
    shown(view)
    assert not view.grab().isNull()


def test_each_scale_has_its_ends():
    row = np.array([[-1.0, 0.0, 2.0, np.nan]])
    grey = tones.colours_of(Picture(row), dark=False)[0].tolist()
    assert (grey[0], grey[2], grey[3][3]) == ([0, 0, 0, 255], [255, 255, 255, 255], 0)
    signed = tones.colours_of(Picture(row, scale="diverging"), dark=False)[0].tolist()
    assert signed[0][2] > signed[0][0]
    assert signed[2][0] > signed[2][2]
    assert max(signed[1][:3]) - min(signed[1][:3]) <= 3
    cividis = tones.colours_of(Picture(row, scale="sequential"), dark=False)[0].tolist()
    assert cividis[0][2] > cividis[0][0]
    assert cividis[2][0] > cividis[2][2]


def test_levels_of_a_picture_are_shown_as_they_are():
    picture = np.random.default_rng(0).integers(0, 255, (3, 5, 4)).astype(np.uint8)
    assert np.array_equal(tones.colours_of(Picture(picture), dark=True)[..., :3], picture.transpose(1, 2, 0))
    grey = tones.colours_of(Picture(picture[0], low=0, high=255), dark=True)
    assert np.array_equal(grey[..., 0], picture[0])


def test_numbers_in_cells_have_equally_many_decimals_and_a_true_minus():
    assert tones.cell_words(np.array([[0.5, -1.25], [0.0, np.nan]])) == [["0.50", "\u22121.25"], ["0", ""]]
    assert tones.cell_words(np.array([[3, -12]])) == [["3", "\u221212"]]
    assert tones.cell_words(np.array([[0.5, 0.0001]]))[0][1] == "1e\u22124"
    assert tones.cell_words(np.array([[0.05, 0.0125]])) == [["0.050", "0.013"]]


def test_a_frame_is_drawn_around_its_cells(view):
    shown(view, Picture(np.zeros((8, 8), np.uint8), frames=(Frame(2, 3, 2, 2, "validation"),)))
    cells = view.canvas.wall.cells(0, 2, 3, 2, 2)
    seen = view.canvas.grab().toImage()
    assert seen.pixelColor(cells.left(), cells.center().y()) == QColor(THEME.colours.validation)


def test_numbers_are_written_alike_in_cells_of_one_size_and_not_at_all_without_room(view):
    long = np.full((3, 3), -0.0625)
    shown(
        view, Picture(numbers(3, 3), numbers=True), Picture(long, numbers=True), Picture(numbers(64, 64), numbers=True)
    )
    first, second, many = (view.canvas._writing(number)[1] for number in range(3))
    assert first == second > 0
    assert many == 0
    assert not view.grab().isNull()


def test_a_frame_that_moves_does_not_make_the_picture_anew(view):
    values = numbers(6, 6)
    shown(view, Picture(values, numbers=True, frames=(Frame(0, 0),)))
    view.grab()
    hung, look = view.canvas.wall, view.canvas._look(0)
    view.show_exhibit(Pictures(pictures=(Picture(values.copy(), numbers=True, frames=(Frame(1, 1),)),)))
    view.grab()
    assert view.canvas.wall is hung
    assert view.canvas._look(0) is look
    view.show_exhibit(Pictures(pictures=(Picture(values + 1, numbers=True),)))
    view.grab()
    assert view.canvas._look(0) is not look


def test_what_is_not_tall_needs_only_its_rows(view):
    shown(view, Picture(numbers(3, 3)), Picture(numbers(1, 1)), signs=("=",), tall=False)
    assert 100 < view.canvas.sizeHint().height() < 200
    assert view.canvas.wall.height <= view.canvas.sizeHint().height() + 2


# ---------------------------------------------------------------- hands


def test_a_click_sets_the_row_and_the_column_of_its_cell(view):
    edits = shown(view, Picture(numbers(8, 8)), Picture(numbers(6, 6), place=("row", "column")))
    click(view, 0, 3, 3)
    click(view, 1, 4, 2)
    assert edits == [{"row": 4, "column": 2}]


def test_a_picture_with_a_pitch_sets_places_of_so_many_cells(view):
    edits = shown(view, Picture(numbers(9, 9), place=("row", "column"), pitch=2, shift=1))
    click(view, 0, 8, 6)
    click(view, 0, 0, 0)
    assert edits == [{"row": 3, "column": 2}, {"row": 0, "column": 0}]


def test_a_drag_goes_on_setting(view):
    edits = shown(view, Picture(numbers(8, 8), place=("row", "column")))
    QTest.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=middle(view, 0, 1, 1))
    QTest.mouseMove(view.canvas, middle(view, 0, 1, 2))
    QTest.mouseMove(view.canvas, middle(view, 0, 2, 2))
    QTest.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=middle(view, 0, 2, 2))
    assert edits[0] == {"row": 1, "column": 1}
    assert edits[-1] == {"row": 2, "column": 2}


def test_the_keyboard_moves_the_chosen_cell_and_stops_at_the_edge(view):
    edits = shown(view, Picture(numbers(4, 4), place=("row", "column"), chosen=(0, 2)))
    QTest.keyClick(view.canvas, KEYS.Key_Right)
    assert edits == [{"row": 0, "column": 3}]
    view.show_exhibit(Pictures(pictures=(Picture(numbers(4, 4), place=("row", "column"), chosen=(0, 3)),)))
    QTest.keyClick(view.canvas, KEYS.Key_Right)
    QTest.keyClick(view.canvas, KEYS.Key_Up)
    assert len(edits) == 1
    QTest.keyClick(view.canvas, KEYS.Key_Down)
    assert edits[-1] == {"row": 1, "column": 3}


def test_of_a_wall_the_keyboard_goes_from_picture_to_picture_and_clicks(view):
    edits = shown(view, *(Picture(numbers(4, 4), str(n), edit={"channel": n}) for n in range(12)), columns=4)
    for key in (KEYS.Key_Right, KEYS.Key_Down, KEYS.Key_Return):
        QTest.keyClick(view.canvas, key)
    assert edits == [{"channel": 5}]
    QTest.keyClick(view.canvas, KEYS.Key_Left)
    QTest.keyClick(view.canvas, KEYS.Key_Space)
    click(view, 11, 0, 0)
    assert edits[1:] == [{"channel": 4}, {"channel": 11}]


def test_page_keys_go_to_another_picture_whose_cells_are_clicked(view):
    edits = shown(view, *(Picture(numbers(4, 4), place=(f"row{n}", f"column{n}")) for n in range(2)))
    QTest.keyClick(view.canvas, KEYS.Key_PageDown)
    QTest.keyClick(view.canvas, KEYS.Key_Down)
    assert edits == [{"row1": 1, "column1": 0}]


def test_what_cannot_be_clicked_takes_no_keyboard(view):
    shown(view, Picture(numbers(4, 4)))
    assert view.canvas.focusPolicy() == Qt.FocusPolicy.NoFocus
    shown(view, Picture(numbers(4, 4), edit={"channel": 0}))
    assert view.canvas.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_pointing_at_a_cell_tells_its_number(view, qtbot):
    values = numbers(4, 4)
    values[1, 2], values[3, 3] = 0.123456, np.nan
    shown(view, Picture(values, "map", place=("row", "column"), chosen=(1, 2)))
    point = middle(view, 0, 1, 2)
    where = view.canvas.mapToGlobal(point)
    QApplication.sendEvent(view.canvas, QHelpEvent(QHelpEvent.Type.ToolTip, point, where))
    assert "map, row 1, column 2: 0.123456" in QToolTip.text()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
    assert view.canvas.words(0, 3, 3).endswith("nothing yet")
    assert view.canvas.accessibleDescription() == "map, row 1, column 2: 0.123456"
