"""The Dataset page: choosing, splitting, filtering, pinning, and every state in which there are no pictures."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QFileDialog, QLabel, QWidget

from gui_lab.core.experiment import default
from gui_lab.core.images import DATASETS, Dataset, InMemory, Progress
from gui_lab.errors import DataError
from gui_lab.qt.pages.dataset import OWN, DatasetPage
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.class_bars import ClassBars
from gui_lab.schema import knob

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def slow(qapp):
    """A data set that counts to a hundred and waits at 40 until its gate opens; it may also fail."""

    class Slow(Dataset):
        """Comes in its own time."""

        group: ClassVar[str] = "Downloads"
        downloads: ClassVar[bool] = True
        gate: ClassVar[threading.Event] = threading.Event()
        failing: ClassVar[bool] = False
        asked: ClassVar[list[bool]] = []
        root: str = knob("there", "A folder.")

        def open(self, download=False):
            self.asked.append(download)
            yield Progress("Fetching Slow", 40, 100, "files")
            while not self.gate.wait(0.01):
                yield Progress("Fetching Slow", 40, 100, "files")
            if self.failing and not download:
                raise DataError("Slow is not there yet.", "Download it or choose the folder that has it.")
            pixels = np.zeros((40, 1, 8, 8), np.uint8)
            return self.with_split(InMemory(pixels), np.arange(40) % 2, ["even", "odd"], test=np.arange(30, 40))

    DATASETS.add(Slow)
    yield Slow
    Slow.gate.set()
    DATASETS.remove("Slow")


@pytest.fixture
def session():
    made = Session(default())
    yield made
    made.close()


@pytest.fixture
def page(qtbot, session):
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = DatasetPage(session)
    qtbot.addWidget(made)
    made.resize(1208, 680)
    with qtbot.waitExposed(made):
        made.show()
    session.open_images()
    qtbot.waitUntil(lambda: session.images is not None)
    yield made
    made.close_down()


def named(page: QWidget, name: str) -> QWidget:
    """The visible widget of this name."""
    found = [widget for widget in page.findChildren(QWidget, name) if widget.isVisible()]
    assert len(found) == 1, f"{len(found)} visible widgets are named {name}"
    return found[0]


def press(page: QWidget, name: str) -> None:
    QTest.mouseClick(named(page, name), LEFT)


def choose(page: DatasetPage, name: str) -> None:
    QTest.mouseClick(page.catalogue.viewport(), LEFT, pos=page.catalogue.rectangle_of(name).center())


def choose_class(page: DatasetPage, row: int) -> None:
    classes = page.gallery.classes
    QTest.mouseClick(classes.viewport(), LEFT, pos=classes.visualRect(classes.model().index(row, 0)).center())


def text(page: QWidget, name: str) -> str:
    label = named(page, name)
    assert isinstance(label, QLabel)
    return label.text()


def folder_of(root, **classes: int):
    """A folder of pictures of 90x90 to 90x93 pixels, so many of each class."""
    for name, count in classes.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (90, 90 + number % 4), (number * 20, 80, 160)).save(root / name / f"{number}.png")
    return root


# -------------------------------------------------------------------- the chosen data set


def test_what_it_is_stands_above_the_pictures(page):
    assert text(page, "dataset.name") == "Digits"
    assert text(page, "dataset.size") == "1,797 pictures 8x8 grey, 10 classes"
    assert "CC BY 4.0" in text(page, "dataset.origin")
    assert "Alpaydin" in text(page, "dataset.origin")


def test_the_split_is_told_in_numbers_that_add_up(page, session):
    images = session.images
    said = page.gallery.split.parts()
    assert said[0].startswith(f"Training {len(images.train):,} (80")
    assert said[1].startswith(f"Validation {len(images.validation):,} (20")
    assert "seed 0" in page.gallery.split.accessibleDescription()
    assert len(images.train) + len(images.validation) == 1797


def test_every_entry_of_the_catalogue_can_be_seen_under_its_group(page):
    model = page.catalogue.model()
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    said = [row.data() for row in rows]
    for dataset in DATASETS:
        assert said.index(dataset.group) < said.index(dataset.name_of())
        assert page.catalogue.viewport().rect().contains(page.catalogue.rectangle_of(dataset.name_of()))
    headings = {dataset.group for dataset in DATASETS}
    assert all((row.data() in headings) != bool(row.flags() & Qt.ItemFlag.ItemIsEnabled) for row in rows)


def test_a_click_on_an_entry_opens_it_and_shows_its_knobs(page, session, qtbot):
    choose(page, "Shapes")
    assert session.experiment.dataset.name_of() == "Shapes"
    qtbot.waitUntil(lambda: session.images is not None)
    assert text(page, "dataset.name") == "Shapes"
    assert named(page, "dataset.clutter").isEnabled()
    session.undo()
    assert page.catalogue.currentIndex().data() == "Digits"


def test_the_arrow_keys_pass_over_headings(page, session, qtbot):
    page.catalogue.setFocus()
    QTest.keyClick(page.catalogue, Qt.Key.Key_Down)
    assert session.experiment.dataset.name_of() == "Shapes"
    QTest.keyClick(page.catalogue, Qt.Key.Key_Down)
    assert session.experiment.dataset.name_of() == "MNIST"
    QTest.keyClick(page.catalogue, Qt.Key.Key_Up)
    QTest.keyClick(page.catalogue, Qt.Key.Key_Up)
    assert session.experiment.dataset.name_of() == "Digits"
    qtbot.waitUntil(lambda: session.images is not None)


def test_coming_back_to_a_data_set_brings_its_settings_back(page, session, qtbot):
    session.edit("dataset.split_seed", 7)
    choose(page, "Shapes")
    choose(page, "Digits")
    assert session.experiment.dataset.split_seed == 7
    qtbot.waitUntil(lambda: session.images is not None)


def test_another_split_seed_splits_anew_without_showing_an_opening(page, session, qtbot):
    before = session.images.validation
    box = named(page, "dataset.split_seed")
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    assert session.experiment.dataset.split_seed == 1
    assert page.stack.currentWidget() is page.gallery
    qtbot.waitUntil(lambda: session.images is not None)
    assert not np.array_equal(session.images.validation, before)
    assert "seed 1" in page.gallery.split.accessibleDescription()
    assert page.stack.currentWidget() is page.gallery


# -------------------------------------------------------------------- filters


def test_a_click_on_a_class_shows_only_its_pictures(page, session):
    choose_class(page, 4)
    labels = session.images.labels
    assert set(page.gallery.grid.indices()) == set(np.flatnonzero(labels == 3))
    choose_class(page, 0)
    assert len(page.gallery.grid.indices()) == 1797


def test_the_segments_show_one_part(page, session):
    press(page, "dataset.part.validation")
    assert set(page.gallery.grid.indices()) == set(session.images.validation)
    assert not named(page, "dataset.part.test").isEnabled()
    press(page, "dataset.part.all")
    assert len(page.gallery.grid.indices()) == 1797


def test_a_part_that_the_next_data_set_does_not_have_is_not_kept(slow, page, session, qtbot):
    slow.gate.set()
    session.edit("dataset", "Slow")
    qtbot.waitUntil(lambda: session.images is not None)
    press(page, "dataset.part.test")
    assert len(page.gallery.grid.indices()) == 10
    session.edit("dataset", "Digits")
    qtbot.waitUntil(lambda: session.images is not None)
    assert page.gallery.parts.key == "all"
    assert len(page.gallery.grid.indices()) == 1797


def test_a_class_says_its_count_in_each_part(page, session):
    images = session.images
    said = page.gallery.classes.model().index(4, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    held = [int((images.labels[part] == 3).sum()) for part in (images.train, images.validation, images.test)]
    assert said == f"3: {held[0]} training, {held[1]} validation, {held[2]} test"


def test_ten_thousand_classes_are_a_list_like_any_other(qtbot, qtmodeltester):
    bars = ClassBars()
    qtbot.addWidget(bars)
    bars.show_counts([f"class {i}" for i in range(10_000)], np.ones((3, 10_000), np.int64))
    bars.show()
    qtmodeltester.check(bars.model())
    with qtbot.waitSignal(bars.chosen) as said:
        bars.choose(9_999)
    assert said.args == [9_999]
    assert bars.viewport().rect().contains(bars.visualRect(bars.currentIndex()))


def test_the_catalogue_is_a_list_like_any_other(page, qtmodeltester):
    qtmodeltester.check(page.catalogue.model())


# -------------------------------------------------------------------- pins


def test_the_button_pins_and_unpins_the_chosen_picture(page, session):
    assert not named(page, "dataset.pin").isEnabled()
    grid = page.gallery.grid
    first = int(grid.indices()[0])
    QTest.mouseClick(grid.viewport(), LEFT, pos=grid.rectangle_of(first).center())
    assert f"Picture {first}, class 0, training" in text(page, "dataset.selected")
    press(page, "dataset.pin")
    assert first in session.pins
    assert named(page, "dataset.pin").text() == "Unpin"
    assert text(page, "dataset.pinned") == f"{len(session.pins)} pinned"
    press(page, "dataset.pin")
    assert first not in session.pins


def test_a_double_click_and_the_key_p_pin_too(page, session):
    grid = page.gallery.grid
    first, second = (int(index) for index in grid.indices()[:2])
    QTest.mouseDClick(grid.viewport(), LEFT, pos=grid.rectangle_of(first).center())
    assert first in session.pins
    QTest.mouseClick(grid.viewport(), LEFT, pos=grid.rectangle_of(second).center())
    QTest.keyClick(grid, Qt.Key.Key_P)
    assert second in session.pins


# -------------------------------------------------------------------- no pictures yet


def test_a_long_opening_shows_how_far_it_is_and_can_be_cancelled(slow, page, session, qtbot):
    session.edit("dataset", "Slow")
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.opening)
    assert text(page, "dataset.opening.doing") == "Fetching Slow"
    assert text(page, "dataset.opening.amount").startswith("40 of 100 files")
    assert page.opening.bar.value() == 400
    assert text(page, "dataset.name") == "Slow"
    press(page, "dataset.cancel")
    qtbot.waitUntil(lambda: session.data_error is not None)
    assert "cancelled" in text(page, "dataset.notice.sentence")
    slow.gate.set()
    press(page, "dataset.notice.again")
    qtbot.waitUntil(lambda: session.images is not None)
    assert page.stack.currentWidget() is page.gallery


def test_what_is_not_there_can_be_downloaded(slow, page, session, qtbot):
    slow.failing = True
    slow.gate.set()
    session.edit("dataset", "Slow")
    qtbot.waitUntil(lambda: session.data_error is not None)
    assert text(page, "dataset.notice.sentence") == "Slow is not there yet."
    assert "choose the folder" in text(page, "dataset.notice.remedy")
    press(page, "dataset.notice.download")
    qtbot.waitUntil(lambda: session.images is not None)
    assert slow.asked == [False, True]
    assert page.stack.currentWidget() is page.gallery


def test_what_is_elsewhere_can_be_found(slow, page, session, qtbot, tmp_path):
    slow.failing = True
    slow.gate.set()
    session.edit("dataset", "Slow")
    qtbot.waitUntil(lambda: session.data_error is not None)
    press(page, "dataset.notice.locate")
    dialog = page.findChild(QFileDialog)
    assert dialog.isVisible()
    dialog.fileSelected.emit(str(tmp_path))
    assert session.experiment.dataset.root == str(tmp_path)
    dialog.close()
    qtbot.waitUntil(lambda: session.data_error is not None)


# -------------------------------------------------------------------- own pictures


def test_own_pictures_are_invited_before_anything_changes(page, session):
    choose(page, OWN)
    assert session.experiment == default()
    assert "Drop a folder" in text(page, "dataset.notice.sentence")
    assert not page.form.isVisible()
    choose(page, "Digits")
    assert page.stack.currentWidget() is page.gallery
    assert page.form.isVisible()


def test_a_folder_is_chosen_in_a_dialog_that_blocks_nothing(page, session, qtbot, tmp_path):
    own = folder_of(tmp_path / "own", cat=5, dog=7)
    press(page, "dataset.choose_folder")
    dialog = page.findChild(QFileDialog)
    dialog.fileSelected.emit(str(own))
    dialog.close()
    qtbot.waitUntil(lambda: session.images is not None)
    assert session.experiment.dataset == DATASETS.make(OWN, root=own)
    assert page.catalogue.currentIndex().data() == OWN
    assert text(page, "dataset.size") == "12 pictures RGB, various sizes, 2 classes"


def test_a_folder_can_be_dropped_on_the_page(page, session, qtbot, tmp_path):
    own = folder_of(tmp_path / "own", cat=5, dog=7)
    carried = QMimeData()
    carried.setUrls([QUrl.fromLocalFile(str(own))])
    where, copy = QPoint(600, 300), Qt.DropAction.CopyAction
    entering = QDragEnterEvent(where, copy, carried, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, entering)
    assert entering.isAccepted()
    assert named(page, "dataset.drop").isVisible()
    dropping = QDropEvent(QPointF(where), copy, carried, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, dropping)
    assert not page.findChild(QLabel, "dataset.drop").isVisible()
    qtbot.waitUntil(lambda: session.images is not None)
    assert session.images.classes == ("cat", "dog")


def test_the_same_folder_dropped_again_is_looked_at_again(page, session, qtbot, tmp_path):
    own = folder_of(tmp_path / "own", cat=5, dog=7)
    page.take_folder(own)
    qtbot.waitUntil(lambda: session.images is not None)
    folder_of(own, emu=4)
    page.take_folder(own)
    qtbot.waitUntil(lambda: session.images is not None)
    assert session.images.classes == ("cat", "dog", "emu")


def test_what_is_no_folder_is_refused_in_words(page, session, qtbot, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    with qtbot.waitSignal(session.erred) as said:
        page.take_folder(file)
    assert "notes.txt is not a folder" in said.args[0].sentence
    assert session.experiment == default()


def test_a_folder_without_classes_says_what_is_expected(page, session, qtbot, tmp_path):
    (tmp_path / "bare").mkdir()
    page.take_folder(tmp_path / "bare")
    qtbot.waitUntil(lambda: session.data_error is not None)
    assert text(page, "dataset.notice.remedy") == session.data_error.remedy
    assert named(page, "dataset.notice.choose").isEnabled()


def test_unreadable_files_are_counted_and_listed_with_reasons(page, session, qtbot, tmp_path):
    own = folder_of(tmp_path / "own", cat=5, dog=7)
    (own / "cat" / "broken.png").write_bytes(b"not a picture")
    (own / "dog" / "empty.jpg").write_bytes(b"")
    page.take_folder(own)
    qtbot.waitUntil(lambda: session.images is not None)
    assert text(page, "dataset.skipped") == "2 files could not be read."
    press(page, "dataset.skipped.toggle")
    listed = named(page, "dataset.skipped.list").model()
    rows = [listed.index(row, 0).data() for row in range(listed.rowCount())]
    assert [row.partition(":")[0] for row in rows] == ["cat/broken.png", "dog/empty.jpg"]
    assert all(row.partition(": ")[2] for row in rows)


# -------------------------------------------------------------------- the page as a whole


def test_whatever_can_be_used_has_a_name_and_words_for_it(page):
    kinds = (QAbstractButton, QAbstractItemView)
    usable = [widget for kind in kinds for widget in page.findChildren(kind) if widget.isVisible()]
    usable.append(page.gallery.grid)
    assert len(usable) > 10
    for widget in usable:
        assert widget.objectName().startswith("dataset."), widget
        assert widget.accessibleName(), widget.objectName()
    names = [widget.objectName() for widget in usable]
    assert len(set(names)) == len(names)


def test_tab_goes_from_left_to_right_through_what_was_made_late(page, session, qtbot):
    choose(page, "Shapes")
    qtbot.waitUntil(lambda: session.images is not None)
    page.catalogue.setFocus()
    reached = []
    while len(reached) < 40 and "dataset.grid" not in reached:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget().objectName())
    in_order = ["dataset.choose_folder", "dataset.clutter", "dataset.split_seed", "dataset.classes", "dataset.grid"]
    assert [name for name in reached if name in in_order] == in_order


def test_the_page_holds_in_a_small_window_in_every_state(page, session, qtbot):
    for name in ("Digits", "MNIST", OWN):
        choose(page, name)
        qtbot.waitUntil(lambda: session.images is not None or session.data_error is not None)
        assert page.minimumSizeHint().width() <= 1024 - 72, name
        assert page.minimumSizeHint().height() <= 700 - 56 - 64, name


def test_importing_the_page_imports_nothing_heavy():
    code = (
        "import sys; from gui_lab import catalog; catalog.load(); import gui_lab.qt.pages.dataset;"
        "heavy = {'torch', 'torchvision'} & set(sys.modules); sys.exit(repr(heavy) if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
