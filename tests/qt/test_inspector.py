"""The inspector: a cell large, beside the one before it, with their difference under one lens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gui_lab.core.chain import Chain
from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.qt.pages.transforms import TransformsPage
from gui_lab.qt.session import Session
from gui_lab.qt.views.fact_sheet import Fact, FactSheet
from gui_lab.qt.views.facts import histogram_of
from gui_lab.qt.views.inspector import difference_of, panes_of
from gui_lab.qt.views.panes import Pane, Panes, pixel_at
from gui_lab.qt.views.traces import View, traced

make = TRANSFORMS.make
CHAIN = (
    make("RandomCrop", size=12), make("RandomHorizontalFlip", p=1.0), make("ToTensor"),
    make("Normalize", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)),
)  # fmt: skip


def colourful(count: int = 60) -> ImageSet:
    """Pictures of 3x16x16 in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 16, 16), dtype=np.uint8)
    cut = count * 2 // 3
    return ImageSet(
        InMemory(pixels), np.arange(count) % 3, ("red", "green", "blue"),
        np.arange(cut), np.arange(cut, count), np.array([], np.int64),
    )  # fmt: skip


IMAGES = colourful()


def columns_of(*transforms: Any) -> list[Any]:
    return traced(Chain(transforms), IMAGES, [4], View(1, 1))


class Bench:
    """A page with the strip on it."""

    def __init__(self, qtbot: Any) -> None:
        self.qtbot = qtbot
        experiment = default().edited("transforms", CHAIN)
        self.session = Session(experiment)
        self.session.images, self.session._opened = IMAGES, experiment.dataset
        self.session.problems = experiment.problems(IMAGES)
        self.page = TransformsPage(self.session)
        self.preview, self.strip = self.page.studio.preview, self.page.studio.preview.strip
        self.inspector, self.panes = self.preview.inspector, self.preview.inspector.panes
        qtbot.addWidget(self.page)
        self.page.resize(1200, 680)
        self.page.show()
        self.page.activateWindow()
        QTest.qWaitForWindowActive(self.page)
        self.session.set_ready()
        self.settle()

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.page.busy, timeout=20_000)

    def open(self, place: int, row: int = 0) -> None:
        self.strip.go(place, row)
        QTest.keyClick(self.strip, Qt.Key.Key_Return)
        self.settle()

    def find(self, name: str) -> Any:
        return next(one for one in self.page.findChildren(QWidget, name) if one.isVisible())

    def titles(self) -> list[str]:
        return [pane.title for pane in self.panes.panes]

    @property
    def is_open(self) -> bool:
        return bool(self.preview.stack.currentWidget() is self.inspector)


@pytest.fixture
def bench(qtbot: Any) -> Iterator[Bench]:
    made = Bench(qtbot)
    yield made
    made.page.close_down()
    made.session.close()


# ---------------------------------------------------------------- opening and closing


def test_a_click_on_a_cell_opens_it_and_back_closes_it(bench: Bench) -> None:
    canvas = bench.strip.canvas
    where = canvas.grid.picture(canvas.columns[2].frames[1], 2, 1)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where.center())
    assert bench.is_open
    assert bench.inspector.title.text().startswith("2  RandomHorizontalFlip, picture ")
    assert bench.page.editor.list.currentRow() == 1
    QTest.mouseClick(bench.find("transforms.inspector.back"), Qt.MouseButton.LeftButton)
    assert not bench.is_open
    bench.settle()


def test_enter_opens_a_cell_escape_closes_it_and_the_keyboard_is_back_in_the_strip(bench: Bench) -> None:
    bench.open(4)
    assert bench.is_open
    assert bench.panes.hasFocus()
    QTest.keyClick(bench.panes, Qt.Key.Key_Escape)
    assert not bench.is_open
    assert bench.strip.hasFocus()
    bench.settle()


