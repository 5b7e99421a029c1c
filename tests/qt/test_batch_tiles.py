"""The batch as tiles: what is shown is what the look said, in the order that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QToolTip, QWidget

from gui_lab.core.looks import BatchView
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.batch_tiles import BatchTiles

CLASSES = ("cat", "dog", "a bird with a long name")
LOSSES = np.array([0.5, 3.0, 0.125, 2.0, 0.25, 1.0], np.float32)


@pytest.fixture
def view() -> BatchView:
    """Six grey pictures of 28x28; the second and the fourth are taken for something else."""
    labels = np.array([0, 1, 2, 0, 1, 2])
    probabilities = np.full((6, 3), 0.1, np.float32)
    probabilities[np.arange(6), (labels + np.array([0, 1, 0, 1, 0, 0])) % 3] = 0.8
    pictures = np.random.default_rng(0).normal(size=(6, 1, 28, 28)).astype(np.float32)
    return BatchView(
        epoch=2, iteration=17, size=6, indices=np.array([10, 11, 1200, 13, 14, 15]), pictures=pictures, low=-3.0,
        high=3.0, ends=None, labels=labels, shares=None, probabilities=probabilities, losses=LOSSES, loss=0.4123,
    )  # fmt: skip


@pytest.fixture
def tiles(qtbot, view):
    made = BatchTiles()
    qtbot.addWidget(made)
    made.resize(330, 400)
    made.show_batch(view, CLASSES)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_the_header_says_which_batch_it_is_and_how_it_went(tiles, view):
    assert tiles.header.text() == "Batch 17 of epoch 2: 6 pictures, loss 0.412, 4 right"
    tiles.show_batch(replace(view, size=512), CLASSES)
    assert tiles.header.text() == "Batch 17 of epoch 2: 512 pictures, of which the first 6: loss 0.412, 4 right"


def test_before_the_first_look_it_says_how_to_come_to_one(qtbot):
    empty = BatchTiles()
    qtbot.addWidget(empty)
    assert "One batch" in empty.header.text()
    assert not empty.order.isEnabled()
    assert empty.watch.isEnabled()
    assert empty.grid.focusPolicy() == Qt.FocusPolicy.NoFocus


def test_the_worst_are_shown_first_where_that_is_wanted(tiles, qtbot, view):
    assert tiles.grid.indices() == view.indices.tolist()
    qtbot.mouseClick(tiles.findChild(QWidget, "batch.order.worst"), Qt.MouseButton.LeftButton)
    assert tiles.grid.indices() == [11, 13, 15, 10, 14, 1200]
    tiles.show_batch(replace(view, losses=LOSSES[::-1].copy()), CLASSES)
    assert tiles.grid.indices() == [14, 1200, 10, 15, 11, 13]
    qtbot.mouseClick(tiles.findChild(QWidget, "batch.order.given"), Qt.MouseButton.LeftButton)
    assert tiles.grid.indices() == view.indices.tolist()


def test_a_click_on_a_tile_asks_for_its_picture_to_be_pinned(tiles, qtbot):
    for place, index in ((0, 10), (2, 1200), (5, 15)):
        with qtbot.waitSignal(tiles.pin_wanted) as asked:
            qtbot.mouseClick(tiles.grid, Qt.MouseButton.LeftButton, pos=tiles.grid.rectangle_of(place).center())
        assert asked.args == [index]
    between = tiles.grid.rectangle_of(0).topRight() + QPoint(6, 10)
    with qtbot.assertNotEmitted(tiles.pin_wanted):
        qtbot.mouseClick(tiles.grid, Qt.MouseButton.LeftButton, pos=between)


def test_every_tile_is_found_where_it_is_painted_at_any_width(tiles):
    for width in (250, 330, 500):
        tiles.grid.resize(width, 600)
        for place in range(6):
            tile = tiles.grid.rectangle_of(place)
            assert tiles.grid.place_at(tile.center()) == place
            assert tiles.grid.rect().contains(tile)
        assert tiles.grid.place_at(QPoint(width - 1, 1)) is None


def test_the_keyboard_goes_from_tile_to_tile_and_pins(tiles, qtbot):
    grid = tiles.grid
    grid.setFocus()
    assert grid.accessibleDescription().startswith("Picture 10: cat.")
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    assert grid.accessibleDescription().startswith("Picture 1,200: a bird")
    with qtbot.waitSignal(tiles.pin_wanted) as asked:
        qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert asked.args == [1200]
    qtbot.keyClick(grid, Qt.Key.Key_End)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.accessibleDescription().startswith("Picture 15:")


def test_a_tile_reached_by_keyboard_is_scrolled_to(qtbot, view):
    scroll, tiles = QScrollArea(), BatchTiles()
    qtbot.addWidget(scroll)
    tiles.show_batch(view, CLASSES)
    scroll.setWidgetResizable(True)
    scroll.setWidget(tiles)
    scroll.resize(180, 180)
    with qtbot.waitExposed(scroll):
        scroll.show()
    qtbot.keyClick(tiles.grid, Qt.Key.Key_End)
    last = tiles.grid.rectangle_of(5)
    assert tiles.grid.visibleRegion().contains(last)


def test_hovering_says_all_that_is_known_of_a_tile(tiles, qtbot):
    where = tiles.grid.rectangle_of(1).center()
    QApplication.sendEvent(tiles.grid, QHelpEvent(QEvent.Type.ToolTip, where, tiles.grid.mapToGlobal(where)))
    qtbot.waitUntil(lambda: "Picture 11: dog." in QToolTip.text())
    assert "Loss 3.0000" in QToolTip.text()
    assert "a bird with a long name 80.0%" in QToolTip.text()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_of_mixed_pictures_both_classes_are_told(tiles, view):
    shares = np.zeros((6, 3), np.float32)
    shares[:, 0], shares[:, 2] = 0.7, 0.3
    tiles.show_batch(replace(view, shares=shares, labels=np.zeros(6, np.int64)), CLASSES)
    assert "70% cat and 30% a bird with a long name." in tiles.grid.words(0)


def test_pictures_that_were_normalised_look_like_pictures_again(tiles, view):
    grid = tiles.grid
    flat = np.full((6, 1, 28, 28), 1.5, np.float32)
    ends = np.array([-0.5, 1.5], np.float32).reshape(2, 1, 1, 1)
    tiles.show_batch(replace(view, pictures=flat, ends=ends), CLASSES)
    middle = grid.rectangle_of(0).topLeft() + QPoint(32, 32)
    assert grid.grab().toImage().pixelColor(middle).getRgb()[:3] == (255, 255, 255)
    tiles.show_batch(replace(view, pictures=flat), CLASSES)
    red, _, blue, _ = grid.grab().toImage().pixelColor(middle).getRgb()
    assert red > blue + 20  # a value above zero, where black and white are not known


def test_a_tile_shows_by_colour_and_sign_whether_it_is_right(tiles, view):
    def bar(place: int) -> str:
        corner = tiles.grid.rectangle_of(place).topLeft() + QPoint(1, 64 + 5)
        return tiles.grid.grab().toImage().pixelColor(corner).name()

    assert bar(0) == THEME.colours.best
    assert bar(1) == THEME.colours.error


def test_looking_on_while_it_trains_is_asked_for(tiles, qtbot):
    with qtbot.waitSignal(tiles.watch_wanted) as asked:
        tiles.watch.click()
    assert asked.args == [True]


def test_the_tiles_follow_the_scheme(tiles):
    try:
        light = tiles.grid.grab().toImage()
        THEME.choose("dark")
        assert tiles.grid.grab().toImage() != light
    finally:
        THEME.choose("light")
