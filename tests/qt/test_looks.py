"""The whole window, place by place: nothing is cut off or covered, and everything has a name, is reached and read."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QGraphicsView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QStyle,
    QStyleOptionComboBox,
    QToolButton,
    QWidget,
)

from gui_lab.core.concepts import CONCEPTS
from gui_lab.qt.theme import DARK, LIGHT, Colours, Elided
from gui_lab.qt.window import PLACES
from gui_lab.testing.hands import live

SIZES = (QSize(1024, 700), QSize(1280, 800), QSize(1920, 1080))
_SPEAKING = (QAbstractButton, QLabel, QComboBox, QLineEdit, QAbstractSpinBox)
_ACTED_ON = (QAbstractButton, QLineEdit, QAbstractSpinBox, QComboBox, QAbstractSlider, QAbstractItemView, QGraphicsView)


def parts(window: QWidget, kinds: type | tuple[type, ...] = QWidget) -> list[QWidget]:
    """What is visible in the window, without the inner parts of Qt's own widgets."""
    found = []
    for widget in window.findChildren(QWidget):
        above = widget.parentWidget()
        inner = isinstance(above, (QAbstractSpinBox, QComboBox, QAbstractItemView, QGraphicsView, QScrollBar))
        if isinstance(widget, kinds) and widget.isVisible() and widget.window() is window and not inner:
            found.append(widget)
    return found


def acted_on(window: QWidget) -> list[QWidget]:
    """What takes the mouse or the keyboard; plots count, scroll bars do not."""
    tab = Qt.FocusPolicy.TabFocus
    found = [one for one in parts(window) if isinstance(one, _ACTED_ON) or one.focusPolicy() & tab]
    return [one for one in found if not isinstance(one, QScrollBar)]


def told(widget: QWidget) -> str:
    text = getattr(widget, "text", lambda: "")()
    return f"{type(widget).__name__} {widget.objectName()} {text!r} {widget.width()}x{widget.height()}"


def needed(widget: QWidget) -> QSize:
    """The room that the words of a widget take."""
    metrics = widget.fontMetrics()
    if isinstance(widget, QLabel):
        if widget.wordWrap():
            return QSize(0, widget.heightForWidth(widget.width()))
        lines = widget.text().split("\n")
        return QSize(max(metrics.horizontalAdvance(line) for line in lines), metrics.height() * len(lines))
    if isinstance(widget, QAbstractButton):
        spare = QSize(2 * metrics.horizontalAdvance(" "), 3)  # what Qt's hint adds to words and icon of a tool button
        return widget.sizeHint() - (spare if isinstance(widget, QToolButton) else QSize(0, 0))
    if isinstance(widget, QComboBox):
        return QSize(metrics.horizontalAdvance(widget.currentText()), metrics.height())
    line = widget.lineEdit() if isinstance(widget, QAbstractSpinBox) else widget
    a_path = widget.objectName().endswith(".root")  # longer than any box; its end is shown
    return QSize(0 if a_path else metrics.horizontalAdvance(line.text()), metrics.height())


def room(widget: QWidget) -> QSize:
    if isinstance(widget, QAbstractButton):
        return widget.size()
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        return widget.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, widget).size()
    if isinstance(widget, QAbstractSpinBox):
        return widget.lineEdit().size()
    return widget.contentsRect().size()


def cut_off(window: QWidget) -> list[str]:
    """Widgets with less room than their words need."""
    found = []
    for widget in parts(window, _SPEAKING):
        if isinstance(widget, Elided) or (isinstance(widget, QLabel) and not widget.text()):
            continue
        has, wants = room(widget), needed(widget)
        if has.width() + 1 < wants.width() or has.height() + 1 < wants.height():
            found.append(f"{told(widget)} needs {wants.width()}x{wants.height()}")
    return found


def on_screen(widget: QWidget, window: QWidget) -> QRect:
    """Where the widget is seen, in the window's coordinates."""
    seen = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    above = widget.parentWidget()
    while above is not None and above is not window:
        seen &= QRect(above.mapTo(window, QPoint(0, 0)), above.size())
        above = above.parentWidget()
    return seen & window.rect()


def out_of_sight(window: QWidget) -> list[str]:
    """Widgets of which a part is outside; downwards a scroll area may hold more."""
    found, scrolled = [], parts(window, QScrollArea)
    for widget in parts(window, (*_SPEAKING, QAbstractSlider)):
        areas = [area for area in scrolled if area.isAncestorOf(widget)]
        seen = on_screen(widget, window)
        if areas and seen.isEmpty():
            continue
        if seen.width() < widget.width() or (not areas and seen.height() < widget.height()):
            found.append(f"{told(widget)} is seen as {seen.width()}x{seen.height()}")
    return found


def overlapping(window: QWidget) -> list[str]:
    found = []
    shown = [(one, on_screen(one, window)) for one in parts(window, (*_SPEAKING, *_ACTED_ON))]
    for (one, here), (other, there) in combinations(shown, 2):
        if one.isAncestorOf(other) or other.isAncestorOf(one):
            continue
        if (here & there).width() > 1 and (here & there).height() > 1:
            found.append(f"{told(one)} and {told(other)}")
    return found


