"""What is exported is what is shown (or all that was measured), and a failure is told with a remedy."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from gui_lab.core.events import BatchTrained, EpochEnded, RunStarted
from gui_lab.core.history import History
from gui_lab.errors import StoreError
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.curves import Curves

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def curves(qtbot):
    THEME.install(QApplication.instance())
    made = Curves()
    qtbot.addWidget(made)
    made.resize(480, 520)
    with qtbot.waitExposed(made):
        made.show()
    history = History()
    history.apply(RunStarted("", "cpu", 1, 3, 20, 64, 1280, 100, 1))
    for at in range(1, 61):
        history.apply(BatchTrained(-(-at // 20), (at - 1) % 20 + 1, 2.3 / at, 32, 64, at / 10, 0.1, 1.0))
        if at % 20 == 0:
            history.apply(EpochEnded(at // 20, 2.3 / at, 0.5, 2.5 / at, 0.01 * at, True, at / 10))
    made.show_history(history)
    yield made
    made.close_down()


def exported(qtbot, curves, path, title=""):
    with qtbot.waitSignal(curves.exported) as told:
        curves.export(path, title)
    assert told.args == [path]
    return path


def test_a_picture_has_the_plots_in_their_colours_at_twice_their_size(curves, qtbot, tmp_path):
    picture = QImage(str(exported(qtbot, curves, tmp_path / "run.png", "Network on Digits")))
    assert picture.width() >= 2 * curves.loss.width()
    assert picture.height() >= 2 * (curves.loss.height() + curves.accuracy.height())
    seen = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 2) for y in range(picture.height())}
    assert {THEME.colours.surface, THEME.colours.training, THEME.colours.validation, THEME.colours.best} <= seen


def test_a_drawing_has_its_words_as_words_and_its_lines_as_lines_that_are_clipped(curves, qtbot, tmp_path):
    curves.loss.moved.emit(1.0, 3.1)
    curves.loss.fix_y(0.0, 0.05)
    text = exported(qtbot, curves, tmp_path / "run.svg", "Network <on> & Digits").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    told = {"".join(one.itertext()).strip() for one in root.iter(f"{SVG}text")}
    assert {"Network <on> & Digits", "Loss", "Accuracy, %", "validation", "epoch"} <= told
    assert any(word.startswith("best") for word in told)
    assert list(root.iter(f"{SVG}polyline"))
    assert "clip-path" in text


def test_a_hidden_plot_is_not_in_the_picture(curves, qtbot, tmp_path):
    curves.tools.actions_of["accuracy"].trigger()
    told = exported(qtbot, curves, tmp_path / "run.svg").read_text(encoding="utf-8")
    assert "Loss" in told
    assert "Accuracy" not in told


def test_a_table_has_all_values_also_of_hidden_plots(curves, qtbot, tmp_path):
    lines = exported(qtbot, curves, tmp_path / "RUN.CSV").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 61
    assert lines[20].split(",")[:5] == ["20", "1", "2.0", repr(2.3 / 20), "0.1"]


@pytest.mark.parametrize("name", ["run.bmp", "run"])
def test_another_ending_is_answered_with_those_there_are(curves, qtbot, tmp_path, name):
    with qtbot.waitSignal(curves.export_failed) as told:
        curves.export(tmp_path / name)
    (error,) = told.args
    assert isinstance(error, StoreError)
    assert all(suffix in error.remedy for suffix in (".png", ".svg", ".csv"))
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["run.png", "run.svg", "run.csv"])
def test_where_nothing_can_be_written_it_is_said_with_a_remedy(curves, qtbot, tmp_path, name):
    with qtbot.waitSignal(curves.export_failed) as told:
        curves.export(tmp_path / "nowhere" / name)
    (error,) = told.args
    assert name in error.sentence
    assert "folder" in error.remedy
    assert not (tmp_path / "nowhere").exists()


def test_the_button_asks_for_a_path(curves, qtbot):
    with qtbot.waitSignal(curves.export_wanted):
        curves.tools.export.click()


def test_curves_that_close_write_no_more(curves, tmp_path):
    curves._closing.set()
    curves.export(tmp_path / "run.csv")
    curves.close_down()
    assert not (tmp_path / "run.csv").exists()
    assert not list(tmp_path.glob(".run.csv*"))
