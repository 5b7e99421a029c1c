"""The frame: what is there before anything heavy, places, files, what is remembered, and all the ways to leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from gui_lab.core import experiment as experiments
from gui_lab.qt.app import Lab
from gui_lab.qt.menu import last_session
from gui_lab.qt.running import State
from gui_lab.qt.theme import THEME
from gui_lab.qt.window import PLACES

FIRST_PAINT = """
import json, sys
from PySide6.QtCore import QTimer
from gui_lab.qt.app import Lab, application
app = application()
lab = Lab()
heavy = ("torch", "torchvision", "gui_lab.qt.pages.train", "gui_lab.core.runs")

def painted():
    window = lab.window
    print(json.dumps({
        "imported": [name for name in heavy if name in sys.modules],
        "session": window.session is not None,
        "shown": [window.isVisible(), window.stack.waiting.isVisible(), window.title.text()],
        "enabled": [name for name, action in window.actions_by_name.items() if action.isEnabled()],
    }))
    lab._pending.stop()
    QTimer.singleShot(0, window.close)

lab.window.painted.connect(painted)
lab.show()
app.exec()
"""


def child(code: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=pipe, stderr=pipe, text=True)


def noise(err: str) -> list[str]:
    """What a process wrote to stderr, but for what the offscreen platform says about having no window manager."""
    return [line for line in err.splitlines() if line and "This plugin does not support" not in line]


def test_the_frame_is_painted_before_pages_and_torch_are_there():
    process = child(FIRST_PAINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said == {"imported": [], "session": False, "shown": [True, True, "Dataset"], "enabled": ["quit"]}
    assert noise(err) == []


# ---------------------------------------------------------------- places and edits


def test_the_rail_and_its_shortcuts_show_each_place_with_its_line(lab):
    window = lab.lab.window
    for number, (name, _) in reversed(list(enumerate(PLACES, 1))):
        lab.hands.press(window, f"Ctrl+{number}")
        page = window.page(name)
        lab.hands.wait(page.isVisible, f"{name} is shown")
        assert (window.title.text(), window.line.text()) == (name, page.line)
        assert window.places.checkedId() == number - 1
    lab.hands.click("rail.train")
    assert window.page("Train").isVisible()


def test_undo_and_redo_follow_what_can_be_undone(lab):
    undo, redo = lab.hands.find("header.undo"), lab.hands.find("header.redo")
    assert not undo.isEnabled()
    assert not redo.isEnabled()
    first = lab.experiment
    lab.train.set(epochs=3)
    assert undo.isEnabled()
    lab.hands.press(lab.lab.window, "Ctrl+Z")
    assert lab.experiment == first
    assert not undo.isEnabled()
    lab.hands.click(redo)
    assert lab.experiment.training.epochs == 3
    assert not redo.isEnabled()


# ---------------------------------------------------------------- files


def test_the_title_names_the_file_and_marks_changes(lab, tmp_path):
    window = lab.lab.window
    assert window.windowTitle() == "GUI Lab[*]"
    lab.train.set(epochs=3)
    assert not window.isWindowModified()  # there is no file yet that it could differ from
    lab.save_as(tmp_path / "mine.lab")
    assert window.windowTitle() == "mine.lab[*] – GUI Lab"
    assert not window.isWindowModified()
    lab.train.set(epochs=4)
    assert window.isWindowModified()
    lab.hands.press(window, "Ctrl+S")
    assert not window.isWindowModified()
    assert experiments.load(tmp_path / "mine.lab") == lab.experiment
    lab.undo()
    assert window.isWindowModified()
    lab.hands.press(window, "Ctrl+N")
    assert window.windowTitle() == "GUI Lab[*]"
    assert lab.experiment == experiments.default()


def test_saving_without_a_file_asks_for_one_and_adds_the_ending(lab, tmp_path):
    window = lab.lab.window
    lab.hands.press(window, "Ctrl+S")
    lab.hands.wait(lambda: lab.hands.sees("file_dialog"), "the file dialog opens")
    lab.hands.press("file_dialog", "Esc")
    lab.hands.wait(lambda: not lab.hands.sees("file_dialog"), "it closes")
    assert lab.lab.session.file is None
    lab.hands.press(window, "Ctrl+S")
    lab.in_dialog(tmp_path / "named")
    assert lab.lab.session.file == tmp_path / "named.lab"
    assert (tmp_path / "named.lab").exists()


def test_saving_to_a_place_that_cannot_be_written_is_a_banner_and_changes_nothing(lab, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    lab.lab.window._guarded(lambda: lab.lab.window._save_to(tmp_path / "file" / "mine.lab"))
    assert "mine.lab" in lab.banner()
    assert lab.lab.session.file is None
    assert lab.lab.settings.recent() == []
    lab.hands.click("banner.close")
    assert lab.banner() == ""


def recent_menu(lab) -> dict[str, object]:
    menu = lab.lab.window.menu
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu._recent.actions() if action.text()}


def test_recent_files_are_listed_missing_ones_greyed_and_the_list_is_cleared(lab, tmp_path):
    experiment = lab.experiment
    for number in range(12):
        experiment.save(tmp_path / f"{number}.lab")
        lab.lab.window.open_file(tmp_path / f"{number}.lab")
    (tmp_path / "8.lab").unlink()
    listed = recent_menu(lab)
    assert [text for text in listed if text.endswith(".lab")] == [f"{number}.lab" for number in range(11, 1, -1)]
    assert not listed["8.lab"].isEnabled()
    assert listed["7.lab"].toolTip() == str(tmp_path / "7.lab")
    listed["7.lab"].trigger()
    assert lab.lab.session.file == tmp_path / "7.lab"
    recent_menu(lab)["Clear the list"].trigger()
    listed = recent_menu(lab)
    assert [text for text in listed if text.endswith(".lab")] == []
    assert not listed["Clear the list"].isEnabled()


def test_the_menu_offers_the_schemes_and_the_choice_is_kept(lab):
    lab.lab.window.menu.aboutToShow.emit()
    schemes = {action.objectName(): action for action in lab.lab.window.menu._appearance.actions()}
    assert schemes["action.scheme.system"].isChecked()
    schemes["action.scheme.dark"].trigger()
    assert THEME.dark
    assert lab.lab.settings.scheme() == "dark"
    lab.lab.window.choose_scheme("system")


def test_the_next_start_restores_geometry_place_and_scheme_and_offers_the_last_session(lab):
    from gui_lab.testing import start

    window = lab.lab.window
    window.resize(1000, 700)  # an offscreen screen is no wider
    window.choose_scheme("dark")
    lab.train.set(epochs=7)
    left = lab.experiment
    window.close()
    THEME.choose("system")
    again = start()
    try:
        assert again.lab.window.size() == window.size()
        assert again.lab.window.title.text() == "Train"
        assert THEME.dark
        offered = recent_menu(again)["The last session, as it was left"]
        assert offered.isEnabled()
        offered.trigger()
        assert again.experiment == left
        assert again.lab.settings.recent() == []
        assert again.lab.session.file is None or again.lab.session.file == last_session()
    finally:
        again.lab.window.choose_scheme("system")
        again.close()


@pytest.mark.parametrize(("width", "height", "fills"), [(1280, 800, True), (1200, 1000, True), (1440, 900, False)])
def test_a_first_start_fills_a_screen_that_would_cut_it_off(lab, monkeypatch, width, height, fills):
    window = lab.lab.window
    window.resize(1280, 800)
    screen = SimpleNamespace(availableSize=lambda: QSize(width, height))
    monkeypatch.setattr(window, "screen", lambda: screen)
    window.fit_screen()
    assert window.isMaximized() == fills


def test_a_place_that_a_person_has_chosen_is_kept(lab, monkeypatch):
    window = lab.lab.window
    monkeypatch.setattr(window.settings, "geometry", lambda: window.saveGeometry())
    monkeypatch.setattr(window, "screen", lambda: SimpleNamespace(availableSize=lambda: QSize(800, 600)))
    window.fit_screen()
    assert not window.isMaximized()


# ---------------------------------------------------------------- drops


def dropped(lab, *paths: Path | str) -> bool:
    """Drag and drop onto the window; whether it was taken."""
    data = QMimeData()
    data.setUrls([QUrl(path) if isinstance(path, str) else QUrl.fromLocalFile(str(path)) for path in paths])
    window = lab.lab.window
    where, copy = window.rect().center(), Qt.DropAction.CopyAction
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(where), copy, data, button, none)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(where), copy, data, button, none))
    return enter.isAccepted()


def test_a_dropped_experiment_opens(lab, tmp_path):
    lab.experiment.edited("training.epochs", 9).save(tmp_path / "nine.lab")
    assert dropped(lab, tmp_path / "nine.lab")
    assert lab.experiment.training.epochs == 9
    assert lab.lab.session.file == tmp_path / "nine.lab"


def test_a_dropped_folder_becomes_the_data_set(lab, lab_pictures):
    lab.go("Model")
    assert dropped(lab, lab_pictures)
    lab.dataset.wait_opened()
    assert lab.lab.window.page("Dataset").isVisible()
    assert lab.experiment.dataset.root == lab_pictures
    assert lab.lab.session.images.classes == ("bars", "discs")


def test_what_cannot_be_used_is_not_taken(lab, tmp_path):
    before = lab.experiment
    (tmp_path / "a.txt").write_text("words")
    lab.experiment.save(tmp_path / "a.lab")
    lab.experiment.save(tmp_path / "b.lab")
    assert not dropped(lab, tmp_path / "a.txt")
    assert not dropped(lab, tmp_path / "a.lab", tmp_path / "b.lab")
    assert not dropped(lab, "https://example.org/a.lab")
    assert not dropped(lab)
    assert lab.experiment == before


# ---------------------------------------------------------------- leaving


@pytest.fixture
def changed(lab, tmp_path):
    """A file with a change that is not saved."""
    lab.lab.session.save_file(tmp_path / "mine.lab")
    lab.lab.session.edit("training.epochs", 5)
    return tmp_path / "mine.lab"


def ask_to_close(lab, answer: str) -> None:
    lab.lab.window.close()
    lab.hands.wait(lambda: lab.hands.sees(f"question.{answer}"), "the question")
    lab.hands.click(f"question.{answer}")


def gone(lab) -> None:
    lab.hands.wait(lambda: not lab.lab.window.isVisible(), "the window closes")


def test_closing_with_changes_can_be_cancelled_also_by_escape(lab, changed):
    ask_to_close(lab, "cancel")
    assert lab.lab.window.isVisible()
    lab.lab.window.close()
    lab.hands.wait(lambda: lab.hands.sees("question"), "the question")
    lab.hands.press("question", "Esc")
    lab.hands.wait(lambda: not lab.hands.sees("question"), "it closes")
    assert lab.lab.window.isVisible()
    assert experiments.load(changed).training.epochs != 5
    lab.train.set(epochs=6)  # and it goes on working
    assert lab.experiment.training.epochs == 6


def test_closing_with_changes_can_save_them(lab, changed):
    ask_to_close(lab, "save")
    gone(lab)
    assert experiments.load(changed).training.epochs == 5


def test_closing_with_changes_can_leave_them_and_the_last_session_has_them(lab, changed):
    ask_to_close(lab, "quit")
    gone(lab)
    assert experiments.load(changed).training.epochs != 5
    assert experiments.load(last_session()).training.epochs == 5


def test_where_saving_fails_on_the_way_out_the_window_stays_and_says_so(lab, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    lab.lab.session.save_file(folder / "mine.lab")
    lab.lab.session.edit("training.epochs", 5)
    (folder / "mine.lab").unlink()
    folder.rmdir()
    folder.write_text("now a file")
    ask_to_close(lab, "save")
    lab.hands.wait(lambda: lab.banner() != "", "the banner")
    assert lab.lab.window.isVisible()
    assert lab.experiment.training.epochs == 5


def test_closing_while_training_with_changes_asks_about_both(lab, changed):
    lab.lab.session.edit("model", "SoftmaxRegression")
    lab.lab.session.edit("training.epochs", 9000)
    lab.train.start()
    lab.train.wait_iterations(3)
    ask_to_close(lab, "stop_and_quit")
    lab.hands.wait(lambda: lab.hands.sees("question.cancel"), "the second question")
    lab.hands.click("question.cancel")
    assert lab.train.state == State.TRAINING
    ask_to_close(lab, "stop_and_quit")
    lab.hands.wait(lambda: lab.hands.sees("question.save"), "the second question")
    lab.hands.click("question.save")
    gone(lab)
    assert experiments.load(changed).training.epochs == 9000
    assert lab.train.history.ended.reason == "stopped"


def test_a_window_closed_before_its_pages_came_closes_cleanly(qtbot):
    THEME.install(QApplication.instance())
    lab = Lab()
    with qtbot.waitSignal(lab.window.painted):
        lab.show()
    lab.window.close()
    qtbot.waitUntil(lambda: not lab._pending.isActive())
    assert lab.window.session is None
    assert not lab.loader.isRunning()
    lab.close()


TRAINING = """
import faulthandler, gc, sys
faulthandler.dump_traceback_later(60, exit=True)
import gui_lab.__main__ as program
from gui_lab.qt import app

furnish = app.Lab._furnish

def furnished(lab):
    furnish(lab)
    session, control = lab.session, lab.control
    session.edit("model", "SoftmaxRegression")
    session.edit("training.epochs", 9000)
    for changed in (session.ready_changed, session.images_changed):
        changed.connect(control.train)

    def tell():  # once it trains, and what is loaded by then is set aside from the collector
        if len(control.history.loss) > 5 and gc.get_freeze_count() > 100_000:
            print(control.history.started.run, flush=True)

    control.advanced.connect(tell)

app.Lab._furnish = furnished
sys.argv = ["gui-lab"]
sys.exit(program.main())
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_training_keeps_the_weights_and_leaves_with_its_status(number, status):
    process = child(TRAINING)
    assert process.stdout is not None
    run = Path(process.stdout.readline().strip())
    process.send_signal(number)
    _, err = process.communicate(timeout=90)
    assert process.returncode == status, err
    assert noise(err) == []
    assert (run / "last.safetensors").exists()
    assert json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["reason"] == "stopped"
