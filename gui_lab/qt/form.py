"""Fields to editors, problems to red lines: the one form of the lab, generated from a spec's declaration.

It knows kinds of knobs and never entries, so a new transform or optimiser has its form at once. A value is validated
by the spec itself before anybody hears of it: what does not fit stays in its editor as it was typed, with the spec's
sentence under it. Where only several changes together fit (three means need three deviations) the first ones wait in
their editors, and all of them leave as one changed spec. Help stands in one place at the foot, as tall as the longest
needs, so that nothing jumps while one moves from field to field.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui_lab.errors import InvalidExperiment
from gui_lab.qt.theme import XS, S, label, set_role, with_icon
from gui_lab.qt.views.editors import Editor, SwitchEditor, editor_of, text_of
from gui_lab.qt.views.problem_lines import ProblemLines, retire
from gui_lab.schema import Knob, Problem, Spec, knobs


class FocusedWheel(QObject):
    """Lets the wheel scroll the page unless the editor under it was chosen first."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False


class _Name(QLabel):
    """A field's name; a click on it goes to its editor."""

    def __init__(self, text: str, editor: Editor) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setBuddy(editor.main)
        self._editor = editor

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._editor.main.setFocus(Qt.FocusReason.MouseFocusReason)
        if isinstance(self._editor, SwitchEditor):
            self._editor.main.click()  # type: ignore[attr-defined]  # a check box


class _Row(QWidget):
    """A field: name, editor, reset, and below them its note and what is wrong with it."""

    reset = Signal()

    def __init__(self, knob: Knob, path: str) -> None:
        super().__init__()
        self.knob = knob
        self.editor = editor_of(knob)
        self.name = _Name(knob.name, self.editor)
        self.note = label("", "caption", wrap=True, name=f"{path}.note")
        self.note.hide()
        self.lines = ProblemLines(path)
        self._button = self._reset_button(path)
        self._name_all(path)
        self._top = QHBoxLayout()
        self._top.setSpacing(S)
        self._top.addWidget(self.name)
        self._top.addWidget(self.editor, 1)
        self._top.addWidget(self._button)
        self._parts: list[QWidget] = [self.editor, self._button]
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(XS)
        self._rows.addLayout(self._top)
        self._rows.addWidget(self.note)
        self._rows.addWidget(self.lines)

    def _name_all(self, path: str) -> None:
        main = self.editor.main
        main.setObjectName(path)
        spoken = f"{self.knob.name} ({self.knob.unit})" if self.knob.unit else self.knob.name
        for widget in self.editor.findChildren(QWidget):
            if isinstance(widget, (QSlider, QToolButton)):
                part = "slider" if isinstance(widget, QSlider) else "browse"
                widget.setObjectName(f"{path}.{part}")
                widget.setAccessibleName(f"{spoken}, {part}")
            if isinstance(widget, (QSlider, QAbstractSpinBox, QComboBox)):
                widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        main.setAccessibleName(spoken)
        main.setAccessibleDescription(self.knob.help)
        self.name.setToolTip(self.knob.help)
        main.setToolTip(self.knob.help)

    def _reset_button(self, path: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"{path}.reset")
        button.setAccessibleName(f"Reset {self.knob.name}")
        button.setToolTip(f"Back to {text_of(self.knob.default) or 'none'}")
        set_role(button, "mini")
        with_icon(button, "arrow-counter-clockwise", "quiet")
        button.setIconSize(QSize(14, 14))
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        button.hide()
        button.clicked.connect(self.reset)
        return button

    def align(self, width: int) -> None:
        """Names of one width, so that the editors stand in a column."""
        self.name.setFixedWidth(width)
        self.note.setContentsMargins(width + S, 0, 0, 0)

    def stack(self) -> None:
        """The name above its editor."""
        self._top.removeWidget(self.name)
        self._rows.insertWidget(0, self.name)

    def least(self) -> int:
        """The pixels that all beside the name needs at least."""
        for part in self._parts:
            part.ensurePolished()  # the sheet has a word in how wide they are
        return sum(S + part.minimumSizeHint().width() for part in self._parts)

    def put_beside(self, widget: QWidget) -> None:
        """Between the editor and the reset button."""
        self._parts.append(widget)
        self._top.insertWidget(self._top.indexOf(self.editor) + 1, widget)
        widget.show()

    def offer_reset(self, offered: bool) -> None:
        self._button.setVisible(offered and not self.knob.required)

    def mark(self, wrong: bool) -> None:
        set_role(self.editor.main, "wrong" if wrong else "")


def _is_stop(widget: QWidget) -> bool:
    """True for what Tab stops at; the insides of a spin box are none."""
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and not isinstance(
        widget.parentWidget(), QAbstractSpinBox
    )


def _has_editor(knob: Knob) -> bool:
    """What a transform holds is edited where it stands in the list."""
    return knob.listed and knob.kind != "specs"


