"""The studio: cells that tell all, dice that can be locked, epochs that play, variants, A and B, and the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet, InMemory
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.qt.pages.transforms import TransformsPage
from gui_lab.qt.pins import followed
from gui_lab.qt.session import Session
from gui_lab.qt.views.frames import KEPT
from gui_lab.qt.views.seen_words import seen_words
from gui_lab.qt.views.strip_grid import HISTOGRAM
from gui_lab.qt.views.traces import View

make = TRANSFORMS.make
CROP, FLIP = make("RandomCrop", size=16, padding=2), make("RandomHorizontalFlip")
TENSORS = (make("ToTensor"), make("Normalize", mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)))


def colourful(count: int = 60, side: int = 16) -> ImageSet:
    """Pictures of 3 x side x side in three classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)
    cut = count * 2 // 3
    return ImageSet(
        InMemory(pixels), np.arange(count) % 3, ("red", "green", "blue"),
        np.arange(cut), np.arange(cut, count), np.array([], np.int64),
    )  # fmt: skip


class Bench:
    """A page whose strip is looked at, and hands to use it."""

    def __init__(self, qtbot: Any) -> None:
        self.qtbot = qtbot
        experiment = default().edited("transforms", (CROP, FLIP, *TENSORS)).edited("training.epochs", 4)
        self.session = Session(experiment)
        self.session.images, self.session._opened = colourful(), experiment.dataset
        self.session.problems = experiment.problems(self.session.images)
        self.page = TransformsPage(self.session)
        self.studio, self.preview, self.strip = (
            self.page.studio, self.page.studio.preview, self.page.studio.preview.strip,
        )  # fmt: skip
        qtbot.addWidget(self.page)
        self.page.resize(1200, 680)
        self.page.show()
        self.page.activateWindow()
        QTest.qWaitForWindowActive(self.page)
        self.session.set_ready()
        self.settle()

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: not self.page.busy, timeout=20_000)

    def find(self, name: str) -> Any:
        found = [one for one in self.page.findChildren(QWidget, name) if one.isVisible()]
        assert len(found) == 1, f"{len(found)} visible widgets are named {name}"
        return found[0]

    def click(self, name: str) -> None:
        widget = self.find(name)
        assert widget.isEnabled()
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        self.settle()

    def key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.strip, key)
        self.settle()

    def columns(self) -> list[Any]:
        return self.strip.canvas.columns

    def drawn(self, place: int) -> list[str]:
        return [frame.told for frame in self.columns()[place].frames]

    def go_to_epoch(self, epoch: int) -> None:
        self.preview.epoch.setValue(epoch)
        self.settle()

    def said(self) -> str:
        return str(self.preview.seen.text())

    def ends(self) -> list[Any]:
        return [frame.values for frame in self.columns()[-1].frames]


@pytest.fixture
def bench(qtbot: Any) -> Iterator[Bench]:
    made = Bench(qtbot)
    yield made
    made.page.close_down()
    made.session.close()


# ---------------------------------------------------------------- cells


def test_a_cell_has_a_histogram_where_there_is_room_and_says_all_in_its_tool_tip(bench: Bench) -> None:
    canvas = bench.strip.canvas
    assert canvas.grid.histogram > 0
    frame = bench.columns()[-1].frames[0]
    assert frame.histogram.signed
    assert frame.bars.height() == HISTOGRAM - 1
    where = canvas.grid.picture(bench.columns()[1].frames[0], 1, 0)
    tip = canvas._tip(where.center())
    assert "RandomCrop: top" in tip
    assert "uint8 image, uint8 3x16x16" in tip
    assert "mean" in tip
    assert re.search(r"row 7, column 7: \d+, \d+, \d+$", tip)


# ---------------------------------------------------------------- dice


def test_a_locked_transform_keeps_its_numbers_while_others_follow_the_epoch(bench: Bench) -> None:
    crop, flips = bench.drawn(1), bench.drawn(2)
    bench.strip.go(1, 0)
    bench.key(Qt.Key.Key_P)
    for epoch in (2, 3, 4):
        bench.go_to_epoch(epoch)
        assert bench.drawn(1) == crop
        flips += bench.drawn(2)
    assert len(set(flips)) == 2
    assert bench.said() == "Epoch 4, seed 1, but RandomCrop as in epoch 1"
    bench.key(Qt.Key.Key_P)
    assert bench.drawn(1) != crop
    assert bench.said() == "Epoch 4, seed 1: what training gets"


def test_the_lock_is_pressed_with_the_mouse_too(bench: Bench) -> None:
    canvas = bench.strip.canvas
    sign: QRect = canvas.grid.sign(bench.columns()[2], 2)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=sign.center())
    bench.settle()
    assert canvas.pins == {1}
    assert "Let its numbers follow" in canvas._tip(sign.center())
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=sign.center())
    bench.settle()
    assert canvas.pins == frozenset()


