"""Own transforms in the window: take one from a file, begin one from the example, read its code and test it.

A file is only read when it is chosen. Its classes are offered by name, and the one that is taken waits in the chain,
marked, until its code has been read and trusted.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QVBoxLayout, QWidget

from gui_lab import resources
from gui_lab.core import own_code, trust
from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet
from gui_lab.core.own_code import MISSING, Argument, Signature
from gui_lab.core.pipeline import TRANSFORMS, Transform
from gui_lab.errors import LabError, OwnCodeError, StoreError
from gui_lab.qt.session import Session
from gui_lab.qt.theme import S, label, with_icon
from gui_lab.qt.threads import Failed, Latest

_FILES = "Python files (*.py)"
_SIDE = 16  # what a class gets for a number that it must be given, to begin with


class OwnTransforms(QObject):
    """
    `made` carries a transform that was taken from a file.
    """

    made = Signal(object)

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._parent = session, parent
        self._dialog: QFileDialog | None = None
        self.menu = QMenu(parent)
        self.menu.setObjectName("transforms.own.classes")

    def choose(self) -> None:
        """Ask for a Python file and take a transform from it."""
        self._ask("Choose a Python file", QFileDialog.AcceptMode.AcceptOpen, self.take)

    def begin(self) -> None:
        """Ask where the example is to be written, and take a transform from it."""
        self._ask("Write an example", QFileDialog.AcceptMode.AcceptSave, self.write_example)

    def _ask(self, title: str, mode: QFileDialog.AcceptMode, then: Any) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
        dialog = self._dialog = QFileDialog(self._parent.window(), title)
        dialog.setNameFilter(_FILES)
        dialog.setDefaultSuffix("py")
        dialog.setAcceptMode(mode)
        if mode == QFileDialog.AcceptMode.AcceptSave:
            dialog.selectFile("own_transform.py")
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        dialog.open()

    def write_example(self, path: Path) -> None:
        """Write the example, and offer what is in it."""
        try:
            path.write_text(resources.path("own_transform.py").read_text(encoding="utf-8"), encoding="utf-8")
        except OSError as error:
            sentence = f"{path.name} could not be written: {error.strerror or error}."
            self._session.erred.emit(StoreError(sentence, "Choose another folder."))
            return
        self.take(path)

    def take(self, path: Path) -> None:
        """Take the transform of a file; where there are several, offer them by name."""
        try:
            found = own_code.signatures(own_code.read(path))
            if not found:
                raise OwnCodeError(f"{path.name} has no transform.", "Write a class with __call__(self, picture).")
        except OwnCodeError as error:
            self._session.erred.emit(error)
            return
        if len(found) == 1:
            self._make(path, found[0])
            return
        self.menu.clear()
        for signature in found:
            action = self.menu.addAction(signature.name)
            action.setObjectName(f"transforms.own.{signature.name}")
            action.setToolTip(signature.summary)
            action.triggered.connect(partial(self._make, path, signature))
        self.menu.popup(self._parent.mapToGlobal(QPoint(0, 0)))

    def _make(self, path: Path, signature: Signature) -> None:
        given = {one.name: _something(one) for one in signature.arguments if one.default is MISSING}
        table = {"name": "Own", "file": str(path), "transform": signature.name, **given}
        try:
            self.made.emit(TRANSFORMS.parse(table, signature.name))
        except LabError as error:
            self._session.erred.emit(error)


def _something(argument: Argument) -> Any:
    """A value to begin with, where the class itself names none."""
    return _SIDE if argument.kind is None else argument.kind(_SIDE if argument.kind is int else 0)


class OwnCode(QWidget):
    """What can be done with the code of the chosen transform: read it, and once it is trusted, test it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._position, self._transform = -1, Transform()
        self._tester = Latest(self)
        self._tester.arrived.connect(self._show)
        self._tester.failed.connect(self._failed)
        self.read = QPushButton("Read its code")
        self.read.setObjectName("transforms.code")
        with_icon(self.read, "code")
        self.read.clicked.connect(self._read)
        self.test = QPushButton("Test it")
        self.test.setObjectName("transforms.test")
        self.test.setToolTip("Run it on pictures as they arrive, and look for what would spoil a run")
        with_icon(self.test, "check-circle")
        self.test.clicked.connect(self._test)
        self.found = label("", "caption", wrap=True, name="transforms.tested")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addWidget(self.read, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.test, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.found)

    def close_down(self) -> None:
        self._tester.close()

    def offer(self, position: int, transform: Transform | None) -> None:
        """Show what can be done with a transform that stands at a position of the chain, or inside of that one."""
        code = transform.code() if transform is not None else None
        self.setVisible(code is not None)
        if transform != self._transform:
            self.found.setText("")
        if transform is None or code is None:
            return
        self._position, self._transform = position, transform
        self.test.setEnabled(trust.is_trusted(code) and self._session.ready and self._session.images is not None)

    def _read(self) -> None:
        code = self._transform.code()
        if code is not None:
            self._session.code_shown.emit(code)

    def _test(self) -> None:
        images = self._session.images
        if images is not None:
            self.found.setText("Testing")
            before = self._session.experiment.transforms[: self._position]
            self._tester.ask(partial(_tested, self._transform, before, images))

    def _show(self, lines: list[str]) -> None:
        self.found.setText("\n".join(lines))

    def _failed(self, failed: Failed) -> None:
        self.found.setText("")
        if not isinstance(failed.error, LabError):
            raise failed.error
        self._session.erred.emit(failed.error)


def _tested(transform: Transform, before: tuple[Transform, ...], images: ImageSet) -> list[str]:
    """The points of the contract, a line each."""
    import torch

    from gui_lab.core.own_contract import kept

    indices = images.train[:4]
    sources = [torch.from_numpy(images.picture(int(index))) for index in indices]
    rows = Chain(before).trace(sources, np.asarray(indices), seed=0, epoch=1)
    arriving = [row[-1].picture for row in rows]
    alike = [picture for picture in arriving if picture.shape == arriving[0].shape]
    pictures = torch.stack([alike[place % len(alike)] for place in range(4)])
    points = list(kept(transform, pictures))
    return [
        f"{'✗' if point.fault else '✓'} {point.sentence}{f': {point.fault}' * bool(point.fault)}" for point in points
    ]
