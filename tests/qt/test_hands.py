"""The robot's hands do what a person can do, refuse the rest with a reason, and leave evidence; leaks are named.

Offscreen these are the hands of Qt's own events, under an X server those that hold the real pointer and keyboard.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QThread, QThreadPool, QTimer
from PySide6.QtGui import QAction, QImage, QMouseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.testing import RobotError
from gui_lab.testing.hands import Hands
from gui_lab.testing.leaks import Watch
from gui_lab.testing.pointer import hands_for


class Board(QFrame):
    """Notes where it was pressed, dragged to, let go, and clicked twice."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("board")
        self.setMinimumSize(300, 120)
        self.noted: list[tuple[QEvent.Type, QPoint]] = []

    def note(self, event: QMouseEvent) -> None:
        self.noted.append((event.type(), event.position().toPoint()))

    mousePressEvent = mouseMoveEvent = mouseReleaseEvent = mouseDoubleClickEvent = note  # noqa: N815 - Qt's names

    def points(self, kind: QEvent.Type) -> list[QPoint]:
        return [point for one, point in self.noted if one == kind]


class Window(QMainWindow):
    """A window with one of each that hands are for."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle("Hands")
        self.pressed: list[str] = []
        self.board = Board()
        self.line, self.number, self.box, self.combo = QLineEdit(), QSpinBox(), QCheckBox("Shuffle"), QComboBox()
        self.number.setRange(0, 1000)
        self.combo.addItems(["red", "green", "blue", "grey"])
        self.go, self.off, self.hidden = self.button("go"), self.button("off"), self.button("hidden")
        self.off.setEnabled(False)
        self.off.setToolTip("Nothing is chosen yet.")
        self.deep = self.button("deep")
        column = QVBoxLayout()
        for name, widget in (("line", self.line), ("number", self.number), ("box", self.box), ("combo", self.combo)):
            widget.setObjectName(name)
            column.addWidget(widget)
        for other in (self.go, self.off, self.hidden, self.board, self.scrolled()):
            column.addWidget(other)
        whole = QWidget()
        whole.setLayout(column)
        self.setCentralWidget(whole)
        self.hidden.hide()

    def button(self, name: str) -> QPushButton:
        button = QPushButton(name.capitalize())
        button.setObjectName(name)
        button.clicked.connect(lambda: self.pressed.append(name))
        return button

    def scrolled(self) -> QScrollArea:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addSpacing(900)
        column.addWidget(self.deep)
        area = QScrollArea()
        area.setWidget(inner)
        area.setFixedHeight(80)
        return area


@pytest.fixture
def window(qapp) -> Iterator[Window]:
    window = Window()
    window.show()
    yield window
    window.close()
    window.deleteLater()


@pytest.fixture
def hands(window, tmp_path) -> Hands:
    hands = hands_for(window, evidence=tmp_path / "evidence")
    hands.back_to_window()
    return hands


# -------------------------------------------------------------------- what a person can do


def test_a_click_lands_at_the_very_point(hands, window):
    hands.click(window.board, QPoint(20, 30))
    hands.click(window.board, QPoint(200, 90))
    hands.click(window.board, QPoint(200, 90))
    assert window.board.points(QEvent.Type.MouseButtonPress)[:2] == [QPoint(20, 30), QPoint(200, 90)]
    assert window.board.points(QEvent.Type.MouseButtonRelease) == [QPoint(20, 30), QPoint(200, 90), QPoint(200, 90)]


def test_two_clicks_are_a_double_click(hands, window):
    hands.click("board", QPoint(50, 50), times=2)
    assert window.board.points(QEvent.Type.MouseButtonDblClick) == [QPoint(50, 50)]


def test_a_drag_begins_and_ends_where_it_should_and_is_felt_between(hands, window):
    hands.drag(window.board, QPoint(10, 10), QPoint(250, 90))
    assert window.board.points(QEvent.Type.MouseButtonPress) == [QPoint(10, 10)]
    assert window.board.points(QEvent.Type.MouseButtonRelease) == [QPoint(250, 90)]
    assert len(set(window.board.points(QEvent.Type.MouseMove)) - {QPoint(10, 10), QPoint(250, 90)}) >= 6


def test_a_button_deep_in_a_page_is_scrolled_to(hands, window):
    hands.click("deep")
    assert window.pressed == ["deep"]


@pytest.mark.parametrize("text", ["/tmp/My_A=1, b-(2)+C~x.LAB?#\"'", "-aabb", "Größe/été"])
def test_capitals_signs_and_letters_of_other_tongues_are_typed_as_they_are(hands, window, text):
    hands.type_into("line", text)
    assert window.line.text() == text


def test_what_was_in_an_editor_is_replaced(hands, window):
    window.line.setText("what was there before")
    hands.type_into("line", "aabb")
    hands.set_field("line", (1, 2.5))
    assert window.line.text() == "1, 2.5"
    assert not window.line.hasFocus()


def test_fields_are_set_in_the_way_of_their_kind(hands, window):
    hands.set_field("number", 128)
    hands.set_field("box", True)
    hands.set_field("box", True)
    hands.set_field("combo", "grey")
    hands.set_field("combo", "green")
    assert (window.number.value(), window.box.isChecked(), window.combo.currentText()) == (128, True, "green")
    with pytest.raises(RobotError, match="go is not an editor"):
        hands.set_field("go", 1)


@pytest.mark.parametrize("keys", ["Ctrl+Shift+S", "F5", "Alt+Up", "PgDown", "Ctrl+=", "Esc"])
def test_keys_reach_the_shortcuts_of_the_window(hands, window, keys):
    done: list[str] = []
    action = QAction("Do", window)
    action.setShortcut(keys)
    action.triggered.connect(lambda: done.append(keys))
    window.addAction(action)
    hands.press(window, keys)
    assert done == [keys]


def test_what_an_editor_makes_of_a_key_no_shortcut_gets(hands, window):
    action = QAction("Delete all", window)
    action.setShortcut("Del")
    action.triggered.connect(lambda: window.pressed.append("all"))
    window.addAction(action)
    hands.type_keys("line", "ab")
    hands.press("line", "Home")
    hands.press(window, "Del")
    assert window.line.text() == "b"
    assert window.pressed == []


def test_a_question_is_answered_by_a_click_and_keys_come_back_to_the_window(hands, window):
    box = QMessageBox(window)
    box.setText("Shall it be done?")
    yes = box.addButton("Do it", QMessageBox.ButtonRole.AcceptRole)
    yes.clicked.connect(lambda: window.pressed.append("yes"))
    box.open()
    with pytest.raises(RobotError, match="go is behind a dialog"):
        hands.click("go")
    with pytest.raises(RobotError, match="line is behind a dialog"):
        hands.type_keys(window.line, "x")
    hands.click_button("Do it")
    hands.wait(lambda: not box.isVisible(), "the question goes")
    hands.type_into("line", "and on")
    assert window.pressed == ["yes"]
    assert window.line.text() == "and on"


def test_a_thread_computes_while_the_robot_waits(hands):
    counted: list[int] = []

    def count() -> None:
        for number in range(200_000):
            counted.append(number)  # each turn needs Python's lock

    thread = threading.Thread(target=count)
    thread.start()
    hands.wait(lambda: not thread.is_alive(), "the thread ends", 30)
    assert len(counted) == 200_000


# -------------------------------------------------------------------- what a person could not do


def test_what_is_hidden_is_not_there(hands, window):
    assert not hands.sees("hidden")
    with pytest.raises(RobotError, match="no visible hidden"):
        hands.click("hidden")
    with pytest.raises(RobotError, match="hidden is not visible"):
        hands.click(window.hidden)
    with pytest.raises(RobotError, match="no visible button 'Hidden'"):
        hands.click_button("Hidden")
    assert window.pressed == []


def test_what_is_disabled_is_refused_with_its_reason(hands, window):
    with pytest.raises(RobotError, match=r"off is disabled: Nothing is chosen yet\."):
        hands.click("off")
    window.line.setEnabled(False)
    with pytest.raises(RobotError, match="line is disabled"):
        hands.type_keys("line", "x")
    with pytest.raises(RobotError, match="line is disabled"):
        hands.press("line", "Ctrl+A")
    assert window.line.text() == ""


def test_what_is_covered_is_refused_by_the_name_of_what_lies_over_it(hands, window):
    curtain = QFrame(window)
    curtain.setObjectName("curtain")
    curtain.setGeometry(window.rect())
    curtain.show()
    with pytest.raises(RobotError, match="go is covered by curtain"):
        hands.click("go")
    curtain.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    hands.click("go")
    assert window.pressed == ["go"]


def test_a_point_outside_of_what_is_in_sight_is_refused(hands, window):
    with pytest.raises(RobotError, match="board is"):
        hands.click("board", QPoint(20, window.board.height() + 2000))
    assert window.board.noted == []


def test_keys_are_not_given_to_what_takes_none(hands, window):
    with pytest.raises(RobotError, match="board cannot be reached by keyboard"):
        hands.press("board", "Space")


def test_an_entry_that_a_list_does_not_have_is_refused(hands, window):
    with pytest.raises(RobotError, match="combo has no entry 'violet'"):
        hands.choose("combo", "violet")
    assert window.combo.currentText() == "red"


def test_a_menu_that_would_stop_the_robot_is_refused(hands, window):
    button = QToolButton(window)
    button.setObjectName("menu")
    button.setMenu(QMenu(button))
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.show()
    with pytest.raises(RobotError, match="menu opens its menu in a loop of its own"):
        hands.click("menu")


def test_what_a_menu_does_not_offer_now_is_refused(hands, window):
    menu, chosen = QMenu(window), []
    menu.addAction("Copy", lambda: chosen.append("Copy"))
    menu.addAction("Paste").setEnabled(False)
    menu.popup(window.mapToGlobal(QPoint(20, 20)))
    with pytest.raises(RobotError, match="Paste cannot be chosen in the menu now"):
        hands.choose_in_menu("Paste")
    hands.scale = 0.01
    with pytest.raises(RobotError, match="in vain: the menu offers Fold"):
        hands.choose_in_menu("Fold")
    hands.scale = 1
    hands.choose_in_menu("Copy")
    assert chosen == ["Copy"]


# -------------------------------------------------------------------- waiting and evidence


def test_waiting_ends_as_soon_as_the_condition_holds(hands):
    timer, ticks = QTimer(), []
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start(1)
    hands.wait(lambda: len(ticks) >= 3, "three ticks")
    timer.stop()
    assert len(ticks) < 100


def test_waiting_in_vain_says_for_what_and_how_long_and_slow_machines_get_more(hands):
    hands.scale = 3
    with pytest.raises(RobotError, match=r"waited 0\.3 s in vain: the moon rises"):
        hands.wait(lambda: False, "the moon rises", 0.1)


def test_a_failure_leaves_pictures_and_the_widgets_of_all_windows(hands, window, tmp_path):
    box = QMessageBox(window)
    box.setObjectName("question")
    box.open()
    with pytest.raises(RobotError, match=r"window\.png and widgets\.json are in"):
        hands.click("nothing.of.this.name")
    evidence: Path = tmp_path / "evidence"
    assert QImage(str(evidence / "window.png")).size() == window.size() * window.devicePixelRatio()
    assert not QImage(str(evidence / "window-1.png")).isNull()
    trees = json.loads((evidence / "widgets.json").read_text())
    assert [tree["name"] for tree in trees] == ["window", "question"]
    told = _flat(trees[0])
    assert told["off"]["enabled"] is False
    assert told["go"]["text"] == "Go"
    assert "hidden" not in told
    box.close()


def test_looking_leaves_no_evidence(hands, tmp_path):
    assert not hands.sees("nothing.of.this.name")
    assert not (tmp_path / "evidence").exists()


def _flat(tree: dict) -> dict[str, dict]:
    found = {tree["name"]: tree}
    for child in tree["children"]:
        found |= _flat(child)
    return found


# -------------------------------------------------------------------- leaks


def test_a_timer_that_ticks_is_named_with_its_owner(qapp):
    watch, owner = Watch(), QObject()
    owner.setObjectName("clock")
    timer = QTimer(owner)
    timer.setObjectName("tick")
    timer.start(60_000)
    (told,) = watch.left_behind()
    assert told == "QTimer QTimer 'tick' of QObject 'clock' is active, every 60000 ms"
    timer.stop()
    assert watch.left_behind() == []


def test_a_qt_thread_that_runs_is_named(qapp):
    watch, thread = Watch(), QThread()
    thread.setObjectName("worker")
    thread.start()
    (told,) = watch.left_behind()
    assert told == "QThread QThread 'worker' is running"
    thread.quit()
    thread.wait()
    assert watch.left_behind() == []


def test_a_thread_of_python_that_runs_is_named(qapp):
    watch, end = Watch(), threading.Event()
    thread = threading.Thread(target=end.wait, name="reader")
    thread.start()
    (told,) = watch.left_behind()
    assert told == "thread 'reader' is running"
    end.set()
    thread.join()
    assert watch.left_behind() == []


def test_a_pool_with_a_job_in_hand_is_named(qapp):
    watch, pool, end = Watch(), QThreadPool(), threading.Event()
    pool.setObjectName("previews")
    pool.start(end.wait)
    (told,) = watch.left_behind()
    assert told == "QThreadPool QThreadPool 'previews' of nobody is busy"
    end.set()
    pool.waitForDone()
    assert watch.left_behind() == []


def test_a_window_that_is_left_is_named_and_one_that_is_deleted_later_is_not(qapp):
    watch, window = Watch(), QWidget()
    window.setObjectName("forgotten")
    assert watch.left_behind() == ["window QWidget 'forgotten' is left"]
    window.deleteLater()
    assert watch.left_behind() == []


def test_what_was_there_before_is_nobodys_fault(qapp):
    timer, window = QTimer(), QWidget()
    timer.start(60_000)
    assert Watch().left_behind() == []
    timer.stop()
    window.deleteLater()
