"""Whether a window can be opened is told in one sentence, before Qt would abort the process."""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gui_lab import display
from gui_lab.errors import DisplayError

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux leaves these libraries to the person")


class Connect:
    """A function of C: called like any other, with a type of result that is set on it."""

    restype: Any = None

    def __call__(self, *_: object) -> int:
        return 1


class Loader:
    """Stands in for the system's loader and an X server: some libraries are missing, the server answers or not."""

    def __init__(self, *missing: str, server_answers: bool = True) -> None:
        self.missing = missing
        self.server_answers = server_answers
        self.loaded: list[str] = []
        self.xcb_connect = Connect()

    def __call__(self, name: str) -> Any:
        self.loaded.append(Path(name).name)
        if name in self.missing:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        if self.missing and name.endswith("libqxcb.so"):
            raise OSError(f"{self.missing[0]}: cannot open shared object file: No such file or directory")
        return self

    def xcb_connection_has_error(self, _: object) -> int:
        return 0 if self.server_answers else 1

    def xcb_disconnect(self, _: object) -> None: ...


Install = Callable[..., Loader]


@pytest.fixture
def qt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """A PySide6 folder with three platforms; returns the function that puts a loader in place."""
    folder = tmp_path / "PySide6" / "Qt" / "plugins" / "platforms"
    folder.mkdir(parents=True)
    for name in ("libqxcb.so", "libqoffscreen.so", "libqwayland-egl.so"):
        (folder / name).touch()
    spec = importlib.machinery.ModuleSpec("PySide6", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "PySide6")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QT_PLUGIN_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH"):
        monkeypatch.delenv(name, raising=False)

    def install(*missing: str, server_answers: bool = True) -> Loader:
        loader = Loader(*missing, server_answers=server_answers)
        monkeypatch.setattr(ctypes, "CDLL", loader)
        return loader

    return install


def test_a_session_without_a_display_is_told_what_works_without_one(qt: Install) -> None:
    qt()
    with pytest.raises(DisplayError) as error:
        display.check()
    assert str(error.value) == (
        "There is no display to open a window on. Try `gui-lab demo --offscreen` to see the lab drive itself, "
        "or `gui-lab train` without a window."
    )


def test_offscreen_needs_no_display(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = qt()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:fontdir=x")
    display.check()
    assert loader.loaded == ["libqoffscreen.so"]


def test_a_platform_asked_for_comes_before_the_environment(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = qt()
    monkeypatch.setenv("DISPLAY", ":0")
    display.check("offscreen")
    assert loader.loaded == ["libqoffscreen.so"]


def test_xcb_without_a_display_is_refused_although_it_was_asked_for(qt: Install) -> None:
    qt()
    with pytest.raises(DisplayError, match="no display"):
        display.check("xcb")


def test_a_display_that_answers_is_accepted(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = qt()
    monkeypatch.setenv("DISPLAY", ":0")
    display.check()
    assert "libqxcb.so" in loader.loaded


def test_a_display_that_does_not_answer_is_named(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    qt(server_answers=False)
    monkeypatch.setenv("DISPLAY", ":77")
    with pytest.raises(DisplayError, match="':77' does not answer"):
        display.check()


def test_one_missing_library_is_told_with_its_debian_package(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    qt("libEGL.so.1")
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(DisplayError) as error:
        display.check()
    assert str(error.value) == (
        "Qt needs the system library libEGL.so.1. Install it with: sudo apt-get install libegl1"
    )


def test_all_missing_libraries_are_told_at_once(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    qt("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxkbcommon-x11.so.0")
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(DisplayError) as error:
        display.check()
    assert error.value.sentence.startswith("Qt needs the system libraries libxcb-cursor.so.0, ")
    packages = error.value.remedy.removeprefix("Install them with: sudo apt-get install ").split()
    assert set(packages) == {"libxcb-cursor0", "libxcb-icccm4", "libxkbcommon-x11-0"}


def test_a_library_of_x11_does_not_matter_where_wayland_works(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = qt("libxcb-cursor.so.0")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    display.check()
    assert loader.loaded == ["libqwayland-egl.so"]


def test_a_platform_that_qt_does_not_have_is_named(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    qt()
    monkeypatch.setenv("QT_QPA_PLATFORM", "cocoa")
    with pytest.raises(DisplayError, match="no platform named 'cocoa'"):
        display.check()


def test_any_other_reason_of_the_loader_is_passed_on(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    qt()
    monkeypatch.setenv("DISPLAY", ":0")

    def too_old(name: str) -> None:
        raise OSError("/lib/libc.so.6: version `GLIBC_2.34' not found")

    monkeypatch.setattr(ctypes, "CDLL", too_old)
    with pytest.raises(DisplayError, match=r"GLIBC_2\.34"):
        display.check()


def test_plugins_that_the_environment_places_elsewhere_are_left_to_qt(
    qt: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = qt()
    monkeypatch.setenv("QT_QPA_PLATFORM", "cocoa")
    monkeypatch.setenv("QT_PLUGIN_PATH", "elsewhere")
    display.check()
    assert loader.loaded == []


def test_a_missing_pyside_is_told(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DisplayError, match="PySide6, which is not installed"):
        display.check("offscreen")


def test_other_systems_have_their_display(qt: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    loader = qt("libEGL.so.1")
    monkeypatch.setattr(sys, "platform", "darwin")
    display.check()
    assert loader.loaded == []


def test_an_import_that_misses_a_system_library_names_its_package() -> None:
    with pytest.raises(DisplayError, match="apt-get install libgl1"), display.missing_libraries_told():
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")


def test_an_import_that_fails_for_another_reason_stays_what_it_is() -> None:
    with pytest.raises(ImportError, match="no_such_thing"), display.missing_libraries_told():
        import no_such_thing  # type: ignore[import-not-found]  # noqa: F401 - it must not be there


def test_what_the_real_loader_says_of_a_missing_library_is_understood(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = importlib.util.find_spec("PySide6")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    plugins = Path(spec.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms"
    content = (plugins / "libqoffscreen.so").read_bytes()
    assert b"libQt6Core.so.6\0" in content
    (tmp_path / "libqoffscreen.so").write_bytes(content.replace(b"libQt6Core.so.6\0", b"libNotHere.so.6\0"))
    monkeypatch.setattr(display, "_plugins", lambda: tmp_path)
    with pytest.raises(DisplayError, match=r"Qt needs the system library lib\w+\.so\.6\. Install the package of"):
        display.check("offscreen")
