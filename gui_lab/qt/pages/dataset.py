"""The Dataset page: what there is to learn from on the left, the pictures themselves on the right.

Choosing acts at once, and what cannot be shown yet says why and what to do next. While a data set is opened the old
pictures stay for a moment, so that dragging the split does not flicker; what takes longer shows how far it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from gui_lab.core.images import DATASETS, Dataset, ImageSet
from gui_lab.core.pipeline import Kind
from gui_lab.errors import DataError, LabError
from gui_lab.qt import words
from gui_lab.qt.form import Form
from gui_lab.qt.pages.page import Page
from gui_lab.qt.session import Session
from gui_lab.qt.theme import XS, L, M, label, with_icon
from gui_lab.qt.views.catalogue import Catalogue, Entry
from gui_lab.qt.views.column import Column, hairline, tab_after
from gui_lab.qt.views.gallery import Gallery
from gui_lab.qt.views.notice import Notice, Offer
from gui_lab.qt.views.opening import Opening
from gui_lab.schema import knobs

OWN = "ImageFolder"
"""The data set of a person's own pictures, which a dropped folder becomes."""

_PATIENCE = 300  # milliseconds before an opening is shown as such
_LAYOUT = "It holds one folder for each class, named after it, with the pictures of that class inside."

_DOWNLOAD = Offer("download", "Download", "download-simple", primary=True)
_LOCATE = Offer("locate", "Choose the folder that has it…", "folder-open")
_CHOOSE = Offer("choose", "Choose image folder…", "folder-open", primary=True)
_AGAIN = Offer("again", "Look again", "arrow-clockwise")


class DatasetPage(Page):
    """Catalogue, settings of the chosen data set, and its pictures by class."""

    name: ClassVar[str] = "Dataset"
    line: ClassVar[str] = "The pictures the network learns from"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.setAcceptDrops(True)
        self._lately: dict[str, Dataset] = {}
        self._invited = False
        self._dialog: QFileDialog | None = None
        self._make_right()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._make_left())
        layout.addLayout(self._right, 1)
        self._drop_sign = _drop_sign(self)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self._show_opening)
        session.experiment_changed.connect(self._show_experiment)
        session.problems_changed.connect(self._show_problems)
        session.images_changed.connect(self._show_state)
        session.progress_changed.connect(self._show_progress)
        session.pins_changed.connect(self._show_pins)
        self._show_experiment()
        self._show_state()
        self._show_pins()

    def close_down(self) -> None:
        self._patience.stop()
        self.gallery.grid.close_down()

    # ---------------------------------------------------------------- building

    def _make_left(self) -> Column:
        self.catalogue = Catalogue("dataset.catalogue", "Data sets")
        self.catalogue.show_entries([_entry(dataset) for dataset in DATASETS])
        self.catalogue.chosen.connect(self._choose)
        self.choose_folder = QPushButton("Choose image folder…")
        self.choose_folder.setObjectName("dataset.choose_folder")
        self.choose_folder.setAccessibleName("Choose image folder")
        self.choose_folder.setToolTip("Or drop a folder anywhere on this page")
        with_icon(self.choose_folder, "folder-open")
        self.choose_folder.clicked.connect(self._ask_for_pictures)
        self.form = Form("dataset")
        self.form.edited.connect(self.session.try_edit)
        self.form.repair_chosen.connect(self.session.repair)
        return Column("dataset.column", self.catalogue, (self.choose_folder, hairline(), self.form))

    def _make_right(self) -> None:
        self.gallery = Gallery()
        self.gallery.grid.pin_wanted.connect(self._toggle_pin)
        self.gallery.pin.clicked.connect(lambda: self._toggle_pin(self.gallery.grid.current))
        self.opening = Opening()
        self.opening.cancel.clicked.connect(self.session.cancel_opening)
        self.notice = Notice("dataset.notice")
        self.notice.accepted.connect(self._accept)
        self.headline = _Headline()
        self.stack = QStackedWidget()
        for part in (self.gallery, self.opening, self.notice):
            self.stack.addWidget(part)
        self._right = QVBoxLayout()
        self._right.setContentsMargins(L, L, L, M)
        self._right.setSpacing(M)
        self._right.addWidget(self.headline)
        self._right.addWidget(self.stack, 1)

    # ---------------------------------------------------------------- what the session says

    @property
    def _dataset(self) -> Dataset:
        return self.session.experiment.dataset

    def _show_experiment(self) -> None:
        self._lately[self._dataset.name_of()] = self._dataset
        self._set_invited(False)
        self.catalogue.choose(self._dataset.name_of())
        self.form.show_spec(self._dataset)
        tab_after(self.choose_folder, self.form)
        self._show_problems()

    def _show_problems(self) -> None:
        self.form.show_problems(self.session.problems)

    def _show_state(self) -> None:
        """Pictures, or why there are none; the opening itself is shown once it has taken a moment."""
        images, error = self.session.images, self.session.data_error
        if images is None and error is None:
            self._patience.start()
            self._show_pins()
            return
        self._patience.stop()
        self.opening.forget()
        if self._invited:
            return
        self.headline.show_dataset(type(self._dataset), images)
        if images is not None:
            self.gallery.show_pictures(images, self._dataset.split_seed)
            self.stack.setCurrentWidget(self.gallery)
        elif error is not None:
            self._show_error(error)
        self._show_pins()

    def _show_error(self, error: LabError) -> None:
        offers = [_AGAIN]
        if self._dataset.name_of() == OWN:
            offers.insert(0, _CHOOSE)
        elif "root" in type(self._dataset).model_fields:
            offers.insert(0, _LOCATE)
        if self._dataset.downloads:
            offers.insert(0, _DOWNLOAD)
        sign = "cloud-arrow-down" if self._dataset.downloads else "folder-notch-open"
        self.notice.show_notice(sign, error.sentence, error.remedy, offers)
        self.stack.setCurrentWidget(self.notice)

    def _show_opening(self) -> None:
        if self.session.progress is not None and not self._invited:
            self.headline.show_dataset(type(self._dataset), None)
            self.opening.show_progress(self.session.progress)
            self.stack.setCurrentWidget(self.opening)

    def _show_progress(self) -> None:
        if self.session.progress is not None:
            self.opening.show_progress(self.session.progress)

    def _show_pins(self) -> None:
        self.gallery.show_pins(self.session.pins, enabled=self.session.images is not None)

    # ---------------------------------------------------------------- what a person does

    def _choose(self, name: str) -> None:
        """An entry with its settings of last time; one that needs a folder first asks for it."""
        chosen = self._lately.get(name)
        if chosen is None and any(knob.required for knob in knobs(DATASETS.get(name))):
            self._invite(name)
            return
        self._set_invited(False)
        if not self.session.try_edit("dataset", chosen if chosen is not None else name):
            self.catalogue.choose(self._dataset.name_of())
        self._show_state()

    def _invite(self, name: str) -> None:
        """Say what a folder of one's own looks like; the experiment stays as it is until one is chosen."""
        self._set_invited(True)
        self.headline.show_dataset(DATASETS.get(name), None)
        self.notice.show_notice("folder-notch-plus", "Drop a folder of pictures here", _LAYOUT, [_CHOOSE])
        self.stack.setCurrentWidget(self.notice)

    def _set_invited(self, invited: bool) -> None:
        self._invited = invited
        self.form.setHidden(invited)

    def _accept(self, offer: str) -> None:
        if offer == "download":
            self.session.open_images(download=True)
        elif offer == "locate":
            self._ask(f"Choose the folder that has {self._dataset.name_of()}", self._take_root)
        elif offer == "choose":
            self._ask_for_pictures()
        else:
            self.session.open_images()

    def _toggle_pin(self, index: int) -> None:
        if self.session.images is not None and index >= 0:
            self.session.pin(index, index not in self.session.pins)

    # ---------------------------------------------------------------- folders

    def take_folder(self, path: Path) -> None:
        """Learn from the pictures in a folder (chosen, or dropped on the window)."""
        if not path.is_dir():
            remedy = "Drop a folder that holds a folder of pictures for each class."
            self.session.erred.emit(DataError(f"{path.name} is not a folder.", remedy))
            return
        before = self._lately.get(OWN)
        chosen = DATASETS.make(OWN, root=path) if before is None else before.changed(root=path)
        if chosen == self._dataset:
            self._set_invited(False)
            self.session.open_images()
        else:
            self.session.try_edit("dataset", chosen)

    def _take_root(self, folder: str) -> None:
        if not self.session.try_edit("dataset.root", folder):
            return
        if self.session.data_error is not None:  # the same folder once more: it may have what was missing now
            self.session.open_images()

    def _ask_for_pictures(self) -> None:
        self._ask("Choose a folder of pictures", lambda folder: self.take_folder(Path(folder)))

    def _ask(self, title: str, take: Callable[[str], None]) -> None:
        before = getattr(self._dataset, "root", None)
        self._dialog = QFileDialog(self, title, str(before) if before is not None else "")
        self._dialog.setObjectName("dataset.folder_dialog")
        self._dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.fileSelected.connect(take)
        self._dialog.open()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) is not None:
            self._drop_sign.setGeometry(self.rect().adjusted(M, M, -M, -M))
            self._drop_sign.raise_()
            self._drop_sign.show()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_sign.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_sign.hide()
        folder = _dropped(event)
        if folder is not None:
            event.acceptProposedAction()
            self.take_folder(folder)


