"""The Model page: the real network layer by layer, as a table and to scale, and what is said where there is none."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
import torch
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QToolTip, QWidget
from torch import nn

from gui_lab.core.experiment import default
from gui_lab.core.learning import MODELS
from gui_lab.core.ledger import ledger
from gui_lab.core.pipeline import TRANSFORMS
from gui_lab.qt.pages.model import ModelPage
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.drawing import Drawing, blocks
from gui_lab.qt.views.layer_words import Row, in_words, megabytes

_FIRST = 60_000  # milliseconds; torch imports more of itself the first time
LEFT = Qt.MouseButton.LeftButton
LENET = [
    ("Conv2d", "6x28x28", "156"), ("ReLU", "6x28x28", "0"), ("MaxPool2d", "6x14x14", "0"),
    ("Conv2d", "16x10x10", "2,416"), ("ReLU", "16x10x10", "0"), ("MaxPool2d", "16x5x5", "0"),
    ("Flatten", "400", "0"), ("Linear", "120", "48,120"), ("ReLU", "120", "0"), ("Linear", "84", "10,164"),
    ("ReLU", "84", "0"), ("Linear", "10", "850"),
]  # fmt: skip


@pytest.fixture
def session(qtbot):
    """Digits at 28x28, opened."""
    resized = (TRANSFORMS.make("Resize", size=28), TRANSFORMS.make("ToTensor"))
    made = Session(default().edited("transforms", resized).edited("model", "LeNet5"))
    made.open_images()
    qtbot.waitUntil(lambda: made.images is not None)
    yield made
    made.close()


@pytest.fixture
def unready(qtbot, session):
    """The page before torch is imported."""
    THEME.install(QApplication.instance())
    THEME.choose("light")
    made = ModelPage(session)
    qtbot.addWidget(made)
    made.resize(1208, 680)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_down()


@pytest.fixture
def page(qtbot, session, unready):
    session.set_ready()
    qtbot.waitUntil(lambda: unready.stack.currentWidget() is unready.layers, timeout=_FIRST)
    return unready


def named(page: QWidget, name: str) -> QWidget:
    """The visible widget of this name."""
    found = [widget for widget in page.findChildren(QWidget, name) if widget.isVisible()]
    assert len(found) == 1, f"{len(found)} visible widgets are named {name}"
    return found[0]


def text(page: QWidget, name: str) -> str:
    label = named(page, name)
    assert isinstance(label, QLabel)
    return label.text()


def table(page: ModelPage) -> list[tuple[str, str, str]]:
    """Layer, output and parameters of each row."""
    model = page.layers.table.model()
    rows = range(model.rowCount())
    return [tuple(model.index(row, column).data() for column in (1, 3, 4)) for row in rows]


def choose(page: ModelPage, name: str) -> None:
    QTest.mouseClick(page.catalogue.viewport(), LEFT, pos=page.catalogue.rectangle_of(name).center())


# -------------------------------------------------------------------- the table


def test_lenet_is_told_as_every_textbook_tells_it(page):
    assert table(page) == LENET
    assert text(page, "model.total").startswith("61,706 parameters, 0.247")
    assert text(page, "model.input") == "gets 1x28x28 float32 and tells 10 classes apart"
    assert "LeCun" in text(page, "model.source")


@pytest.mark.parametrize("name", MODELS.names())
def test_the_sum_is_that_of_the_network_that_would_train(page, session, qtbot, name):
    session.edit("model", name)
    built = session.experiment.model.build((1, 28, 28), 10)
    expected = sum(parameter.numel() for parameter in built.parameters())
    qtbot.waitUntil(lambda: text(page, "model.total").startswith(f"{expected:,} parameters"))
    assert text(page, "model.name") == name


def test_a_click_on_an_entry_chooses_the_model_and_shows_its_knobs(page, session, qtbot):
    choose(page, "MLP")
    assert session.experiment.model.name_of() == "MLP"
    qtbot.waitUntil(lambda: [row[0] for row in table(page)] == ["Flatten", "Linear", "ReLU", "Linear"])
    assert named(page, "model.hidden").isEnabled()
    session.undo()
    qtbot.waitUntil(lambda: table(page) == LENET)
    assert page.catalogue.currentIndex().data() == "LeNet5"


def test_a_knob_changes_the_layers(page, session, qtbot):
    box = named(page, "model.padding")
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert session.experiment.model.padding == 1
    qtbot.waitUntil(lambda: table(page)[0][1] == "6x26x26")


def test_transforms_and_pictures_change_the_layers_too(page, session, qtbot):
    session.edit("transforms.0.size", 32)
    qtbot.waitUntil(lambda: table(page)[0][1] == "6x32x32")
    session.edit("dataset", "Shapes")
    qtbot.waitUntil(lambda: text(page, "model.input") == "gets 3x32x32 float32 and tells 8 classes apart")
    qtbot.waitUntil(lambda: table(page)[-1][1:] == ("8", "680"))


def test_a_table_of_two_rows_is_no_taller_than_they_are_and_its_sum_stands_below(page, session, qtbot):
    session.edit("model", "SoftmaxRegression")
    qtbot.waitUntil(lambda: len(table(page)) == 2)
    layers = page.layers
    qtbot.waitUntil(lambda: layers.table.minimumHeight() <= layers.table.height() <= layers.table.maximumHeight())
    qtbot.waitUntil(lambda: layers.table.geometry().bottom() < layers.sum.geometry().top())


def test_the_table_is_a_table_like_any_other(page, qtmodeltester):
    qtmodeltester.check(page.layers.table.model())


# -------------------------------------------------------------------- what is in the way


def test_before_torch_is_there_the_page_says_that_it_waits(unready, session, qtbot):
    assert "as soon as PyTorch is loaded" in text(unready, "model.notice.sentence")
    session.set_ready()
    qtbot.waitUntil(lambda: table(unready) == LENET, timeout=_FIRST)


def test_a_chain_that_does_not_fit_is_mended_here_or_there(page, session, qtbot):
    session.edit("transforms", (TRANSFORMS.make("Resize", size=28),))
    assert "transforms do not fit" in text(page, "model.notice.sentence")
    assert "float" in text(page, "model.notice.remedy")
    with qtbot.waitSignal(page.go) as said:
        QTest.mouseClick(named(page, "model.notice.go.transforms"), LEFT)
    assert said.args == ["Transforms"]
    QTest.mouseClick(named(page, "model.notice.repair.0"), LEFT)
    assert session.experiment.transforms[-1].name_of() == "ToTensor"
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.layers)
    assert table(page) == LENET


def test_pictures_that_are_too_small_are_told_with_the_repair(page, session, qtbot):
    session.edit("transforms", (TRANSFORMS.make("ToTensor"),))
    sentence = session.problems[0].sentence
    assert text(page, "model.notice.remedy") == sentence
    assert text(page, "model.problem") == sentence
    QTest.mouseClick(named(page, "model.repair.0"), LEFT)
    assert not session.problems
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.layers)


def test_without_pictures_the_way_leads_to_the_dataset_page(page, session, qtbot, tmp_path):
    session.edit("dataset", "MNIST")
    qtbot.waitUntil(lambda: session.data_error is not None)
    assert text(page, "model.notice.remedy") == session.data_error.sentence
    with qtbot.waitSignal(page.go) as said:
        QTest.mouseClick(named(page, "model.notice.go.dataset"), LEFT)
    assert said.args == ["Dataset"]
    session.edit("dataset", "Digits")
    qtbot.waitUntil(lambda: session.images is not None)
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page.layers)


def test_a_network_that_memory_cannot_hold_is_told(page, session, qtbot, monkeypatch):
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("no memory is left")

    monkeypatch.setattr(nn.Linear, "forward", full)
    session.edit("model", "MLP")
    qtbot.waitUntil(lambda: page.stack.currentWidget() is not page.layers)
    qtbot.waitUntil(lambda: "not enough memory" in text(page, "model.notice.remedy"))


def test_splitting_anew_does_not_make_the_page_flicker(page, session, qtbot):
    session.edit("dataset.split_seed", 3)
    assert page.stack.currentWidget() is page.layers
    qtbot.waitUntil(lambda: session.images is not None)
    assert page.stack.currentWidget() is page.layers


# -------------------------------------------------------------------- the drawing


def rows_of(network: nn.Module, shape: tuple[int, int, int]) -> list[Row]:
    class Given(MODELS.get("MLP")):
        def build(self, shape, classes):
            return network.to("meta")

    return [Row(row.kind, row.detail, row.output, row.parameters) for row in ledger(Given(), shape, 2)]


def test_activations_are_written_under_the_block_they_act_on():
    found = blocks((1, 28, 28), [Row("Conv2d", "", (6, 28, 28), 156), Row("ReLU", "", (6, 28, 28), 0)])
    assert [(block.kind, block.shape, block.followed) for block in found] == [
        ("Input", (1, 28, 28), []),
        ("Conv2d", (6, 28, 28), ["ReLU"]),
    ]


def test_a_convolution_that_keeps_its_shape_is_a_block_of_its_own():
    layers = (nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1))
    rows = rows_of(nn.Sequential(*layers), (3, 9, 9))
    assert [block.kind for block in blocks((3, 9, 9), rows)] == ["Input", "BatchNorm2d", "Conv2d", "Conv2d"]


def test_every_row_belongs_to_exactly_one_block(page):
    rows = [row for block in page.layers.drawing.blocks for row in block.rows if row >= 0]
    assert rows == list(range(len(LENET)))


def test_blocks_are_as_high_as_their_maps(page):
    drawing = page.layers.drawing
    boxes = [drawing.rectangle_of(place) for place in range(5)]
    scale = boxes[0].height() / 28
    assert [box.height() / scale for box in boxes] == pytest.approx([28, 28, 14, 10, 5], abs=0.01)
    assert boxes[1].width() > boxes[0].width()  # six maps beside one


@pytest.mark.parametrize("size", [(952, 580), (1208, 680), (1848, 900)])
@pytest.mark.parametrize("name", ["LeNet5", "MLP", "MNISTNet"])
def test_the_drawing_stays_inside_at_every_size(page, session, qtbot, size, name):
    session.edit("model", name)
    made = {"LeNet5": 9, "MLP": 4, "MNISTNet": 7}[name]
    qtbot.waitUntil(lambda: len(page.layers.drawing.blocks) == made)
    page.resize(*size)
    drawing = page.layers.drawing
    inside = drawing.rect().toRectF().adjusted(-0.5, -0.5, 0.5, 0.5)
    boxes = [drawing.rectangle_of(place) for place in range(len(drawing.blocks))]
    assert all(inside.contains(box) for box in boxes)
    assert all(one.right() < other.left() for one, other in itertools.pairwise(boxes))


def test_a_row_marks_its_block_and_a_block_chooses_its_row(page):
    drawing, rows = page.layers.drawing, page.layers.table
    before = drawing.grab().toImage()
    rows.selectRow(4)
    assert drawing.marked == 3
    assert drawing.grab().toImage() != before
    QTest.mouseClick(drawing, LEFT, pos=drawing.rectangle_of(5).center().toPoint())
    assert rows.currentIndex().row() == 6
    QTest.mouseClick(drawing, LEFT, pos=drawing.rectangle_of(0).center().toPoint())
    assert not rows.selectionModel().hasSelection()
    assert drawing.marked == -1


def test_a_block_says_its_numbers(page, qtbot):
    drawing = page.layers.drawing
    where = drawing.rectangle_of(3).center().toPoint()
    QApplication.sendEvent(drawing, QHelpEvent(QEvent.Type.ToolTip, where, drawing.mapToGlobal(where)))
    assert QToolTip.text() == "Conv2d: 16 maps of 10x10, 2,416 parameters, then ReLU"
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_a_deep_network_is_drawn_at_its_own_width_and_scrolls(qtbot):
    drawing = Drawing()
    qtbot.addWidget(drawing)
    drawing.resize(600, 240)
    drawing.show_blocks(blocks((3, 32, 32), [Row("Conv2d", "", (64, 32, 32), 1)] * 60))
    assert drawing.minimumWidth() > 60 * 40


def test_the_drawing_follows_the_scheme(page):
    light = page.layers.drawing.grab().toImage()
    THEME.choose("dark")
    dark = page.layers.drawing.grab().toImage()
    THEME.choose("light")
    assert light != dark


# -------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (nn.Conv2d(1, 6, 5), "6 filters 5x5"),
        (nn.Conv2d(3, 64, (3, 1), stride=2, padding=1), "64 filters 3x1, stride 2, padding 1"),
        (nn.Conv2d(64, 64, 3, groups=64), "64 filters 3x3, groups 64"),
        (nn.Linear(400, 1200), "1,200 units, each from 400"),
        (nn.MaxPool2d(2), "largest of 2x2"),
        (nn.MaxPool2d(3, stride=2), "largest of 3x3, stride 2"),
        (nn.AvgPool2d(2), "mean of 2x2"),
        (nn.AdaptiveAvgPool2d(1), "mean of areas, 1x1 of them"),
        (nn.BatchNorm2d(32), "32 channels to mean 0, deviation 1"),
        (nn.Dropout(0.25), "25\u2009% switched off at random while training"),
        (nn.Flatten(), "maps become one vector"),
        (nn.ReLU(), "negative values become 0"),
        (nn.PixelShuffle(3), "upscale_factor=3"),
    ],
)
def test_layers_are_told_in_words_as_torch_prints_them(layer, words):
    assert in_words(type(layer).__name__, layer.extra_repr()) == words


def test_what_another_torch_prints_is_shown_as_it_is():
    assert in_words("Conv2d", "shape=whatever") == "shape=whatever"


MEMORY = [(61_706, "0.247"), (11_689_512, "46.8"), (138_357_544, "553"), (0, "0")]


@pytest.mark.parametrize(("parameters", "said"), MEMORY)
def test_memory_has_three_significant_digits(parameters, said):
    assert megabytes(parameters) == f"{said}\u2009MB"


# -------------------------------------------------------------------- the page as a whole


def test_whatever_can_be_used_has_a_name_and_words_for_it(page):
    usable = [
        widget
        for kind in (QAbstractButton, QAbstractItemView)
        for widget in page.findChildren(kind)
        if widget.isVisible() and widget.objectName() != "qt_tableview_cornerbutton"
    ]
    named_ones = [widget for widget in usable if widget.objectName()]
    assert len(named_ones) >= 2
    assert all(widget.objectName().startswith("model.") for widget in named_ones)
    assert all(widget.accessibleName() for widget in named_ones)


def test_the_page_holds_in_a_small_window(page):
    assert page.minimumSizeHint().width() <= 1024 - 72
    assert page.minimumSizeHint().height() <= 700 - 56 - 64


def test_looking_into_a_network_draws_no_random_number(page, session, qtbot):
    state = torch.get_rng_state()
    choose(page, "MLP")
    qtbot.waitUntil(lambda: [row[0] for row in table(page)] == ["Flatten", "Linear", "ReLU", "Linear"])
    assert torch.equal(torch.get_rng_state(), state)


def test_importing_the_page_imports_nothing_heavy():
    code = (
        "import sys; from gui_lab import catalog; catalog.load(); import gui_lab.qt.pages.model;"
        "heavy = {'torch', 'torchvision'} & set(sys.modules); sys.exit(repr(heavy) if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
