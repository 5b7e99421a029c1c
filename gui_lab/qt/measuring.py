"""*Measure from data*: a button that fills a transform's numbers from the training pictures as they arrive there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui_lab.core.chain import Chain
from gui_lab.core.images import ImageSet
from gui_lab.core.pipeline import Transform
from gui_lab.errors import LabError
from gui_lab.qt import words
from gui_lab.qt.session import Session
from gui_lab.qt.theme import S, label, with_icon
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.chain_words import measured_words

if TYPE_CHECKING:
    from gui_lab.core.probes import Measured, Whitened


class Measuring(QWidget):
    """The button, and a line that says over how much was measured."""

    _measured_part = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._place = -1
        self._cancelled = threading.Event()
        self._measurer = Latest(self)
        self._measurer.arrived.connect(self._measured)
        self._measurer.failed.connect(self._measuring_failed)
        self._measured_part.connect(self._show_part)
        self.button = QPushButton()
        self.button.setObjectName("transforms.measure")
        self.button.clicked.connect(self._measure)
        self._note = label("", "caption", wrap=True, name="transforms.measured")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._note)

    @property
    def busy(self) -> bool:
        return self._measurer.busy

    def close_down(self) -> None:
        self._cancelled.set()
        self._measurer.close()

    def forget_note(self) -> None:
        """What was measured belongs to another transform, or to this one before it was changed."""
        self._note.setText("")

    def offer(self, place: int) -> None:
        """Offer to measure for the transform at a position of the chain; negative for none."""
        self._place = place
        what = self._transforms[place].measures if place >= 0 else ""
        self.setVisible(bool(what))
        if not what:
            return
        busy = self._measurer.busy
        self.button.setText("Cancel" if busy else "Measure from data")
        self.button.setAccessibleName("Cancel measuring" if busy else f"Measure {what} from data")
        with_icon(self.button, "x" if busy else "ruler")
        why = "" if busy else self._why_not_measured()
        self.button.setEnabled(not why)
        self.button.setToolTip(why or f"The {what} of the training pictures as they arrive here")

    @property
    def _transforms(self) -> tuple[Transform, ...]:
        return self.session.experiment.transforms

    def _why_not_measured(self) -> str:
        images = self.session.images
        if images is None or not self.session.ready:
            return "Once the pictures and PyTorch are there"
        chain = Chain([transform for transform in self._transforms[: self._place] if not transform.random])
        whole = len(chain.kinds(images.kind)) == len(chain.steps()) + 1
        return "" if whole else "Once the transforms before it can be applied"

    def _measure(self) -> None:
        if self._measurer.busy:
            self._cancelled.set()
            return
        images = self.session.images
        assert images is not None
        self._cancelled = threading.Event()
        arriving = self._transforms[: self._place]
        work = _measuring(self._transforms[self._place], images, arriving, self._cancelled, self._measured_part.emit)
        self._measurer.ask(lambda: (arriving, images, work()))
        self.offer(self._place)

    def _show_part(self, part: Measured | Whitened) -> None:
        if self._measurer.busy:
            self._note.setText(f"{words.count(part.pictures)} of {words.count(part.total)} pictures")

    def _measured(self, result: Any) -> None:
        """Fill in what was measured, unless the chain before it is another one by now."""
        arriving, images, measured = result
        place = len(arriving)
        self.offer(self._place)
        self._note.setText("")
        same = images is self.session.images and arriving == self._transforms[:place] and place < len(self._transforms)
        if measured is None or not same or not self._transforms[place].measures:
            return
        try:
            self.session.edit(f"transforms.{place}", measured.fitted(self._transforms[place]))
        except LabError as error:
            self.session.erred.emit(error)
            return
        if self._place == place:
            self._note.setText(f"{measured_words(measured, images)} {measured.note}".strip())

    def _measuring_failed(self, failed: Failed) -> None:
        self.offer(self._place)
        self._note.setText("")
        if not isinstance(failed.error, LabError):
            raise failed.error
        self.session.erred.emit(failed.error)


def _measuring(
    transform: Transform,
    images: ImageSet,
    arriving: Sequence[Transform],
    cancelled: threading.Event,
    tell: Callable[[Measured | Whitened], None],
) -> Callable[[], Measured | Whitened | None]:
    """Work for the background: the last measurement, or None where it was cancelled."""

    def work() -> Measured | Whitened | None:
        from gui_lab.core.probes import measuring_for

        last = None
        for last in measuring_for(transform, images, arriving):
            if cancelled.is_set():
                return None
            tell(last)
        return last

    return work
