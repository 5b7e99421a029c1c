"""One column that says everything of a run: what it does or why it ended, how far it is, how fast, and what it has
reached.

One widget paints all readouts: labels would each lay the page out again when their words change, ten times a second.
Names stand left, figures right in digits of one width, and a readout that is not known is a dash in its place, so that
nothing moves while the figures do. Only what has changed is painted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui_lab.core.history import History
from gui_lab.qt import words
from gui_lab.qt.theme import CAPTION, SECTION, THEME, XS, M, S, colour, numbers_font

_ROW = 20
_BAR = 3
_USUAL = 260
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_WRAPPED = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)
_ALL = 10_000  # pixels of height, where it is asked how high words are


@dataclass(frozen=True)
class Status:
    """What the run does, in large words."""

    words: str
    failed: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a measuring is: words, and the part 0..1 that is done; nothing at all while there is none."""

    words: str = ""
    part: float = 0.0


@dataclass(frozen=True)
class Readout:
    """A name and its figures."""

    name: str
    value: str = words.NONE


@dataclass(frozen=True)
class Note:
    """A sentence below the readouts of its group."""

    words: str


@dataclass(frozen=True)
class Rule:
    """The hairline between two groups."""


Item = Status | Progress | Readout | Note | Rule


def items_of(history: History, state: str, memory: int = 0) -> tuple[Item, ...]:
    """All that is said of a run, from top to bottom.

    Args:
        state: "Ready", "Training", "Paused" ...; where it has ended it is told from the history.
        memory: bytes in use; 0 where that is not known.
    """
    measuring = words.noticed(state, history)
    return (
        _status(history, state),
        Progress() if measuring is None else Progress(words.measuring(measuring), measuring.done / measuring.total),
        Rule(),
        *_way(history),
        Rule(),
        *_pace(history, memory),
        Rule(),
        *_reached(history),
        Rule(),
        *_machine(history),
    )


def _status(history: History, state: str) -> Status:
    ended = history.ended
    if ended is not None:
        return Status(words.ending(ended, history.patience), failed=ended.reason == "failed")
    return Status(words.doing(state, history), failed=state == "Failed")


def _way(history: History) -> list[Item]:
    started, last = history.started, history.last
    if started is None or last is None:
        return [Readout("epoch"), Readout("iteration"), Readout("elapsed"), Readout("time left")]
    over = history.ended is not None
    return [
        Readout("epoch", f"{words.count(last.epoch)} of {words.count(max(history.epochs_planned, last.epoch))}"),
        Readout("iteration", f"{words.count(last.iteration)} of {words.count(started.iterations)}"),
        Readout("elapsed", words.clock(history.elapsed)),
        Readout("time left", words.NONE if over else words.clock(history.seconds_left())),
    ]


def _pace(history: History, memory: int) -> list[Item]:
    rate = history.rate()
    return [
        Readout("speed", words.rate(rate, "pictures/s") if math.isfinite(rate) else words.NONE),
        Readout("learning rate", words.number(history.lr_now)),
        Readout("gradient norm", words.measured(history.norm_now)),
        Readout("memory", words.size(memory) if memory else words.NONE),
    ]


def _reached(history: History) -> list[Item]:
    best, tested, left = words.NONE, history.tested, history.patience_left()
    if history.best_epoch:
        best = f"{words.percent(history.best_accuracy)} in epoch {words.count(history.best_epoch)}"
    found: list[Item] = [Readout("best", best)]
    if tested is not None:
        found.append(Readout("test", f"{words.percent(tested.accuracy)} of {words.count(tested.samples)}"))
    if left is not None:
        epochs = "1 more epoch" if left == 1 else f"{words.count(left)} more epochs"
        found.append(Note(f"Stops after {epochs} without improvement."))
    return found


def _machine(history: History) -> list[Item]:
    started = history.started
    if started is None:
        return [Readout("device"), Readout("precision")]
    threads = f", {started.threads} thread{'' if started.threads == 1 else 's'}" if started.device == "cpu" else ""
    found: list[Item] = [Readout("device", started.device + threads), Readout("precision", started.precision)]
    return [*found, Note(started.why)] if started.why else found


