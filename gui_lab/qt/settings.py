"""What the window remembers between starts: its geometry, the place, the scheme, recent files. Never experiment data.

An INI file in the person's configuration folder, with a version: a layout of another version is dropped, not misread.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import QByteArray, QSettings

from gui_lab import paths
from gui_lab.qt.theme import Scheme

_VERSION = 1
_RECENT = 10


class Settings:
    """Reads and writes `window.ini`; anything odd in it counts as not being there."""

    def __init__(self) -> None:
        self._store = QSettings(str(paths.config() / "window.ini"), QSettings.Format.IniFormat)

    def geometry(self) -> QByteArray | None:
        """What `saveGeometry` gave at the last close, where it was of this version."""
        value = self._store.value("geometry")
        known = str(self._store.value("version", "")) == str(_VERSION)
        return value if known and isinstance(value, QByteArray) else None

    def keep_geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("version", _VERSION)
        self._store.setValue("geometry", geometry)

    def place(self) -> str:
        """The page that was open."""
        return str(self._store.value("place", ""))

    def keep_place(self, name: str) -> None:
        self._store.setValue("place", name)

    def scheme(self) -> Scheme:
        value = str(self._store.value("scheme", "system"))
        return cast(Scheme, value) if value in ("system", "light", "dark") else "system"

    def keep_scheme(self, scheme: Scheme) -> None:
        self._store.setValue("scheme", scheme)

    def curves(self) -> str:
        """How the curves were looked at last, as `curve_tools.written` has it; empty where nothing is kept."""
        return str(self._store.value("curves", ""))

    def keep_curves(self, look: str) -> None:
        self._store.setValue("curves", look)

    def recent(self) -> list[Path]:
        """Files opened or saved, the newest first; missing ones are among them."""
        stored = self._store.value("recent", [])
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [Path(name) for name in names if isinstance(name, str)][:_RECENT]

    def add_recent(self, path: Path) -> None:
        newest = [path.absolute(), *(other for other in self.recent() if other != path.absolute())]
        self._store.setValue("recent", [str(one) for one in newest[:_RECENT]])

    def clear_recent(self) -> None:
        self._store.remove("recent")
