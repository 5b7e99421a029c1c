"""An opened data set: how it is split, its classes, its pictures, and what could not be read."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QHBoxLayout, QListView, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui_lab.core.images import ImageSet
from gui_lab.qt import words
from gui_lab.qt.theme import XS, Elided, L, M, S, label, set_role, with_icon
from gui_lab.qt.views.class_bars import PARTS, ClassBars, SplitBar
from gui_lab.qt.views.column import hairline
from gui_lab.qt.views.image_grid import ImageGrid
from gui_lab.qt.views.segments import Segments

_CLASSES, _WIDEST_CLASSES = 190, 280
_SKIPPED_HEIGHT = 120


class Gallery(QWidget):
    """The classes filter the grid, and so do the parts; `pin` and `grid.pin_wanted` are for whoever keeps the pins."""

    def __init__(self) -> None:
        super().__init__()
        self._pins: tuple[int, ...] = ()
        self.split = SplitBar()
        self.classes = ClassBars()
        self.classes.setMinimumWidth(_CLASSES)
        self.classes.setMaximumWidth(_WIDEST_CLASSES)
        set_role(self.classes, "bare")
        self.grid = ImageGrid()
        self.classes.chosen.connect(self.grid.show_class)
        self.grid.selected.connect(self._show_selected)
        self._make_skipped()
        beside = QVBoxLayout()
        beside.setSpacing(S)
        beside.addLayout(self._make_tools())
        beside.addWidget(self.grid, 1)
        beside.addLayout(self._make_foot())
        body = QHBoxLayout()
        body.setSpacing(L)
        body.addWidget(self.classes, 1)
        body.addLayout(beside, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(M)
        column.addWidget(self.skipped)
        column.addWidget(self.split)
        column.addWidget(hairline())
        column.addLayout(body, 1)

    def _make_tools(self) -> QHBoxLayout:
        self.parts = Segments("dataset.part", {"all": "All", **{part: part.capitalize() for part in PARTS}})
        self.parts.chosen.connect(lambda part: self.grid.show_part(None if part == "all" else part))
        smaller = _tool("dataset.smaller", "Smaller pictures", "minus")
        larger = _tool("dataset.larger", "Larger pictures", "plus")
        smaller.clicked.connect(lambda: self.grid.resize_tiles(-1))
        larger.clicked.connect(lambda: self.grid.resize_tiles(1))
        tools = QHBoxLayout()
        tools.setSpacing(XS)
        tools.addWidget(self.parts)
        tools.addStretch(1)
        tools.addWidget(smaller)
        tools.addWidget(larger)
        return tools

    def _make_foot(self) -> QHBoxLayout:
        self.selected = Elided("dataset.selected")
        self.pinned = label("", "caption", name="dataset.pinned")
        self.pin = QPushButton("Pin")
        self.pin.setObjectName("dataset.pin")
        self.pin.setAccessibleName("Pin the chosen picture")
        self.pin.setToolTip("Show the network's answer for this picture while it trains (P, or double-click)")
        with_icon(self.pin, "push-pin")
        foot = QHBoxLayout()
        foot.setSpacing(M)
        foot.addWidget(self.selected, 1)
        foot.addWidget(self.pinned)
        foot.addWidget(self.pin)
        return foot

    def _make_skipped(self) -> None:
        self.skipped = QWidget()
        self.skipped_line = label("", "warning", name="dataset.skipped")
        self.skipped_toggle = QPushButton("Show list")
        self.skipped_toggle.setObjectName("dataset.skipped.toggle")
        self.skipped_toggle.setAccessibleName("Show list of files that could not be read")
        self.skipped_toggle.setCheckable(True)
        set_role(self.skipped_toggle, "plain")
        self.skipped_list = QListView()
        self.skipped_list.setObjectName("dataset.skipped.list")
        self.skipped_list.setAccessibleName("Files that could not be read")
        self.skipped_list.setUniformItemSizes(True)
        self._skipped = QStringListModel(self)
        self.skipped_list.setModel(self._skipped)
        self.skipped_list.hide()
        self.skipped_toggle.toggled.connect(self._show_list)
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(self.skipped_line)
        top.addWidget(self.skipped_toggle)
        top.addStretch(1)
        column = QVBoxLayout(self.skipped)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(XS)
        column.addLayout(top)
        column.addWidget(self.skipped_list)

    def _show_list(self, shown: bool) -> None:
        self.skipped_list.setVisible(shown)
        self.skipped_toggle.setText("Hide list" if shown else "Show list")

    def show_pictures(self, images: ImageSet, split_seed: int) -> None:
        held = [len(part) for part in (images.train, images.validation, images.test)]
        self.split.show_split(held, f"Split by seed {split_seed}")
        counts = np.stack([images.counts(part) for part in (images.train, images.validation, images.test)])
        self.classes.show_counts(images.classes, counts)
        there = [part for part, number in zip(PARTS, held, strict=True) if number]
        self.parts.offer(["all", *there])
        if self.parts.key not in ("all", *there):
            self.parts.choose("all")
            self.grid.show_part(None)
        self.grid.show_pictures(images)
        self.classes.choose(self.grid.label)
        skipped = len(images.skipped)
        self.skipped_line.setText(f"{words.count(skipped)} file{'' if skipped == 1 else 's'} could not be read.")
        self._skipped.setStringList([f"{name}: {reason}" for name, reason in images.skipped])
        rows = self.skipped_list.sizeHintForRow(0) * skipped + XS
        self.skipped_list.setFixedHeight(min(max(rows, 0), _SKIPPED_HEIGHT))
        self.skipped.setVisible(bool(skipped))

    def show_pins(self, pins: tuple[int, ...], *, enabled: bool) -> None:
        self._pins = pins
        self.grid.set_pins(pins)
        self.pinned.setText(f"{len(pins)} pinned" if pins else "None pinned")
        self.pin.setEnabled(enabled and self.grid.current >= 0)
        self.pin.setText("Unpin" if self.grid.current in pins else "Pin")

    def _show_selected(self, index: int) -> None:
        said = self.grid.words(index) if index >= 0 else "Choose a picture to see what it is"
        self.selected.setText(said)
        set_role(self.selected, "body" if index >= 0 else "quiet")
        self.show_pins(self._pins, enabled=True)


def _tool(name: str, spoken: str, sign: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setAccessibleName(spoken)
    button.setToolTip(spoken)
    set_role(button, "plain")
    with_icon(button, sign)
    return button
