"""`gui-lab demo`: the robot shows the lab, visibly, and keeps a picture of each place.

It is a scripted GUI test that tells what it does: what works here works by hand. The README's picture is made by it.
"""

from __future__ import annotations

import time
from pathlib import Path

from gui_lab.qt.app import application, use_offscreen
from gui_lab.testing.hands import RobotError
from gui_lab.testing.robot import Robot, start

GOAL = 0.98
"""Validation accuracy on Digits that the demo expects of the training."""


def run_demo(offscreen: bool, seconds: float, screenshots: Path | None) -> int:
    """Drive a window of its own for about so many seconds (the training is never cut short); 0 where all went well.

    Args:
        offscreen: draw into memory; no display is needed.
        seconds: how long to take; the robot's pauses are chosen by it.
        screenshots: folder for a PNG of each page; None keeps none.
    """
    if offscreen:
        use_offscreen()
    application()
    robot = start()
    robot.hands.pause_seconds = 0.0 if offscreen else min(seconds / 60, 0.8)
    began = time.monotonic()
    show = _Show(robot, screenshots)
    try:
        accuracy = show.all()
        robot.linger(seconds - (time.monotonic() - began) if not offscreen else 0.0)
    except RobotError as error:
        print(f"demo: {error}")
        return 1
    finally:
        robot.close()
    print(f"demo: done in {time.monotonic() - began:.1f} s, validation accuracy {accuracy:.1%}")
    return 0 if accuracy >= GOAL else 1


class _Show:
    """The steps of the demo."""

    def __init__(self, robot: Robot, screenshots: Path | None) -> None:
        self.robot = robot
        self.screenshots = screenshots

    def all(self) -> float:
        """Every place in the order of the work; returns the validation accuracy reached."""
        robot = self.robot
        self.say("choose the data set Digits: 1,797 real handwritten digits")
        robot.dataset.choose("Digits")
        self.keep("dataset")
        self.say("add RandomRotation between -10 and 10 degrees, before ToTensor")
        robot.transforms.select(None)
        robot.transforms.add("RandomRotation", degrees=10)
        robot.transforms.move(len(robot.transforms.names()) - 1, to=0)
        self.say(f"the chain is now {', '.join(robot.transforms.names())}")
        robot.transforms.measure(robot.transforms.names().index("Normalize"))
        self.say("mean and standard deviation are measured from the training pictures")
        self.keep("transforms")
        robot.model.choose("MNISTNet")
        self.say(f"the network has {robot.model.parameters():,} parameters")
        self.keep("model")
        robot.train.set(epochs=20, batch_size=64)
        self.say("train 20 epochs with Adam")
        robot.train.start()
        robot.train.wait_iterations(200)
        self.keep("training")
        robot.train.wait_done(seconds=300)
        accuracy = robot.train.validation_accuracy()
        self.say(f"best validation accuracy {accuracy:.1%}: {robot.train.says()}")
        self.keep("train")
        robot.concepts.open("Convolution").try_on_my_network()
        self.say(f"look into the network that was trained: {robot.concepts.says()}")
        self.keep("concepts")
        robot.go("Train")
        return accuracy

    def say(self, what: str) -> None:
        print(f"demo: {what}", flush=True)

    def keep(self, name: str) -> None:
        if self.screenshots is not None:
            self.screenshots.mkdir(parents=True, exist_ok=True)
            self.robot.screenshot(self.screenshots / f"{name}.png")
