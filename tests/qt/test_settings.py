"""What the window remembers, and that nothing odd in its file keeps the lab from opening."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QApplication

from gui_lab import paths
from gui_lab.qt.settings import Settings
from gui_lab.qt.theme import THEME
from gui_lab.qt.views.curve_tools import Look, read, written
from gui_lab.qt.window import Window


def window_ini(text: str | bytes) -> None:
    paths.config().mkdir(parents=True)
    data = text if isinstance(text, bytes) else text.encode()
    (paths.config() / "window.ini").write_bytes(data)


def test_a_fresh_home_has_defaults():
    settings = Settings()
    assert settings.geometry() is None
    assert settings.place() == ""
    assert settings.scheme() == "system"
    assert settings.recent() == []


def test_what_is_kept_is_there_at_the_next_start():
    first = Settings()
    first.keep_geometry(QByteArray(b"somewhere"))
    first.keep_place("Model")
    first.keep_scheme("dark")
    first.add_recent(Path("/tmp/mine, und Müll.lab"))
    del first
    again = Settings()
    assert again.geometry() == QByteArray(b"somewhere")
    assert again.place() == "Model"
    assert again.scheme() == "dark"
    assert again.recent() == [Path("/tmp/mine, und Müll.lab")]


def test_the_ten_newest_files_are_remembered_each_once(tmp_path):
    settings = Settings()
    for number in range(14):
        settings.add_recent(tmp_path / f"{number}.lab")
    settings.add_recent(tmp_path / "9.lab")
    names = [path.stem for path in Settings().recent()]
    assert names == ["9", "13", "12", "11", "10", "8", "7", "6", "5", "4"]
    settings.clear_recent()
    assert Settings().recent() == []


def test_a_layout_of_another_version_is_dropped():
    settings = Settings()
    settings.keep_geometry(QByteArray(b"somewhere"))
    settings._store.setValue("version", 99)
    assert Settings().geometry() is None


@pytest.mark.qt_log_ignore("Trying to construct an instance of an invalid type")  # Qt's word on such a file
@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe not an INI file at all ]]][[[ = = =",
        "[General]\nversion=1\ngeometry=12\nplace=Kitchen\nscheme=purple\nrecent=@Invalid()\n",
        "[General]\nversion=1\ngeometry=@ByteArray(\\x1\\x2 nonsense)\nplace=7\nrecent=@Variant(\\0\\0\\x1)\n",
        "",
    ],
)
def test_a_corrupt_file_counts_as_not_being_there(content, qtbot):
    window_ini(content)
    THEME.install(QApplication.instance())
    settings = Settings()
    assert settings.scheme() == "system"
    assert settings.recent() == []
    window = Window(settings)
    qtbot.addWidget(window)
    window.show()
    assert window.size() == QSize(1280, 800)
    window.go(settings.place())
    assert window.title.text() == "Dataset"


def test_a_look_at_the_curves_is_read_back_and_odd_ones_are_not() -> None:
    panes = ("loss", "accuracy", "lr")
    look = Look(("loss", "lr"), "time", 0.9, ("loss",))
    assert read(written(look), panes) == look
    assert read(written(look), ("accuracy",)) == Look(unit="time", memory=0.9)
    for odd in ("", "[]", "{", '{"panes": 3, "unit": "epoch", "memory": null, "logarithmic": []}', '{"panes": []}'):
        assert read(odd, panes) == Look()
    settings = Settings()
    settings.keep_curves(written(look))
    assert read(Settings().curves(), panes) == look
