"""A network as a drawing and as a table; a layer chosen in one is marked in the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QScrollArea, QTableView, QVBoxLayout, QWidget

from gui_lab.qt.theme import XS, M, S, colour, label, numbers_font
from gui_lab.qt.views.drawing import Drawing, blocks
from gui_lab.qt.views.layer_words import Row, Shape, size_of, total
from gui_lab.qt.words import count

Index = QModelIndex | QPersistentModelIndex
_ROW = 26
_ROWS_SEEN = 3  # of the table, however low the window is
_TALLEST = 400  # pixels; the drawing


class _Table(QAbstractTableModel):
    columns = ("#", "Layer", "What it does", "Output", "Parameters")

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()

    def show(self, rows: Sequence[Row]) -> None:
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as Qt declares it
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        parameters = count(row.parameters) if row.parameters else "0"
        if role == Qt.ItemDataRole.DisplayRole:
            return (str(index.row() + 1), row.kind, row.detail, size_of(row.output), parameters)[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() in (0, 4) else _LEFT
        if role == Qt.ItemDataRole.FontRole:
            return numbers_font()
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in (0, 2):
            return colour("quiet")
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 4 and not row.parameters:
            return colour("quiet")
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 2:
            return row.detail
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in (0, 4) else _LEFT
        return None


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class Layers(QWidget):
    """The drawing above, the table below, and the sum under it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.drawing = Drawing()
        self.drawing.chosen.connect(self._choose)
        self.table = self._make_table()
        self.sum = label("", "section", name="model.total")
        legend = "A block is as high as its maps and thicker the more of them; a bar is a vector. Blue layers learn."
        self.legend = label(legend, "caption", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addWidget(self._make_stage(), 4)
        column.addWidget(self.legend)
        column.addWidget(self.table, 5)
        column.addWidget(self.sum, 0, Qt.AlignmentFlag.AlignRight)
        column.addStretch(0)

    def show_network(self, shape: Shape, rows: Sequence[Row]) -> None:
        """
        Args:
            shape: of the pictures it gets, (channels, height, width).
            rows: its layers in the order in which they run.
        """
        self._rows.show(rows)
        self.drawing.show_blocks(blocks(shape, rows))
        self.sum.setText(total(rows))
        self.table.resizeColumnsToContents()
        header = self.table.horizontalHeader().sizeHint().height()
        self.table.setMinimumHeight(header + min(len(rows), _ROWS_SEEN) * _ROW + XS)
        self.table.setMaximumHeight(header + len(rows) * _ROW + XS)

    def _make_stage(self) -> QScrollArea:
        stage = QScrollArea()
        stage.setObjectName("model.stage")
        stage.setFrameShape(QFrame.Shape.NoFrame)
        stage.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        stage.setWidgetResizable(True)
        stage.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        stage.setMinimumHeight(150)
        stage.setMaximumHeight(_TALLEST)
        stage.setWidget(self.drawing)
        return stage

    def _make_table(self) -> QTableView:
        self._rows = _Table(self)
        table = QTableView()
        table.setObjectName("model.layers")
        table.setAccessibleName("Layers")
        table.setModel(self._rows)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(M + M)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        table.selectionModel().currentRowChanged.connect(lambda current: self.drawing.mark(current.row()))
        return table

    def _choose(self, rows: range) -> None:
        if rows:
            self.table.selectRow(rows[0])
        else:
            self.table.clearSelection()
            self.table.setCurrentIndex(QModelIndex())
