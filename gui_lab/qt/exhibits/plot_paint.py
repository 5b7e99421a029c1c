"""How a plot is drawn: surface, axes, lines, bars, arrows and legend, each by a function that needs a painter only.

Lines are told apart by a sign as well as by their colour. Long ones are one pixel wide without antialiasing and have
about two points a pixel, whatever their length; short ones are finer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from gui_lab.core.contours import contour, levels, shades
from gui_lab.core.exhibits import Line, Plot, Surface
from gui_lab.qt.exhibits.plane import Floats, Plane, bar_shift, bar_width
from gui_lab.qt.theme import XS, S, class_colour, colour
from gui_lab.qt.views.axis import Ticks
from gui_lab.qt.views.curve_line import polygon

SAMPLE = 22
"""Pixels of a line's sample in the legend."""
_SIGNS = ("disc", "diamond", "square", "triangle", "ring")
_SIGNS_APART, _DOTS_APART = 64, 9
_FEW = 400
"""Points of a line that may be drawn fine."""
_LEVELS = 14
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_CIVIDIS = np.array(
    [(0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115), (138, 134, 120), (165, 156, 116),
     (195, 179, 105), (225, 204, 85), (254, 232, 56)]
)  # fmt: skip
_PALE = 0.6
"""Of the ground in the shades of a surface, so that lines of all roles are seen on them."""


def ground() -> QColor:
    """What plots stand on: the stage."""
    return colour("window")


def tint(role: str) -> QColor:
    """The colour of a role, or of a class: "class 3"."""
    kind, _, number = role.partition(" ")
    return class_colour(int(number)) if kind == "class" else colour(role)


def mixed(role: str, part: float) -> QColor:
    """A colour thinned on the ground; opaque."""
    over, below = tint(role), ground()
    pairs = ((over.red(), below.red()), (over.green(), below.green()), (over.blue(), below.blue()))
    return QColor(*(round(part * one + (1 - part) * other) for one, other in pairs))


