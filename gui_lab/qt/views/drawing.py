"""A network drawn to scale.

A layer is shown as what leaves it: a block of feature maps as high as their side and as thick as their number, a bar
for a plain vector. What leaves the shape alone (an activation, dropout) is written under the block it acts on instead
of repeating it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.qt.theme import CAPTION, THEME, XS, L, S, colour, numbers_font
from gui_lab.qt.views.layer_words import Row, Shape, size_of
from gui_lab.qt.words import count

_SLANT = 0.3  # how much of a map's width is seen from the side
_VECTOR = 8  # pixels; thickness of a bar
_LEAST = 3.0  # pixels of any side of a block
_THICKEST = 72  # pixels of a block
_PIXELS_PER_ROOT = 4.0  # thickness by the square root of the number of maps
_SHEET = 5  # pixels from one line to the next
_LINE = 14
_CAPTIONS = 3
_LONGEST_VECTOR = 0.9  # of the height there is


@dataclass
class Block:
    """What is drawn as one: a shape, the layer that makes it, and the layers that leave it as it is."""

    kind: str
    shape: Shape
    first: int
    """Place of its first layer in the table, -1 for the input."""
    parameters: int = 0
    followed: list[str] = field(default_factory=list)

    @property
    def rows(self) -> range:
        return range(self.first, self.first + 1 + len(self.followed))


def blocks(shape: Shape, rows: Sequence[Row]) -> list[Block]:
    """The drawing's parts for a network that gets pictures of this shape (channels, height, width)."""
    found = [Block("Input", shape, -1)]
    for place, row in enumerate(rows):
        makes = row.kind.startswith(("Conv", "Linear")) or row.output != found[-1].shape or len(found) == 1
        if makes:
            found.append(Block(row.kind, row.output, place, row.parameters))
        else:
            found[-1].followed.append(row.kind)
            found[-1].parameters += row.parameters
    return found


@dataclass(frozen=True)
class _Solid:
    """The face towards the viewer, and how far a block goes to the back, in pixels."""

    width: float
    height: float
    depth: float


@dataclass(frozen=True)
class _Placed:
    """A block where it is drawn, and the strip of the drawing that belongs to it."""

    block: Block
    front: QRectF
    depth: float
    slot: QRectF


