"""One cell of a film strip, painted: the picture, its histogram, what was drawn; and the same in words."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPen

from gui_lab.qt.theme import CORNER, XS, M, S, colour
from gui_lab.qt.views.facts import counted_words, fact_lines, number, paint_histogram
from gui_lab.qt.views.frames import Column, Frame
from gui_lab.qt.views.strip_grid import LINE, SIGN, Grid, small

LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


def paint_cell(painter: QPainter, grid: Grid, frame: Frame, place: int, row: int) -> None:
    """Picture, histogram where there is room, captions."""
    where = grid.picture(frame, place, row)
    paint_picture(painter, frame, where)
    painter.setFont(small())
    painter.setPen(colour("quiet"))
    paint_legend(painter, frame, where)
    if grid.histogram and frame.histogram is not None and frame.bars is not None:
        paint_histogram(painter, grid.below(where, row), frame.histogram, frame.bars)
        painter.setPen(colour("quiet"))
    width = grid.width + XS if place else grid.width - SIGN - XS
    for number_of_line, line in enumerate(frame.captions):
        room = QRect(where.left(), grid.said(where, row) + number_of_line * LINE, width, LINE)
        painter.drawText(room, LEFT, painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, room.width()))


def paint_picture(painter: QPainter, frame: Frame, where: QRect) -> None:
    """The picture with a hairline frame; averaged only where it is larger than its place."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, where.width() < frame.image.width())
    painter.drawImage(where, frame.image)
    painter.setPen(colour("line"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(where.adjusted(-1, -1, 0, 0))
    if frame.planes:
        middle = where.left() + where.width() // 2
        painter.drawLine(middle, where.top(), middle, where.bottom())
        rows = -(-frame.shape[0] // 2)
        for row in range(1, rows):
            y = where.top() + where.height() * row // rows
            painter.drawLine(where.left(), y, where.right(), y)


def paint_ring(painter: QPainter, where: QRect, role: str = "accent") -> None:
    """Where the keyboard is."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour(role), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(where.adjusted(-3, -3, 2, 2), CORNER // 2, CORNER // 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_tint(painter: QPainter, left: int, width: int, height: int) -> None:
    """The chosen column: a mark beside the tint, for no state is told by colour alone."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour("raised"))
    painter.drawRoundedRect(left - S, 0, width + M, height - XS, CORNER, CORNER)
    painter.setBrush(colour("accent"))
    painter.drawRoundedRect(left, 1, width, 3, 1.5, 1.5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_legend(painter: QPainter, frame: Frame, where: QRect) -> None:
    """Which plane is which, in the quarter that three planes leave free."""
    free = QRect(where.center(), where.bottomRight())
    if frame.planes and frame.shape[0] == 3 and free.width() > 2 * LINE:
        painter.drawText(free, int(Qt.AlignmentFlag.AlignCenter), "R G\nB   ")


def pixel_words(frame: Frame, where: QRect, point: QPoint) -> str:
    """Row, column and values; of planes that stand side by side nothing can be said by one place."""
    channels, height, width = frame.shape
    if frame.planes or not where.contains(point):
        return ""
    x = (point.x() - where.left()) * width // where.width()
    y = (point.y() - where.top()) * height // where.height()
    values = ", ".join(number(float(frame.values[channel, y, x])) for channel in range(channels))
    return f"row {y}, column {x}: {values}"


def cell_words(column: Column, frame: Frame) -> str:
    """All that is known of a cell, a line each: its tool tip."""
    facts = dict(fact_lines(frame.facts))
    lines = [
        column.name + (f": {frame.told}" if frame.told else ""),
        f"{facts['kind']}, {facts['dtype']} {facts['shape']}",
        f"min {facts['min']}, max {facts['max']}, mean {facts['mean']}, std {facts['std']}",
    ]
    if frame.histogram is not None and frame.histogram.every > 1:
        lines.append(f"histogram of {counted_words(frame.histogram)}")
    return "\n".join(lines)
