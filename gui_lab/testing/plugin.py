"""The pytest plug-in that comes with GUI Lab: fixtures for scripted GUI tests. Nothing heavy is imported until a test
asks for one of them.

    lab           the robot with a freshly started window, on a profile of its own under tmp_path
    lab_pictures  a small folder of pictures, class by class
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gui_lab.testing.robot import Robot


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gui-lab", "scripted GUI tests with GUI Lab")
    group.addoption(
        "--lab-platform",
        default=None,
        metavar="NAME",
        help="Qt platform to draw on: offscreen (default) or xcb under an X server.",
    )
    group.addoption(
        "--lab-timeout-scale",
        type=float,
        default=1.0,
        metavar="X",
        help="Multiply all deadlines of the robot, for slow machines.",
    )


def pytest_configure(config: pytest.Config) -> None:
    platform = config.getoption("--lab-platform", default=None)
    if platform:
        os.environ["QT_QPA_PLATFORM"] = platform
    else:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    processes = getattr(config.option, "numprocesses", None) or 1
    if _on_a_screen() and processes > 1:
        raise pytest.UsageError(f"{processes} processes cannot share one pointer and keyboard. Add: -n 0")


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """`-n auto` of pytest-xdist is one process where the windows share a screen."""
    platform = config.getoption("--lab-platform", default=None) or os.environ.get("QT_QPA_PLATFORM", "offscreen")
    return None if platform == "offscreen" else 1


def pytest_report_header() -> str | None:
    """Says on a screen whose hands act: the real ones need xdotool."""
    if not _on_a_screen():
        return None
    hands = "the real pointer and keyboard" if shutil.which("xdotool") else "Qt's own events, since xdotool is missing"
    return f"gui-lab: windows on {os.environ['QT_QPA_PLATFORM']}, driven by {hands}"


def _on_a_screen() -> bool:
    return os.environ.get("QT_QPA_PLATFORM", "offscreen") != "offscreen"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed by whatever it found leaves a picture of the window and its widgets, as the robot itself does
    where it cannot act."""
    report = yield
    robot = getattr(item, "funcargs", {}).get("lab")
    if robot is not None and hasattr(robot, "hands") and report.when == "call" and report.failed:
        report.sections.append(("GUI Lab", robot.hands.keep_evidence()))
    return report


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    """The robot with a started window, ready to train. Closed without questions after the test; a thread, timer or
    window that is left then fails it."""
    monkeypatch.setenv("GUI_LAB_HOME", str(tmp_path / "home"))
    from gui_lab.qt.app import application
    from gui_lab.testing.leaks import Watch
    from gui_lab.testing.robot import start

    application()
    watch = Watch()
    scale = float(request.config.getoption("--lab-timeout-scale"))
    robot = start(scale=scale, evidence=tmp_path / "evidence")
    try:
        yield robot
    finally:
        robot.close()
    left = watch.left_behind()
    assert not left, f"the lab left behind: {'; '.join(left)}"


@pytest.fixture
def lab_pictures(tmp_path: Path) -> Path:
    """A folder with two classes of thirty-two 16x16 pictures each: bright discs and bright bars on noise."""
    import numpy as np
    from PIL import Image

    root = tmp_path / "pictures"
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:16, :16]
    for name in ("bars", "discs"):
        (root / name).mkdir(parents=True)
        for number in range(32):
            picture = rng.integers(0, 60, (16, 16, 3), np.uint8)
            row, column = rng.integers(5, 11, 2)
            disc = (y - row) ** 2 + (x - column) ** 2 < 16
            picture[disc if name == "discs" else abs(x - column) < 2] = rng.integers(170, 255, 3)
            Image.fromarray(picture).save(root / name / f"{number:02}.png")
    return root
