"""A bug in the running app: one dialog, a log, and a lab that lives on. Tried in a process of its own, since it is
about hooks of the whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

CHILD = """
import json, sys, threading
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox
from gui_lab.qt import report
from gui_lab.qt.app import application
from gui_lab.qt.settings import Settings
from gui_lab.qt.window import Window

app = application()
report.install()
window = Window(Settings())
window.show()
said = {"open": []}
left = 5

def boxes():
    return [top for top in app.topLevelWidgets() if isinstance(top, QMessageBox) and top.isVisible()]

def fail():
    global left
    left -= 1
    if left == 0:
        QTimer.singleShot(50, look)
    elif left < 0:
        timer.stop()
        return
    raise RuntimeError("a slot has a bug")

def look():
    said["open"].append(len(boxes()))
    box = boxes()[0]
    said["text"] = box.text() + box.informativeText()
    said["detail"] = box.detailedText()
    copy = next(button for button in box.buttons() if button.objectName() == "report.copy")
    copy.click()
    said["clipboard"] = QGuiApplication.clipboard().text()
    QTimer.singleShot(0, again)

def again():
    said["open"].append(len(boxes()))
    QTimer.singleShot(0, another)
    QTimer.singleShot(50, after_another)

def another():
    raise KeyError("another bug")

def after_another():
    said["open"].append(len(boxes()))
    boxes()[0].close()
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    QTimer.singleShot(50, done)

def done():
    said["open"].append(len(boxes()))
    said["alive"] = window.isVisible()
    boxes()[0].close()
    print(json.dumps(said))
    app.quit()

timer = QTimer()
timer.timeout.connect(fail)
timer.start(5)
app.exec()
"""


def run_child(code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_bug_in_a_slot_is_shown_once_logged_always_and_the_lab_lives(home):
    child = run_child(CHILD)
    assert child.returncode == 0, child.stderr
    said = json.loads(child.stdout)
    assert said["alive"]
    assert said["open"] == [1, 0, 1, 1]  # five times the same: one dialog; each other bug: one more
    assert "still open" in said["text"]
    assert "gui-lab.log" in said["text"]
    assert "RuntimeError: a slot has a bug" in said["detail"]
    assert said["clipboard"].rstrip() == said["detail"].rstrip()
    log = (home / "logs" / "gui-lab.log").read_text()
    assert log.count("RuntimeError: a slot has a bug") == 5
    assert "KeyError: 'another bug'" in log
    assert "ZeroDivisionError" in log


FAILING_PAINT = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMessageBox, QWidget
from gui_lab.qt import report
from gui_lab.qt.app import application

class Broken(QWidget):
    times = 0
    def paintEvent(self, event):
        Broken.times += 1
        raise ValueError("cannot paint")

app = application()
report.install()
widget = Broken()
widget.show()
shown = []

def tick():
    for top in app.topLevelWidgets():
        if isinstance(top, QMessageBox) and top.isVisible():
            shown.append(top)
            top.close()
    widget.update()
    if Broken.times > 20:
        print(len(shown))
        app.quit()

timer = QTimer()
timer.timeout.connect(tick)
timer.start(10)
app.exec()
"""


def test_a_bug_in_a_paint_event_does_not_open_its_dialog_again_and_again():
    child = run_child(FAILING_PAINT)
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == "1"


def test_a_home_that_cannot_be_written_does_not_keep_the_lab_from_opening(home):
    (home / "logs").write_text("a file is in the way")
    child = run_child("from gui_lab.qt import report\nfrom gui_lab.qt.app import application\n"
                      "application()\nreport.install()\nprint('open')\n")  # fmt: skip
    assert child.stdout.strip() == "open"
    assert "no log is kept" in child.stderr
