"""The one thing that changes: the experiment, its opened pictures, its problems, and the steps back.

State is a value. `edit` is the only way anything changes, undo is a list of old values, and whoever shows a part
compares it with what it showed before. The session decides nothing about widgets; it only says that something changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from gui_lab.core import experiment as experiments
from gui_lab.core import trust
from gui_lab.core.experiment import Experiment
from gui_lab.core.images import Dataset, ImageSet, Progress
from gui_lab.core.own_picture import OwnPicture
from gui_lab.core.trust import Code
from gui_lab.errors import DataError, InvalidExperiment, LabError
from gui_lab.qt.threads import Failed, Latest
from gui_lab.schema import Problem, Repair

_MERGE_SECONDS = 1.0
_REMEMBERED = 200
PINNED_AT_START = 6


@dataclass(frozen=True)
class _Step:
    before: Experiment
    path: str
    at: float


class Session(QObject):
    """
    Attributes:
        experiment: what is edited; a run keeps its own copy.
        images: the opened data set; None while it is opened or where that failed.
        data_error: why there are no pictures; None otherwise.
        progress: how far the opening is; None when none is under way.
        problems: what keeps the experiment from training, each with its path.
        file: where it was opened from or saved to.
        pins: indices of pinned pictures.
        own_pictures: pinned pictures of a person's own, from files.
        ready: torch is there, so previews and training can start.
    """

    experiment_changed = Signal()
    images_changed = Signal()
    progress_changed = Signal()
    problems_changed = Signal()
    pins_changed = Signal()
    file_changed = Signal()
    ready_changed = Signal()
    code_shown = Signal(object)
    """Code (core.trust.Code) that a person wants to read and decide about."""
    erred = Signal(object)
    """An expected error (LabError) that has no place of its own: shown as a banner."""
    _progressed = Signal(object)

    def __init__(self, experiment: Experiment, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.experiment = experiment
        self.images: ImageSet | None = None
        self.data_error: LabError | None = None
        self.progress: Progress | None = None
        self.problems: list[Problem] = []
        self.file: Path | None = None
        self.pins: tuple[int, ...] = ()
        self.own_pictures: tuple[OwnPicture, ...] = ()
        self.ready = False
        self._past: list[_Step] = []
        self._future: list[Experiment] = []
        self._saved = experiment
        self._opened: Dataset | None = None
        self._read: tuple[Dataset, ImageSet] | None = None
        self._cancelled = False
        self._opener = Latest(self)
        self._opener.arrived.connect(self._images_arrived)
        self._opener.failed.connect(self._opening_failed)
        self._progressed.connect(self._show_progress)
        self._attempt = 0

    # ---------------------------------------------------------------- editing

    def edit(self, path: str, value: Any) -> None:
        """Change one place, undoably. Quick changes of the same place (a slider) become one step.

        Raises:
            InvalidExperiment: the value does not fit; nothing has changed.
        """
        edited = self.experiment.edited(path, value)
        if edited == self.experiment:
            return
        now = time.monotonic()
        slides = isinstance(value, (int, float)) and not isinstance(value, bool)
        last = self._past[-1] if self._past else None
        merged = slides and last is not None and last.path == path and now - last.at < _MERGE_SECONDS
        if merged and last is not None:
            self._past[-1] = _Step(last.before, path, now)
        else:
            self._past = [*self._past[-_REMEMBERED:], _Step(self.experiment, path, now)]
        self._future.clear()
        self._show(edited)

    def repair(self, repair: Repair) -> None:
        """Apply a problem's repair, undoable like any edit; code is shown first, and a person decides."""
        if isinstance(repair.value, Code):
            self.code_shown.emit(repair.value)
        else:
            self.edit(repair.path, repair.value)

    def trust(self, code: Code) -> None:
        """A person has read this code and said yes: what it does is looked at from now on."""
        try:
            trust.trust(code)
        except LabError as error:
            self.erred.emit(error)
            return
        self._check()
        self.experiment_changed.emit()

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    @property
    def modified(self) -> bool:
        """True where the experiment differs from its file (or from the one the lab opened with)."""
        return self.experiment != self._saved

    def undo(self) -> None:
        if self._past:
            self._future.append(self.experiment)
            self._show(self._past.pop().before)

    def redo(self) -> None:
        if self._future:
            self._past.append(_Step(self.experiment, "", 0.0))
            self._show(self._future.pop())

    def _show(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.experiment_changed.emit()
        if experiment.dataset != self._opened:
            self.open_images()
        self._check()

    def _check(self) -> None:
        found = self.experiment.problems(self.images)
        if found != self.problems:
            self.problems = found
            self.problems_changed.emit()

    # ---------------------------------------------------------------- files

    def open_file(self, path: Path) -> None:
        """Open an experiment; the steps back are forgotten.

        Raises:
            LabError: it cannot be read; nothing has changed.
        """
        opened = experiments.load(path)
        self._begin_with(opened, path)

    def start_anew(self) -> None:
        """Back to what the lab opens with."""
        self._begin_with(experiments.default(), None)

    def save_file(self, path: Path) -> None:
        """
        Raises:
            LabError: it cannot be written; an older file is untouched.
        """
        self.experiment.save(path)
        self._saved, self.file = self.experiment, path
        self.file_changed.emit()

    def _begin_with(self, experiment: Experiment, path: Path | None) -> None:
        self._past.clear()
        self._future.clear()
        self._saved, self.file = experiment, path
        self._show(experiment)
        self.file_changed.emit()

    # ---------------------------------------------------------------- pictures

    def open_images(self, download: bool = False) -> None:
        """Open the chosen data set in the background; `images_changed` tells when it is there or has failed."""
        dataset = self.experiment.dataset
        before = self._read
        if before is not None and (dataset == before[0] or not dataset.same_pictures(before[0])):
            before = None  # asked for once more, the folder may hold other pictures by now
        self._opened = dataset
        self._cancelled = False
        self._attempt += 1
        self.images, self.data_error, self.progress = None, None, Progress(f"Opening {dataset.name_of()}")
        self.images_changed.emit()
        self.progress_changed.emit()
        if before is not None and not download:
            self._opener.ask(lambda: dataset.split_anew(before[1]))
        else:
            self._opener.ask(self._opening(dataset, download, self._attempt))

    def cancel_opening(self) -> None:
        """Stop a download or a scan; what has arrived is kept for the next time."""
        self._cancelled = True

    def _opening(self, dataset: Dataset, download: bool, attempt: int) -> Callable[[], ImageSet]:
        def work() -> ImageSet:
            opening = dataset.open(download)
            told = 0.0
            while True:
                try:
                    progress = next(opening)
                except StopIteration as end:
                    images: ImageSet = end.value
                    return images
                if self._cancelled or attempt != self._attempt:
                    opening.close()
                    raise DataError("Opening was cancelled.", "Press Look again, or Download, to continue.")
                if time.monotonic() - told > 0.05:
                    told = time.monotonic()
                    self._progressed.emit(progress)

        return work

    def _show_progress(self, progress: Progress) -> None:
        if self.progress is not None:
            self.progress = progress
            self.progress_changed.emit()

    def _images_arrived(self, images: ImageSet) -> None:
        known = self._read is not None and self._read[1].pictures is images.pictures
        self.images, self.progress = images, None
        self._read = (self.experiment.dataset, images)
        if not known:
            self.pins = _first_of_each_class(images)
        self._check()
        self.images_changed.emit()
        self.progress_changed.emit()
        self.pins_changed.emit()

    def _opening_failed(self, failed: Failed) -> None:
        error = failed.error
        self.progress = None
        self.data_error = (
            error if isinstance(error, LabError) else DataError(f"The pictures could not be opened: {error}.")
        )
        self.images_changed.emit()
        self.progress_changed.emit()
        if not isinstance(error, LabError):
            raise error

    def pin(self, index: int, pinned: bool) -> None:
        """Pin or unpin a picture: its softmax is shown while training. Own pictures have negative indices."""
        others = tuple(pin for pin in self.pins if pin != index)
        self.pins = (*others, index) if pinned else others
        self.own_pictures = tuple(picture for picture in self.own_pictures if picture.index != index)
        self.pins_changed.emit()

    def pin_own(self, picture: OwnPicture) -> None:
        """Pin a picture of a person's own."""
        self.own_pictures = (*self.own_pictures, picture)
        self.pins_changed.emit()

    # ---------------------------------------------------------------- readiness

    def set_ready(self) -> None:
        """torch is imported: previews and training may start."""
        self.ready = True
        self._check()  # own code could not be tried before
        self.ready_changed.emit()

    def close(self) -> None:
        self._cancelled = True
        self._opener.close()

    def try_edit(self, path: str, value: Any) -> bool:
        """`edit` for drags and drops: what does not fit becomes a banner, and False is returned."""
        try:
            self.edit(path, value)
        except InvalidExperiment as invalid:
            self.erred.emit(invalid)
            return False
        return True


def _first_of_each_class(images: ImageSet) -> tuple[int, ...]:
    """One held-back picture of each of the first classes, so that a first run has something to show."""
    pins = []
    for label in range(len(images.classes)):
        of_class = images.validation[images.labels[images.validation] == label]
        if len(of_class):
            pins.append(int(of_class[0]))
    return tuple(pins[:PINNED_AT_START])
