"""The wall of pictures: where each lies, what is shown, what hands can do, and that painting reads no files."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError
from gui_lab.qt.pictures import fitted, scaled, to_image
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.image_grid import ImageGrid
from gui_lab.qt.views.shelves import HEADING, Shelves

CLASSES = ("apple", "bee", "cat")


class OnDisk:
    """Large pictures that are read one by one: notes which were read and on which thread, waits at a gate."""

    def __init__(self, count: int, broken: frozenset[int] = frozenset()) -> None:
        self.kind = Kind.image(3, 100, 120)
        self.count = count
        self.broken = broken
        self.taken: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __len__(self) -> int:
        return self.count

    def take(self, indices):
        self.gate.wait(10)
        self.threads.add(threading.current_thread())
        self.taken += indices.tolist()
        if self.broken & set(indices.tolist()):
            raise DataError("A picture cannot be read.", "Put it back.")
        return np.stack([np.full((3, 100, 120), index % 200 + 40, np.uint8) for index in indices])


def image_set(pictures, labels=None) -> ImageSet:
    """Every fifth picture is for validation, every seventh of the rest for testing."""
    count = len(pictures)
    labels = np.arange(count) % 3 if labels is None else labels
    every = np.arange(count)
    validation = every[every % 5 == 4]
    test = every[(every % 5 != 4) & (every % 7 == 6)]
    train = np.setdiff1d(every, np.concatenate([validation, test]))
    return ImageSet(pictures, labels, CLASSES, train, validation, test)


def noise(count: int, channels: int = 1, side: int = 8) -> InMemory:
    return InMemory(np.random.default_rng(0).integers(0, 256, (count, channels, side, side), np.uint8))


@pytest.fixture
def grid(qtbot):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = ImageGrid()
    qtbot.addWidget(made)
    made.resize(420, 400)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()


def click(grid: ImageGrid, index: int, double: bool = False) -> None:
    press = QTest.mouseDClick if double else QTest.mouseClick
    press(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.rectangle_of(index).center())


def grabbed(grid: ImageGrid) -> QImage:
    return grid.viewport().grab().toImage()


# -------------------------------------------------------------------- pictures


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_shows_the_very_pixels_and_outlives_the_array(qapp, channels):
    picture = np.random.default_rng(1).integers(0, 256, (channels, 5, 7), np.uint8)
    image = to_image(picture)
    expected = np.broadcast_to(picture, (3, 5, 7)).copy()
    picture[:] = 0
    shown = [[image.pixelColor(x, y).getRgb()[:3] for x in range(7)] for y in range(5)]
    assert np.array_equal(np.array(shown).transpose(2, 0, 1), expected)


def test_a_part_of_a_larger_array_is_shown_right(qapp):
    whole = np.random.default_rng(2).integers(0, 256, (1, 9, 9), np.uint8)
    image = to_image(whole[:, 2:6, 3:8])
    assert image.pixelColor(4, 1).red() == whole[0, 3, 7]


def test_small_pictures_grow_by_whole_multiples_with_sharp_pixels(qapp):
    picture = np.array([[[0, 255], [255, 0]]], np.uint8)
    grown = scaled(to_image(picture), 7)
    assert (grown.width(), grown.height()) == (6, 6)
    assert {grown.pixelColor(x, y).red() for x in range(6) for y in range(6)} == {0, 255}
    assert [grown.pixelColor(x, 0).red() for x in range(6)] == [0, 0, 0, 255, 255, 255]


def test_large_pictures_are_averaged_and_keep_their_proportions(qapp):
    stripes = np.tile(np.array([0, 255], np.uint8), (1, 100, 100))
    reduced = scaled(to_image(stripes), 50)
    assert (reduced.width(), reduced.height()) == (50, 25)
    assert 100 < reduced.pixelColor(25, 12).red() < 155


def test_no_side_of_a_very_long_picture_vanishes():
    assert fitted(1000, 2, 50) == (50, 1)


# -------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("width", [10, 130, 400, 1111])
def test_every_picture_has_a_place_of_its_own_inside_its_section(width):
    shelves = Shelves(np.array([1, 7, 40, 3]), width, 30)
    places = [shelves.corner(position) for position in range(len(shelves))]
    assert len(set(places)) == 51
    for position, (x, y) in enumerate(places):
        section = shelves.section_of(position)
        assert shelves.tops[section] + HEADING <= y
        assert y + 30 <= shelves.tops[section + 1]
        assert shelves.columns == 1 or x + 30 <= width
        assert shelves.position_at(x, y) == shelves.position_at(x + 29, y + 29) == position
        assert shelves.position_at(x + 30, y) is None


@pytest.mark.parametrize(("top", "bottom"), [(0, 100), (37, 38), (200, 900), (10_000, 10_100)])
def test_what_shows_between_two_heights_is_exactly_what_lies_there(top, bottom):
    shelves = Shelves(np.array([5, 90, 1, 300]), 200, 30)
    shown = {position for _, run in shelves.between(top, bottom) for position in run}
    heights = [shelves.corner(position)[1] for position in range(len(shelves))]
    assert shown >= {position for position, y in enumerate(heights) if y < bottom and y + 30 > top}
    assert all(y < bottom and y + shelves.pitch > top for y in (heights[position] for position in shown))


def test_down_and_up_cross_sections_in_the_same_column():
    shelves = Shelves(np.array([5, 2, 8]), 4 * 34, 30)  # rows of 4: [4, 1], [2], [4, 4]
    assert shelves.columns == 4
    assert shelves.moved(0, 1) == 4
    assert shelves.moved(4, 1) == 5
    assert shelves.moved(6, 1) == 8
    assert shelves.moved(8, -1) == 6
    assert shelves.moved(3, 1) == 4
    assert shelves.moved(0, -1) == 0
    assert shelves.moved(14, 5) == 14
    assert shelves.moved(0, 100) == 11


def test_no_pictures_take_no_place():
    shelves = Shelves(np.zeros(0, np.int64), 300, 30)
    assert shelves.height == 0
    assert list(shelves.between(0, 500)) == []
    assert shelves.position_at(5, 40) is None


# -------------------------------------------------------------------- what is shown


def test_pictures_stand_by_class_and_each_tile_is_its_picture(grid):
    pictures = noise(90)
    grid.show_pictures(image_set(pictures))
    assert grid.indices().tolist() == [*range(0, 90, 3), *range(1, 90, 3), *range(2, 90, 3)]
    times = grid.side // 8
    shown = grabbed(grid)
    for index in (0, 3, 12):
        corner = grid.rectangle_of(index).topLeft()
        for row, column in ((0, 0), (3, 5), (7, 7)):
            middle = corner + QPoint(column * times + times // 2, row * times + times // 2)
            assert shown.pixelColor(middle).red() == pictures.pixels[index, 0, row, column]


def test_filters_show_exactly_the_part_and_the_class(grid):
    images = image_set(noise(200))
    grid.show_pictures(images)
    grid.show_part("validation")
    assert set(grid.indices()) == set(images.validation)
    grid.show_class(1)
    assert set(grid.indices()) == {index for index in images.validation if images.labels[index] == 1}
    grid.show_part(None)
    assert set(grid.indices()) == set(np.flatnonzero(images.labels == 1))
    assert grid.rectangle_of(0).isEmpty()


def test_an_empty_part_says_so_instead_of_showing_nothing(grid):
    every = np.arange(30)
    grid.show_pictures(ImageSet(noise(30), every % 3, CLASSES, every[:20], every[20:], every[:0]))
    grid.show_part("test")
    shown = grabbed(grid)
    ground = QColor(THEME.colours.window)
    assert any(shown.pixelColor(x, shown.height() // 2) != ground for x in range(shown.width()))


def test_the_same_pictures_split_anew_keep_place_choice_and_filters(grid):
    pictures = noise(3000)
    grid.show_pictures(image_set(pictures))
    grid.show_class(2)
    grid.select(2000)
    place = grid.verticalScrollBar().value()
    assert place > 0
    every = np.arange(3000)
    grid.show_pictures(ImageSet(pictures, every % 3, CLASSES, every[:1000], every[1000:], every[:0]))
    assert (grid.label, grid.current, grid.verticalScrollBar().value()) == (2, 2000, place)
    assert "validation" in grid.words(2000)


def test_other_pictures_begin_at_the_top_with_nothing_chosen(grid, qtbot):
    grid.show_pictures(image_set(noise(3000)))
    grid.show_class(2)
    grid.select(2000)
    with qtbot.waitSignal(grid.selected) as said:
        grid.show_pictures(image_set(noise(600)))
    assert said.args == [-1]
    assert (grid.label, grid.current, grid.verticalScrollBar().value()) == (None, -1, 0)


@pytest.mark.parametrize("side", [8, 28, 32, 64])
def test_enlarged_tiles_are_whole_multiples_at_every_size(grid, side):
    grid.show_pictures(image_set(noise(10, 1, side)))
    seen = {grid.side}
    for steps in (-50, *[1] * 20):
        grid.resize_tiles(steps)
        seen.add(grid.side)
    assert len(seen) > 1
    assert all(tile % side == 0 for tile in seen)


def test_sixty_thousand_pictures_cost_only_those_in_view(grid):
    class Counting(InMemory):
        taken = 0

        def take(self, indices):
            Counting.taken += len(indices)
            return super().take(indices)

    count = 60_000
    pictures = Counting(np.broadcast_to(np.zeros((1, 1, 28, 28), np.uint8), (count, 1, 28, 28)))
    grid.show_pictures(image_set(pictures, np.arange(count) % 3))
    grabbed(grid)
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum() // 2)
    for _ in range(10):  # a slow machine makes them over several paints
        grabbed(grid)
    in_view = (grid.viewport().width() // grid.side + 1) * (grid.viewport().height() // grid.side + 2)
    assert 0 < Counting.taken <= 2 * in_view
    taken = Counting.taken
    grabbed(grid)
    assert Counting.taken == taken


# -------------------------------------------------------------------- the background


def test_files_are_never_read_while_painting(grid, qtbot):
    pictures = OnDisk(500)
    pictures.gate.clear()
    grid.show_pictures(image_set(pictures))
    middle = grid.rectangle_of(0).center()
    assert grabbed(grid).pixelColor(middle) == QColor(THEME.colours.raised)
    pictures.gate.set()
    qtbot.waitUntil(lambda: grabbed(grid).pixelColor(middle) == QColor(40, 40, 40))
    assert threading.main_thread() not in pictures.threads


def test_scrolling_past_does_not_read_what_nobody_stopped_at(grid, qtbot):
    pictures = OnDisk(30_000)
    grid.show_pictures(image_set(pictures))
    pictures.gate.clear()
    bar = grid.verticalScrollBar()
    for value in range(0, bar.maximum(), bar.maximum() // 50):
        bar.setValue(value)
        grabbed(grid)
    pictures.gate.set()
    last = int(grid.indices()[-1])
    bar.setValue(bar.maximum())
    middle = grid.rectangle_of(last).center()
    qtbot.waitUntil(lambda: grabbed(grid).pixelColor(middle).red() == last % 200 + 40)
    assert len(pictures.taken) < 300


def test_a_picture_that_cannot_be_read_is_marked_and_the_others_are_shown(grid, qtbot):
    pictures = OnDisk(60, broken=frozenset({3}))
    grid.show_pictures(image_set(pictures))
    beside = grid.rectangle_of(0).center()
    qtbot.waitUntil(lambda: grabbed(grid).pixelColor(beside) == QColor(40, 40, 40))
    qtbot.waitUntil(lambda: "cannot be read" in grid.words(3))
    assert grabbed(grid).pixelColor(grid.rectangle_of(3).center()) != QColor(THEME.colours.raised)
    tries = pictures.taken.count(3)
    grabbed(grid)
    assert pictures.taken.count(3) == tries


def test_pictures_that_were_replaced_meanwhile_are_not_shown(grid, qtbot):
    late = OnDisk(60)
    late.gate.clear()
    grid.show_pictures(image_set(late))
    grabbed(grid)
    white = InMemory(np.full((60, 1, 8, 8), 255, np.uint8))
    grid.show_pictures(image_set(white))
    with qtbot.waitSignal(grid.tiles.arrived):
        late.gate.set()
    assert late.taken
    assert grabbed(grid).pixelColor(grid.rectangle_of(0).center()) == QColor("white")


# -------------------------------------------------------------------- hands


def test_a_click_chooses_and_a_double_click_pins(grid, qtbot):
    grid.show_pictures(image_set(noise(90)))
    with qtbot.waitSignal(grid.selected) as said:
        click(grid, 6)
    assert said.args == [6]
    with qtbot.waitSignal(grid.pin_wanted) as wanted:
        click(grid, 9, double=True)
    assert wanted.args == [9]


def test_a_click_between_tiles_chooses_nothing(grid):
    grid.show_pictures(image_set(noise(90)))
    gap = grid.rectangle_of(0).topRight() + QPoint(2, 10)
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=gap)
    assert grid.current == -1


def test_a_pinned_picture_carries_a_pin(grid):
    grid.show_pictures(image_set(noise(90)))
    corner = grid.rectangle_of(0).topRight() + QPoint(-10, 4)
    before = grabbed(grid).pixelColor(corner)
    grid.set_pins((0,))
    grabbed_now = grabbed(grid)
    around = [grabbed_now.pixelColor(corner + QPoint(x, y)) for x in range(-3, 4) for y in range(-3, 4)]
    assert before != QColor(THEME.colours.accent)
    assert QColor(THEME.colours.accent) in around


def test_the_keyboard_walks_the_wall_and_keeps_the_choice_in_view(grid):
    grid.show_pictures(image_set(noise(3000)))
    order = grid.indices().tolist()
    first = grid.rectangle_of(order[0]).top()
    columns = next(place for place in range(1, 100) if grid.rectangle_of(order[place]).top() > first)
    keys = Qt.Key
    for key, position in (
        (keys.Key_Right, 0), (keys.Key_Right, 1), (keys.Key_Down, 1 + columns), (keys.Key_Left, columns),
        (keys.Key_Up, 0), (keys.Key_Up, 0), (keys.Key_End, 2999), (keys.Key_Right, 2999), (keys.Key_Home, 0),
    ):  # fmt: skip
        QTest.keyClick(grid, key)
        assert grid.current == order[position], key
        assert grid.viewport().rect().contains(grid.rectangle_of(grid.current))
    QTest.keyClick(grid, keys.Key_PageDown)
    moved = order.index(grid.current)
    assert moved > columns
    QTest.keyClick(grid, keys.Key_PageUp)
    assert grid.current == order[0]


def test_p_pins_the_chosen_picture(grid, qtbot):
    grid.show_pictures(image_set(noise(90)))
    click(grid, 3)
    with qtbot.waitSignal(grid.pin_wanted) as wanted:
        QTest.keyClick(grid, Qt.Key.Key_P)
    assert wanted.args == [3]


def test_plus_and_minus_change_the_size_of_the_tiles(grid):
    grid.show_pictures(image_set(noise(90)))
    before = grid.side
    QTest.keyClick(grid, Qt.Key.Key_Plus)
    assert grid.side > before
    QTest.keyClick(grid, Qt.Key.Key_Minus)
    assert grid.side == before


def test_hovering_says_index_class_and_part(grid, qtbot):
    grid.show_pictures(image_set(noise(90)))
    middle = grid.rectangle_of(9).center()
    where = grid.viewport().mapToGlobal(middle)
    QApplication.sendEvent(grid.viewport(), QHelpEvent(QHelpEvent.Type.ToolTip, middle, where))
    for word in ("Picture 9", "class apple", "validation"):
        assert word in QToolTip.text()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_the_heading_of_the_class_in_view_stays_at_the_top(grid):
    grid.show_pictures(image_set(noise(3000)))
    grid.verticalScrollBar().setValue(300)
    top = grabbed(grid).copy(0, 0, 120, 20)
    assert len({top.pixelColor(x, y).name() for x in range(120) for y in range(20)}) > 5
    assert top.pixelColor(119, 1) == QColor(THEME.colours.window)
    assert grid.index_at(QPoint(10, 5)) is None


def test_the_wall_follows_the_scheme(grid):
    grid.show_pictures(image_set(noise(3)))
    corner = QPoint(grid.viewport().width() - 2, grid.viewport().height() - 2)
    assert grabbed(grid).pixelColor(corner) == QColor(THEME.colours.window)
    THEME.choose("dark")
    assert grabbed(grid).pixelColor(corner) == QColor(THEME.colours.window)
    assert THEME.dark
    THEME.choose("light")