def pen(tone: QColor, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(QBrush(tone), width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.BevelJoin)


# ---------------------------------------------------------------- surface


def draw_surface(painter: QPainter, surface: Surface, plane: Plane) -> None:
    """Heights as shades, and lines of equal height over them; the painter is clipped to the area."""
    corner, opposite = plane.place(surface.x[0], surface.y[1]), plane.place(surface.x[1], surface.y[0])
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    painter.drawImage(QRectF(corner, opposite), _shaded(surface.heights))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen(colour("text", 60), 1))
    rows, columns = surface.heights.shape
    across, down = (opposite.x() - corner.x()) / (columns - 1), (corner.y() - opposite.y()) / (rows - 1)
    for level in levels(surface.heights, _LEVELS):
        pieces = contour(surface.heights, level)
        pieces[..., 0] = corner.x() + pieces[..., 0] * across
        pieces[..., 1] = opposite.y() + pieces[..., 1] * down
        painter.drawLines([QLineF(*piece) for piece in pieces.reshape(-1, 4).tolist()])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _shaded(heights: npt.NDArray[np.floating]) -> QImage:
    """Cividis, thinned on the ground; the first row of heights at the bottom."""
    places = shades(heights)[::-1] * (len(_CIVIDIS) - 1)
    first = np.minimum(places.astype(np.intp), len(_CIVIDIS) - 2)
    part = (places - first)[..., None]
    tones = _CIVIDIS[first] * (1 - part) + _CIVIDIS[first + 1] * part
    below = np.array((ground().red(), ground().green(), ground().blue()))
    pixels = np.ascontiguousarray(np.round(_PALE * below + (1 - _PALE) * tones), np.uint8)
    rows, columns, _ = pixels.shape
    return QImage(pixels.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()


# ---------------------------------------------------------------- axes


def draw_axes(painter: QPainter, plane: Plane, ticks: tuple[Ticks, Ticks], grid: bool, font: QFont) -> None:
    """The grid, the ends of the plane, and the numbers at both axes."""
    area, metrics = plane.area, QFontMetricsF(font)
    painter.setFont(font)
    hairline, words = pen(mixed("line", 0.7)), colour("quiet")
    free = -math.inf
    for value, text in ticks[0]:
        x = round(float(plane.across(np.array([value]))[0])) + 0.5
        if grid:
            painter.setPen(hairline)
            painter.drawLine(QLineF(x, area.top(), x, area.bottom()))
        width = metrics.horizontalAdvance(text)
        left = min(x - width / 2, painter.device().width() - width - 1)
        if left >= free:
            painter.setPen(words)
            painter.drawText(QRectF(left, area.bottom() + 3, width + 1, metrics.height()), _MIDDLE, text)
            free = left + width + S
    below = math.inf
    (low, high), half = plane.y, metrics.height() / 2
    for level, text in ticks[1]:
        y = round(area.bottom() - (level - low) / (high - low) * area.height()) + 0.5
        if grid:
            painter.setPen(hairline)
            painter.drawLine(QLineF(area.left(), y, area.right(), y))
        if below - y >= 2 * half - 2:
            below = y
            painter.setPen(words)
            where = QRectF(0, y - half, area.left() - 6, 2 * half)
            painter.drawText(where, _MIDDLE | Qt.AlignmentFlag.AlignRight, text)
    painter.setPen(pen(mixed("quiet", 0.5)))
    painter.drawLine(QLineF(area.left() - 0.5, area.top(), area.left() - 0.5, area.bottom() + 0.5))
    painter.drawLine(QLineF(area.left() - 0.5, area.bottom() + 0.5, area.right(), area.bottom() + 0.5))


# ---------------------------------------------------------------- lines


def draw_line(painter: QPainter, plot: Plot, number: int, plane: Plane) -> None:
    """The line of this number as it is declared; the painter is clipped to the area."""
    line = plot.lines[number]
    if line.bars:
        _draw_bars(painter, plot, line, plane)
        return
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    known = np.isfinite(x) & np.isfinite(y)
    tone = tint(line.role)
    for first, last in _runs(known):
        places = thinned(plane.across(x[first:last]), plane.down(y[first:last]), int(plane.area.width()))
        _draw_path(painter, line, polygon(*places), plot.surface is not None)
        if line.arrows:
            _draw_arrows(painter, *places, tone)
        if not line.arrows and (line.points or len(plot.lines) > 1 or last - first == 1):
            for at in _dots(*places) if line.points else _signs(*places, number / len(plot.lines)):
                draw_sign(painter, _SIGNS[number % len(_SIGNS)], at, tone)


def _runs(known: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last + 1 of the stretches without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def thinned(across: Floats, down: Floats, columns: int) -> tuple[Floats, Floats]:
    """Points in pixels that draw the same picture: of a line that runs to the right the highest and the lowest of each
    column, of any other those that move."""
    if len(across) <= 2 * columns:
        return across, down
    if (np.diff(across) >= 0).all():
        edges = np.linspace(0, len(across), columns + 1).astype(np.intp)[:-1]
        ends = np.minimum.reduceat(down, edges), np.maximum.reduceat(down, edges)
        return np.repeat(across[edges], 2), np.stack(ends, axis=1).ravel()
    moves = np.abs(np.diff(across.round())) + np.abs(np.diff(down.round())) > 0
    chosen = np.concatenate([[True], moves])
    return across[chosen], down[chosen]


def _draw_path(painter: QPainter, line: Line, path: QPolygonF, halo: bool) -> None:
    """On a surface with a seam of the ground, which parts it from the shades."""
    fine = path.size() <= _FEW
    style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine)
    if halo and fine:
        painter.setPen(pen(ground(), 3.6))
        painter.drawPolyline(path)
    painter.setPen(pen(tint(line.role), 1.7 if fine else 1.0, style))
    painter.drawPolyline(path)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _dots(across: Floats, down: Floats) -> list[QPointF]:
    """All points that do not touch one before."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(across), np.diff(down)))])
    return _spread(across, down, along / _DOTS_APART)


def _signs(across: Floats, down: Floats, shift: float) -> list[QPointF]:
    """Points that are far apart, each line's elsewhere."""
    return _spread(across, down, np.abs(across - across[0]) / _SIGNS_APART - shift)


def _spread(across: Floats, down: Floats, along: Floats) -> list[QPointF]:
    """One point for each whole number that is passed along the line from 0 on, and the last one."""
    passed = np.floor(along)
    chosen = np.flatnonzero((np.diff(passed, prepend=-1.0) > 0) & (along >= 0))
    if not len(chosen) or along[-1] - along[chosen[-1]] > 0.5:
        chosen = np.append(chosen, len(along) - 1)
    return [QPointF(float(across[one]), float(down[one])) for one in chosen]


def _draw_arrows(painter: QPainter, across: Floats, down: Floats, tone: QColor) -> None:
    """A head at the end of each step that is long enough for one."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tone)
    for (x, y), (right, below) in zip(
        zip(across[:-1], down[:-1], strict=True), zip(across[1:], down[1:], strict=True), strict=True
    ):
        length = math.hypot(right - x, below - y)
        if length < 5:
            continue
        head = min(8.0, 0.6 * length)
        along, beside = QPointF(right - x, below - y) / length, QPointF(y - below, right - x) / length
        tip = QPointF(right, below)
        painter.drawPolygon(
            QPolygonF([tip, tip - along * head + beside * head / 2.4, tip - along * head - beside * head / 2.4])
        )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _draw_bars(painter: QPainter, plot: Plot, line: Line, plane: Plane) -> None:
    """Bars from 0; those of a dashed line are outlined and empty."""
    width, shift = bar_width(plot, line), bar_shift(plot, line)
    x, y = np.asarray(line.x, np.float64) + shift, np.asarray(line.y, np.float64)
    lefts, rights = plane.across(x - width / 2).round(), plane.across(x + width / 2).round()
    tops, zero = plane.down(y).round(), round(float(plane.down(np.zeros(1))[0]))
    tone = QColor(tint(line.role))
    painter.setPen(pen(tone, 1, Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine))
    tone.setAlpha(0 if line.dashed else 150)
    painter.setBrush(tone)
    for left, right, top in zip(lefts.tolist(), rights.tolist(), tops.tolist(), strict=True):
        if math.isfinite(top):
            bar = QRectF(QPointF(left + 0.5, top + 0.5), QPointF(max(right, left + 1) + 0.5, zero + 0.5))
            painter.drawRect(bar.normalized())


def draw_sign(painter: QPainter, sign: str, at: QPointF, tone: QColor, size: float = 3.2) -> None:
    """A small shape around a point."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen(tone if sign == "ring" else ground(), 1.5 if sign == "ring" else 0.8))
    painter.setBrush(ground() if sign == "ring" else tone)
    corners = {
        "diamond": ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "triangle": ((0, -1.3), (1.25, 0.95), (-1.25, 0.95)),
    }.get(sign)
    if corners:
        painter.drawPolygon(QPolygonF([at + QPointF(x * size, y * size) for x, y in corners]))
    else:
        painter.drawEllipse(at, size, size)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


# ---------------------------------------------------------------- legend


def legend_places(names: Sequence[str], left: float, width: float, font: QFont) -> tuple[list[QRectF], int]:
    """Where each name of the legend stands, from `left` in the first row, and how many rows they take."""
    metrics = QFontMetricsF(font)
    row, high, places = 0, metrics.height() + 2, []
    for name in names:
        needed = SAMPLE + XS + metrics.horizontalAdvance(name) + 1
        if left + needed > width and left > 0:
            left, row = 0.0, row + 1
        places.append(QRectF(left, row * high, min(needed, width), high))
        left += needed + S + XS
    return places, row + 1


def draw_legend(painter: QPainter, plot: Plot, places: Sequence[QRectF], font: QFont) -> None:
    """A sample of each line and its name."""
    painter.setFont(font)
    for number, (line, place) in enumerate(zip(plot.lines, places, strict=True)):
        tone, middle = tint(line.role), round(place.center().y()) + 0.5
        style = Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine
        painter.setPen(pen(tone, 1 if line.bars else 2, style))
        if line.bars:
            inside = QColor(tone)
            inside.setAlpha(0 if line.dashed else 150)
            painter.setBrush(inside)
            painter.drawRect(QRectF(place.left() + 5.5, middle - 5, 10, 10))
        else:
            painter.drawLine(QLineF(place.left(), middle, place.left() + SAMPLE, middle))
            if line.arrows:
                _draw_arrows(painter, place.left() + np.array([0.0, SAMPLE]), np.array([middle, middle]), tone)
            elif len(plot.lines) > 1 or line.points:
                draw_sign(painter, _SIGNS[number % len(_SIGNS)], QPointF(place.left() + SAMPLE / 2, middle), tone)
        painter.setPen(colour("text"))
        words = QFontMetricsF(font).elidedText(line.name, Qt.TextElideMode.ElideRight, place.width() - SAMPLE - XS)
        painter.drawText(place.adjusted(SAMPLE + XS, 0, 0, 0), _MIDDLE, words)
