"""What every view of an exhibit is: a title, a body, a caption, and the edits that clicks on it ask for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gui_lab.core.exhibits import Exhibit
from gui_lab.qt.theme import XS, label


class ExhibitView(QWidget):
    """
    `edited` carries an `Edit`: fields of the concept and the values that a click gives them.

    A subclass makes its body once and fills it in `show_body`, which is called with one exhibit after the other of its
    kind; what is the same as before is not drawn anew.
    """

    edited = Signal(object)

    def __init__(self, name: str, body: QWidget) -> None:
        """
        Args:
            name: objectName; that of the body is `name.body`.
            body: what shows the exhibit itself.
        """
        super().__init__()
        self.setObjectName(name)
        body.setObjectName(f"{name}.body")
        self.body = body
        self.exhibit: Any = None
        self._title = label("", "strong", wrap=True, name=f"{name}.title")
        self._caption = label("", "caption", wrap=True, name=f"{name}.caption")
        self._title.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        column = self._column = _Column(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addWidget(self._title)
        column.addWidget(body, 1)
        column.addWidget(self._caption)

    def show_exhibit(self, exhibit: Exhibit) -> None:
        """Show it, in the place of the one before."""
        self.exhibit = exhibit
        self._title.setText(exhibit.title)
        self._title.setVisible(bool(exhibit.title))
        self._caption.setText(exhibit.caption)
        self._caption.setVisible(bool(exhibit.caption))
        self.body.setAccessibleName(exhibit.title or type(exhibit).__name__)
        height = QSizePolicy.Policy.Expanding if exhibit.tall else QSizePolicy.Policy.Maximum
        self.setSizePolicy(QSizePolicy.Policy.Expanding, height)
        self._column.gives_way = exhibit.tall
        self.show_body()

    def show_body(self) -> None:
        """Draw `self.exhibit`."""
        raise NotImplementedError


class _Column(QVBoxLayout):
    """A column that may ask for no more height than it needs. Qt takes the height that a column with wrapped lines
    would like for the least that it can do with, and others would then have to give up theirs."""

    gives_way = False
    _asking = False

    def heightForWidth(self, width: int) -> int:
        if not self.gives_way or self._asking:
            return super().heightForWidth(width)
        self._asking = True  # the least height is found by way of this very function
        try:
            return self.minimumHeightForWidth(width)
        finally:
            self._asking = False
