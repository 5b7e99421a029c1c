"""The Transforms page: the chain is edited by mouse and keyboard, and the strip shows what training sees."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from gui_lab.core.chain import Chain
from gui_lab.core.experiment import Experiment, default
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import TRANSFORMS, Kind
from gui_lab.errors import DataError
from gui_lab.qt.pages.transforms import TransformsPage
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.film_strip import FEWEST
from gui_lab.qt.views.frames import drawn_words, image_of, kind_words, number, span
from gui_lab.qt.views.traces import View, outline, picked, traced

make = TRANSFORMS.make
NORMALIZED = (make("ToTensor"), make("Normalize"))


def colourful(count: int = 60) -> ImageSet:
    """Pictures of 3x16x16 in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 16, 16), dtype=np.uint8)
    cut = count * 2 // 3
    return ImageSet(
        InMemory(pixels), np.arange(count) % 3, ("red", "green", "blue"),
        np.arange(cut), np.arange(cut, count), np.array([], np.int64),
    )  # fmt: skip


class Bench:
    """A page on a session with pictures, and hands to use it."""

    def __init__(self, qtbot: Any, experiment: Experiment, images: ImageSet | None, *, ready: bool = True) -> None:
        self.qtbot = qtbot
        self.session = Session(experiment)
        self.session.images, self.session._opened = images, experiment.dataset
        self.session.problems = experiment.problems(images)
        self.page = TransformsPage(self.session)
        qtbot.addWidget(self.page)
        self.page.resize(1200, 680)
        self.page.show()
        self.page.activateWindow()
        QTest.qWaitForWindowActive(self.page)
        if ready:
            self.session.set_ready()
        if images is not None:
            self.settle()

    def settle(self) -> None:
        """Until nothing is computed any more."""
        self.qtbot.waitUntil(lambda: not self.page.busy, timeout=20_000)

    def names(self) -> list[str]:
        return [transform.name_of() for transform in self.session.experiment.transforms]

    def transform(self, place: int) -> Any:
        return self.session.experiment.transforms[place]

    def find(self, name: str, kind: type[Any] = QWidget) -> Any:
        found = [one for one in self.page.findChildren(kind, name) if one.isVisible()]
        assert len(found) == 1, f"{len(found)} visible widgets are named {name}"
        return found[0]

    def click(self, name: str) -> None:
        widget = self.find(name)
        assert widget.isEnabled()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.page.editor.list, key, modifiers)

    def go(self, place: int) -> None:
        chain = self.page.editor.list
        where = chain.visualItemRect(chain.item(place))
        QTest.mouseClick(
            chain.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(where.right() - 60, where.center().y())
        )

    def add(self, text: str) -> None:
        self.click("transforms.add")
        QTest.keyClicks(self.find("transforms.add.search"), text)
        QTest.keyClick(self.find("transforms.add.search"), Qt.Key.Key_Return)

    def columns(self) -> list[Any]:
        return self.page.studio.preview.strip.canvas.columns

    def card(self) -> str:
        card = self.page.studio.preview.strip.card
        return card.findChild(QLabel, "transforms.strip.card.problem").text() if card.isVisible() else ""


@pytest.fixture
def bench(qtbot: Any, digits: ImageSet) -> Iterator[Bench]:
    made = Bench(qtbot, default(), digits)
    yield made
    made.page.close_down()
    made.session.close()


@pytest.fixture
def coloured(qtbot: Any) -> Iterator[Bench]:
    experiment = default().edited("transforms", (make("RandomCrop", size=16, padding=2), *NORMALIZED))
    made = Bench(qtbot, experiment, colourful())
    yield made
    made.page.close_down()
    made.session.close()


# ---------------------------------------------------------------- the list


def test_typing_rot_and_enter_adds_a_rotation_after_the_chosen_one(bench: Bench) -> None:
    bench.go(0)
    bench.add("rot")
    assert bench.names() == ["ToTensor", "RandomRotation", "Normalize"]
    assert bench.page.editor.list.currentRow() == 1
    assert bench.find("transforms.1.degrees").text() == "10"
    assert not bench.page.editor.finder.isVisible()


