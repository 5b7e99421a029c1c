"""The right of the Transforms page: how to look (path, epoch, dice, which pictures), the film strip or what lies over
it, and what the network gets in the end. It is fed and says what a person chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.qt.theme import XS, Elided, L, M, S, label, set_role, with_icon
from gui_lab.qt.views.film_strip import FilmStrip
from gui_lab.qt.views.frames import Column
from gui_lab.qt.views.inspector import Inspector
from gui_lab.qt.views.notice import Notice
from gui_lab.qt.views.problem_lines import ProblemLines
from gui_lab.qt.views.segments import Segments
from gui_lab.qt.views.variants import Variants

LAST_EPOCH = 10_000
Sight = Literal["strip", "inspector", "variants"]
_SIGN_ALONE = 44
_ROOMY = 700  # pixels, from which on buttons have their words


class Preview(QWidget):
    """
    `looked` says that path, epoch or colours were changed by a person, `shuffled` that other pictures are wanted,
    `rerolled` that other numbers are, `held` that the chosen transform is to be left out for as long as it is true.
    """

    looked = Signal()
    shuffled = Signal()
    rerolled = Signal()
    played = Signal(bool)
    held = Signal(bool)
    compared = Signal(bool)
    went_back = Signal()
    sight_changed = Signal()

    def __init__(self, name: str) -> None:
        """
        Args:
            name: start of the objectNames: `name.epoch`, `name.path`, `name.strip` and so on.
        """
        super().__init__()
        self._name = name
        self.sight: Sight = "strip"
        self.strip = FilmStrip(f"{name}.strip")
        self.inspector = Inspector(f"{name}.inspector")
        self.inspector.closed.connect(lambda: self.show_sight("strip"))
        self.nine = Variants(f"{name}.nine")
        self.nine.closed.connect(lambda: self.show_sight("strip"))
        self.notice = Notice(f"{name}.notice")
        self.stack = QStackedWidget()
        for view in (self.strip, self.inspector, self.nine, self.notice):
            self.stack.addWidget(view)
        column = QVBoxLayout(self)
        column.setContentsMargins(L, M, L, M)
        column.setSpacing(S)
        column.addLayout(self._head())
        column.addLayout(self._second())
        column.addWidget(self._comparison())
        column.addWidget(self.stack, 1)
        foot = self._foot()
        column.addWidget(self.oddities)
        column.addLayout(foot)

    # ---------------------------------------------------------------- building

    def _head(self) -> QHBoxLayout:
        self.path = Segments(f"{self._name}.path", {"training": "Training", "validation": "Validation"})
        self.path.setToolTip("Random transforms act on training pictures only")
        self.path.chosen.connect(self._path_chosen)
        self.epoch = QSpinBox()
        self.epoch.setObjectName(f"{self._name}.epoch")
        self.epoch.setAccessibleName("As in epoch")
        self.epoch.setRange(1, LAST_EPOCH)
        self.epoch.setKeyboardTracking(False)
        self.epoch.setFixedWidth(80)
        self.epoch.lineEdit().setTextMargins(6, 0, 0, 0)
        self.epoch.valueChanged.connect(self.looked)
        self._epoch_name = label("as in epoch", "quiet")
        self._epoch_name.setBuddy(self.epoch)
        self._epoch_name.setMinimumWidth(1)
        self.next_epoch = self._tool("next_epoch", "skip-forward", "Next epoch", self.epoch.stepUp)
        self.play = self._tool("play", "play", "Play through the epochs", None)
        self.play.setCheckable(True)
        self.play.toggled.connect(self.played)
        self.reroll = self._tool("reroll", "dice-five", "Roll anew: any other epoch", self.rerolled.emit)
        self.shuffle = QPushButton("Other pictures")
        self.shuffle.setObjectName(f"{self._name}.shuffle")
        self.shuffle.setAccessibleName("Show other pictures")
        self.shuffle.setToolTip("Show other pictures")
        with_icon(self.shuffle, "shuffle")
        self.shuffle.setMinimumWidth(_SIGN_ALONE)  # where there is little room it goes without its words
        self.shuffle.clicked.connect(self.shuffled)
        head = QHBoxLayout()
        head.setSpacing(S)
        for widget in (self.path, self._epoch_name, self.epoch, self.next_epoch, self.play, self.reroll):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.shuffle)
        return head

    def _second(self) -> QHBoxLayout:
        self.seen = Elided(f"{self._name}.seen")
        set_role(self.seen, "quiet")
        tip = "Leave the chosen transform out for as long as this is held (B); the experiment stays as it is"
        self.without = self._worded("without", "eye-slash", "Hold: without it", tip)
        self.without.pressed.connect(lambda: self.held.emit(True))
        self.without.released.connect(lambda: self.held.emit(False))
        self.variants = self._worded("variants", "squares-four", "Variants", "One picture in nine epochs")
        self.variants.setCheckable(True)
        self.variants.clicked.connect(lambda on: self.show_sight("variants" if on else "strip"))
        tip = "Keep the chain as it is now as A, and see what further edits change"
        self.compare = self._worded("compare", "columns", "Compare", tip)
        self.compare.setCheckable(True)
        self.compare.clicked.connect(self.compared)
        row = QHBoxLayout()
        row.setSpacing(XS)
        row.addWidget(self.seen, 1)
        for button in (self.without, self.variants, self.compare):
            row.addWidget(button)
        return row

    def _comparison(self) -> QFrame:
        self.comparison = QFrame()
        set_role(self.comparison, "panel")
        self.kept = Elided(f"{self._name}.kept")
        self.which = Segments(f"{self._name}.which", {"b": "B: as it is now", "a": "A: as kept"})
        self.which.chosen.connect(self.looked)
        self.back_to_a = QPushButton("Back to A")
        self.back_to_a.setObjectName(f"{self._name}.back_to_a")
        self.back_to_a.setAccessibleName("Back to chain A")
        self.back_to_a.setToolTip("Make the kept chain the experiment's again; can be undone")
        self.back_to_a.clicked.connect(self.went_back)
        end = QPushButton("End")
        end.setObjectName(f"{self._name}.end_comparing")
        end.setAccessibleName("End comparing")
        end.clicked.connect(lambda: self.compared.emit(False))
        row = QHBoxLayout(self.comparison)
        row.setContentsMargins(S, XS, XS, XS)
        row.setSpacing(XS)
        row.addWidget(self.which)
        row.addWidget(self.kept, 1)
        row.addWidget(self.back_to_a)
        row.addWidget(end)
        self.comparison.hide()
        return self.comparison

    def _foot(self) -> QHBoxLayout:
        self.network = label("", "body", wrap=True, name=f"{self._name}.network")
        self._network_name = label("What the network gets", "caption")
        self.looks = Segments(f"{self._name}.looks", {"values": "Values", "pictures": "Pictures"})
        self.looks.setToolTip("Tensors as values (blue is below zero, red above), or with the normalisation undone")
        self.looks.chosen.connect(self.looked)
        self.oddities = ProblemLines(f"{self._name}.odd")
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self._network_name)
        said.addWidget(self.network)
        foot = QHBoxLayout()
        foot.setSpacing(M)
        foot.addLayout(said, 1)
        foot.addWidget(self.looks, 0, Qt.AlignmentFlag.AlignBottom)
        return foot

    def _tool(self, verb: str, sign: str, name: str, act: Callable[[], None] | None) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"{self._name}.{verb}")
        button.setAccessibleName(name)
        button.setToolTip(name)
        with_icon(button, sign)
        if act is not None:
            button.clicked.connect(act)
        return button

    def _worded(self, verb: str, sign: str, words: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(words)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setObjectName(f"{self._name}.{verb}")
        button.setAccessibleName(words)
        button.setToolTip(tip)
        set_role(button, "segment")
        with_icon(button, sign)
        return button

    # ---------------------------------------------------------------- what a person chose

    @property
    def training(self) -> bool:
        """Which path is looked at."""
        return self.path.key == "training"

    @property
    def as_pictures(self) -> bool:
        """Whether tensors are brought back to pictures."""
        return self.looks.key == "pictures"

    def _path_chosen(self) -> None:
        """Nothing is drawn for validation pictures, so there is no epoch to choose."""
        for widget in (self._epoch_name, self.epoch, self.next_epoch, self.play, self.reroll, self.variants):
            widget.setEnabled(self.training)
        if not self.training:
            self.play.setChecked(False)
            if self.sight == "variants":
                self.show_sight("strip")
        self.looked.emit()

    # ---------------------------------------------------------------- what is shown

    def show_sight(self, sight: Sight) -> None:
        """The strip, or one of the views that lie over it."""
        changed = sight != self.sight
        came_from = self.stack.currentWidget()
        self.sight = sight
        self.variants.setChecked(sight == "variants")
        view = {"strip": self.strip, "inspector": self.inspector, "variants": self.nine}[sight]
        had_focus = came_from is not None and (came_from.hasFocus() or came_from.isAncestorOf(self.focusWidget()))
        if came_from is not self.notice:
            self.stack.setCurrentWidget(view)
        if had_focus or sight == "inspector":
            (self.inspector.panes if sight == "inspector" else view).setFocus(Qt.FocusReason.OtherFocusReason)
        if changed:
            self.sight_changed.emit()

    def show_columns(self, columns: Sequence[Column], waiting: str) -> None:
        self.strip.show_columns(columns, waiting)
        self._show_view()

    def _show_view(self) -> None:
        self.stack.setCurrentWidget(
            {"strip": self.strip, "inspector": self.inspector, "variants": self.nine}[self.sight]
        )

    def show_playing(self, on: bool) -> None:
        """The button's sign; silently."""
        self.play.blockSignals(True)
        self.play.setChecked(on)
        self.play.blockSignals(False)
        with_icon(self.play, "stop" if on else "play")
        self.play.setAccessibleName("Stop playing" if on else "Play through the epochs")

    def show_comparison(self, kept: str) -> None:
        """What is kept as A, in words; empty where nothing is."""
        self.compare.setChecked(bool(kept))
        self.comparison.setVisible(bool(kept))
        self.kept.setText(kept)
        if not kept:
            self.which.choose("b")

    def show_network(self, words: str) -> None:
        """What the network gets; nothing is said where that is not known."""
        self.network.setText(words)
        self._network_name.setVisible(bool(words))

    def show_notice(self, sign: str, sentence: str, remedy: str = "") -> None:
        """Words in the place of pictures."""
        self.notice.show_notice(sign, sentence, remedy)
        self.stack.setCurrentWidget(self.notice)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = self.width() >= _ROOMY
        self.shuffle.setText("Other pictures" if roomy else "")
        self._epoch_name.setText("as in epoch" if roomy else "epoch")
        styles = Qt.ToolButtonStyle
        for button in (self.without, self.variants, self.compare):
            button.setToolButtonStyle(styles.ToolButtonTextBesideIcon if roomy else styles.ToolButtonIconOnly)
