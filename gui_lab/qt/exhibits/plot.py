"""The view of a `Plot`: axes, lines, bars, arrows, a surface, and a place that a click or the arrow keys set.

What stands still is painted once into a picture, and a paint of the screen copies it and draws the pointer's cross-hair
over it, so a moved mouse costs next to nothing. Words grow with the plot, for a page that is projected.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.exhibits import Line, Plot, Surface
from gui_lab.qt.exhibits import plot_paint, plot_words
from gui_lab.qt.exhibits.plane import Plane, fit
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.theme import CAPTION, THEME, XS, S, colour, numbers_font
from gui_lab.qt.views.axis import Ticks, linear, logarithmic

_LARGEST_WORDS = 15
_PIXELS_OF_WORDS = 60
"""Width of a plot for each pixel of its words' height."""
_FEW = 500
_STRIDES = 50
"""Presses of an arrow key from one side of the plot to the other; five times as many with Shift."""
_ALONG = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}


class Canvas(QWidget):
    """A plot as one painted widget. `placed` carries x and y of a click, a drag or an arrow key."""

    placed = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self.plot = Plot()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 140)
        self.setMouseTracking(True)
        self._picture: QPixmap | None = None
        self._ground: QPixmap | None = None
        self._plane: Plane | None = None
        self._mouse: QPointF | None = None
        self._place: tuple[float, float] | None = None
        THEME.changed.connect(self.redraw)

    def sizeHint(self) -> QSize:
        return QSize(420, 280)

    def show_plot(self, plot: Plot) -> None:
        """Show it in the place of the one before; what is the same is not painted anew."""
        if same(plot, self.plot):
            return
        if not same(_ground_of(plot), _ground_of(self.plot)):
            self._ground = None
        self.plot, self._place = plot, None
        clickable = plot.place is not None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if clickable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.CrossCursor if clickable else Qt.CursorShape.ArrowCursor)
        self.setToolTip("Click or use the arrow keys to set the place" if clickable else "")
        self.setAccessibleDescription(_told(plot))
        self._picture = self._plane = None
        self.update()

    @property
    def plane(self) -> Plane:
        """What of the plane is seen where, as the widget is now."""
        if self._plane is None:
            self._plane = fit(self.plot, self._area())
        return self._plane

    def redraw(self) -> None:
        """Paint all of it anew: there is another room or another scheme."""
        self._picture = self._plane = self._ground = None
        self.update()

    # ---------------------------------------------------------------- room

    def words_font(self) -> QFont:
        return numbers_font(min(max(self.width() // _PIXELS_OF_WORDS, CAPTION), _LARGEST_WORDS))

    def _header(self) -> tuple[list[QRectF], float]:
        """Where the lines are named, and how high what stands above the area is."""
        font = self.words_font()
        metrics = QFontMetricsF(font)
        left = metrics.horizontalAdvance(self.plot.y_name) + 2 * S if self.plot.y_name else 0.0
        names = [line.name for line in self.plot.lines] if self._named() else []
        places, rows = plot_paint.legend_places(names, left, self.width(), font)
        return places, rows * (metrics.height() + 2) + XS if names or self.plot.y_name else S

    def _named(self) -> bool:
        """A line without a name among others has no place in a legend, nor has one alone that says what y says."""
        lines = self.plot.lines
        return len(lines) > 1 or (len(lines) == 1 and lines[0].name not in ("", self.plot.y_name))

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.words_font())
        _, top = self._header()
        bottom = metrics.height() * (2 if self.plot.x_name else 1) + XS
        high = max(self.height() - top - bottom, 10.0)
        whole = fit(self.plot, QRectF(0, 0, self.width(), high))
        widest = max((metrics.horizontalAdvance(text) for _, text in self._y_ticks(whole)), default=0.0)
        left = math.ceil(widest) + S
        right = S + metrics.horizontalAdvance("0")
        return QRectF(left, math.ceil(top), max(self.width() - left - right, 10.0), math.floor(high))

    def _x_ticks(self, plane: Plane) -> Ticks:
        wide = QFontMetricsF(self.words_font()).horizontalAdvance("-0.000")
        most = max(int(plane.area.width() / (wide + 2 * S)), 2)
        lines = self.plot.lines
        whole = bool(lines) and all(bool((np.mod(line.x, 1) == 0).all()) for line in lines)
        return linear(*plane.x, most, whole and plane.x[1] - plane.x[0] >= 1)

    def _y_ticks(self, plane: Plane) -> Ticks:
        most = max(int(plane.area.height() / (2.2 * QFontMetricsF(self.words_font()).height())), 2)
        return logarithmic(*plane.y, most) if plane.logarithmic else linear(*plane.y, most)

    # ---------------------------------------------------------------- painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatioF() != ratio:
            self._picture = self._with_ground(ratio)
            with QPainter(self._picture) as painter:
                self.draw(painter)
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._picture)
            self._draw_over(painter)

    def _with_ground(self, ratio: float) -> QPixmap:
        """A copy of the surface, or of nothing; a race over it does not draw its contours anew at each step."""
        if self._ground is None or self._ground.devicePixelRatioF() != ratio:
            self._ground = QPixmap(self.size() * ratio)
            self._ground.setDevicePixelRatio(ratio)
            self._ground.fill(plot_paint.ground())
            if self.plot.surface is not None:
                with QPainter(self._ground) as painter:
                    painter.setClipRect(self.plane.area)
                    plot_paint.draw_surface(painter, self.plot.surface, self.plane)
        return QPixmap(self._ground)

    def draw(self, painter: QPainter) -> None:
        """All of it but the surface and the cross-hair."""
        plot, plane, font = self.plot, self.plane, self.words_font()
        ticks = self._x_ticks(plane), self._y_ticks(plane)
        plot_paint.draw_axes(painter, plane, ticks, plot.surface is None, font)
        self._draw_names(painter, font)
        painter.setClipRect(plane.area if plot.surface is not None else plane.area.adjusted(0, -1, S, 1))
        order = sorted(range(len(plot.lines)), key=lambda number: not plot.lines[number].bars)
        for number in order:
            plot_paint.draw_line(painter, plot, number, plane)
        painter.setClipping(False)
        room = plot_words.Placed(plane.area, font, self._points())
        plot_words.draw_spots(painter, plot.spots, plane, room)
        plot_words.draw_marks(painter, plot.marks, plane, room)

    def _points(self) -> npt.NDArray[np.float64]:
        """Some pixels of each line, (n, 2)."""
        found = [np.empty((0, 2))]
        for line in self.plot.lines:
            every = len(line.x) // _FEW + 1
            x, y = (np.asarray(one[::every], np.float64) for one in (line.x, line.y))
            found.append(np.stack([self.plane.across(x), self.plane.down(y)], axis=1))
        return np.concatenate(found)

    def _draw_names(self, painter: QPainter, font: QFont) -> None:
        """Of the axes and of the lines."""
        metrics, area = QFontMetricsF(font), self.plane.area
        painter.setFont(font)
        painter.setPen(colour("quiet"))
        painter.drawText(QRectF(0, 0, self.width(), metrics.height() + 2), _LEFT, self.plot.y_name)
        row = QRectF(0, area.bottom() + 3 + metrics.height(), area.right(), metrics.height())
        painter.drawText(row, _RIGHT, self.plot.x_name)
        if self._named():
            plot_paint.draw_legend(painter, self.plot, self._header()[0], font)

    def _draw_over(self, painter: QPainter) -> None:
        plane = self.plane
        if self.hasFocus():
            painter.setPen(plot_paint.pen(colour("accent"), 2))
            painter.drawRect(plane.area.adjusted(-1, -1, 1, 1))
        if self._mouse is None or not plane.area.contains(self._mouse):
            return
        painter.setPen(plot_paint.pen(colour("quiet")))
        x, y = round(self._mouse.x()) + 0.5, round(self._mouse.y()) + 0.5
        painter.drawLine(QLineF(x, plane.area.top(), x, plane.area.bottom()))
        painter.drawLine(QLineF(plane.area.left(), y, plane.area.right(), y))
        plot_words.draw_readout(painter, self.readout(self._mouse), self._mouse, plane.area, self.words_font())

    def readout(self, pixel: QPointF) -> list[plot_words.Row]:
        """What is under the pointer: both axes, the surface's height, and each line's value nearest to it in x."""
        plot, (x, y) = self.plot, self.plane.at(pixel)
        free = plot.surface is not None or plot.place is not None
        followed = [] if plot.surface is not None else [line for line in plot.lines if _runs_right(line)]
        if not free and followed:
            nearest = [float(line.x[np.abs(line.x - x).argmin()]) for line in followed]
            x = min(nearest, key=lambda one: abs(one - x))
        rows: list[plot_words.Row] = [(plot.x_name or "x", number(x), "")]
        if free or not followed:
            rows.append((plot.y_name or "y", number(y), ""))
        if plot.surface is not None:
            rows.append((plot.surface.name, number(_height(plot.surface, x, y)), ""))
        for line in followed:
            value = float(line.y[np.abs(line.x - x).argmin()])
            if math.isfinite(value):
                rows.append((line.name or plot.y_name or "y", number(value), line.role))
        return rows

    # ---------------------------------------------------------------- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.plane.area.contains(event.position()):
            self._put(*self.plane.at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        if event.buttons() & Qt.MouseButton.LeftButton and self.plane.area.contains(self._mouse):
            self._put(*self.plane.at(self._mouse))
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _ALONG.get(Qt.Key(event.key()))
        if step is None or self.plot.place is None:
            super().keyPressEvent(event)
            return
        fine = 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        plane = self.plane
        at = plane.place(*self._now()) + QPointF(
            step[0] * plane.area.width() / (_STRIDES * fine), -step[1] * plane.area.height() / (_STRIDES * fine)
        )
        self._put(*plane.at(at))

    def _now(self) -> tuple[float, float]:
        """The place that is set: what was asked for last, else the first spot, else the middle."""
        if self._place is not None:
            return self._place
        if self.plot.spots:
            return self.plot.spots[0].x, self.plot.spots[0].y
        return self.plane.at(self.plane.area.center())

    def _put(self, x: float, y: float) -> None:
        """Ask for a place, within the axes and as fine as a pixel."""
        if self.plot.place is None:
            return
        corner, opposite = self.plane.at(self.plane.area.bottomLeft()), self.plane.at(self.plane.area.topRight())
        self._place = _rounded(x, corner[0], opposite[0]), _rounded(y, corner[1], opposite[1])
        self.placed.emit(*self._place)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class PlotView(ExhibitView):
    """A plot below its title."""

    exhibit: Plot
    body: Canvas

    def __init__(self, name: str) -> None:
        canvas = Canvas()
        super().__init__(name, canvas)
        canvas.placed.connect(self._placed)

    def show_body(self) -> None:
        self.body.show_plot(self.exhibit)

    def _placed(self, x: float, y: float) -> None:
        if self.exhibit.place is not None:
            self.edited.emit(dict(zip(self.exhibit.place, (x, y), strict=True)))


def number(value: float) -> str:
    """As exact as one reads it from a plot."""
    if not math.isfinite(value):
        return str(value)
    if value == 0 or 1e-2 <= abs(value) < 1e5:
        return f"{value:,.0f}" if value == round(value) else f"{value:,.4f}"
    return f"{value:.3e}".replace("e-0", "e-").replace("e+0", "e")


def same(one: Any, other: Any) -> bool:
    """Whether two exhibits show the same, array by array."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=bool(np.issubdtype(one.dtype, np.floating)))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)


def _ground_of(plot: Plot) -> tuple[object, ...]:
    """What decides where a surface is seen, and how."""
    names = tuple(line.name for line in plot.lines)
    return plot.surface, plot.x_range, plot.y_range, plot.x_name, plot.y_name, names


def _told(plot: Plot) -> str:
    """The end of each line and each spot, for who cannot see them."""
    told = [f"{line.name}: {number(float(line.y[-1]))}" for line in plot.lines if line.name and len(line.y)]
    told += [f"{spot.words} at {number(spot.x)}, {number(spot.y)}" for spot in plot.spots if spot.words]
    return "; ".join(told)


def _runs_right(line: Line) -> bool:
    return len(line.x) > 0 and bool((np.diff(line.x) >= 0).all())


def _height(surface: Surface, x: float, y: float) -> float:
    """Between the four heights around a place."""
    rows, columns = surface.heights.shape
    (left, right), (low, high) = surface.x, surface.y
    row = min(max((y - low) / (high - low), 0.0), 1.0) * (rows - 1)
    column = min(max((x - left) / (right - left), 0.0), 1.0) * (columns - 1)
    top, beside = min(int(row), rows - 2), min(int(column), columns - 2)
    cell = surface.heights[top : top + 2, beside : beside + 2]
    down, along = row - top, column - beside
    return float(np.array([1 - down, down]) @ cell @ np.array([1 - along, along]))


def _rounded(value: float, low: float, high: float) -> float:
    """Within the ends, to a thousandth of what lies between them."""
    digits = 3 - math.floor(math.log10(high - low))
    return float(min(max(round(value, digits), low), high))