def test_without_a_chosen_one_it_is_added_at_the_end(bench: Bench) -> None:
    QTest.mouseClick(bench.page.editor.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 87))
    bench.key(Qt.Key.Key_Escape)
    assert bench.page.editor.list.currentRow() == -1
    bench.add("gray")
    assert bench.names() == ["ToTensor", "Normalize", "Grayscale"]


def test_what_is_added_suits_the_pictures_at_its_place(coloured: Bench) -> None:
    coloured.go(2)
    coloured.add("Normalize")
    assert coloured.transform(3) == make("Normalize", mean=(0.5,) * 3, std=(0.5,) * 3)


def test_the_arrow_keys_choose_in_the_finder_and_escape_leaves_all_as_it_was(bench: Bench) -> None:
    bench.click("transforms.add")
    search = bench.find("transforms.add.search")
    first = bench.page.editor.finder.list.currentIndex().data()
    QTest.keyClick(search, Qt.Key.Key_Down)
    assert bench.page.editor.finder.list.currentIndex().data() not in (first, None)
    QTest.keyClick(search, Qt.Key.Key_Escape)
    assert not bench.page.editor.finder.isVisible()
    assert bench.session.experiment == default()


def test_a_click_in_the_finder_adds(bench: Bench) -> None:
    bench.click("transforms.add")
    finder = bench.page.editor.finder
    where = finder.list.rectangle_of("Grayscale").center()
    QTest.mouseClick(finder.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert "Grayscale" in bench.names()


def test_nothing_is_added_where_nothing_is_found(bench: Bench) -> None:
    bench.add("no such thing")
    assert bench.names() == ["ToTensor", "Normalize"]


def test_alt_and_arrows_move_the_chosen_one(bench: Bench) -> None:
    bench.go(1)
    bench.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert bench.names() == ["Normalize", "ToTensor"]
    assert bench.page.editor.list.currentRow() == 0
    bench.key(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert bench.names() == ["Normalize", "ToTensor"]
    bench.key(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert bench.names() == ["ToTensor", "Normalize"]


def test_dragging_a_row_moves_it(bench: Bench) -> None:
    bench.go(0)
    bench.add("rot")
    view = bench.page.editor.list
    middle = [view.visualItemRect(view.item(row)).center() for row in range(3)]
    below = QPoint(middle[2].x(), middle[2].y() + 8)
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=middle[0])
    QTest.mouseMove(view.viewport(), middle[1])
    QTest.mouseMove(view.viewport(), below)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=below)
    assert bench.names() == ["RandomRotation", "Normalize", "ToTensor"]
    assert view.currentRow() == 2


def test_a_drag_that_ends_where_it_began_changes_nothing(bench: Bench) -> None:
    view = bench.page.editor.list
    middle = view.visualItemRect(view.item(0)).center()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    QTest.mouseMove(view.viewport(), middle + QPoint(0, 14))
    QTest.mouseMove(view.viewport(), middle - QPoint(0, 3))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=middle - QPoint(0, 3))
    assert not bench.session.can_undo


