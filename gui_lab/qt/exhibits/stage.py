"""The stage: sets out the exhibits of a scene, and keeps their views as long as the next scene has the same kinds.

From step to step most exhibits are of the same kind in the same place; their views are then filled anew and not made
anew, so that a story plays without flicker and a knob can be pulled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gui_lab.core import exhibits
from gui_lab.core.concepts import Scene
from gui_lab.core.exhibits import Exhibit
from gui_lab.qt.exhibits.claims import ClaimsView
from gui_lab.qt.exhibits.conveyor import ConveyorView
from gui_lab.qt.exhibits.equation import EquationView
from gui_lab.qt.exhibits.facts import FactsView
from gui_lab.qt.exhibits.graph import GraphView
from gui_lab.qt.exhibits.pictures import PicturesView
from gui_lab.qt.exhibits.plot import PlotView
from gui_lab.qt.exhibits.question import QuestionView
from gui_lab.qt.exhibits.table import TableView
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import XL, L, M
from gui_lab.qt.views.problem_lines import retire

VIEWS: Mapping[type[Exhibit], Callable[[str], ExhibitView]] = {
    exhibits.Graph: GraphView,
    exhibits.Equation: EquationView,
    exhibits.Table: TableView,
    exhibits.Facts: FactsView,
    exhibits.Pictures: PicturesView,
    exhibits.Plot: PlotView,
    exhibits.Conveyor: ConveyorView,
    exhibits.Question: QuestionView,
    exhibits.Claims: ClaimsView,
}

_OF_THE_STORY = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space)

_Plan = tuple[tuple[tuple[type[Exhibit], int, bool], ...], ...]


class Stage(QScrollArea):
    """
    `edited` carries the fields that a click on an exhibit sets.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stage")
        self.setAccessibleName("Exhibits")
        self.setProperty("role", "stage")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.views: list[list[ExhibitView]] = []
        self._plan: _Plan = ()
        self._inside = QWidget()
        self.setWidget(self._inside)

    def show_scene(self, scene: Scene) -> None:
        """Show its exhibits, in the place of those before."""
        plan = tuple(tuple((type(one), one.weight, one.tall) for one in row) for row in scene.rows)
        if plan != self._plan:
            self._plan = plan
            self._set_out(plan)
        for row, views in zip(scene.rows, self.views, strict=True):
            for exhibit, view in zip(row, views, strict=True):
                view.show_exhibit(exhibit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left, right and the like go through the story rather than scroll sideways."""
        if event.key() in _OF_THE_STORY:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _set_out(self, plan: _Plan) -> None:
        inside = _Inside()
        column = QVBoxLayout(inside)
        column.setContentsMargins(L, M, L, M)
        column.setSpacing(L)
        self.views = []
        for number, kinds in enumerate(plan):
            row, views = QHBoxLayout(), []
            row.setSpacing(XL)
            for place, (kind, weight, tall) in enumerate(kinds):
                view = VIEWS[kind](f"stage.{number}.{place}")
                view.edited.connect(self.edited)
                row.addWidget(view, weight)
                if not tall:
                    row.setAlignment(view, Qt.AlignmentFlag.AlignTop)
                views.append(view)
            self.views.append(views)
            column.addLayout(row, 1 if any(tall for _, _, tall in kinds) else 0)
        if not any(tall for kinds in plan for _, _, tall in kinds):
            column.addStretch(1)
        old = self.takeWidget()
        self._inside = inside
        self.setWidget(inside)
        inside.show()
        retire(old)


class _Inside(QWidget):
    """Asks for the least height in which all have room: they share what there is before anything scrolls. (Qt asks a
    layout whose lines wrap for the height it would like.)"""

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.minimumHeightForWidth(width) if layout is not None else -1
