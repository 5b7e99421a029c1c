"""The robot's mouse, keyboard and eyes.

`Hands` sends Qt's own events, and only to widgets that a person could reach: visible, enabled, in sight, not covered.
`gui_lab.testing.pointer` does the same by the real pointer and keyboard of an X server. Nothing here waits for a time:
each act is over when the window has felt it, and what follows is waited for with a deadline.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any, TypeVar, overload

import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMainWindow,
    QMenu,
    QScrollArea,
    QToolButton,
    QWidget,
)

from gui_lab.qt.views.catalogue import Catalogue

W = TypeVar("W", bound=QWidget)
_LAID_OUT_SECONDS = 1.0


class RobotError(AssertionError):
    """The robot was told to do what a person could not do, or waited in vain."""


__tracebackhide__ = methodcaller("errisinstance", RobotError)
"""pytest then shows the line of the test that asked for it, rather than these."""


class Hands:
    """
    Args:
        window: the lab's window.
        scale: all deadlines are multiplied by it (slow machines).
        evidence: folder for the pictures and the widget tree that a failure leaves; None leaves none.
    """

    def __init__(self, window: QMainWindow, scale: float = 1.0, evidence: Path | None = None) -> None:
        self.window = window
        self.scale = scale
        self.evidence = evidence
        self.pause_seconds = 0.0
        """Seconds after each act, so that a person can follow (the demo)."""

    # ---------------------------------------------------------------- seeing

    @overload
    def find(self, name: str) -> QWidget: ...
    @overload
    def find(self, name: str, kind: type[W]) -> W: ...
    def find(self, name: str, kind: type[Any] = QWidget) -> Any:
        """The visible widget of this objectName, in the window or in a dialog or popup over it."""
        widget = self._look(name, kind)
        if widget is None:
            raise self.failure(f"there is no visible {name}")
        return widget

    def sees(self, name: str) -> bool:
        """Whether a visible widget has this objectName."""
        return self._look(name, QWidget) is not None

    def _look(self, name: str, kind: type[W]) -> W | None:
        for top in self._tops():
            found: list[W] = top.findChildren(kind, name)
            if isinstance(top, kind) and top.objectName() == name:
                found.insert(0, top)
            for widget in found:
                if widget.isVisible():
                    return widget
        return None

    def _tops(self) -> Iterator[QWidget]:
        """The windows on screen, what a person would look at first: a popup, a dialog, the lab's window, others."""
        first = [QApplication.activePopupWidget(), QApplication.activeModalWidget(), self.window]
        for top in dict.fromkeys([*first, *QApplication.topLevelWidgets()]):
            if top is not None and shiboken6.isValid(top) and top.isVisible():
                yield top

    def text(self, name: str) -> str:
        """The text that a label or a button shows."""
        widget: Any = self.find(name)
        return str(widget.text())

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Let the window live until the condition holds.

        Raises:
            RobotError: it did not within the deadline.
        """
        deadline = time.monotonic() + seconds * self.scale
        while not condition():
            if time.monotonic() > deadline:
                raise self.failure(f"waited {seconds * self.scale:g} s in vain: {what}")
            live(5)

    def failure(self, what: str) -> RobotError:
        """An error that has left its evidence."""
        where = self.keep_evidence()
        return RobotError(f"{what} ({where})" if where else what)

    def keep_evidence(self) -> str:
        """Leave `window.png`, a picture of each dialog or popup over it, and the widgets of all as `widgets.json`;
        returns where they are, in words, empty where none are wanted."""
        if self.evidence is None:
            return ""
        self.evidence.mkdir(parents=True, exist_ok=True)
        tops = dict.fromkeys([*([self.window] if shiboken6.isValid(self.window) else []), *self._tops()])
        for number, top in enumerate(tops):
            top.grab().save(str(self.evidence / (f"window-{number}.png" if number else "window.png")))
        trees = json.dumps([tree(top) for top in tops], indent=1)
        (self.evidence / "widgets.json").write_text(trees, encoding="utf-8")
        return f"window.png and widgets.json are in {self.evidence}"

    # ---------------------------------------------------------------- reaching

    def reachable(self, widget: QWidget, point: QPoint | None = None) -> None:
        """Scroll to the widget and make sure that a person could act on it, at its middle or at a point of it.

        Raises:
            RobotError: it is hidden, disabled, out of sight, covered, or behind a dialog.
        """
        name = named(widget)
        if not widget.isVisible():
            raise self.failure(f"{name} is not visible")
        self._go_to_window(widget)
        where = point if point is not None else widget.rect().center()
        if not widget.isEnabled():
            raise self.failure(f"{name} is disabled: {widget.toolTip() or widget.accessibleDescription()}")
        deadline = time.monotonic() + _LAID_OUT_SECONDS * self.scale
        while obstacle := self._obstacle(widget, where):  # a page that has just appeared is laid out a moment later
            if time.monotonic() > deadline:
                raise self.failure(f"{name} is {obstacle}")
            live(10)

    def _obstacle(self, widget: QWidget, where: QPoint) -> str:
        """What keeps a point of a widget from being acted on, in words; empty where nothing does."""
        self._scroll_to(widget, where)
        top = widget.window()
        there = top.childAt(widget.mapTo(top, where))
        if there is None or (there is not widget and there.isAncestorOf(widget)):
            return f"out of sight at {where.x()}, {where.y()}"
        return "" if widget.isAncestorOf(there) else f"covered by {named(there)}"

    def back_to_window(self) -> None:
        """Make sure that keys go to the lab's window, after its start and after a dialog."""
        self._go_to_window(self.window)

    def _go_to_window(self, widget: QWidget) -> None:
        """Keys go to the active window only. Where no window manager makes it active, it is asked for."""
        top, modal = widget.window(), QApplication.activeModalWidget()
        if top.windowType() == Qt.WindowType.Popup:
            return
        if modal is not None and modal is not top:
            raise self.failure(f"{named(widget)} is behind a dialog")
        if not top.isActiveWindow():
            top.activateWindow()
        self.wait(lambda: top.isActiveWindow(), f"{named(top)} is the active window", 10)

    def _go_to(self, widget: QWidget) -> None:
        """Give a widget the keyboard, as going there with Tab does. A window as a whole only has to be active."""
        self._go_to_window(widget)
        if not widget.isEnabled():
            raise self.failure(f"{named(widget)} is disabled: {widget.toolTip() or widget.accessibleDescription()}")
        if widget.isWindow() or _holds_focus(widget):
            return
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            raise self.failure(f"{named(widget)} cannot be reached by keyboard")
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        self.wait(lambda: _holds_focus(widget), f"{named(widget)} has the keyboard", 10)

    def _scroll_to(self, widget: QWidget, point: QPoint) -> None:
        around: QWidget | None = widget
        while around is not None and not around.isWindow():
            around = around.parentWidget()
            inner = around.widget() if isinstance(around, QScrollArea) else None
            if isinstance(around, QScrollArea) and inner is not None:
                inside = widget.mapTo(inner, point)
                around.ensureWidgetVisible(widget)
                around.ensureVisible(inside.x(), inside.y(), 20, 40)

    # ---------------------------------------------------------------- acting

    def click(self, target: str | QWidget, at: QPoint | None = None, times: int = 1) -> None:
        """Click the middle of a widget, or a point in it."""
        widget = self.find(target) if isinstance(target, str) else target
        point = at if at is not None else _handle(widget)
        self.reachable(widget, point)
        if _blocks(widget):
            raise self.failure(f"{named(widget)} opens its menu in a loop of its own, where the robot could not go on")
        self._click(widget, point, times)
        self._after()

    def click_row(self, name: str, entry: str) -> None:
        """Click an entry of a catalogue by its name."""
        catalogue = self.find(name, Catalogue)
        self.click(catalogue.viewport(), catalogue.rectangle_of(entry).center())

    def choose_in_menu(self, *words: str) -> None:
        """Click through an open menu: the words of its action, or of a submenu and then of the action in there."""
        for word in words:
            self.wait(lambda word=word: _action(word) is not None, f"the menu offers {word}")  # type: ignore[misc]  # bound early
            menu, action = QApplication.activePopupWidget(), _action(word)
            assert isinstance(menu, QMenu)
            assert action is not None
            if not action.isEnabled():
                raise self.failure(f"{word} cannot be chosen in the menu now")
            self._click(menu, menu.actionGeometry(action).center(), 1)
            self._after()

    def click_button(self, text: str) -> None:
        """Click the visible button with these words."""
        for top in self._tops():
            for button in top.findChildren(QAbstractButton):
                if button.text() == text and button.isVisible():
                    self.click(button)
                    return
        raise self.failure(f"there is no visible button {text!r}")

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        """Press at one point of a widget, move in steps, and let go at another."""
        self.reachable(widget, start)
        self._drag(widget, start, end)
        self._after()

    def type_keys(self, target: str | QWidget, text: str) -> None:
        """Type into a widget that has the keyboard (or is given it)."""
        widget = self.find(target) if isinstance(target, str) else target
        self._go_to(widget)
        self._type(widget, text)
        self._after()

    def type_into(self, target: str | QWidget, text: str) -> None:
        """Replace what an editor holds by typing, and leave it with Tab."""
        widget = self.find(target) if isinstance(target, str) else target
        self.click(widget)
        self.press(widget, "Ctrl+A")
        self.type_keys(widget, text)
        self.press(widget, "Tab")

    def press(self, target: str | QWidget, keys: str) -> None:
        """Press a key or a combination, such as "Alt+Up", in a widget that has the keyboard (or is given it)."""
        widget = self.find(target) if isinstance(target, str) else target
        self._go_to(widget)
        self._press(widget, keys)
        self._after()

    def entries(self, name: str) -> list[str]:
        """The texts of a combo box."""
        combo = self.find(name, QComboBox)
        return [combo.itemText(row) for row in range(combo.count())]

    def choose(self, target: str | QComboBox, text: str) -> None:
        """Choose an entry of a combo box by its text, through its popup."""
        combo = self.find(target, QComboBox) if isinstance(target, str) else target
        row = combo.findText(text)
        if row < 0:
            raise self.failure(f"{combo.objectName()} has no entry {text!r}")
        self.reachable(combo)
        self._go_to(combo)
        self._press(combo, "Space")
        view = combo.view()
        self.wait(view.isVisible, f"the list of {combo.objectName()} opens", 10)
        for _ in range(2 * combo.count()):  # the pointer may rest over the list and choose as well
            at = view.currentIndex().row()
            if at == row:
                break
            self._press(view, "Down" if at < row else "Up")
        self._press(view, "Return")
        self.wait(lambda: not view.isVisible() and combo.currentText() == text, f"{text} is chosen", 10)
        self._after()

    def set_field(self, name: str, value: Any) -> None:
        """Give the editor of a field (its objectName is the field's path) a value, in the way of its kind."""
        editor = self.find(name)
        if isinstance(editor, QComboBox):
            self.choose(editor, str(value))
        elif isinstance(editor, QCheckBox):
            if editor.isChecked() != bool(value):
                self.click(editor)
        elif isinstance(editor, (QAbstractSpinBox, QLineEdit)):
            self.type_into(editor, as_typed(value))
        else:
            raise self.failure(f"{name} is not an editor but a {type(editor).__name__}")

    def _after(self) -> None:
        if self.pause_seconds > 0:
            live(int(self.pause_seconds * 1000))

    def _click(self, widget: QWidget, point: QPoint, times: int) -> None:
        if times == 2:
            QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, pos=point)
        else:
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=point)

    def _drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, 9):
            QTest.mouseMove(widget, start + (end - start) * step / 8)
            live(5)
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)

    def _type(self, widget: QWidget, text: str) -> None:
        for letter in text:
            if letter.isascii():
                QTest.keyClicks(widget, letter)
                continue
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):  # QTest ends the process at such a letter
                key = QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter)
                QCoreApplication.sendEvent(widget, key)

    def _press(self, widget: QWidget, keys: str) -> None:
        focus = QApplication.focusWidget() if widget.isWindow() else None
        QTest.keySequence(focus or widget, QKeySequence(keys))


