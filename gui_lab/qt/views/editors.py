"""One editor for each kind of knob: a box, a line, a check box, a list, each with what it is felt or browsed by.

An editor shows a value silently and says what the person committed; whether that fits is not its business.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from gui_lab.qt.theme import CAPTION, S, colour, numbers_font, with_icon
from gui_lab.qt.views.number_box import NumberBox, step_of, written
from gui_lab.schema import Knob

_BETWEEN_NUMBERS = re.compile(r"[\s,;x×]+", re.IGNORECASE)
_AROUND_NUMBERS = "()[] \t"


def text_of(value: Any) -> str:
    """A value as it stands in a line edit: None is empty, several numbers are separated by commas."""
    if value is None:
        return ""
    if isinstance(value, (tuple, list)):
        return ", ".join(text_of(member) for member in value)
    return written(value).replace(",", "") if isinstance(value, (int, float)) else str(value)


def numbers_of(text: str) -> Any:
    """ "28" is a number, "28, 32" and "28 x 32" are two, nothing is None.

    Raises:
        ValueError: with a sentence.
    """
    words = [word for word in _BETWEEN_NUMBERS.split(text.strip(_AROUND_NUMBERS)) if word]
    found = [_number(word) for word in words]
    return tuple(found) if len(found) > 1 else found[0] if found else None


def _number(word: str) -> int | float:
    for read in (int, float):
        try:
            return read(word)
        except ValueError:
            continue
    raise ValueError(f"Not a number: {word}.")


class Line(QLineEdit):
    """A line edit with its unit at the right end."""

    def __init__(self, unit: str = "") -> None:
        super().__init__()
        self._unit = unit
        self._room = QFontMetrics(numbers_font(CAPTION)).horizontalAdvance(unit) + S if unit else 0
        self.setTextMargins(0, 0, self._room, 0)
        self.setMinimumWidth(60 + self._room)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._unit:
            with QPainter(self) as painter:
                painter.setFont(numbers_font(CAPTION))
                painter.setPen(colour("quiet"))
                where = self.rect().adjusted(0, 0, -S, 0)
                painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)


class Editor(QWidget):
    """An editor of one kind of knob. `main` is the widget that has the field's name and takes the focus."""

    committed = Signal(object)
    unreadable = Signal(str)
    main: QWidget

    def __init__(self, knob: Knob) -> None:
        super().__init__()
        self.knob = knob
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(S)

    def show_value(self, value: Any) -> None:
        """Show without saying anything."""
        raise NotImplementedError

    def half_typed(self) -> bool:
        """True while the person types in it and has not finished."""
        return False


class NumberEditor(Editor):
    """A box, and a slider beside it for what one feels."""

    def __init__(self, knob: Knob) -> None:
        super().__init__(knob)
        self._box = NumberBox(knob)
        self.main = self._box
        self._slider = _slider(self, self._slid)
        self.row.addWidget(self._box, 1)
        self._box.valueChanged.connect(self._stepped)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self._box):
            self._box.setValue(value)
        _place(self._slider, self.knob, value)

    def half_typed(self) -> bool:
        return self._box.hasFocus() and self._box.lineEdit().isModified()

    def _slid(self, value: float) -> None:
        self.show_value(value)
        self.committed.emit(self._box.plain())

    def _stepped(self) -> None:
        self.committed.emit(self._box.plain())


class LineEditor(Editor):
    """Numbers, text or a path in one line; None is an empty line."""

    def __init__(self, knob: Knob) -> None:
        super().__init__(knob)
        self.line = Line(knob.unit)
        self.main = self.line
        self._slider = _slider(self, self._slid) if knob.kind in ("ints", "floats") else None
        self.row.addWidget(self.line, 1)
        if knob.optional:
            self.line.setPlaceholderText("none")
        self.line.editingFinished.connect(self._finish)

    def show_value(self, value: Any) -> None:
        self.line.setText(text_of(value))
        _place(self._slider, self.knob, value)

    def half_typed(self) -> bool:
        return self.line.hasFocus() and self.line.isModified()

    def _finish(self) -> None:
        if not self.line.isModified():
            return
        self.line.setModified(False)
        try:
            value = self._read(self.line.text())
        except ValueError as error:
            self.unreadable.emit(str(error))
            return
        self.committed.emit(value)

    def _read(self, text: str) -> Any:
        if self.knob.optional and not text.strip():
            return None
        if self.knob.kind == "text":
            return text
        if self.knob.kind == "path":
            return Path(text).expanduser()
        if text.strip() in self.knob.choices:  # a word that may stand for numbers
            return text.strip()
        found = numbers_of(text)
        return () if found is None else found

    def _slid(self, value: float) -> None:
        self.show_value(value)
        self.committed.emit(value)


