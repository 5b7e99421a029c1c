"""The Train page: how to learn and how it goes on the left, what is learned in the middle, what the network thinks on
the right.

It shows the run's own history, whatever is edited meanwhile, and draws only while it is visible. When a run begins the
left side turns from the settings to the run's figures, unless a person has chosen what to see there meanwhile.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui_lab.qt import words
from gui_lab.qt.learning_editor import LearningEditor
from gui_lab.qt.pages.page import Page
from gui_lab.qt.running import RunControl, State
from gui_lab.qt.session import Session
from gui_lab.qt.theme import Elided, L, M, S, with_icon
from gui_lab.qt.views.curve_export import KINDS
from gui_lab.qt.views.curve_words import said_of
from gui_lab.qt.views.curves import Curves
from gui_lab.qt.views.epoch_table import EpochTable
from gui_lab.qt.views.run_column import RunColumn
from gui_lab.qt.views.segments import Segments
from gui_lab.qt.views.steady import Sentence
from gui_lab.qt.watching import Watching

if TYPE_CHECKING:
    from gui_lab.qt.branching import Brancher
    from gui_lab.qt.rate_finder import RateFinder
    from gui_lab.qt.time_budget import TimeBudget


_SENTENCE_SECONDS = 0.4
"""A sentence that changes is read no faster."""


class TrainPage(Page):
    """Settings or figures, curves, and what the network thinks."""

    name: ClassVar[str] = "Train"
    line: ClassVar[str] = "Watch the network learn, batch by batch"

    def __init__(self, session: Session, control: RunControl) -> None:
        super().__init__(session)
        self.control = control
        self._stale = True
        self._running = False
        self._verdict = ""
        self._said_at = float("-inf")
        self._finder: RateFinder | None = None
        self._budget: TimeBudget | None = None
        self._brancher: Brancher | None = None
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        self.watching = Watching(session, control)
        for part in (self._left(), self._middle(), self.watching):
            split.addWidget(part)
        split.setStretchFactor(0, 0)
        split.setStretchFactor(1, 3)
        split.setStretchFactor(2, 2)
        split.setSizes([290, 520, 410])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(split)
        session.problems_changed.connect(self._say)
        session.images_changed.connect(self._say)
        session.ready_changed.connect(self._show_run)
        control.advanced.connect(self._show_progress)
        control.looked.connect(self._show_looks)
        control.said.connect(self._show_figures)
        control.state_changed.connect(self._show_state)
        self._say()
        self._show_state()

    # ---------------------------------------------------------------- building

    def _left(self) -> QWidget:
        self.editor = LearningEditor(self.session, self.control, self)
        self.editor.find_rate_wanted.connect(self._find_rate)
        self.editor.budget_wanted.connect(self._try_budget)
        self.column, self.epochs = RunColumn(), EpochTable()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(L, S, L, L)
        column.addWidget(self.column)
        column.addWidget(self.epochs, 1)
        figures = QScrollArea()
        figures.setObjectName("train.figures")
        figures.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        figures.setWidgetResizable(True)
        figures.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        figures.setProperty("role", "side")
        figures.setWidget(inside)
        self.sides = Segments("train.side", {"settings": "Settings", "figures": "The run"})
        self.sides.chosen.connect(self._show_side)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.editor)
        self.stack.addWidget(figures)
        left = QFrame()
        left.setProperty("role", "side")
        rows = QVBoxLayout(left)
        rows.setContentsMargins(0, S, 0, 0)
        rows.setSpacing(S)
        segments = QVBoxLayout()
        segments.setContentsMargins(L, 0, L, 0)
        segments.addWidget(self.sides, 0, Qt.AlignmentFlag.AlignLeft)
        rows.addLayout(segments)
        rows.addWidget(self.stack, 1)
        return left

    def _middle(self) -> QWidget:
        self.run_name = Elided("train.run")
        self.run_name.setProperty("role", "section")
        self.branch = QPushButton("Branch")
        self.branch.setObjectName("train.branch")
        self.branch.setAccessibleName("Branch the run")
        with_icon(self.branch, "git-branch")
        self.branch.clicked.connect(lambda: self._ask_where_to_branch())
        head = QHBoxLayout()
        head.addWidget(self.run_name, 1)
        head.addWidget(self.branch)
        self.curves = Curves()
        self.curves.export_wanted.connect(self._ask_export)
        self.curves.export_failed.connect(self.session.erred)
        self.curves.branch_wanted.connect(self._ask_where_to_branch)
        self.says = Sentence("train.says", "quiet")
        middle = QFrame()
        middle.setProperty("role", "plot")
        plots = QVBoxLayout(middle)
        plots.setContentsMargins(L, M, L, M)
        plots.setSpacing(S)
        plots.addLayout(head)
        plots.addWidget(self.curves, 1)
        plots.addWidget(self.says)
        middle.setMinimumWidth(320)
        return middle

    def close_down(self) -> None:
        self.editor.close_down()
        self.watching.close_down()
        self.curves.close_down()
        for panel in (self._finder, self._budget):
            if panel is not None:
                panel.close_down()

    # ---------------------------------------------------------------- the run

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._show_run()

    def _show_side(self, side: str) -> None:
        self.sides.choose(side)
        self.stack.setCurrentIndex(("settings", "figures").index(side))

    def _show_state(self) -> None:
        if self.control.running != self._running:
            self._running = self.control.running
            if self._running:
                self._verdict = ""
                self._show_side("figures")
        self._show_run()

    def _show_run(self) -> None:
        """Draw all of it, or remember that there is news while the page is hidden."""
        self._stale = not self.isVisible()
        self._show_looks()
        self._show_progress()
        self._show_figures()

    def _show_looks(self) -> None:
        if self.isVisible():
            self.watching.show_news()
        else:
            self._stale = True

    def _show_progress(self) -> None:
        if not self.isVisible():
            self._stale = True
            return
        self.run_name.setText(self._named())
        self.curves.show_history(self.control.history)

    def _named(self) -> str:
        run, branched = self.control.experiment, self.control.history.branched
        if run is None:
            return ""
        after = f", branched after epoch {words.count(branched.epoch)}" if branched is not None else ""
        return f"{run.model.name_of()} on {run.dataset.name_of()}{after}"

    def _show_figures(self) -> None:
        if not self.isVisible():
            self._stale = True
            return
        if time.monotonic() - self._said_at >= _SENTENCE_SECONDS or self.control.state != State.TRAINING:
            self._say()
        self.column.show_run(self.control.history, self.control.in_words(), self.control.memory())
        self.epochs.show_history(self.control.history)
        self._offer_branch()

    def _offer_branch(self) -> None:
        can = bool(self.control.history.epochs)
        if can != self.branch.isEnabled() or not self.branch.toolTip():
            self.branch.setEnabled(can)
            about = "Begin a new run where this one was after one of its epochs"
            self.branch.setToolTip(about if can else f"{about}: once one has ended")

    def _say(self) -> None:
        self._said_at = time.monotonic()
        self.says.setText(self._in_words())

    def _in_words(self) -> str:
        history, control = self.control.history, self.control
        if history.last is None:
            reason = control.why_not()
            return f"{control.state.value}." if control.running else reason or "Press Train to begin."
        return f"{said_of(history)} {self._verdict}".rstrip()

    # ---------------------------------------------------------------- what opens beside it

    def _find_rate(self) -> None:
        if self._finder is None:
            from gui_lab.qt.rate_finder import RateFinder

            self._finder = RateFinder(self.session, self.control, self.window())
        self._finder.open()

    def _try_budget(self) -> None:
        if self._budget is None:
            from gui_lab.qt.time_budget import TimeBudget

            self._budget = TimeBudget(self.session, self.control, self.window())
            self._budget.judged.connect(self._show_verdict)
        self._budget.open()

    def _ask_where_to_branch(self, epoch: int | None = None) -> None:
        if self._brancher is None:
            from gui_lab.qt.branching import Brancher

            self._brancher = Brancher(self.control, self.window())
        self._brancher.ask(epoch)

    def _show_verdict(self, words: str) -> None:
        self._verdict = words
        self._say()

    def _ask_export(self) -> None:
        dialog = QFileDialog(self, "Export the curves", str(Path.home()))
        dialog.setObjectName("plots.export_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([f"{kind} (*{suffix})" for suffix, kind in KINDS.items()])
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda words: dialog.setDefaultSuffix(words.rpartition(".")[2].rstrip(")")))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.curves.export(Path(name), self.run_name.text()))
        dialog.open()