def _action(words: str) -> QAction | None:
    """The action of the open menu with these words."""
    menu = QApplication.activePopupWidget()
    found = [action for action in menu.actions() if action.text() == words] if isinstance(menu, QMenu) else []
    return found[0] if found else None


def live(milliseconds: int) -> None:
    """Let the window live for a moment. An event loop of its own, since QTest's wait holds Python's lock and would
    starve the thread that trains."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def named(widget: QWidget) -> str:
    """What an error calls a widget: its objectName, else what it is."""
    return widget.objectName() or type(widget).__name__


def as_typed(value: Any) -> str:
    """A value as a person types it: several numbers are separated by commas."""
    return ", ".join(str(member) for member in value) if isinstance(value, (tuple, list)) else str(value)


def tree(widget: QWidget) -> dict[str, Any]:
    """A widget and its visible descendants as plain data."""
    children = [child for child in widget.children() if isinstance(child, QWidget) and child.isVisible()]
    return {
        "class": type(widget).__name__,
        "name": widget.objectName(),
        "text": str(widget.property("text") or ""),
        "enabled": widget.isEnabled(),
        "focus": widget.hasFocus(),
        "rectangle": [widget.x(), widget.y(), widget.width(), widget.height()],
        "children": [tree(child) for child in children if not child.isWindow()],
    }


def _handle(widget: QWidget) -> QPoint:
    """Where a person would click: a check box at its box, an editor at its text rather than at its arrows."""
    if isinstance(widget, QCheckBox):
        return QPoint(min(10, widget.width() // 2), widget.height() // 2)
    if isinstance(widget, (QLineEdit, QAbstractSpinBox)):
        return QPoint(min(12, widget.width() // 2), widget.height() // 2)
    return widget.rect().center()


def _holds_focus(widget: QWidget) -> bool:
    focus = QApplication.focusWidget()
    return focus is not None and (focus is widget or focus is widget.focusProxy() or widget.isAncestorOf(focus))


def _blocks(widget: QWidget) -> bool:
    """Qt runs the menu of a tool button in an event loop that ends with the menu; the robot could not go on in it."""
    if not isinstance(widget, QToolButton) or widget.menu() is None:
        return False
    return widget.popupMode() == QToolButton.ToolButtonPopupMode.InstantPopup
