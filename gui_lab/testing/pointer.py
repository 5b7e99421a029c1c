"""The real pointer and keyboard of an X server, by xdotool, through window system, window manager and focus.

What is sent this way arrives later, elsewhere, or never: a window manager moves a new window, another program lies
over it, the keyboard has no such key. So each act is over only when the lab's own window has felt it: the pointer at
the very point, the button let go, each letter as it was meant. xdotool runs beside the event loop and never stops it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from operator import methodcaller
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QPointF, QProcess, Qt
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QMouseEvent, QWindow
from PySide6.QtWidgets import QMainWindow, QWidget

from gui_lab.testing.hands import Hands, RobotError, live, named

__tracebackhide__ = methodcaller("errisinstance", RobotError)

_SECONDS = 10.0
"""Until a window must have felt an act."""

_KEY_DELAY = 4
"""Milliseconds between letters. Qt takes a key that is let go and pressed in the same one for a key held down."""

_RARE_KEY_DELAY = 150
"""xdotool puts a letter that the keyboard does not have on a spare key, one after the other on the same: the window
must have read each before the next is put there."""

_BESIDE = QPoint(0, 3)

_MODIFIERS = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta}

_KEYSYMS = {
    "Ctrl": "ctrl",
    "Alt": "alt",
    "Shift": "shift",
    "Meta": "super",
    "Space": "space",
    "Backspace": "BackSpace",
    "Esc": "Escape",
    "Del": "Delete",
    "Ins": "Insert",
    "PgUp": "Prior",
    "PgDown": "Next",
    "Enter": "KP_Enter",
    "=": "equal",
    "-": "minus",
    ",": "comma",
    ".": "period",
    "/": "slash",
}
"""Qt's names of keys that X calls otherwise."""


def hands_for(window: QMainWindow, scale: float = 1.0, evidence: Path | None = None) -> Hands:
    """The real ones where this process draws on an X display and xdotool is there, else those of Qt's own events."""
    real = QGuiApplication.platformName() == "xcb" and shutil.which("xdotool") is not None
    return (XHands if real else Hands)(window, scale, evidence)


class XHands(Hands):
    """Hands that hold the real pointer and keyboard."""

    def keep_evidence(self) -> str:
        """As always, and the whole screen, with other programs and what the window manager drew."""
        where = super().keep_evidence()
        if self.evidence is not None:
            QGuiApplication.primaryScreen().grabWindow(0).save(str(self.evidence / "screen.png"))
        return where

    def _click(self, widget: QWidget, point: QPoint, times: int) -> None:
        name = named(widget)  # it may be gone after the click
        self._point_at(widget, point)
        with _Ear() as ear:
            self._xdotool("click", *(("--repeat", "2", "--delay", "60") if times == 2 else ()), "1")
            self._felt(lambda: ear.buttons_let_go >= times or ear.windows_changed(), f"the click on {name}")

    def _drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        self._point_at(widget, start)
        with _Ear() as ear:
            self._xdotool("mousedown", "1")
            try:
                for step in range(1, 9):
                    self._point_at(widget, start + (end - start) * step / 8)
            finally:
                self._xdotool("mouseup", "1")
            self._felt(lambda: ear.buttons_let_go > 0 or ear.windows_changed(), "the end of the drag")

    def _type(self, widget: QWidget, text: str) -> None:
        name = named(widget)
        with _Ear() as ear:
            self._xdotool("type", "--delay", str(_KEY_DELAY if text.isascii() else _RARE_KEY_DELAY), "--", text)
            self._felt(lambda: ear.keys_let_go >= len(text), f"{text!r} typed into {name}")
        if ear.typed != text:
            raise self.failure(f"typed {text!r} into {name}, but {ear.typed!r} arrived")

    def _press(self, widget: QWidget, keys: str) -> None:
        name = named(widget)
        with _Ear() as ear:
            self._xdotool("key", "+".join(_keysym(key) for key in keys.split("+")))
            self._felt(lambda: ear.keys_let_go > 0 or ear.windows_changed(), f"{keys} in {name}")

    def _point_at(self, widget: QWidget, point: QPoint) -> None:
        """Move the pointer until the widget's window feels it at this point."""
        deadline = time.monotonic() + _SECONDS * self.scale
        with _Ear() as ear:
            while time.monotonic() < deadline:
                if QCursor.pos() == widget.mapToGlobal(point):  # a pointer that is there already would not be felt
                    self._move_to(widget, point + _BESIDE, ear)
                if self._move_to(widget, point, ear):
                    return
        raise self.failure(f"the pointer does not get to {named(widget)}: another window lies over it, or the edge")

    def _move_to(self, widget: QWidget, point: QPoint, ear: _Ear) -> bool:
        """Whether the pointer has come there; the window, or the widget in it, may have been moved meanwhile."""
        window = widget.window().windowHandle()
        place = (QPointF(widget.mapToGlobal(point)) * widget.devicePixelRatio()).toPoint()
        self._xdotool("mousemove", str(max(place.x(), 0)), str(max(place.y(), 0)))
        soon = time.monotonic() + _SECONDS / 20
        while time.monotonic() < soon:
            inside = widget.mapTo(widget.window(), point)
            if ear.pointed is window and (ear.at - inside).manhattanLength() <= 1:
                return True
            live(2)
        return False

    def _felt(self, condition: Callable[[], bool], what: str) -> None:
        self.wait(condition, f"the window feels {what}", _SECONDS)

    def _xdotool(self, *arguments: str) -> None:
        process = QProcess()
        process.start("xdotool", list(arguments))
        try:
            self.wait(lambda: process.state() == QProcess.ProcessState.NotRunning, "xdotool ends", 20)
        finally:
            if process.state() != QProcess.ProcessState.NotRunning:
                process.kill()
                process.waitForFinished()
        said = process.readAllStandardError().toStdString().strip()
        if said or process.exitCode() != 0 or process.error() != QProcess.ProcessError.UnknownError:
            raise self.failure(f"xdotool {' '.join(arguments)}: {said or process.errorString()}")