class SwitchEditor(Editor):
    def __init__(self, knob: Knob) -> None:
        super().__init__(knob)
        self._box = QCheckBox()
        self.main = self._box
        self.row.addWidget(self._box)
        self.row.addStretch(1)
        self._box.toggled.connect(lambda on: self.committed.emit(on))

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self._box):
            self._box.setChecked(bool(value))


class ChoiceEditor(Editor):
    def __init__(self, knob: Knob) -> None:
        super().__init__(knob)
        self._box = QComboBox()
        self.main = self._box
        self._box.setMinimumWidth(64)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._values = [*([None] if knob.optional else []), *knob.choices]
        for value in self._values:
            self._box.addItem("none" if value is None else str(value))
        self.row.addWidget(self._box, 1)
        self._box.currentIndexChanged.connect(self._chosen)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(self._values.index(value))

    def _chosen(self, index: int) -> None:
        self.committed.emit(self._values[index])


class PathEditor(LineEditor):
    """A folder, or a file of the knob's pattern, typed or browsed for."""

    def __init__(self, knob: Knob) -> None:
        super().__init__(knob)
        self.browse = QToolButton()
        self.browse.setToolTip("Browse")
        with_icon(self.browse, "folder-open")
        self.browse.setAccessibleName("Choose a file" if knob.files else "Choose a folder")
        self.browse.clicked.connect(self._open)
        self.row.addWidget(self.browse)

    def _open(self) -> None:
        files, modes = self.knob.files, QFileDialog.FileMode
        self._dialog = QFileDialog(self, "Choose a file" if files else "Choose a folder", self.line.text(), files)
        self._dialog.setFileMode(modes.ExistingFile if files else modes.Directory)
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.fileSelected.connect(self._take)
        self._dialog.open()

    def _take(self, chosen: str) -> None:
        self.line.setText(chosen)
        self.committed.emit(Path(chosen))


_WIDE = 1000.0
_A_DECADE = 50
"""Places of a slider that is logarithmic, for each power of ten."""


def _slider(editor: Editor, slid: Callable[[float], None]) -> QSlider | None:
    """A slider in the editor for a bounded knob that is felt."""
    knob = editor.knob
    if not knob.felt or knob.low is None or knob.high is None:
        return None
    last = _place_of(knob, knob.high)
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setMinimumSize(56, 20)
    slider.setRange(int(knob.low_open), last - int(knob.high_open))
    slider.setPageStep(max(last // 10, 1))
    slider.valueChanged.connect(lambda place: slid(_value_at(knob, place)))
    editor.row.addWidget(slider, 1)
    return slider


def _logarithmic(knob: Knob) -> bool:
    """Whether a number runs over so many powers of ten that a slider has to give each the same room."""
    low, high = knob.low or 0.0, knob.high or 0.0
    return low > 0 and high >= _WIDE * low and knob.kind in ("float", "floats")


def _value_at(knob: Knob, place: int) -> float:
    low, step = knob.low or 0.0, step_of(knob)
    if _logarithmic(knob):
        return float(f"{low * 10 ** (place / _A_DECADE):.3g}")
    return round(low + place * step) if knob.kind in ("int", "ints") else round(low + place * step, 10)


def _place_of(knob: Knob, value: float) -> int:
    low = knob.low or 0.0
    if _logarithmic(knob):
        return round(_A_DECADE * math.log10(max(value, low) / low))
    return round((value - low) / step_of(knob))


def _place(slider: QSlider | None, knob: Knob, value: Any) -> None:
    """Put the slider where the value is; several values have no place on it."""
    if slider is None:
        return
    single = isinstance(value, (int, float))
    slider.setEnabled(single)
    if single:
        with QSignalBlocker(slider):
            slider.setValue(_place_of(knob, value))


def editor_of(knob: Knob) -> Editor:
    if knob.kind in ("int", "float"):
        return LineEditor(knob) if knob.optional else NumberEditor(knob)
    kinds: dict[str, type[Editor]] = {"bool": SwitchEditor, "choice": ChoiceEditor, "path": PathEditor}
    return kinds.get(knob.kind, LineEditor)(knob)
