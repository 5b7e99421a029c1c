"""Scripted GUI tests: a robot that does with the window what a person can do, and nothing else.

    def test_my_class_can_start(lab):                     # the fixture of the pytest plug-in
        lab.dataset.choose("Digits")
        lab.transforms.add("RandomRotation", degrees=10)
        lab.train.set(epochs=3)
        lab.train.start().wait_done()
        assert lab.train.validation_accuracy() > 0.9

The robot acts by mouse and keyboard on widgets that are visible, enabled and not covered; where a person could not
act it raises `RobotError` with a picture of the window. It waits for conditions with a deadline and never sleeps.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gui_lab.testing.hands import RobotError
    from gui_lab.testing.robot import Robot, start

__all__ = ["Robot", "RobotError", "start"]


def __getattr__(name: str) -> Any:
    """The names above, imported when they are asked for: pytest loads the plug-in of this package in every run, also
    where no test opens a window, and must not load Qt with it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gui_lab.testing import hands, robot

    return getattr(hands if name == "RobotError" else robot, name)
