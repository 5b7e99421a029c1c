"""The chain editor: transforms inside of transforms, presets, copy and paste, samples, and code that is read first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from torchvision.transforms import v2

from gui_lab.core import trust
from gui_lab.core.experiment import default
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.qt.chain_editor import ChainEditor
from gui_lab.qt.code_reader import CodeReader
from gui_lab.qt.session import Session

make = TRANSFORMS.make
FLIP, CROP = make("RandomHorizontalFlip"), make("CenterCrop", size=8)
NESTED = (make("RandomApply", transforms=(FLIP, CROP), p=0.5), *default().transforms)
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


class Bench:
    """An editor in a window of its own, and hands to use it."""

    def __init__(self, qtbot: Any, images: ImageSet, *transforms: Transform) -> None:
        self.qtbot = qtbot
        self.session = Session(default().edited("transforms", transforms or default().transforms))
        self.session.images, self.session._opened = images, self.session.experiment.dataset
        self.session.problems = self.session.experiment.problems(images)
        self.errors: list[Any] = []
        self.session.erred.connect(self.errors.append)
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(900, 680)
        self.editor = ChainEditor(self.session, self.window)
        self.editor.resize(340, 680)
        self.window.show()
        assert v2.Compose  # torch and torchvision are there, as in the lab by then
        self.session.set_ready()

    def names(self) -> list[str]:
        return [self.editor.list.row_at(row).number + " " + self.editor.list.row_at(row).name for row in self.rows]

    @property
    def rows(self) -> range:
        return range(self.editor.list.count())

    @property
    def chain(self) -> tuple[Transform, ...]:
        return self.session.experiment.transforms

    def go(self, row: int) -> None:
        self.editor.list.setCurrentRow(row)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.editor.list, key, modifiers)

    def act(self, name: str) -> None:
        action = next(one for one in self.editor.menu.findChildren(object, name))
        self.editor.menu.aboutToShow.emit()
        assert action.isEnabled()
        action.trigger()


@pytest.fixture
def bench(qtbot: Any, digits: ImageSet) -> Iterator[Bench]:
    made = Bench(qtbot, digits)
    yield made
    made.editor.close_down()
    made.session.close()


@pytest.fixture
def nested(qtbot: Any, digits: ImageSet) -> Iterator[Bench]:
    made = Bench(qtbot, digits, *NESTED)
    yield made
    made.editor.close_down()
    made.session.close()


# ---------------------------------------------------------------- transforms inside of transforms


def test_what_a_transform_holds_stands_below_it_set_in(nested: Bench) -> None:
    expected = ["1 RandomApply", "1.1 RandomHorizontalFlip", "1.2 CenterCrop", "2 ToTensor", "3 Normalize"]
    assert nested.names() == expected
    assert [nested.editor.list.row_at(row).depth for row in nested.rows] == [0, 1, 1, 0, 0]
    boxes = [nested.editor.list.box_of(row).left() for row in nested.rows]
    assert boxes[1] == boxes[2] > boxes[0] == boxes[3]


def test_the_form_edits_what_stands_inside(nested: Bench) -> None:
    nested.go(1)
    assert nested.editor.form.prefix == "transforms.0.transforms.0"
    assert nested.editor.current == 0
    nested.editor.form.edited.emit("transforms.0.transforms.0.p", 0.25)
    assert nested.chain[0].transforms[0].p == 0.25  # type: ignore[attr-defined]
    nested.session.undo()
    assert nested.chain == NESTED
    assert nested.editor.form.prefix == "transforms.0.transforms.0"


def test_inside_it_is_moved_switched_duplicated_and_removed(nested: Bench) -> None:
    nested.go(1)
    nested.key(Qt.Key.Key_Down, ALT)
    assert nested.names()[1:3] == ["1.1 CenterCrop", "1.2 RandomHorizontalFlip"]
    assert nested.editor.list.currentRow() == 2
    nested.key(Qt.Key.Key_Down, ALT)
    assert nested.editor.list.currentRow() == 2
    nested.key(Qt.Key.Key_Space)
    assert [one.enabled for one in nested.chain[0].transforms] == [True, False]  # type: ignore[attr-defined]
    nested.key(Qt.Key.Key_D, CONTROL)
    assert nested.names()[1:4] == ["1.1 CenterCrop", "1.2 RandomHorizontalFlip", "1.3 RandomHorizontalFlip"]
    nested.key(Qt.Key.Key_Delete)
    nested.key(Qt.Key.Key_Delete)
    assert nested.names()[:2] == ["1 RandomApply", "1.1 CenterCrop"]
    nested.key(Qt.Key.Key_Delete)
    assert nested.names() == ["1 ToTensor", "2 Normalize"]


def test_the_outer_one_moves_with_all_that_it_holds(nested: Bench) -> None:
    nested.go(0)
    nested.key(Qt.Key.Key_Down, ALT)
    assert nested.names()[:3] == ["1 ToTensor", "2 RandomApply", "2.1 RandomHorizontalFlip"]
    assert nested.editor.list.currentRow() == 1


def test_dragging_puts_a_transform_inside_of_another_and_out_again(nested: Bench) -> None:
    nested.editor.list.dropped.emit(2, 0)
    assert nested.names()[:3] == ["1 CenterCrop", "2 RandomApply", "2.1 RandomHorizontalFlip"]
    nested.editor.list.dropped.emit(0, 2)
    assert nested.names()[:3] == ["1 RandomApply", "1.1 CenterCrop", "1.2 RandomHorizontalFlip"]
    nested.editor.list.dropped.emit(0, 1)
    assert nested.names()[:3] == ["1 RandomApply", "1.1 CenterCrop", "1.2 RandomHorizontalFlip"]


def test_what_is_added_goes_beside_the_chosen_one(nested: Bench) -> None:
    nested.go(1)
    nested.editor.finder.chosen.emit("CenterCrop")
    assert nested.names()[:4] == ["1 RandomApply", "1.1 RandomHorizontalFlip", "1.2 CenterCrop", "1.3 CenterCrop"]
    assert nested.editor.list.currentRow() == 2
    nested.go(-1)
    nested.editor.finder.chosen.emit("CenterCrop")
    assert nested.names()[-1] == "4 CenterCrop"


# ---------------------------------------------------------------- presets, copy and paste


@pytest.mark.parametrize("verb", ["python", "toml"])
def test_a_copied_chain_is_pasted_as_it_was(nested: Bench, verb: str) -> None:
    nested.act(f"transforms.copy_{verb}")
    nested.session.edit("transforms", default().transforms)
    nested.act("transforms.paste_instead")
    assert nested.errors == []
    assert nested.chain == NESTED
    nested.session.undo()
    assert nested.chain == default().transforms


def test_what_is_pasted_comes_after_the_chosen_one(bench: Bench) -> None:
    QGuiApplication.clipboard().setText("v2.Compose([v2.CenterCrop(8), v2.RandomHorizontalFlip(p=0.25)])")
    bench.go(0)
    bench.act("transforms.paste")
    assert bench.names() == ["1 ToTensor", "2 CenterCrop", "3 RandomHorizontalFlip", "4 Normalize"]


def test_text_that_is_no_chain_changes_nothing_and_says_why(bench: Bench) -> None:
    QGuiApplication.clipboard().setText("v2.Compose([v2.CenterCrop(8), open('x')])")
    bench.act("transforms.paste_instead")
    assert bench.chain == default().transforms
    assert len(bench.errors) == 1


def test_a_preset_replaces_the_chain_in_one_step(bench: Bench) -> None:
    bench.act("transforms.preset.Digits")
    assert bench.chain != default().transforms
    assert bench.session.problems == [] or all(p.severity == "warning" for p in bench.session.problems)
    bench.session.undo()
    assert bench.chain == default().transforms


# ---------------------------------------------------------------- samples


def test_the_list_of_what_can_be_added_shows_what_each_does(bench: Bench) -> None:
    bench.editor.add.click()
    catalogue = bench.editor.finder.list
    bench.qtbot.waitUntil(lambda: bool(catalogue.pictures), timeout=20_000)
    assert catalogue.pictures is not None
    assert {"CenterCrop", "Normalize", "RandomRotation"} <= set(catalogue.pictures)
    assert catalogue.pictures["RandomHorizontalFlip"] != catalogue.pictures["ToTensor"]


# ---------------------------------------------------------------- code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text("class Mine:\n    def __call__(self, picture):\n        return picture.flip(-1)\n")
    return path


def test_code_is_read_before_it_is_trusted(bench: Bench, file: Path) -> None:
    reader = CodeReader(bench.window)
    bench.session.code_shown.connect(reader.show_code)
    reader.trusted.connect(bench.session.trust)
    table = {"name": "Own", "file": str(file), "transform": "Mine"}
    bench.session.edit("transforms", (TRANSFORMS.parse(table, ""), *default().transforms))
    problem = bench.session.problems[0]
    assert "not trusted" in problem.sentence
    bench.session.repair(problem.repairs[0])
    text = bench.window.findChild(QPlainTextEdit, "code.text")
    assert "flip(-1)" in text.toPlainText()
    QTest.mouseClick(bench.window.findChild(QWidget, "code.leave"), Qt.MouseButton.LeftButton)
    assert bench.session.problems[0] == problem
    bench.go(0)
    own = bench.editor.own_code
    assert own.isVisibleTo(bench.editor)
    assert not own.test.isEnabled()
    own.read.click()
    QTest.mouseClick(bench.window.findChild(QWidget, "code.trust"), Qt.MouseButton.LeftButton)
    assert bench.session.problems == []
    code = bench.chain[0].code()
    assert code is not None
    assert trust.is_trusted(code)
    own.test.click()
    bench.qtbot.waitUntil(lambda: own.found.text().count("✓") == 5, timeout=20_000)
    reader.close()


def test_a_transform_is_taken_from_a_file(bench: Bench, file: Path) -> None:
    bench.editor.own.take(file)
    assert bench.names() == ["1 ToTensor", "2 Mine", "3 Normalize"] or bench.names()[0] == "1 Mine"
    assert bench.chain[bench.editor.current].title == "Mine"


def test_the_example_offers_its_transforms_by_name(bench: Bench, tmp_path: Path) -> None:
    bench.editor.own.write_example(tmp_path / "example.py")
    assert [action.text() for action in bench.editor.own.menu.actions()] == ["Vignette", "RandomShade"]
    bench.editor.own.menu.actions()[1].trigger()
    bench.editor.own.menu.close()
    assert bench.chain[bench.editor.current].title == "RandomShade"
    assert bench.chain[bench.editor.current].random


@pytest.mark.parametrize("text", ["def (", "x = 1"])
def test_a_file_without_a_transform_changes_nothing_and_says_why(bench: Bench, file: Path, text: str) -> None:
    file.write_text(text)
    bench.editor.own.take(file)
    assert len(bench.errors) == 1
    assert bench.chain == default().transforms


def test_an_example_that_cannot_be_written_says_so(bench: Bench, tmp_path: Path) -> None:
    bench.editor.own.write_example(tmp_path / "nowhere" / "example.py")
    assert "could not be written" in bench.errors[0].sentence


def test_dropping_a_row_with_the_mouse_moves_it(bench: Bench) -> None:
    view = bench.editor.list
    start, end = view.visualItemRect(view.item(0)).center(), view.visualItemRect(view.item(1))
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view.viewport(), start + QPoint(0, 20))
    QTest.mouseMove(view.viewport(), QPoint(start.x(), end.bottom() - 4))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(start.x(), end.bottom() - 4))
    assert bench.names() == ["1 Normalize", "2 ToTensor"]
