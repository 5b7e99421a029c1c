"""A graph drawn from left to right: what a person gave, the operations, what comes out; forward numbers above the
arrows and backward numbers below them.

All of it is painted on one canvas and scaled to the room there is, within what can still be read; beyond that it
scrolls. Boxes and arrows are laid out once for a graph and its last words (`Graph.whole`), so a story that fills it in
step by step moves nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QWidget

from gui_lab.core.exhibits import Edge, Edit, Graph, Node
from gui_lab.qt.exhibits.graph_layout import Box, Layout, Size, Spot, laid_out
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import BASE, CAPTION, CORNER, THEME, S, colour, numbers_font

_SMALLEST, _LARGEST = 0.75, 1.6  # scales
_TITLE, _LINE = 18, 15  # pixels of a line of words
_WIDEST, _NARROWEST = 190, 52  # pixels of the words in a box
_PAD = 10
_MARGIN = 6
_PILL = 15.0  # corner of a leaf
_HEAD = 5.0  # of an arrow
_TALLEST_LEAST, _TALLEST = 340, 460  # a graph asks for no more height than this; it scrolls
_MOST = 16_777_215  # Qt's own, for no limit
_BAR = 16  # the width of a scroll bar
_FAINT = 0.45
_ARROWS = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


def _title_font() -> QFont:
    font = numbers_font(BASE)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _box_size(node: Node) -> Size:
    title, lines = QFontMetricsF(_title_font()), QFontMetricsF(numbers_font(CAPTION))
    words = max(title.horizontalAdvance(node.title), *(lines.horizontalAdvance(line) for line in (*node.lines, "")))
    width = min(max(words, _NARROWEST), _WIDEST)
    return Size(width + 2 * _PAD + 1, _TITLE + _LINE * len(node.lines) + _PAD)


def _label_size(edge: Edge) -> Size:
    metrics = QFontMetricsF(numbers_font(CAPTION))
    above, below = edge.forward.splitlines(), edge.backward.splitlines()
    width = min(max((metrics.horizontalAdvance(line) for line in (*above, *below)), default=0.0), _WIDEST)
    return Size(width, 2 * _LINE * max(len(above), len(below)) + 4)


def _layout_of(graph: Graph) -> Layout:
    whole = graph.whole or graph
    boxes = {node.key: _box_size(node) for node in whole.nodes}
    links = [(edge.start, edge.end) for edge in whole.edges]
    return laid_out(boxes, links, [_label_size(edge) for edge in whole.edges])


@dataclass(frozen=True)
class _Target:
    """What can be pointed at: its place on the unscaled drawing, all that it says, and what a click sets."""

    where: QRectF
    words: str
    edit: Edit | None


class GraphView(ExhibitView):
    exhibit: Graph

    def __init__(self, name: str) -> None:
        self.canvas = _Canvas()
        self.canvas.setObjectName(f"{name}.canvas")
        self.room = _Room(self.canvas)
        super().__init__(name, self.room)
        self.canvas.edited.connect(self.edited)

    def show_body(self) -> None:
        self.canvas.setAccessibleName(self.exhibit.title or "Graph")
        self.canvas.show_graph(self.exhibit)
        self.room.fit(tall=self.exhibit.tall)
        self.room.follow()


class _Room(QScrollArea):
    """Gives the canvas all the room there is, and lets it scroll where it needs more."""

    def __init__(self, canvas: _Canvas) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setWidget(canvas)
        self._tall, self._fitted = True, 0
        canvas.focused.connect(lambda where: self.ensureVisible(where.x(), where.y(), 80, 60))
        self._canvas = canvas

    def fit(self, *, tall: bool | None = None) -> None:
        """
        Args:
            tall: whether the graph takes the height there is, or no more than it needs; None for as before.
        """
        self._tall = self._tall if tall is None else tall
        width = self.maximumViewportSize().width()
        if abs(width - self._fitted) > _BAR or tall is not None:  # a scroll bar beside it must not resize it
            self._fitted = width
        high = self._canvas.height_at(self._fitted - _BAR)
        least = min(round(self._canvas.whole.height() * 0.85), _TALLEST_LEAST) if self._tall else min(high, _TALLEST)
        most = _MOST if self._tall else least
        if (self.minimumHeight(), self.maximumHeight()) != (least, most):
            self.setMinimumHeight(least)
            self.setMaximumHeight(most)
            self.updateGeometry()
        self._canvas.fit(self.maximumViewportSize())

    def follow(self) -> None:
        """Scroll to what is in hand, where not all can be seen."""
        where = self._canvas.in_hand()
        if where is not None:
            self.ensureVisible(where.center().x(), where.center().y(), where.width() // 2 + _BAR, where.height() // 2)

    def sizeHint(self) -> QSize:
        return QSize(400, self.minimumHeight())

    def event(self, event: QEvent) -> bool:
        """Fits once it has its size: while it is being resized, a scroll area is deaf to being resized again."""
        done = super().event(event)
        if event.type() == QEvent.Type.Resize:
            self.fit()
            self.follow()
        return done


class _Canvas(QWidget):
    """
    Attributes:
        graph: what is drawn; None before there is one.
        layout_made: how often boxes were laid out.
    """

    edited = Signal(object)
    focused = Signal(QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.graph: Graph | None = None
        self.layout_made = 0
        self.scale = 1.0
        self._laid_out_for: Graph | None = None
        self._layout = Layout({}, (), Size(0, 0))
        self._targets: list[_Target] = []
        self._at: int | None = None
        THEME.changed.connect(self.update)

    # ---------------------------------------------------------------- what is drawn

    def show_graph(self, graph: Graph) -> None:
        if graph == self.graph:
            return
        self.graph = graph
        whole = graph.whole or graph
        if whole != self._laid_out_for:
            self._layout = _layout_of(graph)
            self._laid_out_for = whole
            self.layout_made += 1
        self._targets = [self._node_target(node) for node in graph.nodes]
        self._targets += [self._edge_target(*each) for each in zip(graph.edges, self._layout.routes, strict=True)]
        clicked = any(target.edit is not None for target in self._targets)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if clicked else Qt.FocusPolicy.NoFocus)
        if self._at is not None and not self._can_be_clicked(self._at):
            self._at = None
        self.setAccessibleDescription("; ".join(target.words.replace("\n", ", ") for target in self._targets))
        self.update()

    @property
    def whole(self) -> QSize:
        """The unscaled drawing, in pixels."""
        width, height = self._layout.size
        return QSize(round(width) + 2 * _MARGIN, round(height) + 2 * _MARGIN)

    def fit(self, room: QSize) -> None:
        """Take the largest scale that fits the room, within what can be read."""
        whole = self.whole
        fits = min(room.width() / whole.width(), room.height() / whole.height())
        self.scale = min(max(fits, _SMALLEST), _LARGEST)
        needed = QSize(int(whole.width() * self.scale), int(whole.height() * self.scale))
        self.resize(needed.expandedTo(room) if fits >= _SMALLEST else self._scrolled(needed, room))
        self.update()

    def height_at(self, width: int) -> int:
        """What the drawing needs where it is as wide as this."""
        scale = min(max(width / self.whole.width(), _SMALLEST), _LARGEST)
        bar = _BAR * (self.whole.width() * scale > width + _BAR)
        return int(self.whole.height() * scale) + bar + 1

    @staticmethod
    def _scrolled(needed: QSize, room: QSize) -> QSize:
        """The room of the other direction is less by a scroll bar."""
        bar = _BAR
        across, down = needed.width() > room.width(), needed.height() > room.height()
        return needed.expandedTo(QSize(room.width() - bar * down, room.height() - bar * across))

    def _node_target(self, node: Node) -> _Target:
        box = self._layout.boxes[node.key]
        return _Target(_rectangle(box), "\n".join((node.title, *node.lines)), node.edit)

    def _edge_target(self, edge: Edge, route: tuple[Spot, ...]) -> _Target:
        start, end = route[-2:]
        size = _label_size(edge)
        height = max(size.height, 14.0)
        where = QRectF(start.x + 4, (start.y + end.y - height) / 2, max(end.x - start.x - 8, 8.0), height)
        said = [f"{edge.start} to {edge.end}"]
        said += [f"forward {edge.forward}"] if edge.forward else []
        said += [f"backward {edge.backward}"] if edge.backward else []
        return _Target(where, "\n".join(said), edge.edit)

    def in_hand(self) -> QRect | None:
        """The place of the boxes and arrows in hand, on the canvas; None where there are none."""
        if self.graph is None:
            return None
        whole = QRectF()
        for part, target in zip((*self.graph.nodes, *self.graph.edges), self._targets, strict=True):
            if part.state == "now":
                whole = whole.united(target.where)
        if whole.isNull():
            return None
        return QRectF(self._on_canvas(whole.topLeft()), self._on_canvas(whole.bottomRight())).toAlignedRect()

    def place_of(self, key: str) -> QPoint:
        """The middle of a node's box on the canvas."""
        assert self.graph is not None
        number = next(place for place, node in enumerate(self.graph.nodes) if node.key == key)
        return self._on_canvas(self._targets[number].where.center()).toPoint()

    def place_between(self, start: str, end: str) -> QPoint:
        """The middle of an arrow on the canvas."""
        assert self.graph is not None
        ends = [(edge.start, edge.end) for edge in self.graph.edges]
        number = len(self.graph.nodes) + ends.index((start, end))
        return self._on_canvas(self._targets[number].where.center()).toPoint()

    def _origin(self) -> QPointF:
        whole = self.whole
        left = _MARGIN * self.scale  # where titles and equations begin too
        top = max((self.height() - whole.height() * self.scale) / 2, 0) + _MARGIN * self.scale
        return QPointF(left, top)

    def _on_canvas(self, spot: QPointF) -> QPointF:
        return spot * self.scale + self._origin()

    # ---------------------------------------------------------------- pointing and keys

    def _can_be_clicked(self, place: int) -> bool:
        return place < len(self._targets) and self._targets[place].edit is not None

    def _under(self, spot: QPointF) -> int | None:
        where = (spot - self._origin()) / self.scale
        return next((place for place, target in enumerate(self._targets) if target.where.contains(where)), None)

    def _click(self, place: int | None) -> None:
        if place is not None and self._can_be_clicked(place):
            self.edited.emit(self._targets[place].edit)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._under(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None and self._can_be_clicked(place):
            self._at = place
            self._click(place)
            self.update()
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._under(event.position())
        hand = place is not None and self._can_be_clicked(place)
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            self._go(_ARROWS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._click(self._focus_place())
        else:
            super().keyPressEvent(event)

    def _focus_place(self) -> int | None:
        if self._at is None:
            self._at = next((place for place in range(len(self._targets)) if self._can_be_clicked(place)), None)
        return self._at

    def _go(self, way: QPointF) -> None:
        """To the nearest one that can be clicked in this direction; what lies aside counts as farther."""
        here = self._focus_place()
        if here is None:
            return
        origin = self._targets[here].where.center()
        found: list[tuple[float, int]] = []
        for place, target in enumerate(self._targets):
            step = target.where.center() - origin
            ahead = QPointF.dotProduct(step, way)
            aside = abs(step.x() * way.y()) + abs(step.y() * way.x())
            if self._can_be_clicked(place) and ahead > 1:
                found.append((ahead + 2 * aside, place))
        if found:
            self._at = min(found)[1]
            self.focused.emit(self._on_canvas(self._targets[self._at].where.center()).toPoint())
            self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._under(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._targets[place].words if place is not None else "", self)
            return True
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().event(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.graph is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(self._origin())
            painter.scale(self.scale, self.scale)
            for edge, route in zip(self.graph.edges, self._layout.routes, strict=True):
                _paint_arrow(painter, edge, route)
            for edge, route in zip(self.graph.edges, self._layout.routes, strict=True):
                _paint_label(painter, edge, route)
            for node in self.graph.nodes:
                _paint_node(painter, node, _rectangle(self._layout.boxes[node.key]))
            if self.hasFocus() and (place := self._focus_place()) is not None:
                painter.setOpacity(1)
                painter.setPen(QPen(colour("accent"), 1.5, Qt.PenStyle.DotLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(self._targets[place].where.adjusted(-5, -5, 5, 5), CORNER, CORNER)


def _rectangle(box: Box) -> QRectF:
    return QRectF(box.x, box.y, box.width, box.height)


def _tinted(role: str, part: float) -> QColor:
    """A role's colour, so much of it over the surface."""
    tint, ground = colour(role), colour("surface")
    mixed = zip(tint.getRgb()[:3], ground.getRgb()[:3], strict=True)  # type: ignore[index]  # a tuple, says Qt
    return QColor(*(round(part * one + (1 - part) * other) for one, other in mixed))


def _path(route: tuple[Spot, ...]) -> QPainterPath:
    path = QPainterPath(QPointF(*route[0]))
    for one, other in itertools.pairwise(route):
        bend = (other.x - one.x) / 2
        path.cubicTo(QPointF(one.x + bend, one.y), QPointF(other.x - bend, other.y), QPointF(*other))
    return path


def _paint_arrow(painter: QPainter, edge: Edge, route: tuple[Spot, ...]) -> None:
    now = edge.state == "now"
    painter.setOpacity(_FAINT if edge.state == "waiting" else 1)
    tint = colour("accent" if now else "quiet")
    painter.setPen(QPen(tint, 2.0 if now else 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    tip = route[-1]
    painter.drawPath(_path((*route[:-1], Spot(tip.x - _HEAD, tip.y))))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    back = tip.x - _HEAD - 3
    corners = [QPointF(tip.x - 1, tip.y), QPointF(back, tip.y - _HEAD + 1), QPointF(back, tip.y + _HEAD - 1)]
    painter.drawPolygon(QPolygonF(corners))


def _paint_label(painter: QPainter, edge: Edge, route: tuple[Spot, ...]) -> None:
    painter.setFont(numbers_font(CAPTION))
    painter.setOpacity(_FAINT if edge.state == "waiting" else 1)
    metrics = painter.fontMetrics()
    start, end = route[-2:]
    width, middle = end.x - start.x - S, (start.y + end.y) / 2
    above, below = edge.forward.splitlines(), edge.backward.splitlines()
    for role, lines, top in (
        ("training", above, middle - _LINE * len(above) - 1),
        ("validation", below, middle + 2),
    ):
        for number, line in enumerate(lines):
            where = QRectF(start.x + S / 2, top + number * _LINE, width, _LINE)
            words = metrics.elidedText(line, Qt.TextElideMode.ElideRight, int(width) + 1)
            if start.y != end.y:  # a bent arrow would run through its words
                half = metrics.horizontalAdvance(words) / 2 + 2
                painter.fillRect(where.adjusted(width / 2 - half, 1, half - width / 2, -1), colour("window"))
            painter.setPen(colour(role))
            painter.drawText(where, _CENTRE, words)


def _paint_node(painter: QPainter, node: Node, where: QRectF) -> None:
    now = node.state == "now"
    painter.setOpacity(_FAINT if node.state == "waiting" else 1)
    painter.setPen(QPen(colour("accent" if now else "quiet"), 2.0 if now else 1.0))
    painter.setBrush(_tinted("accent", 0.14) if now else colour("surface"))
    corner = _PILL if node.kind == "leaf" else float(CORNER)
    painter.drawRoundedRect(where, corner, corner)
    if node.kind == "result":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("accent" if now else "quiet"), 1.0))
        painter.drawRoundedRect(where.adjusted(3, 3, -3, -3), corner - 2, corner - 2)
    y = where.center().y() - (_TITLE + _LINE * len(node.lines)) / 2
    for number, line in enumerate((node.title, *node.lines)):
        painter.setFont(_title_font() if number == 0 else numbers_font(CAPTION))
        painter.setPen(colour("text" if number < 2 else "quiet"))
        height = _LINE if number else _TITLE
        room = QRectF(where.left() + _PAD, y, where.width() - 2 * _PAD, height)
        words = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, int(room.width()) + 1)
        painter.drawText(room, _CENTRE, words)
        y += height
