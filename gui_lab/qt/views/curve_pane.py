"""What a person does with a plot: pan, zoom, frame a part of it, point at a place, and go back to what is live.

Drag pans, the wheel zooms along the x axis (with Control along the other), a drag with the right button (or any drag,
while boxes are chosen) frames what is to be seen; a click with it, or the Menu key, asks for a menu. The y axis goes on
following what is seen until a person moves it.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent

from gui_lab.qt.views.curve_plot import Grows, Plot

_WHEEL = 1.25  # a notch
_STRIDE = 0.1  # of the width, an arrow key
_BOX = 6  # pixels a box has at least


class Pane(Plot):
    """
    `moved` carries the ends of the x axis that a person has chosen; `pointed` where the cross-hair is, in trained
    iterations, or None; `live_wanted` comes with a double click or the Home key. `menu_wanted` carries how many
    iterations are trained at the place of which a menu is asked for, and where on the screen that is.

    Attributes:
        boxes: whether any drag frames, not only one with the right button.
    """

    moved = Signal(float, float)
    pointed = Signal(object)
    live_wanted = Signal()
    menu_wanted = Signal(int, QPoint)

    def __init__(self, name: str, title: str, grows: Grows = "from zero", turn: int = 0) -> None:
        super().__init__(name, title, grows, turn)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.boxes = self._boxing = False
        self._pressed: QPointF | None = None

    def _look(self, low: float, high: float) -> None:
        """Show another part of the x axis: not less than two iterations, nor far beyond the run."""
        least = 2.0 / self._along.iterations if self._along.unit == "epoch" else 2.0
        least = 1e-3 if self._along.unit == "time" else least
        if high - low < least:
            middle = (low + high) / 2
            low, high = middle - least / 2, middle + least / 2
        self.moved.emit(low, high)

    def wheelEvent(self, event: QWheelEvent) -> None:
        view, across, notches = self.view, event.angleDelta().x() / 120, event.angleDelta().y() / 120
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._zoom_y(view.y_at(event.position().y()), _WHEEL**-notches)
            self.moved.emit(*self._x)
        else:
            middle, factor = view.x_at(event.position().x()), _WHEEL**-notches
            shift = -across * _STRIDE * (self._x[1] - self._x[0])
            self._look(*(middle + (end - middle) * factor + shift for end in self._x))
        event.accept()

    def _zoom_y(self, middle: float, factor: float) -> None:
        low, high = (middle + (end - middle) * factor for end in self._y)
        if high - low > 1e-12:
            self.fix_y(low, high)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position()
        self._boxing = event.button() == Qt.MouseButton.RightButton or self.boxes

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before, self._mouse = self._mouse, event.position()
        if self._pressed is not None and self._boxing:
            self._box = QRectF(self._pressed, self._mouse).normalized() & self.view.area
        elif self._pressed is not None and before is not None:
            self._pan(before, self._mouse)
        self.tell_place()
        self.update()

    def _pan(self, before: QPointF, now: QPointF) -> None:
        view = self.view
        shift = view.x_at(before.x()) - view.x_at(now.x())
        rise = view.y_at(before.y()) - view.y_at(now.y())
        self.fix_y(self._y[0] + rise, self._y[1] + rise)
        self._look(self._x[0] + shift, self._x[1] + shift)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        box, pressed = self._box, self._pressed
        self._box = self._pressed = None
        self.update()
        if box is None or box.width() < _BOX:
            still = pressed is not None and (event.position() - pressed).manhattanLength() < _BOX
            if still and self._boxing and event.button() == Qt.MouseButton.RightButton:
                self.menu_wanted.emit(self._trained_at(event.position()), event.globalPosition().toPoint())
            return
        view = self.view
        if box.height() >= _BOX:
            self.fix_y(view.y_at(box.bottom()), view.y_at(box.top()))
        self._look(view.x_at(box.left()), view.x_at(box.right()))

    def tell_place(self) -> None:
        """Where the mouse points; again when the axis has moved under it."""
        view = self.view
        if self._mouse is not None:
            inside = view.area.adjusted(-2, 0, 2, 0).contains(self._mouse)
            self.pointed.emit(self._trained_at(self._mouse) if inside and self._box is None else None)

    def _trained_at(self, place: QPointF) -> int:
        view = self.view
        return max(round(view.along.trained(view.x_at(place.x()))), 1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:  # the mouse may be about to frame something
            middle = self.view.area.center()
            self.menu_wanted.emit(self._trained_at(middle), self.mapToGlobal(middle.toPoint()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.live_wanted.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        low, high = self._x
        width, middle = high - low, (low + high) / 2
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                shift = width * (_STRIDE if event.key() == Qt.Key.Key_Right else -_STRIDE)
                self._look(low + shift, high + shift)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal | Qt.Key.Key_Minus:
                half = width / 2 * (_WHEEL if event.key() == Qt.Key.Key_Minus else 1 / _WHEEL)
                self._look(middle - half, middle + half)
            case Qt.Key.Key_Home:
                self.live_wanted.emit()
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()
