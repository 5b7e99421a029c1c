"""The Model page: which network learns, its knobs, and what becomes of a picture on its way through it.

The layers are those of the real network, built for the pictures that really reach it; where none can reach it the page
says what is in the way and leads there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout

from gui_lab.core.learning import MODELS, Model
from gui_lab.errors import LabError
from gui_lab.qt import words
from gui_lab.qt.form import Form
from gui_lab.qt.pages.page import Page
from gui_lab.qt.session import Session
from gui_lab.qt.theme import XS, L, M, label
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.catalogue import Catalogue, Entry
from gui_lab.qt.views.column import Column, hairline, tab_after
from gui_lab.qt.views.layer_words import Row, in_words, size_of
from gui_lab.qt.views.layers import Layers
from gui_lab.qt.views.notice import Notice, Offer
from gui_lab.schema import Problem

_ENDS_IN = "model.ends_in"
_TO_DATASET = Offer("go.dataset", "Go to Dataset", "image", primary=True)
_TO_TRANSFORMS = Offer("go.transforms", "Go to Transforms", "magic-wand")


@dataclass(frozen=True)
class _Task:
    """A network to look into: the model and what it is built for."""

    model: Model
    shape: tuple[int, int, int]
    classes: int


class ModelPage(Page):
    """
    `go` carries the name of the page where a person can mend what is in the way.
    """

    name: ClassVar[str] = "Model"
    line: ClassVar[str] = "The network that learns"
    go = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wanted: _Task | None = None
        self._shown: _Task | None = None
        self._in_the_way: Problem | None = None
        self._ledger = Latest(self)
        self._ledger.arrived.connect(self._show_ledger)
        self._ledger.failed.connect(self._show_failure)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._make_left())
        layout.addLayout(self._make_right(), 1)
        session.experiment_changed.connect(self._show_experiment)
        session.problems_changed.connect(self._show_problems)
        session.images_changed.connect(self._show_network)
        session.ready_changed.connect(self._show_network)
        self._show_experiment()

    @property
    def counted(self) -> bool:
        """True where the layers on screen are those of the network that is chosen now."""
        return self._wanted is not None and self._shown == self._wanted

    def close_down(self) -> None:
        self._ledger.close()

    # ---------------------------------------------------------------- building

    def _make_left(self) -> Column:
        self.catalogue = Catalogue("model.catalogue", "Models")
        self.catalogue.show_entries([Entry(model.name_of(), model.summary(), model.group) for model in MODELS])
        self.catalogue.chosen.connect(self._choose)
        self.form = Form("model")
        self.form.edited.connect(self.session.try_edit)
        self.form.repair_chosen.connect(self.session.repair)
        return Column("model.column", self.catalogue, (hairline(), self.form))

    def _make_right(self) -> QVBoxLayout:
        self.title = label("", "title", name="model.name")
        self.input = label("", "quiet", wrap=True, name="model.input")
        self.source = label("", "caption", wrap=True, name="model.source")
        self.layers = Layers()
        self.notice = Notice("model.notice")
        self.notice.accepted.connect(self._accept)
        self.stack = QStackedWidget()
        for part in (self.layers, self.notice):
            self.stack.addWidget(part)
        top = QHBoxLayout()
        top.setSpacing(M)
        top.addWidget(self.title)
        top.addWidget(self.input, 1, Qt.AlignmentFlag.AlignBottom)
        headline = QVBoxLayout()
        headline.setSpacing(XS)
        headline.addLayout(top)
        headline.addWidget(self.source)
        right = QVBoxLayout()
        right.setContentsMargins(L, L, L, M)
        right.setSpacing(M)
        right.addLayout(headline)
        right.addWidget(self.stack, 1)
        return right

    # ---------------------------------------------------------------- what the session says

    def _show_experiment(self) -> None:
        model = self.session.experiment.model
        self.catalogue.choose(model.name_of())
        self.form.show_spec(model)
        tab_after(self.catalogue, self.form)
        self.title.setText(model.name_of())
        self.source.setText(f"Source: {model.source}" if model.source else "")
        self.source.setVisible(bool(model.source))
        self._show_problems()
        self._show_network()

    def _show_problems(self) -> None:
        """What keeps the loss from working is told at the last layer too, where that would mend it."""
        problems = self.session.problems
        unpaired = [one for one in problems if one.path == "loss" and any(r.path == _ENDS_IN for r in one.repairs)]
        self.form.show_problems([*problems, *(replace(one, path=_ENDS_IN) for one in unpaired)])

    def _show_network(self) -> None:
        """Have the network looked into, or say what is in the way."""
        task = self._task()
        if task is None or task == self._wanted:
            self._wanted = task
            return
        self._wanted = task
        if self.stack.currentWidget() is not self.layers:
            self._tell("hourglass", "The network is being built")
        self.input.setText(f"gets {size_of(task.shape)} float32 and tells {words.count(task.classes)} classes apart")
        self._ledger.ask(_looking_into(task))

    def _task(self) -> _Task | None:
        """None where there is no network to look into yet; the notice then says why."""
        experiment, images = self.session.experiment, self.session.images
        if images is None:
            self._wait_for_pictures()
            return None
        problems = [problem for problem in experiment.problems(images) if problem.severity == "error"]
        blocking = next((p for p in problems if p.path.split(".")[0] in ("transforms", "model")), None)
        if blocking is not None:
            self._show_blocking(blocking)
            return None
        if not self.session.ready:
            self._tell("hourglass", "The network is drawn as soon as PyTorch is loaded")
            return None
        return _Task(experiment.model, experiment.chain.output(images.kind).shape, len(images.classes))

    def _wait_for_pictures(self) -> None:
        error = self.session.data_error
        if error is None and self.stack.currentWidget() is self.layers and self.layers.table.model().rowCount():
            return  # pictures that are opened anew are back in a moment
        if error is None:
            self._tell("image", "The pictures are being opened", "The network is built for them, so it waits.")
        else:
            self._tell("image", "There are no pictures to build the network for", error.sentence, [_TO_DATASET])

    def _show_blocking(self, problem: Problem) -> None:
        self._in_the_way = problem
        at_transforms = problem.path.startswith("transforms")
        repairs = [Offer(f"repair.{i}", each.label, "wrench", primary=i == 0) for i, each in enumerate(problem.repairs)]
        sentence = "The transforms do not fit yet" if at_transforms else "This network does not fit the pictures"
        self._tell("puzzle-piece", sentence, problem.sentence, [*repairs, _TO_TRANSFORMS])

    def _tell(self, sign: str, sentence: str, remedy: str = "", offers: list[Offer] | None = None) -> None:
        self.input.setText("")
        self.notice.show_notice(sign, sentence, remedy, offers or [])
        self.stack.setCurrentWidget(self.notice)

    # ---------------------------------------------------------------- what the background says

    def _show_ledger(self, found: tuple[_Task, list[Row]]) -> None:
        task, rows = found
        if task == self._wanted:
            self.layers.show_network(task.shape, rows)
            self._shown = task
            self.stack.setCurrentWidget(self.layers)

    def _show_failure(self, failed: Failed) -> None:
        if self._wanted is None:
            return
        size = size_of(self._wanted.shape)
        sentence = f"{self._wanted.model.name_of()} cannot be built for pictures of {size}"
        expected = isinstance(failed.error, LabError)
        self._tell("warning-circle", sentence, str(failed.error), [_TO_TRANSFORMS])
        if not expected:
            raise failed.error

    # ---------------------------------------------------------------- what a person does

    def _choose(self, name: str) -> None:
        if not self.session.try_edit("model", name):
            self.catalogue.choose(self.session.experiment.model.name_of())

    def _accept(self, offer: str) -> None:
        kind, _, which = offer.partition(".")
        if kind == "go":
            self.go.emit(which.capitalize())
        elif self._in_the_way is not None:
            self.session.repair(self._in_the_way.repairs[int(which)])


def _looking_into(task: _Task) -> Callable[[], tuple[_Task, list[Row]]]:
    def work() -> tuple[_Task, list[Row]]:
        from gui_lab.core.ledger import ledger

        found = ledger(task.model, task.shape, task.classes)
        return task, [
            Row(layer.kind, in_words(layer.kind, layer.detail), layer.output, layer.parameters) for layer in found
        ]

    return work
