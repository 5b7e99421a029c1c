"""How a plot is drawn: lines, signs, axes, legend and readout, each by a function that needs a painter and no widget.

So the same strokes make the screen, the picture file and the drawing file. On the screen lines are one pixel wide
without antialiasing, which is several times as fast; in a file they are fine.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap, QPolygonF

from gui_lab.core.history import Mark
from gui_lab.qt.theme import CAPTION, THEME, XS, S, colour, numbers_font
from gui_lab.qt.views.axis import Ticks
from gui_lab.qt.views.curve_line import Floats, Line, Style, View, polygon

LEFT, RIGHT, ROW, TICKS = 56, 10, 16, 18
"""Pixels beside the area, of a row of the header, and of the words below the area."""
_SAMPLE = 14
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
STAMP = 11  # pixels, the side of a sign's picture
_FLAG = 7


@dataclass(frozen=True)
class Best:
    """The best point, in iterations and in the unit of the pane."""

    trained: int
    value: float
    words: str


def font() -> QFont:
    return numbers_font(CAPTION)


def mixed(role: str, part: float) -> QColor:
    """A role thinned on the surface; opaque, for what shines through has to be blended pixel by pixel."""
    return _blend(getattr(THEME.colours, role), THEME.colours.surface, part)


@functools.lru_cache(maxsize=64)
def _blend(tone: str, ground: str, part: float) -> QColor:
    over, under = QColor(tone), QColor(ground)
    pairs = ((over.red(), under.red()), (over.green(), under.green()), (over.blue(), under.blue()))
    return QColor(*(round(part * one + (1 - part) * other) for one, other in pairs))


def pen(tint: QColor, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(QBrush(tint), width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.BevelJoin)


# ---------------------------------------------------------------- lines


def draw_line(painter: QPainter, line: Line, view: View, fine: bool, since: int = 0) -> None:
    """A line within the area, or what of it is drawn from a value on; the painter is clipped to that."""
    tint = colour(line.role)
    x, y = line.points(view, since)
    start = line.place_of(since)
    x, y = x[start:], y[start:]
    if line.style == "raw":
        _draw_band(painter, line, view, fine, since)
        _draw_raw(painter, line, (x, y), fine, few=line.few)
        return
    path = polygon(x, y)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
    if line.style == "smooth" and not fine:  # two lines of one pixel are much faster than one of two
        painter.setPen(pen(tint))
        painter.drawPolyline(path)
        path.translate(0, 1)
        painter.drawPolyline(path)
    else:
        painter.setPen(pen(tint, 1.8 if line.style == "smooth" else 1.2 if fine else 1.0))
        painter.drawPolyline(path)
    if len(x) == 1 and not since and line.style in ("line", "smooth"):
        draw_sign(painter, "disc", path.at(0), tint)
    if line.style not in ("line", "smooth"):
        signed = [path.at(place - start) for place in line.signed(start)] if len(x) else []
        _draw_signs(painter, line.style, signed, tint, fine)


def _draw_band(painter: QPainter, line: Line, view: View, fine: bool, since: int) -> None:
    """The ground between the smallest and the largest values, or what of it is drawn from a value on."""
    band = line.band(view, since)
    if band is None:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(line.role, 34))
    painter.drawPolygon(polygon(*band))


def _draw_raw(painter: QPainter, line: Line, points: tuple[Floats, Floats], fine: bool, few: bool) -> None:
    """With a dot for each value where they are few enough that each can be told from its neighbours."""
    path = polygon(*points)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
    thin = pen(mixed(line.role, 0.42), 0.7 if fine else 1.0)
    thin.setCosmetic(not fine)  # a pixel of the device wherever it is drawn: wider ones take several times as long
    painter.setPen(thin)
    painter.drawPolyline(path)
    if few and path.size():
        dots = pen(mixed(line.role, 0.7), 3)
        dots.setCapStyle(Qt.PenCapStyle.RoundCap if fine else Qt.PenCapStyle.SquareCap)
        painter.setPen(dots)
        painter.drawPoints(path)


def _draw_signs(painter: QPainter, style: Style, places: Sequence[QPointF], tint: QColor, fine: bool) -> None:
    if fine:
        for place in places:
            draw_sign(painter, style, place, tint)
        return
    stamp = _stamp(style, tint.rgb(), colour("surface").rgb(), painter.device().devicePixelRatioF())
    for place in places:
        painter.drawPixmap(place - QPointF(STAMP / 2, STAMP / 2), stamp)


@functools.lru_cache(maxsize=64)
def _stamp(style: Style, tint: int, ground: int, ratio: float) -> QPixmap:
    """A sign as a picture: to draw it anew takes ten times as long."""
    stamp = QPixmap(QSize(STAMP, STAMP) * ratio)
    stamp.setDevicePixelRatio(ratio)
    stamp.fill(Qt.GlobalColor.transparent)
    with QPainter(stamp) as painter:
        draw_sign(painter, style, QPointF(STAMP / 2, STAMP / 2), QColor.fromRgb(tint))
    return stamp


def draw_sign(painter: QPainter, style: Style, at: QPointF, tint: QColor) -> None:
    """A disc, a ring, or a diamond around a point."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen(tint, 1.3) if style == "ring" else Qt.PenStyle.NoPen)
    painter.setBrush(colour("surface") if style == "ring" else tint)
    if style == "diamond":
        painter.drawPolygon(QPolygonF([at + QPointF(*by) for by in ((0, -4), (4, 0), (0, 4), (-4, 0))]))
    else:
        painter.drawEllipse(at, 3.0, 3.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def draw_best(painter: QPainter, best: Best, view: View) -> None:
    """A ring at the best point with its words, where there is room for them."""
    x = float(view.across(view.along.place(np.array([best.trained])))[0])
    y = float(view.down(np.array([best.value]))[0])
    at, area = QPointF(x, y), view.area
    if not area.adjusted(-1, -1, 1, 1).contains(at):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen(colour("best"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, 6.0, 6.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    draw_plate(painter, best_words(best, view), best.words)


def best_ground(best: Best, view: View) -> QRectF:
    """What `draw_best` paints on."""
    x = float(view.across(view.along.place(np.array([best.trained])))[0])
    y = float(view.down(np.array([best.value]))[0])
    return best_words(best, view).united(QRectF(x - 8, y - 8, 16, 16)).adjusted(-1, -1, 1, 1)


def best_words(best: Best, view: View) -> QRectF:
    """Where the words at the best point stand: below it in the upper half, beside it, within the area."""
    metrics = QFontMetricsF(font())
    x = float(view.across(view.along.place(np.array([best.trained])))[0])
    y = float(view.down(np.array([best.value]))[0])
    width, height = metrics.horizontalAdvance(best.words) + XS, metrics.height()
    left = min(max(x - width / 2, view.area.left() + 1), view.area.right() - width - 1)
    below = y < view.area.center().y()
    return QRectF(left, y + 9 if below else y - 9 - height, width, height)


def draw_plate(painter: QPainter, where: QRectF, words: str) -> None:
    """Words in the colour of the best, on a ground that lets lines fade."""
    painter.fillRect(where, colour("surface", 215))
    painter.setFont(font())
    painter.setPen(colour("best"))
    painter.drawText(where, Qt.AlignmentFlag.AlignCenter, words)


# ---------------------------------------------------------------- axes


def draw_axes(painter: QPainter, view: View, x_ticks: Ticks, y_ticks: Ticks, unit: str) -> None:
    """Grid, and the words of both axes; those of the x axis where the `unit` is named."""
    area, metrics = view.area, QFontMetricsF(font())
    painter.setFont(font())
    below = None
    for level, text in y_ticks:
        y = round(float(area.bottom() - (level - view.y[0]) / (view.y[1] - view.y[0]) * area.height())) + 0.5
        if not area.top() - 1 <= y <= area.bottom() + 1:
            continue
        painter.setPen(pen(mixed("line", 0.6)))
        painter.drawLine(QLineF(area.left(), y, area.right(), y))
        if below is None or below - y >= metrics.height() - 1:
            below = y
            painter.setPen(colour("quiet"))
            place = QRectF(0, y - ROW / 2, area.left() - 6, ROW)
            painter.drawText(place, _MIDDLE | Qt.AlignmentFlag.AlignRight, text)
    painter.setPen(pen(mixed("line", 1.0)))
    painter.drawLine(QLineF(area.left() - 0.5, area.top(), area.left() - 0.5, area.bottom()))
    painter.drawLine(QLineF(area.left(), area.bottom() + 0.5, area.right(), area.bottom() + 0.5))
    if unit:
        _draw_x_words(painter, view, x_ticks, unit)


def _draw_x_words(painter: QPainter, view: View, ticks: Ticks, unit: str) -> None:
    area, metrics = view.area, QFontMetricsF(font())
    row = QRectF(XS, area.bottom() + 2, area.left(), TICKS - 2)
    painter.setPen(colour("quiet"))
    painter.drawText(row, _MIDDLE, unit)
    free = row.left() + metrics.horizontalAdvance(unit)
    for x, text in ticks:
        width = metrics.horizontalAdvance(text)
        left = float(view.across(np.array([x]))[0]) - width / 2
        left = min(left, area.right() + RIGHT - width)
        if left >= free and left + width / 2 >= area.left() - 1:
            painter.drawText(QRectF(left, row.top(), width + 1, row.height()), _MIDDLE, text)
            free = left + width + S


def draw_verticals(painter: QPainter, view: View, places: Sequence[float]) -> None:
    """The grid of epochs; or of ticks where epochs are not what is counted and not seen."""
    painter.setPen(pen(mixed("line", 0.6)))
    for x in view.across(np.array(places, np.float64)).tolist():
        painter.drawLine(QLineF(round(x) + 0.5, view.area.top(), round(x) + 0.5, view.area.bottom()))


def draw_flags(painter: QPainter, flags: Sequence[Mark], view: View, signs: bool) -> None:
    """A dotted line where something happened; with a sign at its top: a triangle for a change, two bars for a pause, a
    fork for a branch."""
    drawn: set[int] = set()
    area = view.area
    for flag in reversed(flags):
        x = round(float(view.across(view.along.place(np.array([flag.at])))[0]))
        if x in drawn or not area.left() - 1 <= x <= area.right() + 1:
            continue
        drawn.add(x)
        tint = colour("quiet" if flag.kind == "paused" else "accent")
        painter.setPen(pen(tint, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QLineF(x + 0.5, area.top(), x + 0.5, area.bottom()))
        if signs:
            _draw_flag(painter, flag.kind, QPointF(x + 0.5, area.top()), tint)


def _draw_flag(painter: QPainter, kind: str, at: QPointF, tint: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    if kind == "paused":
        for beside in (-3.5, 0.5):
            painter.drawRect(QRectF(at.x() + beside, at.y(), 3, _FLAG))
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    left, right, foot = (at + QPointF(*by) for by in ((-_FLAG / 2, 0), (_FLAG / 2, 0), (0, _FLAG)))
    if kind == "branched":
        middle = at + QPointF(0, _FLAG / 2)
        painter.setPen(pen(tint, 2))
        for line in (QLineF(left, middle), QLineF(right, middle), QLineF(middle, foot)):
            painter.drawLine(line)
    else:
        painter.drawPolygon(QPolygonF([left, right, foot]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


# ---------------------------------------------------------------- header


def header_places(title: str, lines: Sequence[Line], width: float) -> tuple[list[QRectF], int]:
    """Where the title and each line of the legend stand, and how many rows they take."""
    metrics = QFontMetricsF(font())
    left, row, places = metrics.horizontalAdvance(title) + S + XS, 0, [QRectF(0, 0, width, ROW)]
    for line in lines:
        needed = _SAMPLE + XS + metrics.horizontalAdvance(line.name) + 1
        if left + needed > width and left > 0:
            left, row = 0.0, row + 1
        places.append(QRectF(left, row * ROW, needed, ROW))
        left += needed + S
    return places, row + 1


def draw_header(painter: QPainter, title: str, lines: Sequence[Line], width: float) -> None:
    """The title, and beside or below it what the lines are."""
    (first, *places), _ = header_places(title, lines, width)
    painter.setFont(font())
    painter.setPen(colour("text"))
    painter.drawText(first, _MIDDLE, title)
    for line, place in zip(lines, places, strict=True):
        _draw_sample(painter, line, place)
        painter.setPen(colour("quiet"))
        painter.drawText(place.adjusted(_SAMPLE + XS, 0, 0, 0), _MIDDLE, line.name)


def _draw_sample(painter: QPainter, line: Line, place: QRectF) -> None:
    tint, middle = colour(line.role), round(place.center().y()) + 0.5
    left, right = place.left(), place.left() + _SAMPLE
    if line.style == "raw":
        painter.fillRect(QRectF(left, middle - 4.5, _SAMPLE, 9), colour(line.role, 34))
        painter.setPen(pen(mixed(line.role, 0.42)))
        heights = (0, -3, 2, -4, 3, -2, 1, 0)
        painter.drawPolyline(QPolygonF([QPointF(left + 2 * i, middle + by) for i, by in enumerate(heights)]))
        return
    painter.setPen(pen(tint, 2 if line.style == "smooth" else 1))
    painter.drawLine(QLineF(left, middle, right, middle))
    if line.style not in ("line", "smooth"):
        draw_sign(painter, line.style, QPointF(left + _SAMPLE / 2, middle), tint)


# ---------------------------------------------------------------- readout

Row = tuple[str, str, str]
"""Name, value, and role of a line of the readout; a name alone is a line of words."""


def draw_readout(painter: QPainter, rows: Sequence[Row], x: float, bounds: QRectF) -> None:
    """A box beside the cross-hair at `x`, within the bounds: names on the left, values on the right."""
    metrics = QFontMetricsF(font())
    gap = S if any(value for _, value, _ in rows) else 0
    names = max(metrics.horizontalAdvance(name) + (S + XS if value else 0) for name, value, _ in rows)
    both = max(
        metrics.horizontalAdvance(name) + S + XS + gap + metrics.horizontalAdvance(value) if value else 0.0
        for name, value, _ in rows
    )
    width, height = max(names, both) + 2 * S, len(rows) * ROW + XS
    left = x + 10 if x + 10 + width <= bounds.right() else max(x - 10 - width, bounds.left())
    top = max(min(bounds.top() + XS, bounds.bottom() - height), 0.0)
    box = QRectF(round(left) + 0.5, round(top) + 0.5, round(width), height)
    painter.setPen(pen(mixed("line", 1.0)))
    painter.setBrush(colour("raised"))
    painter.drawRect(box)
    painter.setFont(font())
    for number, (name, value, role) in enumerate(rows):
        row = QRectF(box.left() + S, box.top() + XS / 2 + number * ROW, box.width() - 2 * S, ROW)
        if role:
            painter.fillRect(QRectF(row.left(), row.center().y() - 3, 6, 6), colour(role))
        painter.setPen(colour("quiet" if value else "text"))
        painter.drawText(row.adjusted(S + XS if value else 0, 0, 0, 0), _MIDDLE, name)
        painter.setPen(colour("text"))
        painter.drawText(row, _MIDDLE | Qt.AlignmentFlag.AlignRight, value)