def test_a_picture_is_pinned_in_its_row_by_mouse_and_key_and_shows_whether_it_is(bench: Bench) -> None:
    session, canvas = bench.page.session, bench.strip.canvas
    index = bench.page.studio._indices[1]
    assert index not in session.pins
    where = canvas._pin(1)
    assert "Pin: show the network's answer" in canvas._tip(where.center())
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where.center())
    assert index in session.pins
    assert canvas.pinned == {1}
    assert canvas._tip(where.center()).startswith("Unpin")
    assert bench.page.studio.preview.sight == "strip"
    bench.strip.go(3, 1)
    assert bench.strip.accessibleDescription().endswith("pinned")
    QTest.keyClick(bench.strip, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert index not in session.pins
    assert canvas.pinned == frozenset()
    assert canvas.pins == frozenset()  # the dice of the column are left alone


def test_the_picture_in_the_inspector_can_be_pinned(bench: Bench) -> None:
    session, studio = bench.page.session, bench.page.studio
    index = studio._indices[2]
    studio._inspect(2, 2)
    bench.click("transforms.inspector.pin")
    assert index in session.pins
    pin = bench.find("transforms.inspector.pin")
    assert pin.isChecked()
    assert pin.accessibleName() == "Unpin the picture"
    QTest.keyClick(studio.preview.inspector.panes, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert index not in session.pins
    assert not pin.isChecked()
    session.pin(index, True)  # as another page does
    assert pin.isChecked()
    QTest.keyClick(studio.preview.inspector.panes, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert not pin.isChecked()


def test_pins_follow_the_pictures_when_others_are_shown(bench: Bench) -> None:
    studio = bench.page.studio
    bench.page.session.pin(studio._indices[0], True)
    assert bench.strip.canvas.pinned == {0}
    bench.click("transforms.shuffle")
    assert bench.strip.canvas.pinned == frozenset()


def test_only_what_is_random_can_be_locked(bench: Bench) -> None:
    bench.strip.go(3, 0)
    bench.key(Qt.Key.Key_P)
    assert bench.strip.canvas.pins == frozenset()


def test_a_lock_goes_with_its_transform() -> None:
    before = (CROP, FLIP, *TENSORS)
    assert followed(before, (FLIP, CROP, *TENSORS), {0: 7}) == {1: 7}
    assert followed(before, (FLIP, *TENSORS), {0: 7, 1: 3}) == {0: 3}
    assert followed(before, (make("Grayscale"), *before), {1: 3}) == {2: 3}
    assert followed(before, (CROP.changed(size=8), FLIP, *TENSORS), {0: 7}) == {0: 7}
    assert followed(before, (TENSORS[0], FLIP, *TENSORS), {0: 7, 1: 2}) == {1: 2}
    assert followed((FLIP, FLIP), (FLIP,), {1: 4}) == {}


def test_locks_follow_edits_in_the_page(bench: Bench) -> None:
    bench.strip.go(1, 0)
    bench.key(Qt.Key.Key_P)
    bench.session.edit("transforms", (FLIP, CROP, *TENSORS))
    bench.settle()
    assert bench.strip.canvas.pins == {1}
    bench.session.edit("transforms", (FLIP, *TENSORS))
    bench.settle()
    assert bench.strip.canvas.pins == frozenset()


def test_any_epoch_can_be_chosen_and_shows_what_training_gets_there(bench: Bench) -> None:
    bench.click("transforms.reroll")
    epoch = bench.preview.epoch.value()
    assert epoch != 1
    experiment, indices = bench.session.experiment, np.array(bench.studio._indices)
    pictures = torch.from_numpy(bench.session.images.pictures.take(indices))  # type: ignore[union-attr]
    seen = experiment.chain.run(pictures, indices, seed=experiment.training.seed, epoch=epoch, training=True)
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(bench.ends(), seen.numpy(), strict=True))
    assert "the run ends after 4" in bench.said() or epoch <= 4


def test_playing_goes_through_the_epochs_of_the_run_and_stops_when_the_page_is_hidden(bench: Bench) -> None:
    bench.click("transforms.play")
    assert bench.studio._player.isActive()
    assert bench.preview.play.accessibleName() == "Stop playing"
    seen = []
    for _ in range(5):
        bench.studio._player.timeout.emit()
        seen.append(bench.preview.epoch.value())
    assert seen == [2, 3, 4, 1, 2]
    bench.page.hide()
    assert not bench.studio._player.isActive()
    assert not bench.preview.play.isChecked()
    bench.page.show()
    bench.settle()


def test_nothing_plays_on_the_validation_path(bench: Bench) -> None:
    bench.click("transforms.play")
    bench.click("transforms.path.validation")
    assert not bench.studio._player.isActive()
    assert bench.said() == "Validation: random transforms do not act"
    for name in ("play", "reroll", "variants"):
        assert not bench.find(f"transforms.{name}").isEnabled()


def test_what_is_seen_is_said_in_one_sentence() -> None:
    chain = (CROP, *TENSORS)
    assert seen_words(View(1, 3), chain, 5) == "Epoch 3, seed 1: what training gets"
    assert seen_words(View(1, 9), chain, 5) == "Epoch 9, seed 1: what training gets; the run ends after 5"
    assert seen_words(View(1, 3), TENSORS, 5) == "The same in every epoch: nothing is random"
    assert seen_words(View(1, 3, without=0), chain, 5) == "Without 1 RandomCrop, in this preview only"
    assert seen_words(View(1, 3, pinned={0: 3}), chain, 5) == "Epoch 3, seed 1: what training gets"


# ---------------------------------------------------------------- variants


def test_variants_are_nine_epochs_of_one_picture_with_all_that_was_drawn(bench: Bench) -> None:
    bench.go_to_epoch(2)
    bench.click("transforms.variants")
    variants = bench.preview.nine.grid.variants
    assert [variant.epoch for variant in variants] == list(range(2, 11))
    assert bench.preview.stack.currentWidget() is bench.preview.nine
    images, experiment = bench.session.images, bench.session.experiment
    assert images is not None
    indices = np.array(bench.studio._indices[:1])
    pictures = torch.from_numpy(images.pictures.take(indices))
    for variant in variants:
        seen = experiment.chain.run(pictures, indices, seed=1, epoch=variant.epoch, training=True)
        assert np.array_equal(variant.frame.values, seen[0].numpy())
        assert variant.told.startswith("top ")
        assert variant.told.endswith("flipped")


def test_variants_can_be_those_after_the_chosen_transform(bench: Bench) -> None:
    bench.click("transforms.variants")
    bench.click("transforms.nine.where.chosen")
    variant = bench.preview.nine.grid.variants[0]
    assert variant.frame.values.dtype == np.uint8
    assert "flipped" not in variant.told
    assert bench.preview.nine.title.text().endswith("after RandomCrop")


def test_a_variant_is_chosen_by_keyboard_and_becomes_the_epoch(bench: Bench) -> None:
    bench.click("transforms.variants")
    nine = bench.preview.nine.grid
    nine.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(nine, key)
    bench.settle()
    assert bench.preview.epoch.value() == 5
    assert bench.preview.sight == "strip"
    assert not bench.preview.variants.isChecked()


def test_escape_leads_from_the_variants_back_to_the_strip(bench: Bench) -> None:
    bench.click("transforms.variants")
    QTest.keyClick(bench.preview.nine.grid, Qt.Key.Key_Escape)
    bench.settle()
    assert bench.preview.stack.currentWidget() is bench.strip


# ---------------------------------------------------------------- A and B


def test_the_chosen_transform_is_left_out_while_b_is_held_and_the_experiment_stays(bench: Bench) -> None:
    before, experiment = bench.ends(), bench.session.experiment
    bench.strip.go(0, 0)
    bench.key(Qt.Key.Key_Right)
    QTest.keyPress(bench.strip, Qt.Key.Key_B)
    bench.settle()
    source, crop, *_ = bench.columns()
    assert (crop.name, crop.off) == ("RandomCrop", True)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(source.frames, crop.frames, strict=True))
    assert len(bench.columns()) == 5
    assert bench.said() == "Without 1 RandomCrop, in this preview only"
    assert bench.session.experiment is experiment
    QTest.keyRelease(bench.strip, Qt.Key.Key_B)
    bench.settle()
    assert all(np.array_equal(a, b) for a, b in zip(bench.ends(), before, strict=True))


def test_it_is_left_out_while_the_button_is_held_and_with_the_key_in_the_list(bench: Bench) -> None:
    button = bench.find("transforms.without")
    QTest.mousePress(button, Qt.MouseButton.LeftButton)
    assert bench.studio._held
    QTest.mouseRelease(button, Qt.MouseButton.LeftButton)
    assert not bench.studio._held
    bench.page.editor.list.setFocus()
    QTest.keyPress(bench.page.editor.list, Qt.Key.Key_B)
    assert bench.studio._held
    bench.strip.setFocus()  # the release would go elsewhere
    assert not bench.studio._held
    bench.settle()


def test_a_chain_that_is_kept_is_shown_beside_the_present_one(bench: Bench) -> None:
    kept = bench.ends()
    bench.click("transforms.compare")
    bench.session.edit("transforms", TENSORS)
    bench.settle()
    *_, present, a = bench.columns()
    assert (a.position, present.name) == (KEPT, "Normalize")
    assert all(np.array_equal(frame.values, end) for frame, end in zip(a.frames, kept, strict=True))
    assert not np.array_equal(present.frames[0].values, kept[0])
    bench.click("transforms.which.a")
    assert [column.name for column in bench.columns()][1:3] == ["RandomCrop", "RandomHorizontalFlip"]


def test_back_to_a_is_one_step_that_can_be_undone(bench: Bench) -> None:
    bench.click("transforms.compare")
    bench.session.edit("transforms", TENSORS)
    bench.settle()
    bench.click("transforms.back_to_a")
    assert bench.session.experiment.transforms == (CROP, FLIP, *TENSORS)
    assert not bench.preview.comparison.isVisible()
    assert bench.columns()[-1].position != KEPT
    bench.session.undo()
    assert bench.session.experiment.transforms == TENSORS
    bench.settle()


def test_comparing_ends_by_its_button(bench: Bench) -> None:
    bench.click("transforms.compare")
    assert bench.preview.kept.text().startswith("A: RandomCrop")
    bench.click("transforms.end_comparing")
    assert not bench.preview.compare.isChecked()
    assert bench.columns()[-1].position != KEPT


# ---------------------------------------------------------------- speed and keys


def test_the_row_one_looks_at_comes_first_where_all_take_long(bench: Bench) -> None:
    desk = bench.studio._desk
    desk.seconds = 1.0
    bench.strip.go(1, 2)
    shown = []
    show = bench.preview.show_columns
    bench.preview.show_columns = lambda columns, waiting: (shown.append(columns), show(columns, waiting))  # type: ignore[method-assign,assignment,func-returns-value]
    before = bench.columns()
    bench.session.edit("transforms.0.padding", 4)
    bench.settle()
    first, whole = shown
    assert [a is b for a, b in zip(first[1].frames, before[1].frames, strict=True)] == [True, True, False]
    assert first[1].frames[2] is whole[1].frames[2]
    assert whole[1].frames[0] is not before[1].frames[0]


def test_dragging_computes_fewer_previews_than_there_were_knobs(bench: Bench) -> None:
    computed = []
    see = bench.studio._desk.see
    bench.studio._desk.see = lambda request: (computed.append(request), see(request))[1]  # type: ignore[method-assign,func-returns-value]
    for padding in (3, 4, 5, 6, 7, 8, 9):
        bench.session.edit("transforms.0.padding", padding)
    bench.settle()
    assert len(computed) <= 4
    assert computed[-1].chain.transforms[0].padding == 9
    assert bench.columns()[1].frames[0].values.shape == (3, 16, 16)


def test_only_columns_that_changed_are_painted_anew(bench: Bench) -> None:
    rectangles: list[QRect] = []
    canvas = bench.strip.canvas
    update = canvas.update
    canvas.update = lambda *area: (rectangles.extend(area), update(*area))  # type: ignore[method-assign,assignment,func-returns-value]
    bench.session.edit("transforms.3.mean", (0.1, 0.1, 0.1))
    bench.settle()
    assert min(area.left() for area in rectangles) >= canvas.grid.column(4) - 20


def test_arrow_keys_walk_the_cells_and_choose_their_transforms(bench: Bench) -> None:
    bench.strip.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        bench.key(key)
    assert bench.strip.cell == (2, 1)
    assert bench.page.editor.list.currentRow() == 1
    assert "RandomHorizontalFlip" in bench.strip.accessibleDescription()
    bench.key(Qt.Key.Key_End)
    assert bench.strip.cell == (4, 1)
    bench.key(Qt.Key.Key_Home)
    assert bench.strip.cell == (0, 1)
    for _ in range(9):
        bench.key(Qt.Key.Key_Down)
    assert bench.strip.cell == (0, bench.strip.rows - 1)


def test_a_click_beside_the_columns_does_nothing(bench: Bench) -> None:
    canvas = bench.strip.canvas
    chosen = bench.page.editor.list.currentRow()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(canvas.grid.column(5) + 40, 10))
    assert bench.page.editor.list.currentRow() == chosen
    assert bench.preview.sight == "strip"


def test_what_is_odd_is_told_at_the_foot_and_mended_there_while_the_strip_goes_on(bench: Bench) -> None:
    twice = (*TENSORS, make("Normalize", mean=(0.5,) * 3, std=(0.5,) * 3))
    bench.session.edit("transforms", twice)
    bench.settle()
    (problem,) = [one for one in bench.session.problems if one.severity == "warning"][:1]
    assert bench.preview.oddities.isVisible()
    assert bench.preview.oddities.findChild(QWidget, "transforms.odd.problem").text() == problem.sentence  # type: ignore[attr-defined]
    assert not bench.strip.card.isVisible()
    bench.preview.oddities.repair_chosen.emit(problem.repairs[0])
    bench.settle()
    assert problem not in bench.session.problems
