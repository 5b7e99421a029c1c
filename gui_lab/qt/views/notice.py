"""What stands in the place of a thing that is not there: a sign, a sentence, what to do next, and buttons for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui_lab.qt.theme import THEME, XL, L, M, S, label, set_role, sign, with_icon
from gui_lab.qt.views.problem_lines import retire

_SIGN = 40
_WIDTH = 440


@dataclass(frozen=True)
class Offer:
    """A button: the end of its objectName, its words, its icon; the primary one is what most people want."""

    name: str
    words: str
    icon: str
    primary: bool = False


class Notice(QWidget):
    """
    `accepted` carries the name of the offer that was pressed.
    """

    accepted = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """
        Args:
            name: start of the objectNames: `name.sentence`, and `name.` with the name of an offer.
        """
        super().__init__(parent)
        self._name = name
        self._icon = ""
        self._buttons: list[QPushButton] = []
        self._offers: tuple[Offer, ...] = ()
        self.sentence = label("", "section", wrap=True, name=f"{name}.sentence")
        self.remedy = label("", "quiet", wrap=True, name=f"{name}.remedy")
        self._sign = QLabel()
        self._row = QHBoxLayout()
        self._row.setSpacing(S)
        column = QVBoxLayout(self)
        column.setContentsMargins(L, XL, L, XL)
        column.setSpacing(M)
        column.addStretch(2)
        for part in (self._sign, self.sentence, self.remedy):
            part.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            part.setFixedWidth(_WIDTH)
            line = QHBoxLayout()  # a vertical layout alone would ask for the height at its own width
            line.addStretch(1)
            line.addWidget(part)
            line.addStretch(1)
            column.addLayout(line)
        column.addLayout(self._row)
        column.addStretch(3)
        THEME.changed.connect(self._tint)

    def show_notice(self, sign: str, sentence: str, remedy: str = "", offers: Sequence[Offer] = ()) -> None:
        """
        Args:
            sign: name of an icon.
            sentence: what is the matter.
            remedy: what to do next.
            offers: one button each.
        """
        self._icon = sign
        self._tint()
        self.sentence.setText(sentence)
        self.remedy.setText(remedy)
        self.remedy.setVisible(bool(remedy))
        self.setAccessibleName(f"{sentence} {remedy}".strip())
        if tuple(offers) != self._offers:
            self._offers = tuple(offers)
            self._make_buttons()

    def _make_buttons(self) -> None:
        for button in self._buttons:
            self._row.removeWidget(button)
            retire(button)
        while self._row.takeAt(0) is not None:
            pass
        self._buttons = [self._button(offer) for offer in self._offers]
        self._row.addStretch(1)
        for button in self._buttons:
            self._row.addWidget(button)
        self._row.addStretch(1)

    def _button(self, offer: Offer) -> QPushButton:
        button = QPushButton(offer.words)
        button.setObjectName(f"{self._name}.{offer.name}")
        button.setAccessibleName(offer.words)
        if offer.primary:
            set_role(button, "primary")
        with_icon(button, offer.icon, "on_accent" if offer.primary else "text")
        button.clicked.connect(lambda: self.accepted.emit(offer.name))
        return button

    def _tint(self) -> None:
        if self._icon:
            self._sign.setPixmap(sign(self._icon, "quiet", _SIGN, self.devicePixelRatioF()))
