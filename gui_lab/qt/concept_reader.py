"""One concept on screen: its story and knobs on the left, what one plays with on the right, the steps below it.

The knobs stand under the story and not under the exhibits: both are read together, and the exhibits have the whole
height. A scene is computed in the background for the newest knobs and step, so a slider is never held up; what is on
screen stays there until the next is ready. Arrow keys go through the story wherever the keyboard is not needed for
something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSlider,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.core.concepts import Concept, Own, Scene
from gui_lab.errors import InvalidExperiment, LabError
from gui_lab.qt.exhibits.stage import Stage
from gui_lab.qt.form import Form
from gui_lab.qt.own_work import own_work
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import L, M, S, label, numbers_font, set_role, with_icon
from gui_lab.qt.threads import Failed, Latest
from gui_lab.qt.views.code import CodeView
from gui_lab.qt.views.notice import Notice
from gui_lab.schema import Problem, knobs

_LEFT_WIDTH = 320
_CODE_HEIGHT = 190
_PICK = "Start from"


@dataclass(frozen=True)
class _Shown:
    concept: Concept
    scene: Scene
    code: str


class ConceptReader(QWidget):
    """
    Attributes:
        concept: with its values in force; None before one is opened.
        scene: what is on screen; None before there is one.

    `closed` says that a person wants back to all concepts, `shown` that a scene is on screen, `place_wanted`
    carries the place of the lab where the person wants to go on.
    """

    closed = Signal()
    shown = Signal()
    place_wanted = Signal(str)

    def __init__(self, session: Session, control: RunControl) -> None:
        super().__init__()
        self.setObjectName("concept")
        self.session, self.control = session, control
        self.concept: Concept | None = None
        self.scene: Scene | None = None
        self.step = 0
        self._own: Own | None = None
        self._on_screen: Concept | None = None
        self._latest = Latest(self)
        self._latest.arrived.connect(self._show)
        self._latest.failed.connect(self._fail)
        self._player = QTimer(self)
        self._player.timeout.connect(self._play_on)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._left())
        layout.addLayout(self._right(), 1)
        session.ready_changed.connect(self._ask)
        session.images_changed.connect(self._own_changed)
        session.experiment_changed.connect(self._own_changed)
        control.advanced.connect(self._run_advanced)
        control.state_changed.connect(self._run_advanced)

    @property
    def settled(self) -> bool:
        """True where what is on screen belongs to the values and the step in force."""
        return not self._latest.busy and self._on_screen is self.concept and self.scene is not None

    # ---------------------------------------------------------------- building

    def _left(self) -> QFrame:
        self.all = QPushButton("All concepts")
        self.all.setObjectName("concept.all")
        self.all.setAccessibleName("All concepts")
        self.all.setToolTip("Back to all concepts (Esc)")
        set_role(self.all, "plain")
        with_icon(self.all, "arrow-left")
        self.all.clicked.connect(self.closed)
        self.title = label("", "section", wrap=True, name="concept.title")
        self.story = label("", "body", wrap=True, name="concept.story")
        self.presets = QComboBox()
        self.presets.setObjectName("concept.presets")
        self.presets.setAccessibleName("Values to start from")
        self.presets.textActivated.connect(self._start_from)
        self.form = Form("concept", room=_LEFT_WIDTH - 2 * L)
        self.form.edited.connect(self._edited)
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.setContentsMargins(L, M, L, L)
        self.column.setSpacing(M)
        self.column.addWidget(self.all, 0, Qt.AlignmentFlag.AlignLeft)
        for part in (self.title, self.story, self.presets, self.form):
            self.column.addWidget(part)
        self.column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("concept.column")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        left = QFrame()
        left.setProperty("role", "column")
        left.setFixedWidth(_LEFT_WIDTH)
        around = QVBoxLayout(left)
        around.setContentsMargins(0, 0, 1, 0)
        around.addWidget(scroll)
        return left

    def _right(self) -> QVBoxLayout:
        self.says = label("", "body", wrap=True, name="concept.says")
        self.stage = Stage()
        self.stage.edited.connect(self.edit)
        self.notice = Notice("concept.notice")
        self.stack = QStackedWidget()
        for part in (self.stage, self.notice):
            self.stack.addWidget(part)
        self.code = CodeView("concept.code", "The same in PyTorch")
        self.code.setFixedHeight(_CODE_HEIGHT)
        self.code.hide()
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._bar())
        sentence = QVBoxLayout()
        sentence.setContentsMargins(L, M, L, 0)
        sentence.addWidget(self.says)
        right.addLayout(sentence)
        right.addWidget(self.stack, 1)
        right.addWidget(self.code)
        return right

    def _bar(self) -> QFrame:
        """Steps on the left, what is seen in the middle, code and the own network on the right."""
        self.back = self._button("back", "skip-back", "One step back (Left)", lambda: self.go(self.step - 1))
        self.play = self._button("play", "play", "Play (Space)", self.toggle)
        self.on = self._button("step", "skip-forward", "One step on (Right)", lambda: self.go(self.step + 1))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("concept.place")
        self.slider.setAccessibleName("Place in the story")
        self.slider.setFixedWidth(110)
        self.slider.valueChanged.connect(self._slid)
        self.where = label("", "quiet", name="concept.where")
        self.where.setFont(numbers_font())
        self._steps: tuple[QWidget, ...] = (self.back, self.play, self.on, self.slider, self.where)
        self.mine = QPushButton("Try it on my network")
        self.mine.setObjectName("concept.mine")
        self.mine.setAccessibleName(self.mine.text())
        with_icon(self.mine, "user-focus")
        self.mine.clicked.connect(lambda: self.edit(self.concept.mine if self.concept else {}))
        self.onward = QPushButton()
        self.onward.setObjectName("concept.onward")
        with_icon(self.onward, "arrow-right")
        self.onward.clicked.connect(lambda: self.place_wanted.emit(self.concept.leads_to if self.concept else ""))
        self.code_button = QToolButton()
        self.code_button.setObjectName("concept.show_code")
        self.code_button.setText("Code")
        self.code_button.setAccessibleName("Code")
        self.code_button.setToolTip("The few lines of PyTorch that compute the same (Ctrl+E)")
        self.code_button.setShortcut("Ctrl+E")
        self.code_button.setCheckable(True)
        self.code_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        with_icon(self.code_button, "code")
        self.code_button.toggled.connect(self.code.setVisible)
        bar = QFrame()
        bar.setProperty("role", "header")
        row = QHBoxLayout(bar)
        row.setContentsMargins(L, S, L, S)
        row.setSpacing(S)
        for part in self._steps:
            row.addWidget(part)
        row.addStretch(1)
        for button in (self.mine, self.onward, self.code_button):
            row.addWidget(button)
        return bar

    def _button(self, name: str, icon: str, words: str, act: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"concept.{name}")
        button.setAccessibleName(words)
        button.setToolTip(words)
        with_icon(button, icon)
        button.clicked.connect(lambda: act())
        button.installEventFilter(self)
        return button

    def put_above(self, widget: QWidget) -> None:
        """A widget above the story."""
        self.column.insertWidget(1, widget)

    def tell_story(self, told: bool) -> None:
        """The story gives way to a lesson, which tells its own, so that the knobs stay in sight."""
        self.story.setVisible(told)

    # ---------------------------------------------------------------- what a person does

    def open(self, concept: Concept, step: int = 0) -> None:
        """Show a concept with its values, at a step of its story."""
        self.pause()
        other = type(concept) is not type(self.concept)
        self.concept, self.step = concept, step
        self.title.setText(concept.title)
        self.story.setText(concept.story)
        self.mine.setVisible(bool(concept.mine))
        self.onward.setVisible(bool(concept.leads_to))
        self.onward.setText(f"Go to {concept.leads_to}")
        self.onward.setAccessibleName(self.onward.text())
        self.presets.clear()
        self.presets.addItems([_PICK, *(preset.name for preset in concept.presets)])
        self.presets.setVisible(bool(concept.presets))
        self.form.setVisible(any(knob.listed for knob in knobs(type(concept))))
        self.form.show_spec(concept)
        if other:
            self.scene = None
            self.says.setText("")
            self.notice.show_notice("hourglass", "One moment")
            self.stack.setCurrentWidget(self.notice)
        self._follow_weights()
        self._ask()

    def edit(self, values: Mapping[str, Any]) -> None:
        """Give fields other values; what does not fit is told at its field."""
        if self.concept is None:
            return
        try:
            changed = self.concept.changed(**values)
        except InvalidExperiment as invalid:
            problems = [Problem(f"concept.{one.path}", one.sentence) for one in invalid.problems]
            self.form.show_problems(problems)
            return
        self._take(changed)

    def go(self, step: int) -> None:
        """Show another step of the story; it stops playing."""
        self.pause()
        self._go(step)

    def toggle(self) -> None:
        """Play the story to its end, from the beginning where it is over; or hold it."""
        if self._player.isActive():
            self.pause()
        elif self.concept is not None and self.scene is not None and self.scene.steps > 1:
            if self.step >= self.scene.steps - 1:
                self._go(0)
            self._player.start(int(self.concept.seconds * 1000))
            self._dress_play()

    def pause(self) -> None:
        self._player.stop()
        self._dress_play()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = self.scene.steps - 1 if self.scene else 0
        acts: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Left: lambda: self.go(self.step - 1),
            Qt.Key.Key_Right: lambda: self.go(self.step + 1),
            Qt.Key.Key_Home: lambda: self.go(0),
            Qt.Key.Key_End: lambda: self.go(last),
            Qt.Key.Key_Space: self.toggle,
            Qt.Key.Key_Escape: self.closed.emit,
        }
        act = acts.get(event.key())
        if act is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Left and right go through the story on its buttons too, where Qt would go from one to the next."""
        along = (Qt.Key.Key_Left, Qt.Key.Key_Right)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in along:
            self.keyPressEvent(event)
            return True
        return False

    def _edited(self, path: str, value: Any) -> None:
        _, _, field = path.partition(".")
        self._take(self.concept.changed(**{field: value}) if self.concept and field else value)

    def _take(self, concept: Concept) -> None:
        if concept == self.concept:
            return
        self.concept = concept
        self.form.show_spec(concept)
        self._ask()

    def _start_from(self, name: str) -> None:
        assert self.concept is not None
        preset = next((one for one in self.concept.presets if one.name == name), None)
        self.presets.setCurrentIndex(0)
        if preset is not None:
            self.pause()
            self.step = 0
            self._take(type(self.concept)(**preset.values))
            self._ask()

    def _slid(self, step: int) -> None:
        if step != self.step:
            self.go(step)

    # ---------------------------------------------------------------- steps

    def _go(self, step: int) -> None:
        last = self.scene.steps - 1 if self.scene else 0
        step = min(max(step, 0), last)
        if step != self.step:
            self.step = step
            self._ask()

    def _play_on(self) -> None:
        if self._latest.busy or self.concept is None or self.scene is None:
            return
        if self.step >= self.scene.steps - 1:
            self.pause()
        else:
            self._go(self.step + self.concept.steps_at_once)

    def _dress_play(self) -> None:
        plays = self._player.isActive()
        words = "Hold (Space)" if plays else "Play (Space)"
        with_icon(self.play, "pause" if plays else "play")
        self.play.setToolTip(words)
        self.play.setAccessibleName(words)

    # ---------------------------------------------------------------- scenes

    def _ask(self) -> None:
        """Have the scene computed for the values, the step and the own work as they are now."""
        if self.concept is None or not self.isVisible():
            return
        if not self.session.ready:
            self.notice.show_notice("hourglass", "PyTorch is loading", "Its numbers are shown as soon as it is there.")
            self.stack.setCurrentWidget(self.notice)
            return
        self._own = own_work(self.session, self.control)
        self._latest.ask(_scene_of(self.concept, self.step, self._own))

    def _show(self, shown: _Shown) -> None:
        if shown.concept is not self.concept:
            return
        scene, self._on_screen = shown.scene, shown.concept
        self.scene = scene
        if scene.missing:
            self.notice.show_notice("puzzle-piece", scene.missing, scene.says)
            self.stack.setCurrentWidget(self.notice)
        else:
            self.stage.show_scene(scene)
            self.stack.setCurrentWidget(self.stage)
        self.step = scene.step
        self.says.setText("" if scene.missing else scene.says)
        self.says.setVisible(bool(self.says.text()))
        self._show_place(scene)
        self.code.show_code(shown.code)
        self.form.show_problems([])
        self.shown.emit()

    def _show_place(self, scene: Scene) -> None:
        several = scene.steps > 1 and not scene.missing
        for part in self._steps:
            part.setVisible(several)
        self.back.setEnabled(scene.step > 0)
        self.on.setEnabled(scene.step < scene.steps - 1)
        self.slider.blockSignals(True)
        self.slider.setRange(0, scene.steps - 1)
        self.slider.setValue(scene.step)
        self.slider.blockSignals(False)
        self.where.setText(f"{scene.step + 1:,} of {scene.steps:,}")

    def _fail(self, failed: Failed) -> None:
        self.pause()
        error = failed.error
        if not isinstance(error, LabError):
            self.notice.show_notice("warning-circle", "This page failed", str(error))
            self.stack.setCurrentWidget(self.notice)
            raise error
        self.notice.show_notice("warning-circle", error.sentence, error.remedy)
        self.stack.setCurrentWidget(self.notice)

    # ---------------------------------------------------------------- the own work

    def _own_changed(self) -> None:
        if self.concept is not None and self.concept.looks_at & {"pictures", "network"}:
            self._ask()

    def _run_advanced(self) -> None:
        """Follow the run as fast as scenes are computed, and no faster."""
        if self.concept is None or self._latest.busy or not self.concept.looks_at & {"network", "place"}:
            return
        own = own_work(self.session, self.control)
        known = self._own
        if known is None or (own.weights, own.place, own.snapshots) != (known.weights, known.place, known.snapshots):
            self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._follow_weights()
        self._ask()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.pause()
        self._follow_weights()

    def _follow_weights(self) -> None:
        """Copies of the run's weights cost it a little: only while they are looked at."""
        concept = self.concept
        self.control.want_weights(self.isVisible() and concept is not None and "network" in concept.looks_at)

    def close_down(self) -> None:
        self.pause()
        self._latest.close()


def _scene_of(concept: Concept, step: int, own: Own) -> Callable[[], _Shown]:
    def work() -> _Shown:
        scene = concept.scene(step, own)
        return _Shown(concept, scene, "" if scene.missing else concept.code(scene.step, own))

    return work