class _Ear(QObject):
    """Hears what the window system brings to the windows of this program, as long as it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.pointed: QWindow | None = None
        self.at = QPoint()
        self.buttons_let_go = 0
        self.keys_let_go = 0
        self.typed = ""
        self._focus = QGuiApplication.focusWindow()
        self._shown = _shown()
        self._changed = 0.0

    def __enter__(self) -> _Ear:
        _application().installEventFilter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        _application().removeEventFilter(self)

    def windows_changed(self) -> bool:
        """Whether windows came or went, or the keyboard went to another, and nothing more was heard for a moment: what
        was let go then is felt elsewhere."""
        if QGuiApplication.focusWindow() is self._focus and _shown() == self._shown:
            return False
        self._changed = self._changed or time.monotonic()
        return time.monotonic() - self._changed > 0.3

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QWindow) and event.spontaneous():
            if isinstance(event, QMouseEvent):
                self._hear_mouse(watched, event)
            elif isinstance(event, QKeyEvent):
                self._hear_key(event)
        return False

    def _hear_mouse(self, window: QWindow, event: QMouseEvent) -> None:
        if event.type() == QEvent.Type.MouseMove:
            self.pointed, self.at = window, event.position().toPoint()
        elif event.type() == QEvent.Type.MouseButtonRelease:
            self.buttons_let_go += 1

    def _hear_key(self, event: QKeyEvent) -> None:
        if Qt.Key(event.key()) in _MODIFIERS:
            return
        if event.type() == QEvent.Type.KeyRelease:
            self.keys_let_go += 1
        elif event.type() == QEvent.Type.KeyPress:
            self.typed += event.text()


def _application() -> QCoreApplication:
    app = QCoreApplication.instance()
    assert app is not None
    return app


def _shown() -> set[int]:
    tops = QGuiApplication.topLevelWindows()
    return {int(top.winId()) for top in tops if top.isVisible() and top.type() != Qt.WindowType.ToolTip}


def _keysym(key: str) -> str:
    """A letter stands for its key: only Shift makes it a capital."""
    return _KEYSYMS.get(key, key.lower() if len(key) == 1 else key)
