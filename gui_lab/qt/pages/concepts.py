"""The Concepts page: all ideas of the course as cards, and behind each card the page to play with.

What a person has set on a page stays until the window is closed, so one can look something up and come back.
"""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui_lab.core.concepts import CONCEPTS, Concept
from gui_lab.qt.concept_reader import ConceptReader
from gui_lab.qt.pages.page import Page
from gui_lab.qt.running import RunControl
from gui_lab.qt.session import Session
from gui_lab.qt.theme import THEME, XL, M, S, label, set_role, sign

_SIGN = 28
_COLUMNS = 2


class _Card(QPushButton):
    """A concept: its sign, its name, and what one learns there."""

    def __init__(self, concept: type[Concept]) -> None:
        super().__init__()
        self.setObjectName(f"concepts.{concept.name_of()}")
        self.setAccessibleName(concept.title)
        self.setAccessibleDescription(concept.line)
        set_role(self, "card")
        self._icon = concept.icon
        self._sign = QLabel()
        self._sign.setFixedSize(QSize(_SIGN, _SIGN))
        words = QGridLayout(self)
        words.setContentsMargins(M, M, M, M)
        words.setHorizontalSpacing(M)
        words.setVerticalSpacing(S // 2)
        words.addWidget(self._sign, 0, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
        words.addWidget(label(concept.title, "strong"), 0, 1)
        words.addWidget(label(concept.line, "quiet", wrap=True), 1, 1)
        words.setColumnStretch(1, 1)
        words.setRowStretch(1, 1)
        for part in self.findChildren(QLabel):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMinimumHeight(84)
        THEME.changed.connect(self._tint)
        self._tint()

    def sizeHint(self) -> QSize:
        return QSize(320, 84)

    def _tint(self) -> None:
        self._sign.setPixmap(sign(self._icon, "accent", _SIGN, self.devicePixelRatioF()))


class ConceptsPage(Page):
    """All concepts, or one of them."""

    name: ClassVar[str] = "Concepts"
    line: ClassVar[str] = "Every idea behind it, to open and play with"
    opened = Signal(str)

    def __init__(self, session: Session, control: RunControl) -> None:
        super().__init__(session)
        self._values: dict[str, Concept] = {}
        self.reader = ConceptReader(session, control)
        self.reader.closed.connect(self.show_all)
        self.stack = QStackedWidget()
        self.stack.addWidget(self._all())
        self.stack.addWidget(self.reader)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)

    def _all(self) -> QScrollArea:
        self.cards = {concept.name_of(): _Card(concept) for concept in sorted(CONCEPTS, key=lambda one: one.number)}
        grid = QGridLayout()
        grid.setSpacing(M)
        for number, (name, card) in enumerate(self.cards.items()):
            card.clicked.connect(lambda _=False, name=name: self.open(name))
            grid.addWidget(card, number // _COLUMNS, number % _COLUMNS)
        inside = QWidget()
        inside.setMaximumWidth(1000)
        self.index = QVBoxLayout(inside)
        self.index.setContentsMargins(XL, XL, XL, XL)
        self.index.setSpacing(M)
        self.index.addLayout(grid)
        self.index.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("concepts.all")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        scroll.setWidget(inside)
        return scroll

    def open(self, name: str, values: Concept | None = None) -> None:
        """Show a concept, with the values given or as it was left."""
        self._keep()
        concept = values or self._values.get(name) or CONCEPTS.make(name)
        self.stack.setCurrentWidget(self.reader)
        self.reader.open(concept)
        self.reader.stage.setFocus()
        self.opened.emit(name)

    def show_all(self) -> None:
        """Back to the cards."""
        self._keep()
        self.reader.pause()
        self.stack.setCurrentIndex(0)
        if self.reader.concept is not None:
            self.cards[self.reader.concept.name_of()].setFocus()

    def _keep(self) -> None:
        if self.reader.concept is not None:
            self._values[self.reader.concept.name_of()] = self.reader.concept

    def close_down(self) -> None:
        self.reader.close_down()