def test_delete_and_duplicate_by_key_and_by_button(bench: Bench) -> None:
    bench.go(1)
    bench.key(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert bench.names() == ["ToTensor", "Normalize", "Normalize"]
    bench.key(Qt.Key.Key_Delete)
    assert bench.names() == ["ToTensor", "Normalize"]
    assert bench.page.editor.list.currentRow() == 1
    bench.click("transforms.duplicate")
    bench.click("transforms.remove")
    bench.click("transforms.remove")
    assert bench.names() == ["ToTensor"]
    assert bench.page.editor.list.currentRow() == 0
    bench.click("transforms.remove")
    assert (bench.names(), bench.page.editor.list.currentRow()) == ([], -1)
    assert not bench.find("transforms.remove").isEnabled()


def test_up_and_down_buttons_move_and_end_at_the_ends(bench: Bench) -> None:
    bench.go(0)
    assert not bench.find("transforms.up").isEnabled()
    bench.click("transforms.down")
    assert bench.names() == ["Normalize", "ToTensor"]
    assert not bench.find("transforms.down").isEnabled()
    bench.click("transforms.up")
    assert bench.names() == ["ToTensor", "Normalize"]


def test_a_click_on_its_box_and_space_switch_one_off_and_on(bench: Bench) -> None:
    where = bench.page.editor.list.box_of(1).center()
    QTest.mouseClick(bench.page.editor.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert not bench.transform(1).enabled
    assert "switched off" in bench.page.editor.list.item(1).data(Qt.ItemDataRole.AccessibleTextRole)
    bench.settle()
    assert [column.name for column in bench.columns()] == ["Source", "ToTensor"]
    bench.go(1)
    bench.key(Qt.Key.Key_Space)
    assert bench.transform(1).enabled


def test_rows_say_their_main_values_chance_and_trouble(qtbot: Any, coloured: Bench) -> None:
    row = coloured.page.editor.list.row_at(0)
    assert (row.name, row.values, row.random) == ("RandomCrop", "size 16, padding 2", True)
    coloured.session.edit("transforms", (make("Normalize"), make("ToTensor")))
    assert "float tensor" in coloured.page.editor.list.row_at(0).problem
    assert "error" in coloured.page.editor.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)


# ---------------------------------------------------------------- the form and the session


def test_the_form_edits_the_chosen_transform(coloured: Bench) -> None:
    coloured.go(0)
    size = coloured.find("transforms.0.size")
    size.setFocus()
    size.selectAll()
    QTest.keyClicks(size, "12")
    QTest.keyClick(size, Qt.Key.Key_Return)
    assert coloured.transform(0).size == 12


def test_undo_and_changes_from_elsewhere_are_shown_at_once(coloured: Bench) -> None:
    coloured.go(0)
    coloured.session.edit("transforms.0.padding", 3)
    assert coloured.find("transforms.0.padding").text() == "3"
    coloured.session.undo()
    assert coloured.find("transforms.0.padding").text() == "2"
    assert coloured.page.editor.list.row_at(0).values == "size 16, padding 2"


def test_the_choice_follows_its_transform_when_others_come_and_go(coloured: Bench) -> None:
    coloured.go(1)
    coloured.session.edit("transforms", (make("Grayscale"), *coloured.session.experiment.transforms))
    assert coloured.page.editor.list.currentRow() == 2
    coloured.session.undo()
    assert coloured.page.editor.list.currentRow() == 1
    coloured.session.edit("transforms", ())
    assert coloured.page.editor.list.currentRow() == -1


def test_editing_one_of_two_equal_transforms_stays_with_it(bench: Bench) -> None:
    bench.session.edit("transforms", (*NORMALIZED, make("Normalize")))
    bench.go(1)
    bench.session.edit("transforms.1.mean", (0.25,))
    assert bench.page.editor.list.currentRow() == 1


def test_a_repair_in_the_form_and_one_on_the_card_mend_the_chain(coloured: Bench) -> None:
    coloured.session.edit("transforms.0.size", 40)
    coloured.go(0)
    coloured.settle()
    assert "larger than the picture" in coloured.card()
    coloured.click("transforms.0.size.repair.0")
    assert coloured.transform(0).pad_if_needed
    coloured.session.edit("transforms", (make("Normalize"),))
    coloured.settle()
    assert [column.name for column in coloured.columns()] == ["Source"]
    card = coloured.page.studio.preview.strip.card
    QTest.mouseClick(card.findChild(QPushButton, "transforms.strip.card.repair.0"), Qt.MouseButton.LeftButton)
    assert coloured.names() == ["ToTensor", "Normalize"]


def test_an_empty_chain_says_that_tensors_are_missing_and_offers_one(bench: Bench) -> None:
    bench.session.edit("transforms", ())
    bench.settle()
    assert "float tensors" in bench.card()
    assert "mended" in bench.find("transforms.network").text()


# ---------------------------------------------------------------- measuring


def test_measuring_fills_in_mean_and_deviation_as_one_step_back(bench: Bench, digits: ImageSet) -> None:
    bench.session.edit("transforms", NORMALIZED)
    bench.go(1)
    bench.click("transforms.measure")
    bench.settle()
    unit = digits.pictures.take(digits.train) / 255  # type: ignore[operator]
    assert bench.transform(1).mean == (round(float(unit.mean()), 4),)
    assert bench.transform(1).std == (round(float(unit.std()), 4),)
    assert bench.find("transforms.measured").text() == "Measured over all 1,438 training pictures."
    bench.session.undo()
    assert bench.transform(1) == make("Normalize")


def test_measuring_gives_one_value_for_each_channel_that_arrives(coloured: Bench) -> None:
    coloured.go(2)
    coloured.click("transforms.measure")
    coloured.settle()
    assert len(coloured.transform(2).mean) == 3
    coloured.session.edit("transforms", (make("Grayscale"), *NORMALIZED))
    coloured.go(2)
    coloured.click("transforms.measure")
    coloured.settle()
    assert len(coloured.transform(2).mean) == 1


def test_only_a_transform_with_mean_and_std_can_be_measured(bench: Bench) -> None:
    bench.go(0)
    assert not bench.page.editor.findChild(QPushButton, "transforms.measure").isVisible()
    bench.go(1)
    assert bench.page.editor.findChild(QPushButton, "transforms.measure").isVisible()


def test_pictures_that_do_not_vary_are_refused_with_a_sentence(qtbot: Any) -> None:
    grey = ImageSet(
        InMemory(np.full((20, 1, 8, 8), 7, np.uint8)), np.arange(20) % 2, ("a", "b"),
        np.arange(10), np.arange(10, 20), np.array([], np.int64),
    )  # fmt: skip
    bench = Bench(qtbot, default(), grey)
    bench.go(1)
    with qtbot.waitSignal(bench.session.erred, timeout=10_000) as told:
        bench.click("transforms.measure")
    assert "do not vary" in told.args[0].sentence
    assert bench.session.experiment == default()
    bench.page.close_down()


# ---------------------------------------------------------------- the strip


def test_the_strip_shows_exactly_what_training_sees(coloured: Bench) -> None:
    experiment, images = coloured.session.experiment, coloured.session.images
    assert images is not None
    indices = np.array(picked(images, 0, FEWEST))
    for epoch in (1, 2):
        pictures = torch.from_numpy(images.pictures.take(indices))
        seen = experiment.chain.run(pictures, indices, seed=experiment.training.seed, epoch=epoch, training=True)
        last = coloured.columns()[-1]
        assert all(np.array_equal(frame.values, sight) for frame, sight in zip(last.frames, seen.numpy(), strict=True))
        coloured.click("transforms.next_epoch")
        coloured.settle()


def test_each_column_says_what_it_is_and_each_picture_what_was_drawn(coloured: Bench) -> None:
    source, crop, tensor, normalised = coloured.columns()
    assert (source.name, source.kind, source.span) == ("Source", "uint8 3x16x16", "0 to 255")
    assert (crop.name, crop.random, tensor.kind) == ("RandomCrop", True, "float32 3x16x16")
    assert normalised.span == "\u22121 to 1"
    assert crop.frames[0].captions[0].startswith("top ")
    assert source.frames[0].captions[0] in ("red", "green", "blue")
    values = tensor.frames[0].values
    assert tensor.frames[0].captions[0] == span(float(values.min()), float(values.max()))


def test_the_validation_path_leaves_random_transforms_out(coloured: Bench) -> None:
    coloured.click("transforms.path.validation")
    coloured.settle()
    assert [column.name for column in coloured.columns()] == ["Source", "ToTensor", "Normalize"]
    assert not coloured.find("transforms.next_epoch").isEnabled()
    coloured.click("transforms.path.training")
    coloured.settle()
    assert "RandomCrop" in [column.name for column in coloured.columns()]


def test_another_epoch_draws_anew_and_the_first_one_comes_back(coloured: Bench) -> None:
    def drawn() -> list[str]:
        return [frame.captions[0] for frame in coloured.columns()[1].frames]

    first = drawn()
    coloured.click("transforms.next_epoch")
    coloured.settle()
    assert drawn() != first
    assert coloured.find("transforms.epoch").value() == 2
    QTest.keyClick(coloured.find("transforms.epoch"), Qt.Key.Key_Down)
    coloured.settle()
    assert drawn() == first


def test_other_pictures_are_other_ones_of_several_classes(coloured: Bench) -> None:
    before = coloured.columns()[0].frames
    assert len({frame.captions[0] for frame in before}) == 3
    coloured.click("transforms.shuffle")
    coloured.settle()
    after = coloured.columns()[0].frames
    assert not all(np.array_equal(a.values, b.values) for a, b in zip(before, after, strict=True))


def test_a_knob_changes_the_strip_and_a_click_on_a_column_chooses_its_transform(coloured: Bench) -> None:
    coloured.session.edit("transforms.0.size", 8)
    coloured.settle()
    assert coloured.columns()[1].frames[0].values.shape == (3, 8, 8)
    canvas = coloured.page.studio.preview.strip.canvas
    where = QPoint(canvas.grid.column(2) + 5, canvas.grid.row(0) + 5)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where)
    assert coloured.page.editor.list.currentRow() == 1
    assert canvas.selected == 1