class Form(QWidget):
    """Editors for the fields of a spec at a place of the experiment."""

    edited = Signal(str, object)
    """Full path ("training.epochs") and a plain value that fits; or the prefix and a whole spec where several fields
    had to change together. Meant for `session.edit`."""
    repair_chosen = Signal(object)
    """A `schema.Repair`."""
    explained = Signal(str)
    """The help of the field that a person has come to; empty where they are in none."""

    def __init__(
        self,
        prefix: str,
        *,
        only: Sequence[str] | None = None,
        first: Sequence[str] = (),
        foot: bool = True,
        room: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            prefix: where the spec stands: "training", "optimizer", "transforms.0". May be set anew before `show_spec`.
            only: the fields to show; all that are listed where left out.
            first: the fields that come before the others, in their order.
            foot: help stands at the foot; False where whoever hears `explained` shows it for several forms.
        """
        super().__init__(parent)
        self.prefix = prefix
        self._only, self._first, self._room = only, first, room
        self._spec: Spec | None = None
        self._built: tuple[str, type[Spec]] | None = None
        self._rows: dict[str, _Row] = {}
        self._waiting: dict[str, Any] = {}
        self._refused: dict[str, Problem] = {}
        self._told: list[Problem] = []
        self._beside: dict[str, QWidget] = {}
        self._body = QWidget()
        self._wheel = FocusedWheel(self)
        self._whole = ProblemLines(prefix)
        self._whole.repair_chosen.connect(self.repair_chosen)
        self._help = label("", "caption", wrap=True, name=f"{prefix}.help")
        self._help.setAlignment(Qt.AlignmentFlag.AlignTop)
        if not foot:
            self._help.hide()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(S)
        for part in (self._whole, self._body, self._help):
            self._layout.addWidget(part)

    # ---------------------------------------------------------------- what is shown

    @property
    def spec(self) -> Spec | None:
        """What is shown; None before there is anything."""
        return self._spec

    def show_spec(self, spec: Spec) -> None:
        """Show a spec's values, silently. Editors are made anew when its class or the prefix is another one; else
        only what differs is touched, and never an editor that is being typed in."""
        before, self._spec = self._spec, spec
        if self._built != (self.prefix, type(spec)):
            self._build(spec)
            before = None
        for field, row in self._rows.items():
            value = getattr(spec, field)
            stale = before is None or getattr(before, field) != value
            held = field in self._refused or row.editor.half_typed()
            if stale or not held:
                self._forget(field)
                if not row.editor.half_typed():
                    row.editor.show_value(value)
            row.offer_reset(value != row.knob.default or field in self._refused)
        self._show_lines()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show those at or below the prefix, each under its editor; those without an editor of their own at the top."""
        self._told = [p for p in problems if p.path == self.prefix or p.path.startswith(f"{self.prefix}.")]
        self._show_lines()

    def set_note(self, field: str, text: str) -> None:
        """A quiet line under an editor; an empty text takes it away."""
        note = self._rows[field].note
        note.setText(text)
        note.setVisible(bool(text))

    def put_beside(self, field: str, widget: QWidget) -> None:
        """A widget beside the editor of a field, also where the editors are made anew for a spec that has the field."""
        self._beside[field] = widget
        if field in self._rows:
            self._rows[field].put_beside(widget)

    def _show_lines(self) -> None:
        own = [*self._refused.values(), *self._told]
        fields = {f"{self.prefix}.{field}" for field in self._rows}
        anew = self._whole.show_problems([problem for problem in own if problem.path not in fields])
        for field, row in self._rows.items():
            here = [problem for problem in own if problem.path == f"{self.prefix}.{field}"]
            anew |= row.lines.show_problems(here)
            row.mark(any(problem.severity == "error" for problem in here))
        if anew:
            self._order()

    def _order(self) -> None:
        """Tab goes through the form from top to bottom, and what was made last does not come last."""
        places = (self._whole, *self._rows.values())
        inside = [one for place in places for one in place.findChildren(QWidget) if one.window() is self.window()]
        stops = [self, *(one for one in inside if _is_stop(one))]
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt chains only what can have the focus
        for before, after in itertools.pairwise(stops):
            QWidget.setTabOrder(before, after)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    # ---------------------------------------------------------------- making it

    def _build(self, spec: Spec) -> None:
        self._built = (self.prefix, type(spec))
        self._waiting.clear()
        self._refused.clear()
        self._told = []
        self._whole.rename(self.prefix)
        self._help.setObjectName(f"{self.prefix}.help")
        self._help.setText("")
        listed = [
            knob for knob in knobs(type(spec)) if _has_editor(knob) and (self._only is None or knob.name in self._only)
        ]
        first = {name: place for place, name in enumerate(self._first)}
        listed.sort(key=lambda knob: first.get(knob.name, len(first)))
        self._rows = {knob.name: self._row(knob) for knob in listed}
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        for row in self._rows.values():
            column.addWidget(row)
        for field, widget in self._beside.items():
            if field in self._rows:
                self._rows[field].put_beside(widget)
            else:  # it must not go with the row that it stands in
                widget.setParent(self)
                widget.hide()
        self._layout.replaceWidget(self._body, body)
        body.show()  # at once: a layout would do it only when the event loop comes round
        retire(self._body)
        self._body = body
        self._align()
        self._reserve_help()
        self._order()

    def _align(self) -> None:
        """Editors in a column beside their names; a name that leaves its editor no room stands above it, and so does
        that of a text where the room is told."""
        rows, room = tuple(self._rows.values()), self._room
        beside = [row for row in rows if room is None or row.name.sizeHint().width() + row.least() <= room]
        width = max((row.name.sizeHint().width() for row in beside), default=0)
        for row in rows:
            if room is not None and row.knob.kind == "text":  # a text is longer than any place beside its name
                row.stack()
            elif row in beside and (room is None or width + row.least() <= room):
                row.align(width)
            else:
                row.stack()

    def _row(self, knob: Knob) -> _Row:
        row = _Row(knob, f"{self.prefix}.{knob.name}")
        row.editor.committed.connect(lambda value: self._commit(knob.name, value))
        row.editor.unreadable.connect(lambda sentence: self._refuse(knob.name, knob.name, sentence))
        row.reset.connect(lambda: self._reset(knob))
        row.lines.repair_chosen.connect(self.repair_chosen)
        row.installEventFilter(self)
        for widget in row.editor.findChildren(QWidget):
            widget.installEventFilter(self._wheel)
            widget.installEventFilter(self)
        return row

    # ---------------------------------------------------------------- editing

    def _reset(self, knob: Knob) -> None:
        self._rows[knob.name].editor.show_value(knob.default)
        self._commit(knob.name, knob.default)

    def _commit(self, field: str, value: Any) -> None:
        """Let a value out if it fits, alone or together with those that wait; else keep it and say why."""
        assert self._spec is not None
        self._waiting[field] = value
        for values in (self._waiting, {field: value}):
            changed = self._changed(values)
            if isinstance(changed, Spec):
                self._let_out(changed, tuple(values))
                return
        assert isinstance(changed, InvalidExperiment)
        problem = changed.problems[0]
        self._refuse(field, problem.path if problem.path in self._rows else field, problem.sentence)

    def _changed(self, values: dict[str, Any]) -> Spec | InvalidExperiment:
        assert self._spec is not None
        several = {field: (value,) for field, value in values.items() if self._must_be_several(field, value)}
        try:
            return self._spec.changed(**{**values, **several})
        except InvalidExperiment as invalid:
            return invalid

    def _must_be_several(self, field: str, value: Any) -> bool:
        """True for a single number in a field that takes a tuple only: one writes 0.5 and means (0.5,)."""
        if self._rows[field].knob.kind not in ("ints", "floats") or not isinstance(value, (int, float)):
            return False
        assert self._spec is not None
        annotation = type(self._spec).model_fields[field].annotation
        members = (annotation,) if typing.get_origin(annotation) is tuple else typing.get_args(annotation)
        return all(typing.get_origin(member) is tuple or member is type(None) for member in members)

    def _let_out(self, changed: Spec, fields: tuple[str, ...]) -> None:
        before, self._spec = self._spec, changed
        for field in fields:
            self._forget(field)
            row = self._rows[field]
            row.editor.show_value(getattr(changed, field))
            row.offer_reset(getattr(changed, field) != row.knob.default)
        self._show_lines()
        if changed == before:
            return
        if len(fields) == 1:
            self.edited.emit(f"{self.prefix}.{fields[0]}", getattr(changed, fields[0]))
        else:
            self.edited.emit(self.prefix, changed)

    def _refuse(self, field: str, where: str, sentence: str) -> None:
        self._refused[field] = Problem(f"{self.prefix}.{where}", sentence)
        self._rows[field].offer_reset(True)
        self._show_lines()

    def _forget(self, field: str) -> None:
        self._refused.pop(field, None)
        self._waiting.pop(field, None)

    # ---------------------------------------------------------------- help

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.Enter, QEvent.Type.FocusIn):
            self._explain(watched)
        elif kind in (QEvent.Type.Leave, QEvent.Type.FocusOut):
            self._explain(QApplication.focusWidget())
        return False

    def _explain(self, widget: QObject | None) -> None:
        """Show the help of where the person has come to last."""
        said = self.help_of(widget)
        self._help.setText(said)
        self.explained.emit(said)

    def help_of(self, widget: QObject | None) -> str:
        """The help of the row that a widget is in, or is; empty where it is in none of this form."""
        rows = [row for row in self._rows.values() if isinstance(widget, QWidget) and row.isAncestorOf(widget)]
        row = widget if isinstance(widget, _Row) else rows[0] if rows else None
        return row.knob.help if row else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._reserve_help()

    def _reserve_help(self) -> None:
        """Room for the longest help at the present width."""
        metrics = self._help.fontMetrics()
        wrapped = Qt.TextFlag.TextWordWrap
        heights = [
            metrics.boundingRect(0, 0, max(self.width(), 1), 1000, wrapped, row.knob.help).height()
            for row in self._rows.values()
        ]
        self._help.setFixedHeight(max(heights, default=0))