class Drawing(QWidget):
    """
    `chosen` carries the table's rows of the block that was clicked, an empty range for the input; `marked` is the place
    of the marked block among `blocks`, -1 for none.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("model.drawing")
        self.setAccessibleName("Drawing of the network")
        self.setSizePolicy(QSizePolicy.Policy.MinimumExpanding, QSizePolicy.Policy.Expanding)
        self.blocks: list[Block] = []
        self.marked = -1
        THEME.changed.connect(self.update)

    def show_blocks(self, shown: Sequence[Block]) -> None:
        self.blocks = list(shown)
        self.marked = -1
        self.setAccessibleDescription(", ".join(f"{block.kind} {size_of(block.shape)}" for block in shown))
        self._claim()
        self.update()

    def mark(self, row: int) -> None:
        """Mark the block that a row of the table belongs to; -1 for none."""
        self.marked = next((i for i, block in enumerate(self.blocks) if row in block.rows and row >= 0), -1)
        self.update()

    def rectangle_of(self, place: int) -> QRectF:
        """Where a block lies, the input being the first."""
        placed = self._placed()[place]
        return placed.front.adjusted(0, -placed.depth, placed.depth, 0)

    def sizeHint(self) -> QSize:
        return QSize(self.minimumWidth(), 230)

    # ---------------------------------------------------------------- geometry

    def _room(self) -> float:
        """The height that blocks have."""
        return self.height() - _CAPTIONS * _LINE - S

    def _solids(self) -> list[_Solid]:
        maps = [block.shape for block in self.blocks if len(block.shape) == 3]
        vectors = [block.shape for block in self.blocks if len(block.shape) != 3]
        highest = max((height + _SLANT * width for _, height, width in maps), default=1.0)
        longest = max((math.prod(shape) for shape in vectors), default=1)
        scale = self._room() / highest
        return [
            _stack(block.shape, scale) if len(block.shape) == 3 else _bar(block.shape, self._room(), longest)
            for block in self.blocks
        ]

    def _widths(self, solids: Sequence[_Solid]) -> list[float]:
        """Of each block's slot at the least: the block or its captions, and a gap for the arrow."""
        plain, bold = QFontMetrics(numbers_font(CAPTION)), QFontMetrics(_bold())
        found = []
        for block, solid in zip(self.blocks, solids, strict=True):
            kind, *others = _captions(block)
            words = max(bold.horizontalAdvance(kind), *map(plain.horizontalAdvance, others))
            found.append(max(words + S, solid.width + solid.depth + L))
        return found

    def _placed(self) -> list[_Placed]:
        """The blocks in the middle of their slots, which share the width."""
        solids = self._solids()
        widths = self._widths(solids)
        spread = max(self.width() - sum(widths), 0) / max(len(widths), 1)
        left, found = 0.0, []
        for block, solid, width in zip(self.blocks, solids, widths, strict=True):
            slot = QRectF(left, 0, width + spread, self.height())
            x = slot.center().x() - (solid.width + solid.depth) / 2
            y = (self._room() - solid.height + solid.depth) / 2
            found.append(_Placed(block, QRectF(x, y, solid.width, solid.height), solid.depth, slot))
            left += slot.width()
        return found

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._claim()

    def _claim(self) -> None:
        """Ask for the width that the blocks need at this height; the rest scrolls."""
        self.setMinimumWidth(math.ceil(sum(self._widths(self._solids()))))

    # ---------------------------------------------------------------- hands

    def _block_at(self, point: QPointF) -> int:
        return next((i for i, placed in enumerate(self._placed()) if placed.slot.contains(point)), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._block_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            block = self.blocks[place]
            self.chosen.emit(block.rows if place else range(0))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # belongs to the press; left alone it would go on to what is behind the drawing

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._block_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), _said(self.blocks[place]) if place >= 0 else "", self)
            return True
        return super().event(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            placed = self._placed()
            for one, other in itertools.pairwise(placed):
                self._paint_arrow(painter, one, other)
            for place, one in enumerate(placed):
                if one.slot.intersects(QRectF(event.rect())):
                    self._paint_block(painter, one, marked=place == self.marked)
                    self._paint_captions(painter, one)

    def _paint_arrow(self, painter: QPainter, one: _Placed, other: _Placed) -> None:
        y = self._room() / 2
        start, end = one.front.right() + one.depth + XS, other.front.left() - XS
        if end - start < S:
            return
        painter.setPen(QPen(colour("quiet"), 1))
        painter.drawLine(QPointF(start, y), QPointF(end, y))
        painter.drawLine(QPointF(end, y), QPointF(end - 3, y - 3))
        painter.drawLine(QPointF(end, y), QPointF(end - 3, y + 3))

    def _paint_block(self, painter: QPainter, placed: _Placed, *, marked: bool) -> None:
        front, depth = placed.front, placed.depth
        tint = colour("accent" if placed.block.parameters else "quiet")
        painter.setPen(QPen(colour("text" if marked else "surface"), 2 if marked else 1))
        back = QPointF(depth, -depth)
        top = QPolygonF([front.topLeft(), front.topLeft() + back, front.topRight() + back, front.topRight()])
        side = QPolygonF([front.topRight(), front.topRight() + back, front.bottomRight() + back, front.bottomRight()])
        painter.setBrush(_blended(tint, 0.35))
        painter.drawPolygon(top)
        painter.setBrush(_blended(tint, 0.8))
        painter.drawPolygon(side)
        painter.setBrush(_blended(tint, 0.55))
        painter.drawRect(front)
        self._paint_sheets(painter, placed)

    def _paint_sheets(self, painter: QPainter, placed: _Placed) -> None:
        """Lines along the edges of the maps, as many as there is room for."""
        if len(placed.block.shape) != 3:
            return
        sheets = min(placed.block.shape[0], int(placed.front.width() // _SHEET))
        painter.setPen(QPen(colour("surface", 110), 1))
        for sheet in range(1, sheets):
            foot = QPointF(placed.front.left() + placed.front.width() * sheet / sheets, placed.front.bottom())
            head = QPointF(foot.x(), placed.front.top())
            painter.drawPolyline(QPolygonF([foot, head, head + QPointF(placed.depth, -placed.depth)]))

    def _paint_captions(self, painter: QPainter, placed: _Placed) -> None:
        y = self.height() - _CAPTIONS * _LINE
        for line, words in enumerate(_captions(placed.block)):
            painter.setFont(_bold() if line == 0 else numbers_font(CAPTION))
            painter.setPen(colour("text" if line < 2 else "quiet"))
            where = QRectF(placed.slot.left(), y + line * _LINE, placed.slot.width(), _LINE)
            painter.drawText(where, int(Qt.AlignmentFlag.AlignCenter), words)


def _stack(shape: Shape, scale: float) -> _Solid:
    """Feature maps; `scale` is pixels of the drawing for one of a map."""
    channels, height, width = shape
    thickness = min(max(_PIXELS_PER_ROOT * math.sqrt(channels), _LEAST), _THICKEST)
    return _Solid(thickness, max(height * scale, _LEAST), width * scale * _SLANT)


def _bar(shape: Shape, room: float, longest: int) -> _Solid:
    """A vector, as long as the logarithm of its length beside that of the longest."""
    part = math.log2(math.prod(shape) + 1) / math.log2(longest + 1)
    return _Solid(_VECTOR, room * _LONGEST_VECTOR * part, _VECTOR * _SLANT)


def _captions(block: Block) -> tuple[str, str, str]:
    return block.kind, size_of(block.shape), ", ".join(dict.fromkeys(block.followed))


def _said(block: Block) -> str:
    form = f"{count(math.prod(block.shape))} values"
    if len(block.shape) == 3:
        form = f"{count(block.shape[0])} maps of {size_of(block.shape[1:])}"
    followed = f", then {', '.join(block.followed)}" if block.followed else ""
    learns = f", {count(block.parameters)} parameters" if block.parameters else ""
    return f"{block.kind}: {form}{learns}{followed}"


def _blended(tint: QColor, part: float) -> QColor:
    ground = colour("surface")
    channels = zip(tint.getRgb()[:3], ground.getRgb()[:3], strict=True)  # type: ignore[index]  # a tuple, says Qt
    return QColor(*(round(part * one + (1 - part) * other) for one, other in channels))


def _bold() -> QFont:
    font = QFont(numbers_font(CAPTION))
    font.setWeight(QFont.Weight.DemiBold)
    return font