def test_only_the_newest_knob_is_shown(coloured: Bench) -> None:
    for size in (15, 14, 13, 12, 11):
        coloured.session.edit("transforms.0.size", size)
    coloured.settle()
    assert coloured.columns()[1].kind == "uint8 3x11x11"


def test_tensors_can_be_shown_as_the_pictures_they_were(coloured: Bench) -> None:
    *_, tensor, normalised = coloured.columns()
    assert normalised.frames[0].image.size() != tensor.frames[0].image.size()
    coloured.click("transforms.looks.pictures")
    coloured.settle()
    *_, tensor, normalised = coloured.columns()
    assert normalised.frames[0].image == tensor.frames[0].image
    assert float(normalised.frames[0].values.min()) < 0


def test_before_torch_is_there_the_source_is_shown_and_the_rest_says_why_not(qtbot: Any) -> None:
    experiment = default().edited("transforms", NORMALIZED)
    bench = Bench(qtbot, experiment, colourful(), ready=False)
    source, *rest = bench.columns()
    assert len(source.frames) == FEWEST
    assert [len(column.frames) for column in rest] == [0, 0]
    assert bench.page.studio.preview.strip.canvas.waiting == "PyTorch is loading"
    bench.go(1)
    assert not bench.find("transforms.measure").isEnabled()
    bench.session.set_ready()
    bench.settle()
    assert all(len(column.frames) == FEWEST for column in bench.columns())
    assert bench.find("transforms.measure").isEnabled()
    bench.page.close_down()