class _Headline(QWidget):
    """What the data set is: name and size, licence and credit."""

    def __init__(self) -> None:
        super().__init__()
        self.name = label("", "title", name="dataset.name")
        self.sizes = label("", "quiet", wrap=True, name="dataset.size")
        self.origin = label("", "caption", wrap=True, name="dataset.origin")
        top = QHBoxLayout()
        top.setSpacing(M)
        top.addWidget(self.name)
        top.addWidget(self.sizes, 1, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addLayout(top)
        column.addWidget(self.origin)

    def show_dataset(self, dataset: type[Dataset], images: ImageSet | None) -> None:
        self.name.setText(dataset.name_of())
        self.sizes.setText(_size(images) if images is not None else dataset.summary())
        licence = f"Licence: {dataset.licence}" if dataset.licence else ""
        self.origin.setText(" · ".join(part for part in (licence, dataset.credit) if part))


def _entry(dataset: type[Dataset]) -> Entry:
    return Entry(dataset.name_of(), dataset.summary(), dataset.group, "download" if dataset.downloads else "")


def _size(images: ImageSet) -> str:
    pictures = f"{words.count(len(images.labels))} pictures"
    return f"{pictures} {_kind(images.kind)}, {words.count(len(images.classes))} classes"


def _kind(kind: Kind) -> str:
    colours = {1: "grey", 3: "RGB"}.get(kind.channels, f"{kind.channels} channels")
    return f"{kind.width}x{kind.height} {colours}" if kind.size else f"{colours}, various sizes"


def _dropped(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    path = Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
    return path if path is not None and path.is_dir() else None


def _drop_sign(page: QWidget) -> QLabel:
    sign = label("Drop the folder to learn from its pictures", "panel", name="dataset.drop")
    sign.setParent(page)
    sign.setAlignment(Qt.AlignmentFlag.AlignCenter)
    sign.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    sign.hide()
    return sign
