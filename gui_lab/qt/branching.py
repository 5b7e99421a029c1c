"""Where to branch a run: after which epoch, what will be different from there on, and what keeps it from beginning."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from gui_lab.core.comparing import Difference, differences
from gui_lab.core.experiment import Experiment
from gui_lab.core.history import History
from gui_lab.errors import LabError
from gui_lab.qt import words
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.theme import L, M, label, set_role, with_icon
from gui_lab.qt.views.problem_lines import ProblemLines
from gui_lab.schema import Problem

_WIDTH = 460
_LISTED = 6
_ABOUT = (
    "A new run begins with the network and the optimiser as they were after an epoch, and trains with the settings as "
    "they are now. The run that it leaves is kept."
)
_SAME = "No setting differs: the new run will do the same, to the last bit."
_STOPPED = "The run that goes on is stopped first, and kept."
_STOPPING = "Once the run has stopped."


class Brancher(QDialog):
    """Made once torch is there; `ask` shows it for the run of the window."""

    def __init__(self, control: RunControl, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("branch")
        self.setWindowTitle("Branch the run")
        self.control, self.session = control, control.session
        self._run: _Asked | None = None
        self.epoch = QComboBox()
        self.epoch.setObjectName("branch.epoch")
        self.epoch.setAccessibleName("Begin after this epoch")
        self.epoch.currentIndexChanged.connect(self._refresh)
        self.changes = label("", "body", wrap=True, name="branch.changes")
        self.problems = ProblemLines("branch")
        self.problems.repair_chosen.connect(self.session.repair)
        self.note = label("", "quiet", wrap=True, name="branch.note")
        buttons = QDialogButtonBox()
        self.begin = buttons.addButton("Branch", QDialogButtonBox.ButtonRole.AcceptRole)
        self.begin.setObjectName("branch.begin")
        self.begin.setAccessibleName("Begin the new run")
        set_role(self.begin, "primary")
        with_icon(self.begin, "git-branch", "on_accent")
        leave = buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        leave.setObjectName("branch.cancel")
        buttons.accepted.connect(self._begin)
        buttons.rejected.connect(self.reject)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(L, L, L, L)
        column.setSpacing(M)
        caption = label("Begin after epoch", "caption")
        parts: tuple[QWidget, ...] = (
            label(_ABOUT, "quiet", wrap=True), caption, self.epoch, self.changes, self.problems, self.note,
        )  # fmt: skip
        for part in parts:
            column.addWidget(part)
        column.addWidget(buttons)
        self.setFixedWidth(_WIDTH)
        session = self.session
        for changed in (session.experiment_changed, session.problems_changed, session.images_changed):
            changed.connect(self._refresh)
        control.state_changed.connect(self._refresh)
        self.finished.connect(lambda: control.hold_epoch(0))

    def ask(self, epoch: int | None = None) -> None:
        """Show it for the run on screen, with the epoch that is nearest to this one of those that are kept; None for
        the newest."""
        started, trained = self.control.history.started, self.control.experiment
        if started is None or trained is None:
            return
        self._run = _Asked(Path(started.run), trained, self.control.history)
        self._offer(epoch)
        self.open()
        self._refresh()

    def _offer(self, epoch: int | None) -> None:
        from gui_lab.core.checkpoints import kept

        there = kept(self._run.folder) if self._run is not None else []
        self.epoch.blockSignals(True)
        self.epoch.clear()
        for one in reversed(there):
            self.epoch.addItem(self._told(one), one)
        if there and epoch is not None:
            self.epoch.setCurrentIndex(self.epoch.findData(min(there, key=lambda one: abs(one - epoch))))
        self.epoch.blockSignals(False)

    def _told(self, epoch: int) -> str:
        """5: validation 96.7 %, the best"""
        history = self._run.history if self._run is not None else History()
        if epoch > history.epochs:
            return words.count(epoch)
        accuracy = words.percent(float(history.validation_accuracy.values[epoch - 1]))
        return f"{words.count(epoch)}: validation {accuracy}{', the best' if epoch == history.best_epoch else ''}"

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        self.control.hold_epoch(self.epoch.currentData() or 0)
        problems, differs = self._found()
        self.problems.show_problems(problems)
        wrong = any(problem.severity == "error" for problem in problems)
        self.changes.setText(_listed(differs) if differs else _SAME)
        self.changes.setVisible(not wrong and (bool(differs) or not problems))
        why = self.control.why_not() or (_STOPPING if self.control.state == State.STOPPING else "")
        self.note.setText(why or (_STOPPED if self.control.running else ""))
        self.note.setVisible(bool(self.note.text()))
        self.begin.setEnabled(not why and not wrong)
        self._fit()

    def _fit(self) -> None:
        """As high as what it says needs."""
        self._column.activate()
        self.setFixedHeight(self._column.totalHeightForWidth(_WIDTH))

    def _found(self) -> tuple[list[Problem], list[Difference]]:
        from gui_lab.core.branches import Branch

        run, images = self._run, self.session.images
        if run is None or images is None:
            return [Problem("", self.control.why_not())], []
        try:
            branch = Branch(run.folder, self.epoch.currentData())
            problems, before = branch.problems(self.session.experiment, images), branch.as_planned(run.experiment)
        except LabError as error:
            return [Problem("", f"{error.sentence} {error.remedy}".strip())], []
        return problems, differences(before, self.session.experiment)

    def _begin(self) -> None:
        self._refresh()  # an epoch may be gone by now
        if self._run is not None and self.begin.isEnabled():
            self.control.branch(self._run.folder, int(self.epoch.currentData()))
            self.accept()


@dataclass(frozen=True, eq=False)
class _Asked:
    """The run that is asked about; another one may be on screen by the time of the answer."""

    folder: Path
    experiment: Experiment
    history: History


def _listed(differs: list[Difference]) -> str:
    said = [_said(one) for one in differs[:_LISTED]]
    more = len(differs) - len(said)
    return f"From there on: {'; '.join(said)}{f'; and {more} more' if more else ''}."


def _said(difference: Difference) -> str:
    name = difference.path.rpartition(".")[2].replace("_", " ")
    if difference.before is None and difference.after is None:
        return f"other {name}"
    return f"{name} {_value(difference.before)} to {_value(difference.after)}"


def _value(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "none"}[value]
    return words.number(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
