"""The pages of the window, one of which is shown.

Most of the widgets there are stand on pages, and to lay them all out takes longer than all else at the start. So a page
is made when it is first asked for, and the others one after the other once torch is there and nothing goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QStackedWidget

from gui_lab.qt.theme import label

if TYPE_CHECKING:
    from gui_lab.qt.pages.page import Page

_REST_MILLISECONDS = 1000  # between the pages that are made ahead: the largest takes a tenth of a second


class PageStack(QStackedWidget):
    """
    Attributes:
        made: the pages that there are by now, by place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, Page] = {}
        self._makers: Mapping[str, Callable[[], Page]] = {}
        self._busy: Callable[[], bool] = bool
        self.rest = QTimer(self)
        self.rest.setInterval(_REST_MILLISECONDS)
        self.rest.timeout.connect(self._make_ahead)
        self.waiting = label("Opening the lab", "quiet")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.addWidget(self.waiting)

    def furnish(self, makers: Mapping[str, Callable[[], Page]], busy: Callable[[], bool]) -> None:
        """From here on there are pages.

        Args:
            makers: how the page of each place is made.
            busy: whether something goes on that must not be held up, a training run.
        """
        self._makers, self._busy = makers, busy

    def page(self, place: str) -> Page:
        """The page of a place, made where it is asked for the first time."""
        if place not in self.made:
            self.made[place] = self._makers[place]()
            self.addWidget(self.made[place])
        return self.made[place]

    def show_page(self, place: str) -> str:
        """Show the page of a place; returns its line, empty where there are no pages yet."""
        if not self._makers:
            return ""
        page = self.page(place)
        self.setCurrentWidget(page)
        return page.line

    def _make_ahead(self) -> None:
        missing = [place for place in self._makers if place not in self.made]
        if not missing:
            self.rest.stop()
        elif not self._busy():
            self.page(missing[0])

    def close_down(self) -> None:
        self.rest.stop()
        for page in self.made.values():
            page.close_down()
