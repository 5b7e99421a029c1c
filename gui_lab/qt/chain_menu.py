"""What can be done with a chain as a whole: begin from a preset, copy it as Python or TOML, paste one.

Pasted text is read, never run; what cannot be understood is told with its line, and nothing has changed then.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from gui_lab.catalog.presets import PRESETS, Preset
from gui_lab.core.pipeline import Transform
from gui_lab.errors import LabError
from gui_lab.export.chain_text import from_text, to_toml
from gui_lab.export.python_chain import to_python
from gui_lab.qt.session import Session

Transforms = tuple[Transform, ...]


class ChainMenu(QMenu):
    """
    `pasted` carries transforms to put in after the chosen one, `replaced` those of a whole new chain; `own_wanted` and
    `example_wanted` ask for an own transform, from a file or as an example to begin with.
    """

    pasted = Signal(object)
    replaced = Signal(object)
    own_wanted = Signal()
    example_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("transforms.menu")
        self.setToolTipsVisible(True)
        self._session = session
        self._presets = QMenu("Begin with a preset", self)
        self._presets.setToolTipsVisible(True)
        self.addMenu(self._presets)
        for preset in PRESETS:
            action = self._presets.addAction(preset.name)
            action.setObjectName(f"transforms.preset.{preset.name}")
            action.setToolTip(preset.sentence)
            action.triggered.connect(partial(self._begin, preset))
        self.addSeparator()
        self.copy_python = self._act("Copy chain as Python", "copy_python", self.copy_as_python)
        self.copy_toml = self._act("Copy chain as TOML", "copy_toml", self.copy_as_toml)
        self.addSeparator()
        self.paste = self._act("Paste after the chosen one", "paste", self.paste_after)
        self.paste.setShortcut(QKeySequence(QKeySequence.StandardKey.Paste))
        self.paste.setShortcutVisibleInContextMenu(True)
        self._act("Paste in place of the chain", "paste_instead", self.paste_instead)
        self.addSeparator()
        self._act("Add an own transform from a file", "own", self.own_wanted.emit)
        self._act("Write an example of an own transform", "own_example", self.example_wanted.emit)
        self.aboutToShow.connect(self._enable)

    def _act(self, words: str, verb: str, act: object) -> QAction:
        action = QAction(words, self)
        action.setObjectName(f"transforms.{verb}")
        action.triggered.connect(act)
        self.addAction(action)
        return action

    def _enable(self) -> None:
        there = bool(self._session.experiment.transforms)
        self.copy_python.setEnabled(there)
        self.copy_toml.setEnabled(there)
        self._presets.setEnabled(self._session.images is not None)

    def _begin(self, preset: Preset) -> None:
        images = self._session.images
        if images is not None:
            self.replaced.emit(preset.transforms(images.kind, self._session.experiment.dataset))

    def copy_as_python(self) -> None:
        """The whole chain as `v2.Compose([...])` on the clipboard."""
        QGuiApplication.clipboard().setText(to_python(self._session.experiment.transforms))

    def copy_as_toml(self) -> None:
        """The whole chain as it stands in an experiment's file."""
        QGuiApplication.clipboard().setText(to_toml(self._session.experiment.transforms))

    def paste_after(self) -> None:
        """Put in what the clipboard holds, after the chosen transform."""
        found = self._read()
        if found:
            self.pasted.emit(found)

    def paste_instead(self) -> None:
        """Replace the chain by what the clipboard holds."""
        found = self._read()
        if found is not None:
            self.replaced.emit(found)

    def _read(self) -> Transforms | None:
        try:
            return from_text(QGuiApplication.clipboard().text())
        except LabError as error:
            self._session.erred.emit(error)
            return None
