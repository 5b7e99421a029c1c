"""What every page is: a widget with a title and a line for the header, fed by the session."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QWidget

from gui_lab.qt.session import Session


class Page(QWidget):
    """A place of the window.

    Class attributes:
        name: the word on the rail; the page's objectName is its lower case.
        line: what the place is for, one line.
    """

    name: ClassVar[str]
    line: ClassVar[str]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.setObjectName(self.name.lower())

    def close_down(self) -> None:
        """Stop timers and threads of the page; the window calls it before it closes."""
