"""A part of a column that folds away under its title, and then says in a few words what is set inside.

So a column can hold all there is to set and still be read at one glance: what one never touches is one line. What is
wrong inside a folded part is told in its title, never hidden.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, XS, M, S, colour, numbers_font, sign
from gui_lab.schema import Problem

_HEIGHT = 32
_SIGN = 14
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class _Title(QAbstractButton):
    """The row with the chevron; checked while the part is open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.words, self.severity = "", ""
        THEME.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(_SIGN + S + QFontMetrics(self._title_font()).horizontalAdvance(self.text()), _HEIGHT)

    def say(self, words: str, severity: str) -> None:
        """What stands at the right, and the severity of a problem that it names, empty where it names none."""
        if (words, severity) != (self.words, self.severity):
            self.words, self.severity = words, severity
            self.setAccessibleDescription(words)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            inside = self.rect().adjusted(0, 1, -1, -1)
            if self.underMouse() or self.hasFocus():
                painter.setPen(colour("accent" if self.hasFocus() else "hover"))
                painter.setBrush(colour("hover") if self.underMouse() else Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(inside, CORNER, CORNER)
            chevron = "caret-down" if self.isChecked() else "caret-right"
            painter.drawPixmap(XS, (_HEIGHT - _SIGN) // 2, sign(chevron, "quiet", _SIGN, self.devicePixelRatioF()))
            font = self._title_font()
            painter.setFont(font)
            painter.setPen(colour("text"))
            start = XS + _SIGN + XS
            painter.drawText(inside.adjusted(start, 0, 0, 0), _LEFT, self.text())
            start += QFontMetrics(font).horizontalAdvance(self.text()) + M
            self._paint_words(painter, inside.adjusted(start, 0, -XS, 0))

    def _paint_words(self, painter: QPainter, room: QRect) -> None:
        font = numbers_font(CAPTION)
        metrics = QFontMetrics(font)
        kept = _SIGN + XS if self.severity else 0
        words = metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, room.width() - kept)
        painter.setFont(font)
        painter.setPen(colour(self.severity or "quiet"))
        painter.drawText(room, _RIGHT, words)
        if self.severity:
            name = "warning-circle" if self.severity == "error" else "warning"
            left = room.right() - metrics.horizontalAdvance(words) - kept
            top = (_HEIGHT - _SIGN) // 2
            painter.drawPixmap(left, top, sign(name, self.severity, _SIGN, self.devicePixelRatioF()))

    def _title_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(BASE)
        font.setWeight(QFont.Weight.DemiBold)
        return font


class Section(QWidget):
    """
    `opened` says that it was unfolded or folded.
    """

    opened = Signal(bool)

    def __init__(self, name: str, title: str, body: QWidget, *, folded: bool = False) -> None:
        """
        Args:
            name: objectName of its title.
            title: in the title row.
            body: what folds away.
            folded: how it begins.
        """
        super().__init__()
        self.title = _Title(title)
        self.title.setObjectName(name)
        self.title.setChecked(not folded)
        self.body = body
        self._summary = ""
        self._problems: tuple[Problem, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addWidget(self.title)
        column.addWidget(body)
        body.setHidden(folded)
        self.title.toggled.connect(self._toggle)
        self._say()

    @property
    def folded(self) -> bool:
        return not self.title.isChecked()

    def unfold(self) -> None:
        self.title.setChecked(True)

    def show_summary(self, words: str) -> None:
        """What is set inside, in a few words, for the time that it is folded."""
        self._summary = words
        self._say()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """What is wrong inside. An error that was not there before unfolds it, so that it can be mended at once."""
        known = {one.path for one in self._problems if one.severity == "error"}
        self._problems = tuple(problems)
        if any(one.severity == "error" and one.path not in known for one in problems):
            self.unfold()
        self._say()

    def _toggle(self, on: bool) -> None:
        self.body.setVisible(on)
        self._say()
        self.opened.emit(on)

    def _say(self) -> None:
        """Open, it speaks for itself."""
        errors = sum(one.severity == "error" for one in self._problems)
        if not self.folded:
            self.title.say("", "")
        elif errors:
            self.title.say(_counted(errors, "problem"), "error")
        elif self._problems:
            self.title.say(_counted(len(self._problems), "warning"), "warning")
        else:
            self.title.say(self._summary, "")
        words = f": {self.title.words}" if self.title.words else ""
        self.title.setToolTip(f"{self.title.text()}{words}" if self.folded else "Fold away")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count > 1)}"
