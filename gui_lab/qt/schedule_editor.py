"""The schedules of the learning rate: the curve that they make of it, the list of them, and a form for each.

The curve is the one that the run will follow, computed in the background before anything trains. Several schedules
multiply; their order matters where one of them sets the learning rate itself, which then has to be the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui_lab.core.learning import SCHEDULERS, Optimizer, Scheduler
from gui_lab.errors import LabError
from gui_lab.qt.form import Form
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME, XS, Elided, S, label, set_role, with_icon
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.catalogue import Entry
from gui_lab.qt.views.column import hairline
from gui_lab.qt.views.finder import Finder
from gui_lab.qt.views.problem_lines import ProblemLines, retire
from gui_lab.qt.views.schedule_plot import Floats, SchedulePlot, picture_of
from gui_lab.schema import Problem

ROOM = 239
"""Pixels of a form in the column at its narrowest, beside margins and scroll bar."""
_PICTURE = 48
_TRIED_EPOCHS = 12
Plan = tuple[Optimizer, tuple[Scheduler, ...], int, int]
"""What decides the curve: optimiser, schedules, epochs, iterations per epoch."""


class _Item(QWidget):
    """One schedule: its name, what can be done with it, and its form."""

    moved = Signal(int)
    removed = Signal()

    def __init__(self, position: int) -> None:
        super().__init__()
        path = f"schedulers.{position}"
        self.name = Elided(f"{path}.name")
        self.acts = {
            "up": self._act(path, "up", "arrow-up", "Move up", lambda: self.moved.emit(-1)),
            "down": self._act(path, "down", "arrow-down", "Move down", lambda: self.moved.emit(1)),
            "remove": self._act(path, "remove", "trash", "Remove", self.removed.emit),
        }
        self.summary = label("", "caption", wrap=True)
        self.form = Form(path, foot=False, room=ROOM)
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(self.name, 1)
        for button in self.acts.values():
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addWidget(hairline())
        column.addLayout(top)
        column.addWidget(self.summary)
        column.addWidget(self.form)

    def _act(self, path: str, verb: str, sign: str, words: str, act: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"{path}.{verb}")
        button.setToolTip(words)
        set_role(button, "mini")
        with_icon(button, sign, "quiet")
        button.setIconSize(QSize(14, 14))
        button.clicked.connect(lambda: act())
        return button

    def show_scheduler(self, scheduler: Scheduler, position: int, count: int) -> None:
        self.name.setText(f"{position + 1}  {scheduler.name_of()}")
        self.summary.setText(scheduler.summary())
        self.form.show_spec(scheduler)
        self.acts["up"].setEnabled(position > 0)
        self.acts["down"].setEnabled(position < count - 1)
        for button in self.acts.values():
            button.setAccessibleName(f"{button.toolTip()} {scheduler.name_of()}")


class ScheduleEditor(QWidget):
    """
    `explained` carries the help of the field that a person has come to.
    """

    explained = Signal(str)

    def __init__(self, session: Session, control: RunControl, page: QWidget) -> None:
        """
        Args:
            session: what is edited.
            control: whose run is shown as a dot on the curve.
            page: what the search for a schedule lies over.
        """
        super().__init__()
        self.session, self.control = session, control
        self._items: list[_Item] = []
        self._asked: Plan | None = None
        self._planner, self._painter = Latest(self), Latest(self)
        self._planner.arrived.connect(self._planned)
        self._planner.failed.connect(self._planning_failed)
        self._painter.failed.connect(self._planning_failed)
        self.plot = SchedulePlot("schedulers.plot")
        self.problems = ProblemLines("schedulers")
        self.problems.repair_chosen.connect(session.repair)
        self.about = label("", "caption", wrap=True, name="schedulers.about")
        self._list = QVBoxLayout()
        self._list.setSpacing(S)
        self.add = QPushButton("Add a schedule")
        self.add.setObjectName("schedulers.add")
        self.add.setAccessibleName("Add a learning rate schedule")
        self.add.setToolTip("Several schedules multiply")
        with_icon(self.add, "plus")
        self.add.clicked.connect(self._open_finder)
        self.finder = Finder("schedulers.add", "Search for a schedule", page)
        self.finder.chosen.connect(self._insert)
        self._painter.arrived.connect(self.finder.show_pictures)
        self._inside = inside = QWidget()
        inside.setLayout(self._list)
        self._list.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        for part in (self.plot, self.about, self.problems, inside, self.add):
            column.addWidget(part)

    def close_down(self) -> None:
        self._planner.close()
        self._painter.close()

    def forms(self) -> list[Form]:
        return [item.form for item in self._items]

    # ---------------------------------------------------------------- what the session says

    @property
    def _schedulers(self) -> tuple[Scheduler, ...]:
        return self.session.experiment.schedulers

    def show_experiment(self) -> bool:
        """Show what is edited; True where editors came or went."""
        schedulers = self._schedulers
        before = [type(item.form.spec) for item in self._items]
        while len(self._items) < len(schedulers):
            self._add_item()
        while len(self._items) > len(schedulers):
            item = self._items.pop()
            self._list.removeWidget(item)
            retire(item)
        for position, (item, scheduler) in enumerate(zip(self._items, schedulers, strict=True)):
            item.show_scheduler(scheduler, position, len(schedulers))
        self.about.setText(_about(schedulers))
        self.about.setVisible(bool(self.about.text()))
        for part in (self.plot, self._inside):
            part.setVisible(bool(schedulers))
        self.show_plan()
        return before != [type(scheduler) for scheduler in schedulers]

    def _add_item(self) -> None:
        position = len(self._items)
        item = _Item(position)
        item.moved.connect(partial(self._move, position))
        item.removed.connect(partial(self._remove, position))
        item.form.edited.connect(self.session.try_edit)
        item.form.repair_chosen.connect(self.session.repair)
        item.form.explained.connect(self.explained)
        self._items.append(item)
        self._list.addWidget(item)
        item.show()  # at once: a layout would do it only when the event loop comes round

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Those below "schedulers", each at its schedule."""
        for item in self._items:
            item.form.show_problems(problems)
        self.problems.show_problems([problem for problem in problems if problem.path == "schedulers"])
        self.show_plan()

    # ---------------------------------------------------------------- the curve

    def show_plan(self) -> None:
        """Have the curve computed anew where it is another one now, or say why there is none."""
        plan, why = self._plan()
        if plan is None:
            self._asked = None
            self._planner.forget()
            self.plot.show_words(why)
        elif plan != self._asked:
            self._asked = plan
            self._planner.ask(partial(_computed, plan))
        self.show_place()

    def _plan(self) -> tuple[Plan | None, str]:
        """What decides the curve; or None, and why there is none."""
        session = self.session
        if not self._schedulers:
            return None, ""
        if session.images is None:
            return None, "Drawn as soon as the pictures are there"
        if any(
            one.severity == "error" and one.path.startswith(("optimizer", "schedulers")) for one in session.problems
        ):
            return None, "Drawn once what is wrong here is mended"
        experiment = session.experiment
        iterations = experiment.training.iterations(len(session.images.train))
        return (experiment.optimizer, self._schedulers, experiment.training.epochs, iterations), ""

    def _planned(self, found: tuple[Plan, Floats, Floats]) -> None:
        plan, epochs, rates = found
        if plan == self._asked:
            self.plot.show_curve(epochs, rates)
            self.show_place()

    def _planning_failed(self, failed: Failed) -> None:
        if not isinstance(failed.error, LabError):
            raise failed.error
        self.plot.show_words(failed.error.sentence)

    def show_place(self) -> None:
        """The dot, where the run that goes on follows these schedules."""
        run, history, edited = self.control.experiment, self.control.history, self.session.experiment
        started, last = history.started, history.last
        place = None
        if self.control.running and run is not None and started is not None and last is not None:
            same = run.schedulers == edited.schedulers and type(run.optimizer) is type(edited.optimizer)
            place = (len(history.loss) / started.iterations, last.lr) if same else None
        self.plot.show_place(place)

    # ---------------------------------------------------------------- what a person does

    def _open_finder(self) -> None:
        group = "Learning rate schedules"
        self.finder.open_below(
            self.add, [Entry(one.name_of(), one.summary(), one.group or group) for one in SCHEDULERS]
        )
        self._painter.ask(partial(_pictures, THEME.colours.training))

    def _insert(self, name: str) -> None:
        if self._edit((*self._schedulers, {"name": name})):
            self._items[-1].acts["remove"].setFocus()

    def _move(self, position: int, step: int) -> None:
        order = list(self._schedulers)
        order.insert(position + step, order.pop(position))
        if self._edit(order):
            acts = self._items[position + step].acts
            kept = acts["up" if step < 0 else "down"]
            (kept if kept.isEnabled() else acts["down" if step < 0 else "up"]).setFocus()

    def _remove(self, position: int) -> None:
        self._edit([*self._schedulers[:position], *self._schedulers[position + 1 :]])
        self.add.setFocus()

    def _edit(self, schedulers: Sequence[Any]) -> bool:
        return self.session.try_edit("schedulers", tuple(schedulers))


def _about(schedulers: Sequence[Scheduler]) -> str:
    """What the curve does not say."""
    if not schedulers:
        return "The learning rate stays as it is."
    following = [one.name_of() for one in schedulers if one.follower(1.0) is not None]
    return f"{following[0]} follows the validation loss, so it is drawn flat." if following else ""


def _computed(plan: Plan) -> tuple[Plan, Floats, Floats]:
    """Work for the background: the plan with its curve."""
    from gui_lab.core.schedule import planned

    return plan, *planned(*plan)


def _pictures(tint: str) -> dict[str, QImage]:
    """Work for the background: what each schedule makes of a learning rate of 1, by its name."""
    from gui_lab.core.learning import OPTIMIZERS
    from gui_lab.core.schedule import planned

    made = {}
    for entry in SCHEDULERS:
        curve = planned(OPTIMIZERS.make("SGD", lr=1.0), (entry(),), _TRIED_EPOCHS, 10)
        made[entry.name_of()] = picture_of(*curve, _PICTURE, tint)
    return made