def visit(lab, concepts=False, sizes=SIZES):
    """Each place at each size, and each concept where they are asked for."""
    window = lab.lab.window
    for size in sizes:
        window.resize(size)
        for place, _ in PLACES:
            window.go(place)
            live(60)
            yield f"{place} at {size.width()}x{size.height()}", window
        for concept in CONCEPTS if concepts else ():
            page = window.page("Concepts")
            page.open(concept.name_of())
            lab.hands.wait(lambda page=page: page.reader.settled, f"{concept.title} is shown", 60)
            live(60)
            yield f"{concept.title} at {size.width()}x{size.height()}", window
        window.page("Concepts").show_all()


def wrong_in(window: QWidget) -> list[str]:
    """What is still wrong once all that is computed aside has arrived: a second at most."""
    for _ in range(10):
        wrong = cut_off(window) + out_of_sight(window) + overlapping(window)
        if not wrong:
            break
        live(100)
    return wrong


def faults(lab, concepts=False) -> dict[str, list[str]]:
    found = {}
    for where, window in visit(lab, concepts):
        wrong = wrong_in(window)
        if wrong:
            found[where] = wrong
    return found


def test_nothing_is_cut_off_or_covered_at_any_size_before_and_after_a_run(lab):
    lab.lab.session.edit("model", "SoftmaxRegression")
    lab.lab.session.edit("training.epochs", 2)
    assert faults(lab) == {}
    lab.train.start().wait_done()
    assert faults(lab, concepts=True) == {}


def test_nothing_is_cut_off_or_covered_where_things_are_wrong(lab):
    lab.lab.session.edit("transforms", [{"name": "Normalize"}])
    lab.lab.session.edit("training.batch_size", 4000)
    lab.lab.window.open_file(Path("nowhere") / ("a long name of an experiment that is not there " * 3 + ".lab"))
    assert lab.banner()
    assert faults(lab) == {}
    lab.dataset.choose("CIFAR10")
    assert faults(lab) == {}


def test_every_widget_that_can_be_acted_on_has_a_name_of_its_own_and_one_for_screen_readers(lab):
    lab.transforms.select(1)
    nameless, silent, twice = set(), set(), set()
    for where, window in visit(lab, concepts=True, sizes=SIZES[:1]):
        there = acted_on(window)
        assert len(there) > 12, where
        nameless |= {told(one) for one in there if not one.objectName()}
        count = Counter(one.objectName() for one in window.findChildren(QWidget) if one.objectName()[:3] != "qt_")
        twice |= {f"{one.objectName()} on {where}" for one in there if count[one.objectName()] > 1}
        silent |= {told(one) for one in there if not spoken(one)}
    assert (nameless, twice, silent) == (set(), set(), set())


def spoken(widget: QWidget) -> str:
    """What a screen reader says that it is."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return str(interface.text(QAccessible.Text.Name)) if interface is not None else ""


def test_tab_reaches_everything_enabled_that_takes_the_keyboard(lab):
    lab.transforms.select(1)
    window = lab.lab.window
    for place, _ in PLACES:
        window.go(place)
        live(60)
        there = [one for one in acted_on(window) if one.isEnabled() and not isinstance(one, QGraphicsView)]
        wanted = {one.objectName() for one in there} - _one_of_each_group(window)
        assert len(wanted) > 8, place
        reached = set()
        lab.hands.find("header.file").setFocus()
        for _ in range(120):
            lab.hands.press(window.focusWidget(), "Tab")
            reached.add(window.focusWidget().objectName())
        assert wanted - reached == set(), place


def _one_of_each_group(window: QWidget) -> set[str]:
    """Of exclusive buttons Tab reaches the chosen one; arrow keys go on from there."""
    return {
        one.objectName()
        for one in parts(window, QAbstractButton)
        if one.group() is not None and one.group().exclusive() and not one.isChecked()
    }


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio, 1..21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_all_words_can_be_read_on_their_grounds(colours: Colours):
    roles = asdict(colours)
    for ground in ("window", "surface", "raised", "hover", "error_surface"):
        for words in ("text", "quiet", "accent", "error", "warning"):
            assert contrast(roles[words], roles[ground]) >= 4.5, f"{words} on {ground}"
    for words, ground in (("best", "surface"), ("on_accent", "accent"), ("on_accent", "training")):
        assert contrast(roles[words], roles[ground]) >= 4.5, f"{words} on {ground}"
    for line in ("training", "validation", "best", "error"):
        assert contrast(roles[line], roles["surface"]) >= 3, f"{line} as a line or a bar"


def test_arrow_keys_walk_the_rail(lab):
    lab.hands.find("rail.dataset").setFocus()
    lab.hands.press("rail.dataset", "Down")
    assert lab.lab.window.title.text() == "Transforms"
    lab.hands.press("rail.transforms", "Down")
    assert lab.lab.window.title.text() == "Model"
