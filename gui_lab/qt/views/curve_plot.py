"""One plot, painted by one widget: lines over axes, a legend, a cross-hair.

What stands still is painted once: axes, grid and words are one picture, that with the lines on it another, and a paint
of the screen copies the latter and draws the best point and the cross-hair over it. News is drawn where it is: a long
line grows at its right end, and what lies left of that is not touched, on the screen neither. So ten million values
cost no more than ten thousand, and a moved mouse costs next to nothing. A scene of many items (pyqtgraph, which this
was made of) asks each of them in Python at every paint, which took longer than to draw ten million values does now.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from gui_lab.core.history import Mark
from gui_lab.qt.theme import THEME, XS, S, colour, set_role
from gui_lab.qt.turns import TURNS
from gui_lab.qt.views import curve_paint
from gui_lab.qt.views.along import Along
from gui_lab.qt.views.axis import Ticks, clock, linear, logarithmic, next_step, percents
from gui_lab.qt.views.curve_line import Drawn, Floats, Line, Style, View
from gui_lab.qt.views.curve_paint import LEFT, RIGHT, ROW, TICKS, Best, Row

Grows = Literal["from zero", "percent"]
"""How its y axis follows: from 0 to a round number (or over the decades in use), or always 0 to 100 %."""

_NEAR = 6  # pixels from a mark
_LARGEST_RATIO = 1e5
"""Of the ends of a logarithmic axis that follows: a rate that falls to 0 would squeeze all before it together."""
_SPARE = 1.3
"""Times what is needed that an axis may reach before it follows downwards: noise would have it go to and fro."""
_EDGE = 16
"""Pixels, whole ones of the device too at the usual scales."""
_TURN_MILLISECONDS = 20  # a frame
_TICK_ROOM = 24  # pixels from a tick of the y axis to the next, at least


class Plot(QWidget):
    """
    `logarithmic_chosen` comes with the button of a y axis that can be.
    """

    logarithmic_chosen = Signal(bool)

    def __init__(self, name: str, title: str, grows: Grows = "from zero", turn: int = 0) -> None:
        """
        Args:
            name: its objectName.
            title: with the unit.
            grows: of the y axis; what is shown in percent cannot be logarithmic.
            turn: of the plots that get news together: the first is painted at once, the others in frames of their own.
        """
        super().__init__()
        self._turn = QTimer(self, singleShot=True, interval=turn * _TURN_MILLISECONDS)
        self._turn.timeout.connect(self._ask_for_turn)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(88)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.title, self.grows = title, grows
        self.lines: dict[str, Line] = {}
        self.logarithmic = False
        self.marks: tuple[Mark, ...] = ()
        self.best: Best | None = None
        self.unit = ""
        """What x counts, where its words are shown."""
        self.signs = False
        """Whether marks have their signs here."""
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._follows_y = True
        self._along = Along("epoch", 1, np.empty(0))
        self._view: View | None = None
        self._axes: QPixmap | None = None
        self._picture: QPixmap | None = None
        self._drawn: dict[str, Drawn] = {}
        self._news = self._best_moved = False
        self._legend: tuple[Line, ...] = ()
        self._rows_of_header = 0
        self._at: int | None = None
        self._mouse: QPointF | None = None
        self._box: QRectF | None = None
        if grows == "from zero":
            self._add_logarithm()
        THEME.changed.connect(self.redraw)

    def _add_logarithm(self) -> None:
        self.log = QToolButton(self)
        self.log.setObjectName(f"{self.objectName()}.logarithmic")
        self.log.setText("log")
        self.log.setAccessibleName(f"Logarithmic axis: {self.title}")
        self.log.setToolTip("Show this axis as powers of ten")
        self.log.setCheckable(True)
        set_role(self.log, "tiny")
        self.log.toggled.connect(self.logarithmic_chosen)

    def add_line(self, name: str, role: str, style: Style, optional: bool = False) -> None:
        self.lines[name] = Line(name, role, style, optional)
        self._legend = self._named()

    def sizeHint(self) -> QSize:
        return QSize(400, 160)

    # ---------------------------------------------------------------- what is shown

    def show_line(self, name: str, values: Floats, trained: Floats | None = None, most: int = 2**62) -> None:
        """
        Args:
            name: of a line.
            values: all of it so far, float64 (n,).
            trained: iterations trained at each; None where there is a value for each iteration.
            most: values to take in at once; ask `behind` whether there are more.
        """
        if self.lines[name].show(values, trained, most):
            self._news = True
            self._update_in_turn()
            legend = self._named()
            if legend != self._legend:
                self._legend = legend
                self.redraw()

    def shown(self, name: str) -> tuple[Floats, Floats]:
        """A line as it is drawn, before it is thinned out: places on the x axis and values, float64 (n,) each."""
        line = self.lines[name]
        return self._along.place(line.at(np.arange(line.count))), line.values[: line.count]

    @property
    def behind(self) -> bool:
        return any(line.behind for line in self.lines.values())

    def forget(self) -> None:
        """Another run begins."""
        for line in self.lines.values():
            line.forget()
        self.best, self.marks, self._at = None, (), None
        self._legend = self._named()
        self.redraw()

    def mark_best(self, best: Best | None) -> None:
        if best != self.best:
            self.best, self._best_moved = best, True
            self._update_in_turn()

    def show_marks(self, marks: Sequence[Mark]) -> None:
        if len(marks) != len(self.marks):
            self.marks = tuple(marks)
            self.redraw()

    def show_words_of_x(self, unit: str, signs: bool) -> None:
        """Whether the x axis has its words here (those of the unit), and marks their signs."""
        if (unit, signs) != (self.unit, self.signs):
            self.unit, self.signs = unit, signs
            self.redraw()

    def set_logarithmic(self, on: bool) -> None:
        self.log.setChecked(on)
        if on != self.logarithmic:
            self.logarithmic = on
            self.follow_y()

    def point(self, trained: int | None) -> None:
        """Put the cross-hair there, or away."""
        if trained != self._at:
            self._at = trained
            self.update()

    def readout(self) -> list[tuple[str, float]]:
        """The values of all lines at the cross-hair; of an epoch's the nearest one."""
        found = []
        for line in self.lines.values():
            index = line.nearest(self._at) if self._at is not None else None
            if index is not None:
                found.append((line.name, float(line.values[index])))
        return found

    # ---------------------------------------------------------------- what of it is seen

    @property
    def view(self) -> View:
        """The same one as long as nothing moves: lines remember where they are in it."""
        if self._view is None:
            self._view = View(self._along, self._x, self._y, self.logarithmic, self._area())
        return self._view

    def set_x(self, along: Along, low: float, high: float) -> None:
        """Show this part of the x axis."""
        if (along.unit, along.iterations) != (self._along.unit, self._along.iterations) or (low, high) != self._x:
            self.redraw()
        if along.unit == "time":  # it is told by the seconds so far
            self._view = None
        self._along, self._x = along, (low, high)

    def follow_y(self) -> None:
        """Let the y axis follow again what there is."""
        self._follows_y = True
        self.redraw()

    def fix_y(self, low: float, high: float) -> None:
        """Show this part of the y axis, whatever comes; places on the axis, see `View`."""
        self._follows_y, self._y = False, (low, high)
        self.redraw()

    def fit(self, live: bool) -> None:
        """Bring the y axis to what there is: to the whole run, or to what of it is seen."""
        if self._follows_y:
            y = self._whole() if live else self._seen()
            if y != self._y:
                self._y = y
                self.redraw()

    def _whole(self) -> tuple[float, float]:
        if self.grows == "percent":
            return -0.04, 1.04
        lines = [line for line in self.lines.values() if line.style != "smooth"]  # that lies between raw values
        highs = [high for line in lines if (high := line.usual()) == high]
        high = max(max(highs, default=1.0) * 1.05, 1e-12)
        if not self.logarithmic:
            now = self._y[1] if self._y[0] == 0.0 else 0.0
            return 0.0, now if high <= now <= next_step(_SPARE * high) else next_step(high)
        lows = [low for line in lines if (low := line.smallest_positive()) == low]
        low = min(max(min(lows, default=high / 10), high / _LARGEST_RATIO), high / 2)
        return math.floor(10 * math.log10(low)) / 10, math.ceil(10 * math.log10(high)) / 10

    def _seen(self) -> tuple[float, float]:
        view = self.view
        ends = [ends for line in self.lines.values() if (ends := line.extent(view))[0] == ends[0]]
        if not ends:
            return self._y
        low, high = min(low for low, _ in ends), max(high for _, high in ends)
        if self.logarithmic:
            low, high = (math.log10(max(one, 1e-12)) for one in (low, high))
        spare = 0.06 * (high - low) or 0.05 * abs(high) or 0.01
        return low - spare, high + spare

    def _area(self) -> QRectF:
        bottom = TICKS if self.unit else 6
        top = self._header_rows() * ROW + XS
        return QRectF(LEFT, top, max(self.width() - LEFT - RIGHT, 10), max(self.height() - top - bottom, 10))

    def _named(self) -> tuple[Line, ...]:
        """The lines of the legend; one alone is named by the title."""
        several = len(self.lines) > 1
        return tuple(line for line in self.lines.values() if several and (line.known or not line.optional))

    def _header_width(self) -> float:
        return self.width() - XS - (self.log.sizeHint().width() + S if self.grows == "from zero" else RIGHT)

    def _header_rows(self) -> int:
        if self._rows_of_header == 0:
            self._rows_of_header = curve_paint.header_places(self.title, self._legend, self._header_width())[1]
        return self._rows_of_header

    # ---------------------------------------------------------------- painting

    def redraw(self) -> None:
        """Paint all of it anew, axes and words too."""
        self._axes = self._picture = self._view = None
        self._rows_of_header = 0
        self._update_in_turn()

    def _update_in_turn(self) -> None:
        if not self._turn.isActive() and not (self._turn.interval() == 0 and TURNS.join(self._take_turn)):
            self._turn.start()

    def _ask_for_turn(self) -> None:
        TURNS.ask(self._take_turn)

    def _take_turn(self) -> None:
        """Draw the news, and have that part of the screen painted which is new."""
        if self._axes is None or self._picture is None:
            self.update()
            return
        left = self._draw_news(self._axes) if self._news else self.width()
        left, self._best_moved = 0 if self._best_moved else left, False
        self.update(QRect(left, 0, self.width() - left, self.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.grows == "from zero":
            size = self.log.sizeHint()
            self.log.setGeometry(self.width() - size.width() - RIGHT // 2, 0, size.width(), size.height())
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._axes is None or self._axes.devicePixelRatioF() != ratio:
            self._axes, self._picture = QPixmap(self.size() * ratio), None
            self._axes.setDevicePixelRatio(ratio)
            self._axes.fill(colour("surface"))
            with QPainter(self._axes) as painter:
                self._draw_axes(painter)
        if self._picture is None or (self._news and event.rect() == self.rect()):
            self._draw_news(self._axes)
        assert self._picture is not None
        with QPainter(self) as painter:
            painter.drawPixmap(0, 0, self._picture)
            self._draw_over(painter, event.rect())

    def _draw_news(self, axes: QPixmap) -> int:
        """Bring the picture of the lines to what there is: from where they have grown on, or all of it. Returns the
        pixel from which on it is another one."""
        view = self.view
        changed = self._changed_from(view) if self._picture is not None else None
        left = 0 if changed is None else max(int(changed) // _EDGE * _EDGE, _EDGE)
        if self._picture is None or changed is None:
            self._picture, self._drawn = QPixmap(axes), {}
            with QPainter(self._picture) as painter:
                self._draw_lines(painter, fine=False)
        elif changed < view.area.right():
            self._draw_end(axes, self._picture, left)
        for name, line in self.lines.items():
            if name not in self._drawn or self._drawn[name].count != line.count:
                self._drawn[name] = line.drawn(view)
        self._news = False
        return left

    def _draw_end(self, axes: QPixmap, picture: QPixmap, left: int) -> None:
        """Draw it anew from this pixel on: apart, and from where the lines that are seen there have a point, for Qt
        cuts a line at the edge of what it draws on by a pixel more or less."""
        edge = left - curve_paint.STAMP
        there = {name: drawn for name, drawn in self._drawn.items() if self.lines[name].is_in(edge, drawn)}
        starts = {name: self._start(drawn, edge) for name, drawn in there.items()}
        begin = max(math.floor(min(x for _, x in starts.values())) - _EDGE, 0)
        ratio = axes.devicePixelRatioF()
        end = axes.copy(QRect(round(begin * ratio), 0, axes.width() - round(begin * ratio), axes.height()))
        with QPainter(end) as painter:
            painter.translate(-begin, 0)
            self._draw_lines(painter, fine=False, since={name: since for name, (since, _) in starts.items()})
        with QPainter(picture) as painter:
            painter.setClipRect(QRect(left, 0, self.width() - left, self.height()))
            painter.drawPixmap(begin, 0, end)

    def _start(self, drawn: Drawn, pixel: float) -> tuple[int, float]:
        """Which value is drawn as the last point left of there, and where; all of the line where there is none."""
        place = int(np.searchsorted(drawn.x, pixel)) - 1
        return (int(drawn.points[place]), float(drawn.x[place])) if place >= 0 else (0, pixel)

    def _changed_from(self, view: View) -> float | None:
        """The pixel; None where it may be anywhere."""
        left = view.area.right()
        for name, drawn in self._drawn.items():
            changed = self.lines[name].news(view, drawn)
            if changed is None:
                return None
            left = min(left, changed)
        return left

    def draw(self, painter: QPainter) -> None:
        """All of it but the cross-hair, with fine lines: for a file."""
        self._draw_axes(painter)
        self._draw_lines(painter, fine=True)
        if self.best is not None:
            curve_paint.draw_best(painter, self.best, self.view)
        self._picture = None  # lines remember how they were drawn last

    def _draw_axes(self, painter: QPainter) -> None:
        view = self.view
        x_ticks = self._x_ticks(view)
        painter.translate(XS, 0)
        curve_paint.draw_header(painter, self.title, self._legend, self._header_width())
        painter.translate(-XS, 0)
        curve_paint.draw_verticals(painter, view, self._epoch_lines(view) or [x for x, _ in x_ticks])
        curve_paint.draw_axes(painter, view, x_ticks, self._y_ticks(view), self.unit)
        curve_paint.draw_flags(painter, self.marks, view, self.signs)

    def _draw_lines(self, painter: QPainter, fine: bool, since: Mapping[str, int] | None = None) -> None:
        view = self.view
        painter.save()
        painter.setClipRect(view.area.adjusted(0, -1, RIGHT / 2, 1), Qt.ClipOperation.IntersectClip)
        for name in self.lines if since is None else since:
            curve_paint.draw_line(painter, self.lines[name], view, fine, since[name] if since is not None else 0)
        painter.restore()
        if not any(line.count and line.known for line in self.lines.values()):
            painter.setFont(curve_paint.font())
            painter.setPen(colour("quiet"))
            painter.drawText(view.area, Qt.AlignmentFlag.AlignCenter, "Nothing measured yet")

    def _draw_over(self, painter: QPainter, where: QRect) -> None:
        view = self.view
        if self.best is not None and curve_paint.best_ground(self.best, view).intersects(where):
            curve_paint.draw_best(painter, self.best, view)
        if self.hasFocus():
            painter.setPen(colour("accent"))
            painter.drawRect(view.area.adjusted(-1, -1, 0, 0))
        if self._box is not None:
            painter.setPen(colour("accent"))
            painter.setBrush(colour("accent", 40))
            painter.drawRect(self._box)
        elif self._at is not None:
            self._draw_cross_hair(painter, view, self._at)

    def _draw_cross_hair(self, painter: QPainter, view: View, trained: int) -> None:
        x = round(float(view.across(view.along.place(np.array([trained])))[0]))
        if not view.area.left() - 1 <= x <= view.area.right() + 1:
            return
        painter.setPen(colour("quiet"))
        painter.drawLine(x, round(view.area.top()), x, round(view.area.bottom()))
        if self._mouse is not None and view.area.contains(self._mouse):
            y = round(self._mouse.y())
            painter.drawLine(round(view.area.left()), y, round(view.area.right()), y)
        rows = self._rows(view, trained)
        if rows:
            curve_paint.draw_readout(painter, rows, x, view.area.adjusted(0, 0, RIGHT, 0))

    def _rows(self, view: View, trained: int) -> list[Row]:
        rows = [(name, self._in_words(value), self.lines[name].role) for name, value in self.readout()]
        if self._mouse is not None:
            rows.insert(0, (self._along.in_words(trained), "", ""))
            rows += [(words, "", "") for words in self._marks_near(view, self._mouse.x())]
        return rows

    def _marks_near(self, view: View, pixel: float) -> list[str]:
        return [mark.words for mark in self.marks if abs(self._pixel_of(view, mark.at) - pixel) <= _NEAR][-3:]

    def _pixel_of(self, view: View, trained: int) -> float:
        return float(view.across(view.along.place(np.array([trained])))[0])

    def _in_words(self, value: float) -> str:
        if self.grows == "percent":
            return f"{100 * value:.2f}\u2009%"
        return f"{value:,.4f}" if 1e-2 <= abs(value) < 1e5 or value == 0 else f"{value:.3e}".replace("e-0", "e-")

    def _x_ticks(self, view: View) -> Ticks:
        most = max(int(view.area.width() / 64), 2)
        if view.along.unit == "time":
            return clock(*view.x, most)
        seen = view.along.trained(view.x[1]) - view.along.trained(view.x[0])
        whole = view.along.unit == "iteration" or seen > 2 * view.along.iterations
        return [(x, text) for x, text in linear(*view.x, most, whole) if x >= 0]

    def _y_ticks(self, view: View) -> Ticks:
        most = max(int(view.area.height() / _TICK_ROOM), 2)
        if self.grows == "percent":
            return percents(*view.y, most)
        return logarithmic(*view.y, most) if self.logarithmic else linear(*view.y, most)

    def _epoch_lines(self, view: View) -> list[float]:
        """Where epochs end, as many as can be told apart; empty where none is seen."""
        along = view.along
        first, last = (along.trained(x) / along.iterations for x in view.x)
        last = min(last, len(along.seconds) / along.iterations) if along.unit == "time" else last
        every = max((last - first) * 8 / view.area.width(), 1e-9)
        step = next(step for step in (10**power * one for power in range(12) for one in (1, 2, 5)) if step >= every)
        ends = np.arange(max(math.ceil(first / step), 0), math.floor(last / step) + 1) * step
        return along.place(ends * along.iterations).tolist()  # type: ignore[no-any-return]  # floats