class RunColumn(QWidget):
    """Fed by `show_run`; 220 pixels are enough for it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("train.column")
        self.setAccessibleName("The run in figures")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumWidth(200)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._items: tuple[Item, ...] = ()
        self._places: list[QRect] = []
        THEME.changed.connect(self.update)
        self.show_run(History(), "Ready")

    def show_run(self, history: History, state: str, memory: int = 0) -> None:
        """As `items_of`; costs a tenth of a millisecond, and paints what has changed."""
        before, self._items = self._items, items_of(history, state, memory)
        if self._items == before:
            return
        self.setAccessibleDescription("; ".join(_spoken(self._items)))
        if [_shape(item) for item in before] != [_shape(item) for item in self._items]:
            self._arrange()
            return
        for item, old, place in zip(self._items, before, self._places, strict=True):
            if item != old:
                self.update(place)

    def readout(self, name: str) -> str:
        """The figures beside a name.

        Raises:
            KeyError: there is none of that name now.
        """
        return {item.name: item.value for item in self._items if isinstance(item, Readout)}[name]

    @property
    def words(self) -> list[str]:
        """All that is shown, a line each."""
        return _spoken(self._items)

    # ---------------------------------------------------------------- geometry

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return _arranged(self._items, width)[1]

    def sizeHint(self) -> QSize:
        return QSize(_USUAL, self.heightForWidth(_USUAL))

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.oldSize().width() != self.width():
            self._arrange()

    def _arrange(self) -> None:
        self._places, height = _arranged(self._items, self.width())
        if height != self.minimumHeight():
            self.setMinimumHeight(height)
        self.update()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), colour("surface"))
            for item, place in zip(self._items, self._places, strict=True):
                if event.region().intersects(place):
                    _paint(painter, item, place)


def _spoken(items: Sequence[Item]) -> list[str]:
    said = []
    for item in items:
        if isinstance(item, Readout):
            said.append(f"{item.name} {item.value}")
        elif isinstance(item, Status | Progress | Note) and item.words:
            said.append(item.words)
    return said


def _shape(item: Item) -> object:
    """What decides where things stand; figures do not."""
    return (type(item), item.name) if isinstance(item, Readout) else type(item) if isinstance(item, Progress) else item


def _status_font() -> QFont:
    font = numbers_font(SECTION)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _wrapped(text: str, font: QFont, width: int) -> int:
    """Pixels of height."""
    return QFontMetrics(font).boundingRect(QRect(0, 0, width, _ALL), _WRAPPED, _breakable(text)).height()


def _breakable(text: str) -> str:
    """With places inside paths where a line may end."""
    return text.replace("/", "/\u200b").replace("\\", "\\\u200b")


def _arranged(items: Sequence[Item], width: int) -> tuple[list[QRect], int]:
    """A place for each item, and how high they are in all."""
    places, top = [], 0
    for item in items:
        height = _ROW
        if isinstance(item, Status):
            height = _wrapped(item.words, _status_font(), width)
        elif isinstance(item, Progress):
            height = _ROW + _BAR
        elif isinstance(item, Note):
            height = _wrapped(item.words, numbers_font(CAPTION), width) + XS
        elif isinstance(item, Rule):
            height = 2 * S + 1
        places.append(QRect(0, top, width, height))
        top += height
    return places, top


def _paint(painter: QPainter, item: Item, place: QRect) -> None:
    match item:
        case Status():
            painter.setFont(_status_font())
            painter.setPen(colour("error" if item.failed else "text"))
            painter.drawText(place, _WRAPPED, _breakable(item.words))
        case Progress():
            _paint_progress(painter, item, place)
        case Readout():
            _paint_readout(painter, item, place)
        case Note():
            painter.setFont(numbers_font(CAPTION))
            painter.setPen(colour("quiet"))
            painter.drawText(place, _WRAPPED, _breakable(item.words))
        case Rule():
            painter.fillRect(QRect(place.left(), place.top() + S, place.width(), 1), colour("line"))


def _paint_progress(painter: QPainter, item: Progress, place: QRect) -> None:
    if not item.words:
        return
    painter.setFont(numbers_font(CAPTION))
    painter.setPen(colour("quiet"))
    painter.drawText(place.adjusted(0, 0, 0, -_BAR), _LEFT, item.words)
    track = QRect(place.left(), place.bottom() + 1 - _BAR, place.width(), _BAR)
    painter.fillRect(track, colour("raised"))
    track.setWidth(round(track.width() * item.part))
    painter.fillRect(track, colour("validation"))


def _paint_readout(painter: QPainter, item: Readout, place: QRect) -> None:
    painter.setFont(numbers_font())
    painter.setPen(colour("quiet"))
    painter.drawText(place, _LEFT, item.name)
    room = place.adjusted(painter.fontMetrics().horizontalAdvance(item.name) + M, 0, 0, 0)
    painter.setPen(colour("quiet" if item.value == words.NONE else "text"))
    shown = painter.fontMetrics().elidedText(item.value, Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(room, _RIGHT, shown)
