"""The view of `Pictures`: pixels one can count, numbers in the cells where they fit, and cells in hand in frames.

One widget paints them all. What a picture looks like is made when it is first painted and kept while its values stay
the same, so that a frame that moves over a wall of maps costs a repaint and nothing more.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui_lab.core.exhibits import Edit, Picture, Pictures
from gui_lab.qt.exhibits import tones
from gui_lab.qt.exhibits.view import ExhibitView
from gui_lab.qt.exhibits.wall import Room, Wall, natural_height
from gui_lab.qt.theme import CAPTION, SECTION, THEME, colour, numbers_font
from gui_lab.qt.views.cell import paint_ring

_LARGEST, _SMALLEST = 13, 9  # pixels of the numbers in cells, more in large ones
_LEAST_HEIGHT = 72
_USUAL_WIDTH, _MOST_GROWTH = 640, 1.5  # what is not tall grows with the width, up to so many times
_FAINT = 0.3
_INK = {True: Qt.GlobalColor.black, False: Qt.GlobalColor.white}
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_ELIDED = Qt.TextElideMode.ElideRight


class PicturesView(ExhibitView):
    exhibit: Pictures

    def __init__(self, name: str) -> None:
        self.canvas = Canvas()
        super().__init__(name, self.canvas)
        self.canvas.clicked.connect(self.edited)

    def show_body(self) -> None:
        self.canvas.show_pictures(self.exhibit)


class _Look:
    """A picture as it is painted: its colours as an image, and the words in its cells."""

    def __init__(self, picture: Picture, dark: bool, side: int) -> None:
        self.picture, self.dark, self.side = picture, dark, side
        colours = tones.colours_of(picture, dark=dark, side=side)
        self.image = tones.image(colours)
        flat = picture.values.ndim == 2
        self.words = tones.cell_words(picture.values) if picture.numbers and flat else []
        self.bright = tones.bright(colours) if self.words else np.zeros((0, 0), np.bool_)

    def serves(self, picture: Picture, dark: bool, side: int) -> bool:
        """Whether it shows this picture too."""
        mine = self.picture
        alike = mine.values is picture.values or (
            mine.values.shape == picture.values.shape
            and mine.values.dtype == picture.values.dtype
            and np.array_equal(mine.values, picture.values, equal_nan=picture.values.dtype.kind == "f")
        )
        drawn = (mine.scale, mine.low, mine.high, mine.numbers) == (
            picture.scale, picture.low, picture.high, picture.numbers,
        )  # fmt: skip
        small = max(picture.values.shape[-2:]) < 2 * min(side, self.side)
        return alike and drawn and dark == self.dark and (small or side == self.side)


class Canvas(QWidget):
    """`clicked` carries an `Edit`. Arrow keys move the chosen cell, or go from picture to picture where a picture is
    clicked as a whole; page keys always do."""

    clicked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.exhibit = Pictures(pictures=())
        self.wall = Wall(Room((), (), False, 0, 0, 0))
        self._looks: list[_Look | None] = []
        self._current = 0
        self._cells: dict[int, tuple[int, int]] = {}
        self._hovered: tuple[int, int, int] | None = None
        self._written: dict[tuple[int, int], tuple[Callable[[str], str], int]] = {}
        THEME.changed.connect(self.update)

    # ---------------------------------------------------------------- what is shown

    def show_pictures(self, exhibit: Pictures) -> None:
        before, self.exhibit = self.exhibit, exhibit
        pictures = exhibit.pictures
        if len(pictures) != len(before.pictures):
            self._looks = [None] * len(pictures)
            self._cells.clear()
        self._current = min(self._current, max(len(pictures) - 1, 0))
        usable = self._usable()
        if usable and self._current not in usable:
            self._current = next((number for number in usable if pictures[number].state == "now"), usable[0])
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if usable else Qt.FocusPolicy.NoFocus)
        self._hang()
        self._tell()
        self.updateGeometry()
        self.update()

    def _hang(self) -> None:
        pictures = self.exhibit.pictures
        metrics = QFontMetrics(numbers_font(CAPTION))
        titles = tuple(metrics.horizontalAdvance(one.title) + 2 if one.title else 0 for one in pictures)
        sizes = tuple((int(one.values.shape[-2]), int(one.values.shape[-1])) for one in pictures)
        height = self.height() if self.exhibit.tall else min(self.height(), self.sizeHint().height())
        room = Room(sizes, titles, bool(self.exhibit.signs), self.exhibit.columns, self.width(), height)
        if room != self.wall.room:
            self.wall = Wall(room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width() and not self.exhibit.tall:
            self.updateGeometry()
        self._hang()

    def sizeHint(self) -> QSize:
        pictures = self.exhibit.pictures
        if self.exhibit.tall or not pictures:
            return QSize(240, 3 * _LEAST_HEIGHT)
        sizes = [(int(one.values.shape[-2]), int(one.values.shape[-1])) for one in pictures]
        cell = round(self.exhibit.cell * min(max(self.width() / _USUAL_WIDTH, 1), _MOST_GROWTH))
        return QSize(240, natural_height(sizes, any(one.title for one in pictures), cell))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, min(_LEAST_HEIGHT if self.exhibit.tall else 10_000, self.sizeHint().height()))

    def words(self, number: int, row: int, column: int) -> str:
        """What a cell holds: its picture, its place and its full number."""
        picture = self.exhibit.pictures[number]
        values = np.atleast_1d(picture.values[..., row, column]).tolist()
        told = ", ".join("nothing yet" if value != value else tones.whole_word(value) for value in values)
        name = f"{picture.title}, " if picture.title else ""
        return f"{name}row {row}, column {column}: {told}"

    def _tell(self) -> None:
        """Where the keyboard is, for who does not see it."""
        if not self.exhibit.pictures:
            self.setAccessibleDescription("")
            return
        picture = self.exhibit.pictures[self._current]
        row, column = self._cell_of(self._current) if picture.place else (0, 0)
        self.setAccessibleDescription(self.words(self._current, row, column) if picture.place else picture.title)

    # ---------------------------------------------------------------- clicks

    def _usable(self) -> list[int]:
        """The pictures that can be clicked."""
        return [number for number, one in enumerate(self.exhibit.pictures) if one.place or one.edit]

    def _edit(self, number: int, row: int, column: int) -> Edit | None:
        """What a click on a cell sets."""
        picture = self.exhibit.pictures[number]
        edit = dict(picture.edit or {})
        if picture.place:
            set_to = (max((at - picture.shift) // picture.pitch, 0) for at in (row, column))
            edit |= dict(zip(picture.place, set_to, strict=True))
        return edit or None

    def _click(self, number: int, row: int, column: int) -> None:
        edit = self._edit(number, row, column)
        if edit is None:
            return
        self._current = number
        picture = self.exhibit.pictures[number]
        moved = picture.place is not None and (row, column) != self._cells.get(number)
        self._cells[number] = (row, column)
        self._tell()
        self.update()
        if moved or not picture.place:
            self.clicked.emit(edit)

    def _cell_of(self, number: int) -> tuple[int, int]:
        """The cell of a picture that is chosen."""
        picture = self.exhibit.pictures[number]
        height, width = picture.values.shape[-2:]
        row, column = self._cells.get(number, (0, 0))
        if picture.chosen is not None:
            row, column = (at * picture.pitch + picture.shift for at in picture.chosen)
        return min(max(row, 0), height - 1), min(max(column, 0), width - 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.wall.at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and found is not None:
            self._cells.pop(found[0], None)
            self._click(*found)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()  # belongs to the press; left alone it would go on to what is behind

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.wall.at(event.position().toPoint())
        if event.buttons() & Qt.MouseButton.LeftButton:
            if found is not None and found[0] == self._current and self.exhibit.pictures[found[0]].place:
                self._click(*found)
            return
        self._hover(found)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)

    def _hover(self, found: tuple[int, int, int] | None) -> None:
        usable = found if found is not None and found[0] in self._usable() else None
        if usable != self._hovered:
            self._hovered = usable
            self.setCursor(Qt.CursorShape.ArrowCursor if usable is None else Qt.CursorShape.PointingHandCursor)
            self.update()

    # ---------------------------------------------------------------- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, usable = Qt.Key(event.key()), self._usable()
        if not usable or self._current not in usable:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._cells.pop(self._current, None)
            self._click(self._current, *self._cell_of(self._current))
        elif key in _PAGES:
            self._go(usable, _PAGES[key])
        elif key in _ARROWS and self.exhibit.pictures[self._current].place:
            self._move(*_ARROWS[key])
        elif key in _ARROWS:
            down, right = _ARROWS[key]
            self._go(usable, right + down * self.wall.columns)
        else:
            super().keyPressEvent(event)

    def _go(self, usable: Sequence[int], by: int) -> None:
        """To another picture that can be clicked."""
        place = usable.index(self._current) + by
        if 0 <= place < len(usable):
            self._current = usable[place]
            self._tell()
            self.update()

    def _move(self, down: int, right: int) -> None:
        """To the next place of the current picture."""
        picture = self.exhibit.pictures[self._current]
        row, column = self._cell_of(self._current)
        height, width = picture.values.shape[-2:]
        row, column = row + down * picture.pitch, column + right * picture.pitch
        if 0 <= row < height and 0 <= column < width:
            self._click(self._current, row, column)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            found = self.wall.at(event.pos())
            text = "" if found is None else f"<qt>{html.escape(self.words(*found))}</qt>"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        self._written.clear()
        with QPainter(self) as painter:
            for number, picture in enumerate(self.exhibit.pictures):
                if self.wall.places[number].adjusted(-4, -24, 4, 4).intersects(event.rect()):
                    painter.setOpacity(_FAINT if picture.state == "waiting" else 1.0)
                    self._paint_picture(painter, number, picture)
            painter.setOpacity(1.0)
            self._paint_signs(painter)
            self._paint_hand(painter)

    def _paint_picture(self, painter: QPainter, number: int, picture: Picture) -> None:
        place, look = self.wall.places[number], self._look(number)
        shrinks = place.width() < look.image.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
        painter.fillRect(place, colour("surface"))
        painter.drawImage(place, look.image)
        painter.setPen(colour("line"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(place.adjusted(-1, -1, 0, 0))
        if look.words:
            self._paint_numbers(painter, number, look)
        for frame in picture.frames:
            cells = self.wall.cells(number, frame.row, frame.column, frame.height, frame.width)
            _paint_frame(painter, cells.intersected(place.adjusted(-1, -1, 1, 1)), frame.role)
        if picture.state == "now":
            paint_ring(painter, place.adjusted(1, 1, 0, 0))
        if picture.title:
            painter.setFont(numbers_font(CAPTION))
            painter.setPen(colour("accent" if picture.state == "now" else "quiet"))
            title = self.wall.titles[number]
            words = painter.fontMetrics().elidedText(picture.title, _ELIDED, title.width())
            middle = int(Qt.AlignmentFlag.AlignCenter)
            painter.drawText(title, middle if self.exhibit.signs else _LEFT, words)

    def _paint_numbers(self, painter: QPainter, number: int, look: _Look) -> None:
        form, pixels = self._writing(number)
        if pixels == 0:
            return
        painter.setFont(numbers_font(pixels))
        for row, words in enumerate(look.words):
            for column, word in enumerate(words):
                painter.setPen(_INK[bool(look.bright[row, column])])
                painter.drawText(self.wall.cells(number, row, column), int(Qt.AlignmentFlag.AlignCenter), form(word))

    def _writing(self, number: int) -> tuple[Callable[[str], str], int]:
        """How numbers are written, and the pixels of their font, 0 where there is no room. In cells of one size they
        are written alike; in the terms of an equation as large as each allows."""
        cell = self.wall.cells(number, 0, 0).size()
        key = (number if self.exhibit.signs else -1, cell.width())
        if key not in self._written:
            every = [number] if self.exhibit.signs else range(len(self.exhibit.pictures))
            together = [one for one in every if self.wall.cells(one, 0, 0).width() == cell.width()]
            self._written[key] = self._written_alike(together, cell)
        return self._written[key]

    def _written_alike(self, together: Sequence[int], cell: QSize) -> tuple[Callable[[str], str], int]:
        words = [word for one in together for row in self._look(one).words for word in row]
        for form in (str, tones.compact):
            pixels = _fitting(max(map(form, words), key=len, default=""), cell)
            if pixels:
                return form, pixels
        return str, 0

    def _paint_signs(self, painter: QPainter) -> None:
        painter.setFont(numbers_font(SECTION))
        painter.setPen(colour("text"))
        for place, sign in zip(self.wall.signs, self.exhibit.signs, strict=False):
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), sign)

    def _paint_hand(self, painter: QPainter) -> None:
        """Where the pointer and the keyboard are."""
        if self._hovered is not None and self._hovered[0] < len(self.exhibit.pictures):
            number, row, column = self._hovered
            picture = self.exhibit.pictures[number]
            painter.setPen(colour("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            cell = self.wall.cells(number, row, column) if picture.place else self.wall.places[number]
            painter.drawRect(cell.adjusted(-1, -1, 0, 0))
        if self.hasFocus() and self._current in self._usable():
            paint_ring(painter, self.wall.places[self._current].adjusted(1, 1, 0, 0))

    def _look(self, number: int) -> _Look:
        """Made anew where it is another picture."""
        picture, place = self.exhibit.pictures[number], self.wall.places[number]
        side = round(max(place.width(), place.height()) * self.devicePixelRatioF())
        look = self._looks[number]
        if look is None or not look.serves(picture, THEME.dark, side):
            look = self._looks[number] = _Look(picture, THEME.dark, side)
        look.picture = picture  # the next time it is known without comparing values
        return look

    def image_of(self, number: int) -> QImage:
        """How a picture is drawn, before it is brought to its size."""
        return self._look(number).image


_ARROWS = {
    Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0),
}  # fmt: skip
_PAGES = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


def _fitting(word: str, cell: QSize) -> int:
    """The pixels of the largest font in which a word fits into a cell; 0 where none does."""
    for pixels in range(max(_LARGEST, cell.height() // 5), _SMALLEST - 1, -1):
        width = QFontMetrics(numbers_font(pixels)).horizontalAdvance(word)
        if width <= cell.width() - 3 and pixels <= cell.height() - 6:
            return pixels
    return 0


def _paint_frame(painter: QPainter, cells: QRect, role: str) -> None:
    """A frame that is seen on any ground: its colour, and the ground's own around it. A quiet one is a hairline."""
    thick = 2 if min(cells.width(), cells.height()) >= 10 and role != "quiet" else 1
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if thick == 2:
        painter.setPen(QPen(colour("surface"), 1))
        painter.drawRect(cells.adjusted(-2, -2, 1, 1))
        painter.drawRect(cells.adjusted(1, 1, -2, -2))
    painter.setPen(QPen(colour(role), thick))
    painter.drawRect(cells if thick == 2 else cells.adjusted(0, 0, -1, -1))
