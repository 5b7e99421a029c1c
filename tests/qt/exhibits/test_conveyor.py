"""The conveyor: what is in sight is what was asked for, at any size, and keyboard and mouse look around in it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from gui_lab.core.exhibits import Conveyor, Tile
from gui_lab.qt.exhibits.conveyor import ConveyorView
from gui_lab.qt.exhibits.conveyor_plan import plan
from gui_lab.qt.theme import THEME

NAMES = ("cat", "dog", "owl")


def tile(index: int, pictured: bool = True) -> Tile:
    return Tile(index, index % 3, np.full((1, 8, 8), index % 256, np.uint8) if pictured else None)


def conveyor(samples: int, size: int, **values: object) -> Conveyor:
    batches = tuple(
        tuple(tile(index) for index in range(start, min(start + size, samples))) for start in range(0, samples, size)
    )
    return Conveyor(batches=batches, size=size, names=NAMES, **values)  # type: ignore[arg-type]


@pytest.fixture
def view(qtbot):
    made = ConveyorView("stage.0.0")
    qtbot.addWidget(made)
    made.resize(860, 420)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.mark.parametrize(("width", "height"), [(300, 150), (600, 200), (860, 420), (1500, 800)])
@pytest.mark.parametrize("size", [1, 7, 64, 700])
def test_every_tile_in_sight_is_found_where_it_is_painted(view, width, height, size):
    view.resize(width, height)
    view.show_exhibit(conveyor(700, size, current=0))
    belt = view.belt
    belt.grab()
    assert 0 in belt.in_sight()
    for batch in belt.in_sight():
        box = belt.box_of(batch)
        assert belt.rect().contains(box)
        assert belt.batch_at(box.center()) == batch
        corner = box.topLeft() + QPoint(9, 27)
        assert belt.tile_at(corner) == (batch, 0)


def test_only_what_is_in_sight_is_asked_for(view):
    asked = set()

    class Endless(Sequence):
        def __len__(self):
            return 100_000

        def __getitem__(self, place):
            asked.add(place)
            return (tile(2 * place, False), tile(2 * place + 1, False))

    view.show_exhibit(Conveyor(batches=Endless(), current=50_000, size=2, names=NAMES))
    began = time.perf_counter()
    view.belt.grab()
    assert time.perf_counter() - began < 1
    assert 50_000 in view.belt.in_sight()
    assert asked <= {*view.belt.in_sight(), 99_999}


def test_the_batch_in_use_is_the_one_that_is_looked_at_and_comes_in_sight(view):
    view.show_exhibit(conveyor(700, 4, current=150))
    assert view.belt.looked == 150
    assert 150 in view.belt.in_sight()
    assert view.belt.accessibleDescription().startswith("Batch 151 of 175, 4 pictures, in use now: ")
    view.show_exhibit(conveyor(700, 4, current=0))
    assert 0 in view.belt.in_sight()


def test_a_batch_is_told_with_its_classes(view):
    view.show_exhibit(conveyor(10, 4, current=1))
    assert view.belt.words(0) == "Batch 1 of 3, 4 pictures, used: 2 of cat, 1 of dog, 1 of owl"
    assert view.belt.words(2) == "Batch 3 of 3, 2 pictures, not used yet: 1 of cat, 1 of owl"
    view.show_exhibit(conveyor(10, 4, current=1, dropped=True))
    assert view.belt.words(2).startswith("Batch 3 of 3, 2 pictures, dropped")


def test_a_whole_last_batch_is_never_dropped(view):
    view.show_exhibit(conveyor(12, 4, current=0, dropped=True))
    assert "not used yet" in view.belt.words(2)


def test_the_keyboard_looks_around(view, qtbot):
    view.show_exhibit(conveyor(700, 4, current=3))
    belt = view.belt
    for key, wanted in (
        (Qt.Key.Key_Right, 4),
        (Qt.Key.Key_Left, 3),
        (Qt.Key.Key_Down, 3 + belt.plan.shelf.across),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_End, 174),
        (Qt.Key.Key_PageDown, 174),
        (Qt.Key.Key_Return, 3),
    ):
        qtbot.keyClick(belt, key)
        assert belt.looked == wanted
        assert wanted in belt.in_sight()


def test_a_click_looks_into_a_batch_and_the_next_step_takes_over(view, qtbot):
    view.show_exhibit(conveyor(700, 4, current=0))
    qtbot.mouseClick(view.belt, Qt.MouseButton.LeftButton, pos=view.belt.box_of(2).center())
    assert view.belt.looked == 2
    view.show_exhibit(conveyor(700, 4, current=1))
    assert view.belt.looked == 1


def test_what_is_the_same_stays_as_it_was_left(view):
    shown = conveyor(700, 4, current=0)
    view.show_exhibit(shown)
    view.belt._look(9)
    layout = view.belt.plan
    view.show_exhibit(shown)
    assert view.belt.looked == 9
    assert view.belt.plan is layout


def test_hovering_says_which_picture_it_is(view, qtbot):
    view.show_exhibit(conveyor(8000, 4, current=300))
    where = view.belt.box_of(301).topLeft() + QPoint(9, 27)
    QApplication.sendEvent(view.belt, QHelpEvent(QEvent.Type.ToolTip, where, view.belt.mapToGlobal(where)))
    qtbot.waitUntil(lambda: "Picture 1,204: class dog, number 1 of batch 302" in QToolTip.text())
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_tiles_without_pictures_or_classes_are_drawn_too(view):
    bare = tuple((Tile(2 * batch, -1), Tile(2 * batch + 1, -1)) for batch in range(5))
    view.show_exhibit(Conveyor(batches=bare, current=1, size=2))
    view.belt.grab()
    assert view.belt.words(1) == "Batch 2 of 5, 2 pictures, in use now"
    assert view.belt.tile_words(1, 0) == "Picture 2, number 1 of batch 2"


def test_the_belt_follows_the_scheme(view):
    view.show_exhibit(conveyor(40, 4, current=0))
    try:
        light = view.belt.grab().toImage()
        THEME.choose("dark")
        assert view.belt.grab().toImage() != light
    finally:
        THEME.choose("light")


@pytest.mark.parametrize("size", [1, 3, 64, 5000])
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_a_plan_fits_its_room(size, count):
    for width in range(260, 1600, 97):
        for height in range(150, 900, 83):
            planned = plan(width, height, size, count)
            shelf = planned.shelf
            assert shelf.across * shelf.down >= min(count, 1)
            for place in (0, shelf.across * shelf.down - 1):
                box = shelf.box(place)
                assert box.right() < width
                assert box.bottom() < height
            if planned.large is not None:
                assert planned.large_height < shelf.top
                assert planned.large.columns * planned.large.pitch <= width