def test_page_keys_and_buttons_go_on_to_other_cells(bench: Bench) -> None:
    bench.open(2)
    QTest.keyClick(bench.panes, Qt.Key.Key_PageDown)
    assert bench.inspector.title.text().startswith("3  ToTensor")
    QTest.mouseClick(bench.find("transforms.inspector.previous"), Qt.MouseButton.LeftButton)
    assert bench.inspector.title.text().startswith("2  Random")
    before = bench.inspector.title.text()
    QTest.keyClick(bench.panes, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert bench.inspector.title.text() != before
    assert bench.inspector.title.text().startswith("2  Random")
    bench.settle()


def test_it_follows_knobs_while_it_is_open_and_keeps_its_lens(bench: Bench) -> None:
    bench.open(4)
    bench.panes.zoom_by(2.0)
    bench.panes._point_at(QPointF(0.3, 0.6))
    before = bench.panes.panes[1].values
    bench.session.edit("transforms.3.mean", (0.1, 0.2, 0.3))
    bench.settle()
    assert bench.is_open
    assert not np.array_equal(bench.panes.panes[1].values, before)
    assert (bench.panes.zoom, bench.panes.point) == (2.0, QPointF(0.3, 0.6))


def test_where_its_transform_is_gone_the_last_one_before_it_is_shown(bench: Bench) -> None:
    bench.open(4)
    bench.session.edit("transforms", CHAIN[:3])
    bench.settle()
    assert bench.is_open
    assert bench.inspector.title.text().startswith("3  ToTensor")


def test_locked_to_nothing_it_says_what_was_drawn_and_the_facts_of_both_cells(bench: Bench) -> None:
    bench.open(1)
    assert bench.inspector.told.text().startswith("Drawn: top ")
    facts = {fact.name: fact for fact in bench.inspector.sheet.facts}
    assert (facts["shape"].value, facts["shape"].was) == ("3x12x12", "3x16x16")
    assert (facts["kind"].value, facts["kind"].was) == ("uint8 image", "")
    bench.open(3)
    assert not bench.inspector.told.isVisible()
    QTest.keyClick(bench.panes, Qt.Key.Key_Right)
    assert bench.inspector.sheet.facts[0] == Fact("at", "row 6, column 6")
    assert "min" in bench.inspector.sheet.accessibleDescription()


# ---------------------------------------------------------------- what stands side by side


def test_the_picture_as_it_came_stands_alone() -> None:
    source = columns_of()[0]
    panes = panes_of(source, source.frames[0], None, None, dark=False)
    assert [pane.title for pane in panes] == ["Source"]


def test_after_normalize_values_picture_and_difference_are_there_at_once() -> None:
    *_, tensor, normalised = columns_of(*CHAIN)
    panes = panes_of(normalised, normalised.frames[0], tensor, tensor.frames[0], dark=False)
    assert [pane.title for pane in panes] == [
        "Before: ToTensor", "After: Normalize", "As a picture", "Difference",
    ]  # fmt: skip
    assert np.allclose(panes[2].values, tensor.frames[0].values, atol=1e-6)
    assert np.array_equal(panes[3].values, normalised.frames[0].values - tensor.frames[0].values)


def test_a_difference_is_signed_and_uint8_does_not_wrap() -> None:
    source, flipped = columns_of(CHAIN[1])
    pane = difference_of(source.frames[0], flipped.frames[0], dark=False)
    wanted = flipped.frames[0].values.astype(int) - source.frames[0].values.astype(int)
    assert wanted.min() < 0
    assert np.array_equal(pane.values, wanted)
    x, y = np.argwhere(np.abs(wanted[:, 3]).max(0) > 100)[0][0], 3
    strongest = wanted[np.abs(wanted[:, y, x]).argmax(), y, x]
    tone = pane.image.pixelColor(int(x), y)  # type: ignore[union-attr]
    assert (tone.red() > tone.blue()) == (strongest > 0)


def test_sizes_that_differ_are_not_compared() -> None:
    source, crop = columns_of(CHAIN[0])
    pane = difference_of(source.frames[0], crop.frames[0], dark=False)
    assert pane.image is None
    assert pane.note == "Not comparable: the sizes differ (16x16 before, 12x12 after)."


def test_a_change_of_scale_alone_is_no_difference() -> None:
    source, tensor = columns_of(make("ToTensor"))
    pane = difference_of(source.frames[0], tensor.frames[0], dark=False)
    assert pane.note == "nothing has changed, the scale apart"
    assert float(np.abs(pane.values).max()) == 0


def test_grey_is_compared_with_each_colour() -> None:
    source, grey = columns_of(make("Grayscale"))
    assert difference_of(source.frames[0], grey.frames[0], dark=True).values.shape == (3, 16, 16)  # type: ignore[union-attr]


# ---------------------------------------------------------------- the lens


def lens(qtbot: Any, *sides: int) -> Panes:
    """Panes with grey pictures of these sides."""
    made = Panes("lens")
    qtbot.addWidget(made)
    made.resize(640, 320)
    shown = []
    for side in sides:
        values = np.arange(side * side, dtype=np.uint8).reshape(1, side, side)
        shown.append(Pane(f"{side}", QImage(side, side, QImage.Format.Format_RGB32), values))
    made.show_panes(shown)
    made.show()
    return made


def test_the_value_under_the_pointer_is_read_in_all_pictures(qtbot: Any) -> None:
    panes = lens(qtbot, 8, 8, 4)
    room = panes.rooms()[0]
    whole = panes.placed(panes.panes[0], room)
    scale = panes.scale(panes.panes[0], room)
    at = QPoint(int(whole.left() + 8 + 3.5 * scale), int(whole.top() + 5.5 * scale))
    QTest.mouseMove(panes, at)
    qtbot.waitUntil(lambda: panes.point is not None, timeout=2000)
    assert [panes.values_at(pane) for pane in panes.panes] == [
        "43", "43", "9",
    ]  # fmt: skip
    assert panes.place_words() == "row 5, column 3"
    assert panes.accessibleDescription() == "row 5, column 3; 8: 43; 8: 43; 4: 9"


def test_arrow_keys_move_the_cross_hair_pixel_by_pixel(qtbot: Any) -> None:
    panes = lens(qtbot, 8)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(panes, key)
    assert pixel_at(panes.point, panes.panes[0].values) == (5, 5)  # type: ignore[arg-type]
    for _ in range(9):
        QTest.keyClick(panes, Qt.Key.Key_Left)
    assert pixel_at(panes.point, panes.panes[0].values) == (0, 5)  # type: ignore[arg-type]


def test_wheel_and_keys_zoom_and_the_place_under_the_pointer_stays(qtbot: Any) -> None:
    panes = lens(qtbot, 8, 8)
    panes.zoom_by(4.0, QPointF(0.25, 0.75))
    assert panes.zoom == 4.0
    assert panes.centre == QPointF(0.3125, 0.6875)
    QTest.keyClick(panes, Qt.Key.Key_Minus)
    assert panes.zoom == pytest.approx(3.2)
    QTest.keyClick(panes, Qt.Key.Key_0)
    assert (panes.zoom, panes.centre) == (1.0, QPointF(0.5, 0.5))
    centre = QPointF(panes.rooms()[0].center())
    wheel = QWheelEvent(
        centre, panes.mapToGlobal(centre), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panes, wheel)
    assert panes.zoom == pytest.approx(1.25**2)


def test_all_pictures_are_placed_alike_and_dragging_moves_them_together(qtbot: Any) -> None:
    panes = lens(qtbot, 8, 8)
    panes.zoom_by(4.0)
    before = [panes.placed(pane, room) for pane, room in zip(panes.panes, panes.rooms(), strict=True)]
    start = panes.rooms()[0].center()
    QTest.mousePress(panes, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(panes, start + QPoint(40, 24))
    qtbot.waitUntil(lambda: panes.centre != QPointF(0.5, 0.5), timeout=2000)
    QTest.mouseRelease(panes, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 24))
    after = [panes.placed(pane, room) for pane, room in zip(panes.panes, panes.rooms(), strict=True)]
    moved = {(round(b.left() - a.left()), round(b.top() - a.top())) for a, b in zip(before, after, strict=True)}
    assert moved == {(40, 24)}


def test_a_lens_never_leaves_the_picture(qtbot: Any) -> None:
    panes = lens(qtbot, 8)
    panes.zoom_by(8.0, QPointF(1.0, 0.0))
    assert panes.centre.x() <= 1 - 0.5 / 8
    panes.zoom_by(0.01)
    assert panes.centre == QPointF(0.5, 0.5)
    assert panes.zoom == 1.0


def test_pixels_stay_whole_on_the_screen(qtbot: Any) -> None:
    panes = lens(qtbot, 7)
    for _ in range(6):
        assert panes.scale(panes.panes[0], panes.rooms()[0]) % 1 == 0
        panes.zoom_by(1.25)


def test_values_are_written_into_pixels_that_are_large_enough(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    panes = lens(qtbot, 8)
    written: list[str] = []
    draw = QPainter.drawText

    def noted(self: QPainter, *what: Any) -> Any:
        written.append(what[-1])
        return draw(self, *what)

    monkeypatch.setattr(QPainter, "drawText", noted)
    panes.grab()
    assert "43" in written
    written.clear()
    small = lens(qtbot, 60)
    small.grab()
    assert "43" not in written
    small.zoom_by(8.0)
    small.grab()
    assert any(word.isdigit() and len(word) < 4 for word in written)


def test_a_pane_without_a_picture_says_why(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    panes = lens(qtbot, 8)
    panes.show_panes([*panes.panes, Pane("Difference", note="Not comparable: the sizes differ.")])
    written: list[str] = []
    draw = QPainter.drawText
    monkeypatch.setattr(QPainter, "drawText", lambda self, *what: (written.append(what[-1]), draw(self, *what))[1])
    panes.grab()
    assert "Not comparable: the sizes differ." in written


def test_facts_are_laid_out_below_each_other_or_side_by_side(qtbot: Any) -> None:
    sheet = FactSheet("sheet")
    qtbot.addWidget(sheet)
    sheet.show_facts([Fact("min", "0", "\u22121"), Fact("max", "1")], histogram_of(np.zeros(4, np.uint8), 0, 255))
    sheet.lay_out(beside=True)
    tall = sheet.height()
    sheet.lay_out(beside=False)
    assert sheet.height() < tall / 2
    assert sheet.accessibleDescription() == "min 0, before \u22121; max 1"
    sheet.resize(580, sheet.height())
    assert sheet.grab().width() == 580
