"""The File menu: filled each time it is shown, so that recent files and the scheme are as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from gui_lab import paths
from gui_lab.qt.settings import Settings
from gui_lab.qt.theme import THEME, Scheme

_SCHEMES: tuple[tuple[str, Scheme], ...] = (("As the system", "system"), ("Light", "light"), ("Dark", "dark"))


def last_session() -> Path:
    """Where the experiment is kept as it was when the lab was closed."""
    return paths.config() / "last-session.lab"


class FileMenu(QMenu):
    """
    `open_wanted` carries the path of a recent file, `scheme_wanted` a scheme.
    """

    open_wanted = Signal(object)
    scheme_wanted = Signal(str)

    def __init__(self, parent: QWidget, actions: Mapping[str, QAction], settings: Settings) -> None:
        super().__init__(parent)
        self.setObjectName("header.menu")
        self._actions, self._settings = actions, settings
        self._recent, self._appearance = QMenu("Open recent", self), QMenu("Appearance", self)
        self._recent.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)
        self.addActions([actions["new"], actions["open"]])
        self.addMenu(self._recent)
        self.addSeparator()
        self.addActions([actions["save"], actions["save_as"]])
        self.addSeparator()
        self.addAction(actions["runs"])
        self.addMenu(self._appearance)
        self.addSeparator()
        self.addAction(actions["quit"])

    def _fill(self) -> None:
        self._fill_recent()
        self._appearance.clear()
        for text, scheme in _SCHEMES:
            action = self._appearance.addAction(text)
            action.setObjectName(f"action.scheme.{scheme}")
            action.setCheckable(True)
            action.setChecked(THEME.scheme == scheme)
            action.triggered.connect(partial(self.scheme_wanted.emit, scheme))

    def _fill_recent(self) -> None:
        recent, ready = self._recent, self._actions["open"].isEnabled()
        recent.clear()
        self._offer("The last session, as it was left", last_session(), ready)
        recent.addSeparator()
        for path in self._settings.recent():
            self._offer(path.name, path, ready)
        clear = recent.addAction("Clear the list")
        clear.setEnabled(bool(self._settings.recent()))
        clear.triggered.connect(self._settings.clear_recent)

    def _offer(self, text: str, path: Path, ready: bool) -> None:
        action = self._recent.addAction(text)
        action.setToolTip(str(path))
        action.setEnabled(ready and path.exists())
        action.triggered.connect(lambda: self.open_wanted.emit(path))