def test_without_pictures_it_says_why_and_begins_when_they_come(qtbot: Any) -> None:
    bench = Bench(qtbot, default(), None)
    assert bench.find("transforms.notice.sentence").text() == "The pictures are being opened"
    bench.session.data_error = DataError("The folder is empty.", "Choose another one.")
    bench.session.images_changed.emit()
    assert bench.find("transforms.notice.sentence").text() == "The folder is empty."
    assert bench.find("transforms.notice.remedy").text() == "Choose another one."
    bench.session.images, bench.session.data_error = colourful(), None
    bench.session.images_changed.emit()
    bench.settle()
    assert bench.page.studio.preview.strip.isVisible()
    bench.page.close_down()


def test_what_the_network_gets_is_said_in_the_last_line(bench: Bench) -> None:
    text = bench.find("transforms.network").text()
    assert text == "float32 1x8x8, range \u22120.811 to 1.85, in training and validation"


def test_a_hidden_page_computes_nothing_until_it_is_seen(qtbot: Any, coloured: Bench) -> None:
    coloured.page.hide()
    coloured.session.edit("transforms.0.size", 9)
    assert not coloured.page.studio.busy
    coloured.page.show()
    coloured.settle()
    assert coloured.columns()[1].kind == "uint8 3x9x9"


