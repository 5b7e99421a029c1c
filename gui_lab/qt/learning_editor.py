"""The left of the Train page: everything that decides how the network learns, in parts that fold away.

What it edits is the session's experiment, and every edit can be undone. A run that goes on keeps its own: the learning
rate, the epochs and the patience act on it at once, and one line at the foot says what waits for the next run. Help
stands at the foot as well, once for all parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QComboBox, QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui_lab.core.events import RunStarted
from gui_lab.core.experiment import SECTIONS, Experiment
from gui_lab.core.learning import LOSSES, OPTIMIZERS, Loss, Optimizer, Scheduler
from gui_lab.qt.form import FocusedWheel, Form
from gui_lab.qt.running import RunControl
from gui_lab.qt.schedule_editor import ROOM, ScheduleEditor
from gui_lab.qt.session import Session
from gui_lab.qt.theme import XS, M, S, label, set_role
from gui_lab.qt.views.column import hairline, tab_after
from gui_lab.qt.views.editors import text_of
from gui_lab.qt.views.problem_lines import ProblemLines
from gui_lab.qt.views.section import Section
from gui_lab.schema import Problem, Registry, Spec, knobs

_PARTS = {
    "training": ("epochs", "batch_size", "patience", "seed"),
    "regularisation": ("max_norm", "accumulate", "ema_decay", "balanced"),
    "machine": ("device", "precision", "remeasure", "deterministic"),
}
"""The fields of the training settings, by the part in which they stand."""
_LIVE = {"training": ("epochs", "patience"), "optimizer": ("lr",)}
"""Fields whose edits act on the run that goes on."""
_PAIRING = "model.ends_in"
"""Where the last layer is chosen: whether it suits the loss is told at both."""
_NARROWEST = 270
_WORDS = {"dataset": "data set", "optimizer": "optimiser", "schedulers": "schedule"}


class _Choice(QWidget):
    """A list of entries, what the chosen one is, and its form."""

    def __init__(self, path: str, spoken: str, registry: Registry[Optimizer] | Registry[Loss]) -> None:
        super().__init__()
        self.box = QComboBox()
        self.box.setObjectName(f"{path}.name")
        self.box.setAccessibleName(spoken)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.setMinimumWidth(64)
        self.box.installEventFilter(FocusedWheel(self))
        for row, entry in enumerate(registry):
            self.box.addItem(entry.name_of())
            self.box.setItemData(row, entry.summary(), Qt.ItemDataRole.ToolTipRole)
        self.summary = label("", "caption", wrap=True, name=f"{path}.summary")
        self.form = Form(path, first=("lr",), foot=False, room=ROOM)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        for part in (self.box, self.summary, self.form):
            column.addWidget(part)

    def show_spec(self, spec: Spec) -> bool:
        """True where the editors are made anew."""
        anew = type(self.form.spec) is not type(spec)
        self.box.setCurrentText(spec.name_of())
        self.summary.setText(spec.summary())
        self.form.show_spec(spec)
        return anew


class LearningEditor(QFrame):
    """
    `find_rate_wanted` and `budget_wanted` say that a person asks for the learning rate finder and the time budget.
    """

    find_rate_wanted = Signal()
    budget_wanted = Signal()

    def __init__(self, session: Session, control: RunControl, page: QWidget) -> None:
        """
        Args:
            session: what is edited.
            control: whose run the edits may act on.
            page: what the search for a schedule lies over.
        """
        super().__init__()
        self.session, self.control = session, control
        self.setMinimumWidth(_NARROWEST)
        self._told: RunStarted | None = None
        self._build(page)
        session.experiment_changed.connect(self._show_experiment)
        session.images_changed.connect(self._show_experiment)
        session.problems_changed.connect(self._show_problems)
        session.ready_changed.connect(self._show_experiment)
        control.state_changed.connect(self._show_run)
        control.advanced.connect(self._follow_run)
        self._show_experiment()

    def close_down(self) -> None:
        self.schedules.close_down()

    def section_of(self, path: str) -> Section:
        """The part in which a field stands, by its path: "training.epochs", "optimizer.lr", "schedulers.0.gamma"."""
        return self.sections[_part_of(path)]

    # ---------------------------------------------------------------- building

    def _build(self, page: QWidget) -> None:
        self.forms = {
            part: Form("training", only=fields, first=fields, foot=False, room=ROOM) for part, fields in _PARTS.items()
        }
        self.optimizer = _Choice("optimizer", "Optimiser", OPTIMIZERS)
        self.optimizer.box.textActivated.connect(lambda name: self._choose("optimizer", name))
        self.loss = _Choice("loss", "Loss", LOSSES)
        self.loss.box.textActivated.connect(lambda name: self._choose("loss", name))
        self.pairing = ProblemLines("loss.pairing")
        self.pairing.repair_chosen.connect(self.session.repair)
        self.loss.layout().addWidget(self.pairing)  # type: ignore[union-attr]  # it has one
        self.schedules = ScheduleEditor(self.session, self.control, page)
        self.schedules.explained.connect(self._explain)
        for form in (*self.forms.values(), self.optimizer.form, self.loss.form):
            form.edited.connect(self.session.try_edit)
            form.repair_chosen.connect(self.session.repair)
            form.explained.connect(self._explain)
        self._put_buttons()
        self.sections = {
            "training": self._section("training", "Training", self.forms["training"]),
            "optimizer": self._section("optimizer", "Optimiser", self.optimizer),
            "schedulers": self._section("schedulers", "Learning rate schedule", self.schedules, folded=True),
            "loss": self._section("loss", "Loss", self.loss, folded=True),
            "regularisation": self._section(
                "regularisation", "Regularisation", self.forms["regularisation"], folded=True
            ),
            "machine": self._section("machine", "Machine", self.forms["machine"], folded=True),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._make_area(), 1)
        column.addWidget(hairline())
        column.addLayout(self._make_foot())

    def _put_buttons(self) -> None:
        tip = "How many epochs fit into the minutes that you have, found by three seconds of training"
        self.budget = _ask("train.time_budget", "Budget", "Time budget", tip)
        self.budget.clicked.connect(self.budget_wanted)
        self.forms["training"].put_beside("epochs", self.budget)
        tip = "Try learning rates from small to large for a moment and take the best"
        self.find_rate = _ask("train.find_rate", "Find", "Find a learning rate", tip)
        self.find_rate.clicked.connect(self.find_rate_wanted)
        self.optimizer.form.put_beside("lr", self.find_rate)

    def _section(self, name: str, title: str, body: QWidget, *, folded: bool = False) -> Section:
        around = QWidget()
        inner = QVBoxLayout(around)
        inner.setContentsMargins(S, 0, XS, M)
        inner.addWidget(body)
        return Section(f"train.fold.{name}", title, around, folded=folded)

    def _make_area(self) -> QScrollArea:
        self.problems = ProblemLines("train")
        self.problems.repair_chosen.connect(self.session.repair)
        self.problems.setContentsMargins(S, 0, XS, S)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(XS, S, XS, M)
        column.setSpacing(0)
        column.addWidget(self.problems)
        for section in self.sections.values():
            column.addWidget(section)
        column.addStretch(1)
        area = QScrollArea()
        area.setObjectName("train.settings")
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        return area

    def _make_foot(self) -> QVBoxLayout:
        self.waiting = label("", "caption", wrap=True, name="train.next_run")
        self.help = label("", "caption", wrap=True, name="train.help")
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        foot = QVBoxLayout()
        foot.setContentsMargins(M, S, M, S)
        foot.setSpacing(XS)
        foot.addWidget(self.waiting)
        foot.addWidget(self.help)
        return foot

    # ---------------------------------------------------------------- what the session says

    def _show_experiment(self) -> None:
        experiment = self.session.experiment
        for form in self.forms.values():
            form.show_spec(experiment.training)
        anew = [
            self.optimizer.show_spec(experiment.optimizer),
            self.schedules.show_experiment(),
            self.loss.show_spec(experiment.loss),
        ]
        self._show_notes()
        self._show_summaries()
        self._show_problems()
        self._show_run()
        if any(anew):
            self._reserve_help()
            self._order()

    def _show_notes(self) -> None:
        """What the numbers mean here, in words."""
        training, images = self.session.experiment.training, self.session.images
        form, others = self.forms["training"], self.forms["regularisation"]
        note = ""
        if images is not None:
            samples, batch = len(images.train), training.batch_size
            note = f"ceil({samples:,} / {batch:,}) = {training.iterations(samples):,} iterations per epoch"
        form.set_note("batch_size", note)
        epochs = f"{training.patience:,} epoch{'s' * (training.patience > 1)}"
        form.set_note(
            "patience", f"stops after {epochs} without a better validation accuracy" if training.patience else ""
        )
        pictures = training.accumulate * training.batch_size
        others.set_note("accumulate", f"one step for {pictures:,} pictures" if training.accumulate > 1 else "")
        reach = f"{1 / (1 - training.ema_decay):,.0f}"
        others.set_note("ema_decay", f"averages about the last {reach} steps" if training.ema_decay else "")

    def _show_summaries(self) -> None:
        experiment = self.session.experiment
        training, optimizer = experiment.training, experiment.optimizer
        words = {
            "training": f"{training.epochs:,} epochs, batches of {training.batch_size:,}",
            "optimizer": f"{optimizer.name_of()}, lr {text_of(optimizer.lr)}",
            "schedulers": _schedule_words(experiment.schedulers),
            "loss": experiment.loss.name_of(),
            "regularisation": _changed_words(training, _PARTS["regularisation"]) or "none",
            "machine": _changed_words(training, _PARTS["machine"]) or "as usual",
        }
        for part, summary in words.items():
            self.sections[part].show_summary(summary)

    def _show_problems(self) -> None:
        problems = self.session.problems
        inside: dict[str, list[Problem]] = {part: [] for part in self.sections}
        elsewhere = []
        for problem in problems:
            part = "loss" if problem.path == _PAIRING else _part_of(problem.path)
            if part in inside:
                inside[part].append(problem)
            else:
                elsewhere.append(replace(problem, sentence=f"{part.capitalize()}: {problem.sentence}"))
        for part, form in self.forms.items():
            form.show_problems(inside[part])
        self.optimizer.form.show_problems(problems)
        self.loss.form.show_problems(problems)
        self.schedules.show_problems(problems)
        self.pairing.show_problems([problem for problem in problems if problem.path == _PAIRING])
        self.problems.show_problems(elsewhere)
        for part, section in self.sections.items():
            section.show_problems(inside[part])
        self._show_buttons()

    def _order(self) -> None:
        """Tab goes from top to bottom, and what was made last does not come last."""
        before: QWidget = self.problems
        for section in self.sections.values():
            before = tab_after(before, section)

    # ---------------------------------------------------------------- the run

    def _show_run(self) -> None:
        """What a run that goes on, or the last one, has to do with what is edited."""
        run, edited, started = self.control.experiment, self.session.experiment, self.control.history.started
        self._told = started
        waiting = _waiting(run, edited) if run is not None and self.control.running else []
        self.waiting.setText(f"For the next run: {', '.join(waiting)}." if waiting else "")
        self.waiting.setVisible(bool(waiting))
        for field in ("device", "precision"):
            note = ""
            if started is not None and run is not None:
                chosen = {getattr(one.training, field) for one in (run, edited)}
                why = started.why if field == "precision" else ""
                note = (why or f"auto took {getattr(started, field)}") if chosen == {"auto"} else ""
            self.forms["machine"].set_note(field, note)
        self._show_buttons()
        self.schedules.show_place()

    def _follow_run(self) -> None:
        """Ten times a second: only what a run says once, and the dot on the curve."""
        if self.control.history.started is not self._told:
            self._show_run()
        else:
            self.schedules.show_place()

    def _show_buttons(self) -> None:
        """Both train for a moment themselves, so they need what training needs and no run beside them."""
        why = "Once the run has ended" if self.control.running else self.control.why_not()
        for button in (self.budget, self.find_rate):
            button.setEnabled(not why)
            button.setToolTip(why or button.accessibleDescription())

    # ---------------------------------------------------------------- what a person does

    def _choose(self, path: str, name: str) -> None:
        if name != getattr(self.session.experiment, path).name_of():
            self.session.try_edit(path, name)

    # ---------------------------------------------------------------- help

    def _forms(self) -> Iterator[Form]:
        yield from self.forms.values()
        yield from (self.optimizer.form, self.loss.form)
        yield from self.schedules.forms()

    def _explain(self, said: str) -> None:
        """Where the pointer has left a field, that of the keyboard is explained again."""
        focus = QApplication.focusWidget()
        self.help.setText(said or next(filter(None, (form.help_of(focus) for form in self._forms())), ""))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reserve_help()

    def _reserve_help(self) -> None:
        """Room for the longest help at the present width, so that nothing moves."""
        width = max(self.width() - 2 * M, 1)
        metrics = self.help.fontMetrics()
        specs = [form.spec for form in self._forms() if form.spec is not None]
        heights = [
            metrics.boundingRect(0, 0, width, 1000, Qt.TextFlag.TextWordWrap, knob.help).height()
            for spec in {type(spec) for spec in specs}
            for knob in knobs(spec)
        ]
        self.help.setFixedHeight(max(heights, default=0))


def _ask(name: str, words: str, spoken: str, tip: str) -> QPushButton:
    """A small button beside a field."""
    button = QPushButton(words)
    button.setObjectName(name)
    button.setAccessibleName(spoken)
    button.setAccessibleDescription(tip)
    button.setToolTip(tip)
    set_role(button, "small")
    return button


def _part_of(path: str) -> str:
    """The part in which what stands at a path is edited; the first word of the path for what is edited elsewhere."""
    family, _, field = path.partition(".")
    return next((part for part, fields in _PARTS.items() if family == "training" and field in fields), family)


def _schedule_words(schedulers: Sequence[Scheduler]) -> str:
    if len(schedulers) > 1:
        return f"{len(schedulers)} schedules"
    return schedulers[0].name_of() if schedulers else "constant"


def _changed_words(spec: Spec, fields: Sequence[str]) -> str:
    """Those that are not at their default, each with its value; of a switch only the name."""
    found = []
    for knob in knobs(type(spec)):
        value = getattr(spec, knob.name)
        if knob.name in fields and value != knob.default:
            found.append(knob.name if value is True else f"{knob.name} {text_of(value)}")
    return ", ".join(found)


def _waiting(run: Experiment, edited: Experiment) -> list[str]:
    """What is edited beside a run that goes on, in words: all but what acts on it at once."""
    found = []
    for section in SECTIONS:
        before, after = getattr(run, section), getattr(edited, section)
        live = _LIVE.get(section)
        if live is not None and type(before) is type(after):
            changed = [field for field in type(after).model_fields if getattr(before, field) != getattr(after, field)]
            found += [field for field in changed if field not in live]
        elif before != after:
            found.append(_WORDS.get(section, section))
    return found
