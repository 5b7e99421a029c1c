"""The robot: the places of the window in the user's words.

Each method does what a person would do by mouse and keyboard, and waits until the window shows its effect. Values are
read from what is on screen or from the state behind it; nothing is changed except through the widgets.
"""

from __future__ import annotations

from operator import methodcaller
from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QToolButton

from gui_lab.core import memory
from gui_lab.core.experiment import Experiment
from gui_lab.qt.app import Lab
from gui_lab.testing.concepts_place import ConceptsPlace
from gui_lab.testing.hands import Hands, RobotError, live
from gui_lab.testing.places import DatasetPlace, ModelPlace, TransformsPlace
from gui_lab.testing.pointer import hands_for
from gui_lab.testing.train_place import TrainPlace

__tracebackhide__ = methodcaller("errisinstance", RobotError)


def start(*, file: Path | None = None, scale: float = 1.0, evidence: Path | None = None, alone: bool = False) -> Robot:
    """Open a lab in this process and wait until a network can be trained.

    Args:
        file: an experiment to open, as given on the command line.
        scale: all deadlines are multiplied by it.
        evidence: where a failure leaves its picture and widget tree.
        alone: it has this process to itself, as the program has: what is loaded by then is set aside.
    """
    lab = Lab(file=file)
    robot = Robot(lab, hands_for(lab.window, scale, evidence))
    lab.show()
    try:
        robot.wait_started()
    except RobotError:
        robot.close()
        raise
    if alone:
        lab.loader.wait()
        memory.set_aside()
    return robot


class Robot:
    """A lab and the hands that drive it. `dataset`, `transforms`, `model`, `train` and `concepts` are its places."""

    def __init__(self, lab: Lab, hands: Hands) -> None:
        self.lab = lab
        self.hands = hands
        self.dataset = DatasetPlace(self)
        self.transforms = TransformsPlace(self)
        self.model = ModelPlace(self)
        self.train = TrainPlace(self)
        self.concepts = ConceptsPlace(self)

    @property
    def experiment(self) -> Experiment:
        """What is edited now."""
        return self.lab.session.experiment

    def wait_started(self) -> None:
        """Wait until a network can be trained and keys go to the window."""
        lab, wait = self.lab, self.hands.wait
        wait(lambda: lab.window.session is not None, "the pages appear", 20)
        wait(lambda: lab.session.ready, "PyTorch is loaded", 60)
        wait(lambda: lab.session.progress is None, "the pictures are opened", 60)
        self.hands.back_to_window()

    def go(self, place: str) -> None:
        """Click a place on the rail."""
        button = self.hands.find(f"rail.{place.lower()}", QToolButton)
        if not button.isChecked():
            self.hands.click(button)
        self.hands.wait(self.lab.window.page(place).isVisible, f"the {place} page appears")

    def undo(self) -> None:
        self.hands.click("header.undo")

    def redo(self) -> None:
        self.hands.click("header.redo")

    def open(self, path: Path) -> None:
        """Open an experiment through the file dialog."""
        self.hands.press(self.lab.window, "Ctrl+O")
        self.in_dialog(path)

    def save_as(self, path: Path) -> None:
        """Save the experiment through the file dialog."""
        self.hands.press(self.lab.window, "Ctrl+Shift+S")
        self.in_dialog(path)

    def in_dialog(self, path: Path) -> None:
        """Type a path into Qt's file dialog and confirm it."""
        self.hands.wait(lambda: self.hands.sees("fileNameEdit"), "the file dialog opens")
        line = self.hands.find("fileNameEdit", QLineEdit)
        self.hands.press(line, "Ctrl+A")
        self.hands.type_keys(line, str(path))
        self.hands.press(line, "Return")
        self.hands.wait(lambda: not self.hands.sees("fileNameEdit"), "the file dialog closes")
        self.hands.back_to_window()

    def banner(self) -> str:
        """The text of the banner; empty where none is shown."""
        return self.hands.text("banner.text") if self.hands.sees("banner") else ""

    def blocked(self) -> str:
        """Why training cannot start, as the run bar says it; empty where it can."""
        train = self.hands.find("run.train")
        return "" if train.isEnabled() or self.lab.control.running else self.hands.text("run.state")

    def screenshot(self, path: Path) -> None:
        """Save a picture of the window."""
        live(150)
        self.lab.window.grab().save(str(path))

    def linger(self, seconds: float) -> None:
        """Leave the window to a person's eyes."""
        if seconds > 0:
            live(int(seconds * 1000))

    def close(self) -> None:
        """Close without questions and wait for all threads."""
        self.lab.close()
