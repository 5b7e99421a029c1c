"""What the network thinks, beside the curves: pinned pictures with their softmax ladder, or the current batch.

It shows the pictures of the run while one goes on, else those that are chosen now. Probes and looks at batches come
with the run (`threads.py`); here they are only put beside the pictures they belong to. A person's own picture, from a
file, is pinned here too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QScrollArea, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from gui_lab.core.folder import EXTENSIONS
from gui_lab.core.images import ImageSet
from gui_lab.core.own_picture import OwnPicture, own_picture
from gui_lab.errors import LabError
from gui_lab.qt.pictures import scaled, to_image
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.theme import L, M, S, label, with_icon
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.batch_tiles import BatchTiles
from gui_lab.qt.views.ladder import Ladder
from gui_lab.qt.views.pinned_card import Pinned
from gui_lab.qt.views.probabilities import Probabilities
from gui_lab.qt.views.segments import Segments

_PICTURE = 64
_PINNED = "The triangle marks the true class. A click shows a picture above; double-click unpins."
_NOTHING = "No picture is pinned. Pin some on the Dataset page to see what the network makes of them."
Shown = tuple[ImageSet, tuple[int, ...], tuple[OwnPicture, ...]]


class Watching(QWidget):
    """Two sights: `pinned` and `batch`."""

    def __init__(self, session: Session, control: RunControl) -> None:
        super().__init__()
        self.session, self.control = session, control
        self._wanted: Shown | None = None
        self._drawn: ImageSet | None = None
        self._stepping = False
        self._dialog: QFileDialog | None = None
        self._pictures = Latest(self)
        self._pictures.arrived.connect(self._pictures_arrived)
        self._pictures.failed.connect(self._failed)
        self._files = Latest(self)
        self._files.arrived.connect(session.pin_own)
        self._files.failed.connect(self._failed)
        self.sights = Segments("train.sights", {"pinned": "Pinned", "batch": "Batch"})
        self.sights.chosen.connect(self._look_at)
        self.from_file = self._pin_button()
        top = QHBoxLayout()
        top.setContentsMargins(L, S, L, 0)
        top.addWidget(self.sights, 1, Qt.AlignmentFlag.AlignLeft)
        top.addWidget(self.from_file)
        self.stack = QStackedWidget()
        self.stack.addWidget(self._pinned_pictures())
        self.batch = BatchTiles()
        self.batch.pin_wanted.connect(lambda index: session.pin(index, index not in session.pins))
        self.batch.watch_wanted.connect(control.watch)
        self.stack.addWidget(_scrolled("train.batch", self.batch))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        self.setMinimumWidth(250)
        session.images_changed.connect(self.show_pins)
        session.pins_changed.connect(self.show_pins)
        control.state_changed.connect(self._show_state)
        self.show_pins()

    def _pinned_pictures(self) -> QScrollArea:
        self.probabilities = Probabilities()
        self.probabilities.unpin_wanted.connect(lambda index: self.session.pin(index, False))
        self.probabilities.chosen.connect(lambda _: self._show_ladder())
        self.ladder = Ladder()
        self.pins_line = label("", "caption", wrap=True, name="train.pins")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(M)
        column.addWidget(self.ladder)
        column.addWidget(self.pins_line)
        column.addWidget(self.probabilities)
        return _scrolled("train.pinned", inside)

    def _pin_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("train.pin_file")
        button.setAccessibleName("Pin a picture from a file")
        button.setToolTip("Pin a picture from a file")
        with_icon(button, "file-plus")
        button.clicked.connect(self._choose_file)
        return button

    def close_down(self) -> None:
        self._pictures.close()
        self._files.close()

    # ---------------------------------------------------------------- what is looked at

    def _look_at(self, sight: str) -> None:
        self.stack.setCurrentIndex(("pinned", "batch").index(sight))
        if sight == "batch" and self.control.state == State.TRAINING:
            self.batch.watch.setChecked(True)  # who turns to it wants to see one
        self.show_news()

    def _show_state(self) -> None:
        """Who goes batch by batch sees the batch, and is led back when the run goes on."""
        self.show_pins()
        if self.control.stepping != self._stepping:
            self._stepping = self.control.stepping
            if self._stepping and self.control.state != State.IDLE:
                self.sights.choose("batch")
                self._look_at("batch")
        self.show_news()

    def show_news(self) -> None:
        """Draw what the run says now; called while the page is visible."""
        if self.sights.key == "batch":
            self.batch.show_batch(self.control.viewed, self._classes())
            self.batch.set_pins(self.session.pins)
        else:
            self._show_probed()

    def _classes(self) -> tuple[str, ...]:
        return self.control.images.classes if self.control.images is not None else ()

    # ---------------------------------------------------------------- pinned pictures

    def _shown(self) -> Shown | None:
        """The pictures whose softmax is of interest: the run's while it goes on, else those that are chosen now."""
        running = self.control.running
        images = self.control.images if running else self.session.images
        if images is None:
            return None
        own = tuple(picture for picture in self.session.own_pictures if picture.fits(images.kind))
        return images, self.control.pins if running else self.session.pins, own

    def show_pins(self) -> None:
        shown = self._shown()
        self.from_file.setEnabled(self.session.images is not None)
        if shown is None:
            self._pictures.forget()
            self._wanted = self._drawn = None
            self.probabilities.show_pictures((), ())
            self.pins_line.setText("The pinned pictures appear when the data set is open.")
        elif shown != self._wanted:
            self._wanted = shown
            self._pictures.ask(partial(_pictured, *shown))

    def _pictures_arrived(self, found: tuple[ImageSet, list[Pinned]]) -> None:
        images, pinned = found
        self._drawn = images
        self.probabilities.show_pictures(pinned, images.classes)
        self.pins_line.setText(_PINNED if pinned else _NOTHING)
        notes = [picture.note for picture in self._wanted[2] if picture.note] if self._wanted else []
        if notes:
            self.pins_line.setText(f"{_PINNED} {notes[-1]}")
        self._show_probed()

    def _show_probed(self) -> None:
        probed = self.control.probed
        if probed is None or not (self._drawn is not None and self._drawn is self.control.images):
            self.probabilities.show_probabilities((), np.zeros((0, 0), np.float32))
        else:
            goes_on = self.control.state == State.TRAINING
            trails = self.control.trails
            self.probabilities.show_probabilities(probed.indices, probed.probabilities, trails, goes_on)
        self._show_ladder()

    def _show_ladder(self) -> None:
        fits = self._drawn is not None and self._drawn is self.control.images
        self.ladder.show_probed(self.control.probed if fits else None, self.probabilities.chosen_index, self._classes())

    # ---------------------------------------------------------------- a person's own

    def _choose_file(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
        dialog = self._dialog = QFileDialog(self.window(), "Pin a picture")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        patterns = " ".join(f"*{extension}" for extension in EXTENSIONS)
        dialog.setNameFilters([f"Pictures ({patterns})", "All files (*)"])
        dialog.fileSelected.connect(lambda name: self.pin_file(Path(name)))
        dialog.open()

    def pin_file(self, path: Path) -> None:
        """Read a picture and pin it beside those of the data set that is chosen."""
        if self.session.images is not None:
            self._files.ask(partial(own_picture, path, self.session.images))

    def _failed(self, failed: Failed) -> None:
        if not isinstance(failed.error, LabError):
            raise failed.error
        self.session.erred.emit(failed.error)


def _scrolled(name: str, inside: QWidget) -> QScrollArea:
    """What may be higher than the window."""
    frame = QWidget()
    column = QVBoxLayout(frame)
    column.setContentsMargins(L, 0, L, L)
    column.addWidget(inside)
    column.addStretch(1)
    scroll = QScrollArea()
    scroll.setObjectName(name)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(frame)
    return scroll


def _pictured(images: ImageSet, pins: tuple[int, ...], own: tuple[OwnPicture, ...]) -> tuple[ImageSet, list[Pinned]]:
    """Read and scale pinned pictures; for a background thread, since they may be files."""
    found = [Pinned(pin, scaled(to_image(images.picture(pin)), _PICTURE), int(images.labels[pin])) for pin in pins]
    found += [Pinned(one.index, scaled(to_image(one.picture), _PICTURE), -1, one.name) for one in own]
    return images, found