def test_every_widget_one_can_act_on_has_a_name_for_robots_and_one_for_ears(coloured: Bench) -> None:
    coloured.go(2)
    kinds = ("QPushButton", "QToolButton", "QSpinBox", "QCheckBox", "QComboBox", "QLineEdit", "QListWidget")
    acted = [
        widget
        for widget in coloured.page.findChildren(QWidget)
        if type(widget).__name__ in (*kinds, "NumberBox", "Line", "TransformList") and widget.isVisible()
        and widget.objectName() != "qt_spinbox_lineedit"
    ]  # fmt: skip
    assert len(acted) > 10
    assert [widget for widget in acted if not widget.objectName() or not widget.accessibleName()] == []
    named = [widget.objectName() for widget in acted]
    assert len(named) == len(set(named))


def test_dark_and_light_both_repaint(coloured: Bench) -> None:
    before = coloured.page.studio.preview.strip.canvas.grab().toImage()
    was_dark = THEME.dark
    THEME.choose("light" if was_dark else "dark")
    coloured.settle()
    assert coloured.page.studio.preview.strip.canvas.grab().toImage() != before
    THEME.choose("dark" if was_dark else "light")


def test_the_page_holds_in_a_small_window(coloured: Bench) -> None:
    assert coloured.page.minimumSizeHint().width() <= 952
    assert coloured.page.minimumSizeHint().height() <= 580


def test_importing_the_page_does_not_import_torch(qtbot: Any) -> None:
    import subprocess

    code = "import sys, gui_lab.qt.pages.transforms; print([m for m in ('torch',) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---------------------------------------------------------------- values as pictures


def pixel(image: QImage, x: int, y: int) -> tuple[int, int, int]:
    colour = image.pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def test_signed_values_are_blue_below_and_red_above_zero() -> None:
    image = image_of(np.array([[[-2.0, 0.0, 2.0]]], np.float32), -2, 2, dark=False)
    below, zero, above = (pixel(image, x, 0) for x in range(3))
    assert below[2] > below[0]
    assert above[0] > above[2]
    assert max(zero) - min(zero) <= 8


def test_values_between_0_and_1_look_like_the_image_they_came_from() -> None:
    image = image_of(np.array([[[0.0, 0.5, 1.0]]], np.float32), 0, 1, dark=False)
    assert [pixel(image, x, 0)[0] for x in range(3)] == [0, 128, 255]


def test_three_signed_channels_stand_side_by_side() -> None:
    values = np.stack([np.full((4, 5), value, np.float32) for value in (-1, 0.5, 1)])
    image = image_of(values, -1, 1, dark=True)
    assert (image.width(), image.height()) == (10, 8)
    assert pixel(image, 0, 0) != pixel(image, 5, 0) != pixel(image, 0, 4)


def test_numbers_have_three_digits_and_a_true_minus() -> None:
    assert [number(value) for value in (0.0, -7.31, 2.8215, 1234.5, -0.00042)] == [
        "0", "\u22127.31", "2.82", "1,234", "\u22120.00042",
    ]  # fmt: skip
    assert drawn_words({"angle": -7.31}) == "angle \u22127.31°"
    assert drawn_words({"top": 3, "left": 1}) == "top 3, left 1"
    assert drawn_words({"flipped": False}) == "not flipped"
    assert kind_words(Kind.image(3, None, None, (4, 4))) == "uint8 3 ch, various sizes"


def test_pictures_of_various_sizes_have_columns_too() -> None:
    class Scattered:
        kind = Kind.image(1, None, None, (6, 5))

        def take(self, indices: Any) -> list[Any]:
            return [np.full((1, 6 + index % 3, 5), 9, np.uint8) for index in indices]

    images = ImageSet(
        Scattered(),
        np.arange(9) % 2,
        ("a", "b"),
        np.arange(6),
        np.arange(6, 9),
        np.array([], np.int64),  # type: ignore[arg-type]
    )
    chain = Chain((make("Resize", size=4), make("CenterCrop", size=4), make("ToTensor")))
    columns = traced(chain, images, [0, 1, 2], View(seed=1, epoch=1))
    assert [column.kind for column in columns][-1] == "float32 1x4x4"
    assert {frame.values.shape for frame in columns[0].frames} == {(1, 6, 5), (1, 7, 5), (1, 8, 5)}
    assert len(outline(chain, images, [0], View(1, 1))) == 4
