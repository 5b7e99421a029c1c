"""What `gui-lab` and `python -m gui_lab` open: the window without a verb, the command line with one."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import gui_lab
from gui_lab import display
from gui_lab.__main__ import main
from gui_lab.errors import DisplayError


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path | None]:
    """What the window was opened with; a stand-in takes its place."""
    files: list[Path | None] = []
    window = types.ModuleType("gui_lab.qt.app")
    window.run_window = lambda file, tell_start=False: files.append(file) or 7  # type: ignore[attr-defined]  # made up here
    monkeypatch.setitem(sys.modules, "gui_lab.qt.app", window)
    monkeypatch.setattr(display, "check", lambda platform="": None)
    return files


def test_no_verb_opens_the_window_and_returns_its_status(opened: list[Path | None]) -> None:
    assert main([]) == 7
    assert opened == [None]


def test_a_file_opens_the_window_with_it(opened: list[Path | None]) -> None:
    assert main(["lessons/first.LAB"]) == 7
    assert opened == [Path("lessons/first.LAB")]


def test_options_of_qt_open_the_window(opened: list[Path | None]) -> None:
    main(["-platform", "offscreen", "first.lab"])
    assert opened == [Path("first.lab")]


def test_a_verb_goes_to_the_command_line(opened: list[Path | None], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models"]) == 0
    assert "LeNet5" in capsys.readouterr().out
    assert opened == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gui-lab {gui_lab.__version__}\n"


def test_a_display_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(platform: str = "") -> None:
        raise DisplayError("There is no display.", "Try another.")

    monkeypatch.setattr(display, "check", refuse)
    assert main([]) == 1
    assert capsys.readouterr().err == "There is no display. Try another.\n"


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux has sessions without a display")
def test_without_a_display_the_program_ends_with_one_line() -> None:
    ended = subprocess.run([sys.executable, "-m", "gui_lab"], env={"PATH": "/usr/bin"}, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        "There is no display to open a window on. Try `gui-lab demo --offscreen` to see the lab drive itself, "
        "or `gui-lab train` without a window.\n"
    )


def test_nothing_heavy_is_imported_before_it_is_known_what_to_open() -> None:
    seen = "import sys, gui_lab.__main__, gui_lab.display; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    modules = set(ended.stdout.split())
    assert not modules & {"torch", "PySide6", "numpy", "pydantic", "typer", "rich", "multiprocessing", "gui_lab.cli"}
    assert "gui_lab.display" in modules


def test_open_shows_an_experiment_or_a_lesson_in_the_window(opened: list[Path | None]) -> None:
    from gui_lab import resources

    lesson = sorted(resources.path("lessons").glob("*.lab"))[0]
    assert main(["open", str(lesson)]) == 7
    assert opened == [lesson]


def test_open_tells_what_is_wrong_before_a_window_opens(
    opened: list[Path | None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.lab"
    broken.write_text("version = 1\n[lesson]\ntitle = 'x'\n[[lesson.parts]]\nconcept = 'Nothing'\n")
    assert main(["open", str(broken)]) == 2
    assert "lesson.parts.0.concept" in capsys.readouterr().err
    assert main(["open", str(tmp_path / "nowhere.lab")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert opened == []


def test_the_program_tells_how_long_its_first_paint_took(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "GUI_LAB_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "gui_lab", "--tell-start"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert 0 < float(ended.stdout) < 60


def test_the_program_fills_a_screen_that_would_cut_its_window_off(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "GUI_LAB_HOME": str(tmp_path)}  # 800x800 pixels
    code = (
        "from gui_lab.qt import app\n"
        "app._tell_start = lambda lab: (print(lab.window.isMaximized()), lab.window.stop_and_quit())\n"
        "app.run_window(tell_start=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "True\n", ended.stderr
