"""The Transforms page: what is done to each picture on the left, real pictures on their way through it on the right."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QHBoxLayout

from gui_lab.qt.chain_editor import ChainEditor
from gui_lab.qt.pages.page import Page
from gui_lab.qt.session import Session
from gui_lab.qt.studio import Studio


class TransformsPage(Page):
    """The list, the form, the strip."""

    name: ClassVar[str] = "Transforms"
    line: ClassVar[str] = "What happens to each picture before the network sees it"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.editor = ChainEditor(session, self)
        self.studio = Studio(session)
        self.editor.went.connect(self.studio.select)
        self.studio.preview.strip.column_chosen.connect(self.editor.go)
        self.studio.listen_to(self.editor.list)
        self.studio.select(self.editor.current)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.editor)
        layout.addWidget(self.studio, 1)

    @property
    def busy(self) -> bool:
        """True while anything is computed or measured."""
        return self.editor.busy or self.studio.busy

    def close_down(self) -> None:
        self.editor.close_down()
        self.studio.close_down()
