"""The convolution page on the stage: nothing is cut off at any step, and the pixel in hand follows hands and keys."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui_lab.core import experiment
from gui_lab.core.concepts import CONCEPTS, Own
from gui_lab.core.images import opened
from gui_lab.qt.exhibits.facts import FactsView
from gui_lab.qt.exhibits.pictures import PicturesView
from gui_lab.qt.exhibits.stage import Stage


@pytest.fixture(scope="module")
def own() -> Own:
    chosen = experiment.default()
    return Own(chosen, opened(chosen.dataset))


@pytest.fixture
def stage(qtbot):
    made = Stage()
    qtbot.addWidget(made)
    made.show()
    return made


def page(**values: Any) -> Any:
    return CONCEPTS.make("Convolution", **values)


def views(stage: Stage) -> list[PicturesView]:
    return [view for row in stage.views for view in row if isinstance(view, PicturesView)]


def shown(stage: Stage, concept: Any, step: int, own: Own) -> None:
    stage.show_scene(concept.scene(step, own))
    for _ in range(3):  # rows that grow with the width are laid out again
        QApplication.sendPostedEvents()
        QApplication.processEvents()


@pytest.mark.parametrize("size", [(620, 470), (880, 570), (1530, 880)])
@pytest.mark.parametrize("source", ["a kernel of yours", "my network"])
@pytest.mark.parametrize("step", range(9))
def test_nothing_is_cut_off(stage, own, step, source, size):
    stage.resize(*size)
    shown(stage, page(source=source, layer=2, padding=1), step, own)
    assert stage.verticalScrollBar().maximum() == 0
    for view in views(stage):
        assert view.canvas.wall.places
        for place in view.canvas.wall.places:
            assert view.canvas.rect().contains(place)
    for row in stage.views:
        assert all(view.sheet.broad for view in row if isinstance(view, FactsView))


def test_dragging_over_the_picture_and_arrow_keys_move_the_window(stage, own):
    stage.resize(880, 570)
    concept = page(row=2, column=2)
    taken: list[Any] = []

    def take(edit: Any) -> None:
        nonlocal concept
        taken.append(dict(edit))
        concept = concept.changed(**edit)
        stage.show_scene(concept.scene(1, own))

    stage.edited.connect(take)
    shown(stage, concept, 1, own)
    (view,) = views(stage)
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=view.canvas.wall.cells(0, 4, 5).center())
    assert taken[-1] == {"row": 3, "column": 4}
    QTest.keyClick(view.canvas, Qt.Key.Key_Left)
    assert taken[-1] == {"row": 3, "column": 3}
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=view.canvas.wall.cells(1, 0, 5).center())
    assert taken[-1] == {"row": 0, "column": 5}
    for _ in range(3):
        QTest.keyClick(view.canvas, Qt.Key.Key_Right)
    assert taken[-1] == {"row": 0, "column": 5}
    assert concept.scene(3, own).facts["column"] == 5
